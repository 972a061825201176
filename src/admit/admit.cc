// SPDX-License-Identifier: MIT
#include "admit/admit.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "admit/archive.h"
#include "admit/link.h"
#include "admit/sealed_copy.h"
#include "admit/sidecar_file.h"
#include "trust/time_text.h"

namespace alloy::core {

Policy PolicyOf(const std::string& path, const Admission& admission) {
  return {.library = path,
          .name = admission.name,
          .min_sequence = admission.min_sequence,
          .now = admission.now};
}

bool IsForTheLinker(std::span<const std::byte> bytes, const std::string& path) {
  constexpr std::string_view kElf =
      "\x7f"
      "ELF";
  const bool is_elf = bytes.size() >= kElf.size() &&
                      std::memcmp(bytes.data(), kElf.data(), kElf.size()) == 0;
  return IsArchive(bytes) || (!is_elf && IsNamedArchive(path));
}

Status NoCertificate(const std::string& path) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
              path +
                  ": no certificate is given, and this host does not allow unsigned "
                  "libraries; give the certificate of its signer (`arrowalloy "
                  "cert-base64 FILE` prints it), or allow them when the host is made "
                  "(ALLOY_ALLOW_UNSIGNED, AllowUnsigned) if you trust the file");
}

namespace {

// What is signed about a file of this size, before a byte of it is read.
Result<Verified> VerifyStatement(const Crypto& crypto, const Certificate& anchor,
                                 int64_t size, const std::string& path,
                                 const Admission& admission) {
  const std::string sidecar_path =
      admission.sidecar.empty() ? SidecarBeside(path) : admission.sidecar;
  ALLOY_ASSIGN_OR_RETURN(const std::string sidecar, ReadSidecar(sidecar_path, path));
  auto verified = VerifySidecar(crypto, anchor, sidecar, admission.now);
  if (!verified.ok()) return verified.status().WithPrefix(sidecar_path + ": ");
  const Status wanted =
      CheckStatement(verified->statement, size, PolicyOf(path, admission));
  if (!wanted.ok()) return wanted.WithPrefix(sidecar_path + ": ");
  return verified;
}

Status CopyInto(const OpenedFile& opened, AdmittedLibrary* library) {
  auto copy = CopySealed(opened);
  if (!copy.ok()) return copy.status().WithPrefix(library->path + ": ");
  library->sealed = std::move(copy->sealed);
  library->bytes = std::move(copy->bytes);
  return Status();
}

Result<Digest> HashOf(const OpenedFile& opened, const Crypto& crypto,
                      const std::string& path) {
  Sha256Stream hash(crypto);
  const Status read = ReadInPieces(opened, [&](std::span<const std::byte> piece) {
    hash.Add(piece);
    return Status();
  });
  if (!read.ok()) return read.WithPrefix(path + ": ");
  return hash.Finish();
}

Status AdmitSigned(const Admission& admission, const Crypto& crypto,
                   const IsHeld& is_held, AdmittedLibrary* library) {
  const std::string& path = library->path;
  auto anchor = ParseCertificateArgument(crypto, admission.certificate);
  if (!anchor.ok()) return anchor.status().WithPrefix(path + ": ");
  auto opened = OpenLibraryFile(path);
  if (!opened.ok()) return opened.status().WithPrefix(path + ": ");
  ALLOY_ASSIGN_OR_RETURN(library->verified,
                         VerifyStatement(crypto, *anchor, opened->size, path, admission));
  if (is_held && is_held(library->verified->statement.sha256)) {
    ALLOY_ASSIGN_OR_RETURN(library->digest, HashOf(*opened, crypto, path));
  } else {
    ALLOY_TRY(CopyInto(*opened, library));
    // Of the sealed copy and not of what was read: until the seals are on, whoever may
    // open this process's descriptors could have written to it.
    ALLOY_ASSIGN_OR_RETURN(library->digest, crypto.Sha256(Bytes(library->bytes)));
  }
  const Status same = CheckDigest(crypto, library->verified->statement, *library->digest,
                                  PolicyOf(path, admission));
  return same.ok() ? same : same.WithPrefix(path + ": ");
}

// A static archive becomes the library that is linked of it.
Status Link(std::span<const std::byte> archive, AdmittedLibrary* library) {
  ALLOY_TRY(WalkArchive(archive).status());
  ALLOY_ASSIGN_OR_RETURN(Fd linked, LinkArchive(library->sealed, library->path));
  FileFacts facts;
  if (const int error = GetFileFacts(linked, &facts); error != 0) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_OPEN,
                "cannot be inspected: " + ErrorText(error));
  }
  if (facts.size == 0 || facts.size > kMaxLibrary) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED,
                "its linker wrote a library of " + std::to_string(facts.size) + " bytes");
  }
  ALLOY_TRY(SealAndMap(facts.size, linked, &library->linked));
  library->sealed = std::move(linked);
  library->was_archive = true;
  return Status();
}

Status LookInto(std::span<const std::byte> bytes, AdmittedLibrary* library) {
  if (IsForTheLinker(bytes, library->path)) {
    ALLOY_TRY(Link(bytes, library));
    bytes = Bytes(library->linked);
  }
  ALLOY_ASSIGN_OR_RETURN(library->facts, LookThroughElf(bytes));
  return Status();
}

}  // namespace

Result<AdmittedLibrary> AdmitFile(const std::string& path, const Admission& admission,
                                  LibcryptoSource& libcrypto, const IsHeld& is_held) {
  AdmittedLibrary library;
  library.path = path;
  if (!admission.certificate.empty()) {
    auto crypto = libcrypto.Get();
    if (!crypto.ok()) return crypto.status().WithPrefix(path + ": ");
    ALLOY_TRY(AdmitSigned(admission, **crypto, is_held, &library));
    return library;
  }
  auto opened = OpenLibraryFile(path);
  if (!opened.ok()) return opened.status().WithPrefix(path + ": ");
  ALLOY_TRY(CopyInto(*opened, &library));
  return library;
}

Status LookThrough(std::span<const std::byte> bytes, AdmittedLibrary* library) {
  const Status status = LookInto(bytes, library);
  if (!status.ok()) return status.WithPrefix(library->path + ": ");
  return CheckNeeds(*library, library->facts.needed);
}

Status CheckNeeds(const AdmittedLibrary& library,
                  const std::vector<std::string>& needed) {
  if (!library.verified || library.was_archive) return Status();
  const Status same =
      CheckNeeded(library.verified->statement, needed, PolicyOf(library.path, {}));
  return same.ok() ? same : same.WithPrefix(library.path + ": ");
}

std::vector<std::string> WarningsOf(const Verified& verified, int64_t now) {
  constexpr int64_t kDay = 86400, kNotice = 30 * kDay;
  const CertificateFacts& first = verified.first_to_end();
  if (first.not_after - now >= kNotice) return {};
  return {"the certificate of " + first.subject + " ends at " +
          TimeText(first.not_after) + ", in " +
          std::to_string((first.not_after - now) / kDay) +
          " days; renew it, and sign the library again: arrowalloy sign"};
}

Result<AdmittedLibrary> AdmitLibrary(const std::string& path) {
  LibcryptoSource unused;
  ALLOY_ASSIGN_OR_RETURN(AdmittedLibrary library, AdmitFile(path, {}, unused));
  ALLOY_TRY(LookThrough(Bytes(library.bytes), &library));
  if (library.was_archive) library.bytes = std::move(library.linked);
  return library;
}

}  // namespace alloy::core
