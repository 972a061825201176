// SPDX-License-Identifier: MIT
#include "admit/sealed_copy.h"

#include <array>
#include <cerrno>
#include <memory>

namespace alloy::core {
namespace {

constexpr int64_t kMinSize = 64;
constexpr size_t kChunk = size_t{1} << 20;

Status FileRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

// A copy of a file takes memory for its holes too. Linkers and `cp` leave some, up to a
// page of the coarsest kind for each segment.
constexpr int64_t kMaxHoles = int64_t{128} << 20U;

Status CheckHoles(const OpenedFile& opened) {
  int64_t holes = 0;
  if (const int error = CountHoles(opened.file, opened.size, kMaxHoles, &holes);
      error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN,
                       "cannot be inspected: " + ErrorText(error));
  }
  if (holes <= kMaxHoles) return Status();
  return FileRefused(ALLOY_REASON_TOO_LARGE,
                     "has holes of more than 128 MiB, for which nothing is on the disk; "
                     "copy or build the library again");
}

Status CheckKindAndSize(const FileFacts& facts) {
  if (facts.kind != FileKind::kRegular) {
    return FileRefused(
        ALLOY_REASON_NOT_A_FILE,
        std::string("is ") + FileKindName(facts.kind) + "; give a regular file");
  }
  if (facts.size < kMinSize) {
    return FileRefused(ALLOY_REASON_TOO_SMALL, "has " + std::to_string(facts.size) +
                                                   " bytes; expected at least 64");
  }
  if (facts.size > kMaxLibrary) {
    return FileRefused(ALLOY_REASON_TOO_LARGE, "has " + std::to_string(facts.size) +
                                                   " bytes; expected at most 1 GiB");
  }
  return Status();
}

}  // namespace

Result<OpenedFile> OpenLibraryFile(const std::string& path) {
  OpenedFile opened;
  if (const int error = OpenForReading(path, &opened.file); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN, "cannot be opened: " + ErrorText(error));
  }
  FileFacts facts;
  if (const int error = GetFileFacts(opened.file, &facts); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_OPEN,
                       "cannot be inspected: " + ErrorText(error));
  }
  ALLOY_TRY(CheckKindAndSize(facts));
  opened.size = facts.size;
  ALLOY_TRY(CheckHoles(opened));
  return opened;
}

// Also checks that the file ends after exactly `size` bytes.
Status ReadInPieces(const OpenedFile& opened,
                    const std::function<Status(std::span<const std::byte>)>& take) {
  const auto buffer = std::make_unique<std::array<std::byte, kChunk>>();
  int64_t taken = 0;
  for (;;) {
    size_t got = 0;
    if (const int error = ReadFully(opened.file, *buffer, &got); error != 0) {
      return FileRefused(ALLOY_REASON_CANNOT_OPEN, "cannot be read: " + ErrorText(error));
    }
    taken += static_cast<int64_t>(got);
    if (taken > opened.size || (got == 0 && taken != opened.size)) {
      return FileRefused(ALLOY_REASON_CHANGED,
                         "changed while it was read: first it had " +
                             std::to_string(opened.size) + " bytes, and then " +
                             (taken > opened.size ? "more" : "fewer") +
                             "; load it again when it is complete");
    }
    if (got == 0) return Status();
    ALLOY_TRY(take(std::span(*buffer).first(got)));
  }
}

Status SealAndMap(int64_t size, const Fd& memory, Mapping* bytes) {
  if (const int error = Seal(memory); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy cannot be sealed: " + ErrorText(error));
  }
  // Before it was sealed, anyone who may open it through /proc could truncate it. A
  // mapping beyond the end of its file would end the process that reads there.
  FileFacts facts;
  if (GetFileFacts(memory, &facts) != 0 || facts.size != size) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy was changed by another process before it was sealed");
  }
  if (const int error = MapForReading(memory, size, bytes); error != 0) {
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "its copy cannot be mapped: " + ErrorText(error));
  }
  return Status();
}

Result<SealedCopy> CopySealed(const OpenedFile& opened) {
  SealedCopy copy;
  if (const int error = CreateSealable("alloy-backend", opened.size, &copy.sealed);
      error != 0) {
    return FileRefused(
        ALLOY_REASON_CANNOT_SEAL,
        "cannot make memory for its sealed copy: " + ErrorText(error) +
            (error == EFBIG ? " (raise the limit on file sizes, ulimit -f)" : ""));
  }
  ALLOY_TRY(ReadInPieces(opened, [&](std::span<const std::byte> piece) -> Status {
    const int error = WriteFully(copy.sealed, piece);
    if (error == 0) return Status();
    return FileRefused(ALLOY_REASON_CANNOT_SEAL,
                       "cannot be copied to memory: " + ErrorText(error));
  }));
  ALLOY_TRY(SealAndMap(opened.size, copy.sealed, &copy.bytes));
  return copy;
}

}  // namespace alloy::core
