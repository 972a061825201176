// SPDX-License-Identifier: MIT
#include "admit/admit.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "admit/archive.h"
#include "admit/link.h"

namespace alloy::core {
namespace {

constexpr int64_t kMinSize = 64, kMaxSize = int64_t{1} << 30;
constexpr size_t kChunk = size_t{1} << 20;

Status Refuse(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

Status CheckKindAndSize(const FileFacts& facts) {
  if (facts.kind != FileKind::kRegular) {
    return Refuse(ALLOY_REASON_NOT_A_FILE, std::string("is ") + FileKindName(facts.kind) +
                                               "; name a regular file");
  }
  if (facts.size < kMinSize) {
    return Refuse(ALLOY_REASON_TOO_SMALL, "has " + std::to_string(facts.size) +
                                              " bytes; a library has 64 at least");
  }
  if (facts.size > kMaxSize) {
    return Refuse(ALLOY_REASON_TOO_LARGE, "has " + std::to_string(facts.size) +
                                              " bytes; at most 1 GiB is loaded");
  }
  return Status();
}

// Copy exactly `size` bytes, and see the end of the file right behind them.
Status CopyInto(const Fd& file, int64_t size, const Fd& sealed) {
  const auto buffer = std::make_unique<std::array<std::byte, kChunk>>();
  int64_t copied = 0;
  for (;;) {
    size_t got = 0;
    if (const int error = ReadFully(file, *buffer, &got); error != 0) {
      return Refuse(ALLOY_REASON_CANNOT_OPEN, "cannot be read: " + ErrorText(error));
    }
    copied += static_cast<int64_t>(got);
    if (copied > size || (got == 0 && copied != size)) {
      return Refuse(ALLOY_REASON_CHANGED, "changed while it was read: it had " +
                                              std::to_string(size) + " bytes, and then " +
                                              (copied > size ? "more" : "fewer") +
                                              "; load it again when it is complete");
    }
    if (got == 0) return Status();
    if (const int error = WriteFully(sealed, std::span(*buffer).first(got)); error != 0) {
      return Refuse(ALLOY_REASON_CANNOT_SEAL,
                    "cannot be copied to memory: " + ErrorText(error));
    }
  }
}

Status SealAndMap(int64_t size, AdmittedLibrary* library) {
  if (const int error = Seal(library->sealed); error != 0) {
    return Refuse(ALLOY_REASON_CANNOT_SEAL,
                  "its copy cannot be sealed: " + ErrorText(error));
  }
  if (const int error = MapForReading(library->sealed, size, &library->bytes);
      error != 0) {
    return Refuse(ALLOY_REASON_CANNOT_SEAL,
                  "its copy cannot be mapped: " + ErrorText(error));
  }
  return Status();
}

// A static archive, once it is sealed, becomes the library that is linked of it.
Status LinkIfArchive(AdmittedLibrary* library) {
  const auto bytes = Bytes(library->bytes);
  const bool is_elf = bytes.size() >= 4 && std::memcmp(bytes.data(),
                                                       "\x7f"
                                                       "ELF",
                                                       4) == 0;
  if (!IsArchive(bytes) && (is_elf || !IsNamedArchive(library->path))) return Status();
  ALLOY_TRY(WalkArchive(bytes).status());
  ALLOY_ASSIGN_OR_RETURN(Fd linked, LinkArchive(library->sealed, library->path));
  FileFacts facts;
  if (const int error = GetFileFacts(linked, &facts); error != 0) {
    return Refuse(ALLOY_REASON_CANNOT_OPEN, "cannot be inspected: " + ErrorText(error));
  }
  if (facts.size == 0 || facts.size > kMaxSize) {
    return Refuse(ALLOY_REASON_LINK_FAILED, "its linker wrote a library of " +
                                                std::to_string(facts.size) + " bytes");
  }
  library->sealed = std::move(linked);
  library->was_archive = true;
  return SealAndMap(facts.size, library);
}

Status AdmitInto(AdmittedLibrary* library) {
  Fd file;
  if (const int error = OpenForReading(library->path, &file); error != 0) {
    return Refuse(ALLOY_REASON_CANNOT_OPEN, "cannot be opened: " + ErrorText(error));
  }
  FileFacts facts;
  if (const int error = GetFileFacts(file, &facts); error != 0) {
    return Refuse(ALLOY_REASON_CANNOT_OPEN, "cannot be inspected: " + ErrorText(error));
  }
  ALLOY_TRY(CheckKindAndSize(facts));
  if (const int error = CreateSealable("alloy-backend", facts.size, &library->sealed);
      error != 0) {
    return Refuse(
        ALLOY_REASON_CANNOT_SEAL,
        "no memory for its sealed copy: " + ErrorText(error) +
            (error == EFBIG ? " (raise the limit on file sizes, ulimit -f)" : ""));
  }
  ALLOY_TRY(CopyInto(file, facts.size, library->sealed));
  ALLOY_TRY(SealAndMap(facts.size, library));
  ALLOY_TRY(LinkIfArchive(library));
  ALLOY_ASSIGN_OR_RETURN(library->facts, LookThroughElf(Bytes(library->bytes)));
  return Status();
}

}  // namespace

Result<AdmittedLibrary> AdmitLibrary(const std::string& path) {
  AdmittedLibrary library;
  library.path = path;
  Status status = AdmitInto(&library);
  if (!status.ok()) return status.WithPrefix(path + ": ");
  return library;
}

}  // namespace alloy::core
