// SPDX-License-Identifier: MIT
#include "admit/procedure.h"

#include <utility>

#include "admit/archive.h"
#include "admit/check_statement.h"
#include "admit/go_runtime.h"
#include "admit/link.h"
#include "admit/sidecar_file.h"

namespace alloy::core {

Procedure::Procedure(Policy policy, OnFault on_fault, LibcryptoSource& libcrypto,
                     const MayNeed& may_need)
    : policy_(std::move(policy)),
      on_fault_(on_fault),
      libcrypto_(libcrypto),
      may_need_(may_need) {
  found_.library = policy_.library;
}

Status Procedure::AtLibrary(const Status& status) const {
  return status.ok() ? status : status.WithPrefix(policy_.library + ": ");
}

Status Procedure::Run(Step step) {
  switch (step) {
    case Step::kCertificate:
      return CheckCertificate();
    case Step::kOpen:
      return AtLibrary(OpenFile());
    case Step::kStatement:
      return CheckSidecar();
    case Step::kRead:
      return AtLibrary(ReadFile());
    case Step::kDigest:
      return AtLibrary(CheckDigest());
    case Step::kImage:
      return AtLibrary(CheckImage());
    case Step::kNeeded:
      // The statement of an archive does not cover what the linker adds to it.
      return found_.is_archive ? Status()
                               : expectations().CheckNeeded(found_.elf.facts.needed);
    case Step::kAllowed:
      return AtLibrary(may_need_.Check(found_.elf.facts.needed, &found_.not_allowed));
    case Step::kRuntime:
      return AtLibrary(found_.elf.facts.has_go_runtime && !policy_.allows_go_runtime
                           ? GoRuntimeRefused()
                           : Status());
    case Step::kEnd:
      break;
  }
  return Status();
}

Status Procedure::RunThrough(Step last) {
  // A step that failed counts as run: without this, another call would go past it.
  if (!collects() && !found_.verdict.ok()) return found_.verdict;
  while (next_ <= last && next_ != Step::kEnd) {
    const Step step = next_;
    next_ = static_cast<Step>(static_cast<int>(next_) + 1);
    const Status status = Run(step);
    if (status.ok()) continue;
    if (found_.verdict.ok()) found_.verdict = status;
    // Without the file there is nothing to inspect.
    const bool is_fatal = step == Step::kOpen || step == Step::kRead;
    if (is_fatal || !collects()) return status;
  }
  return Status();
}

Status Procedure::CheckCertificate() {
  Status unusable;
  // An inspection reports the digest without a certificate too.
  if (is_signed() || collects() || wants_digest()) {
    auto crypto = libcrypto_.Get();
    if (crypto.ok()) {
      crypto_ = *std::move(crypto);
    } else {
      unusable = crypto.status();
    }
  }
  if (!is_signed()) {
    Status refused = CheckUnsigned();
    // Without libcrypto a digest that the host asks for cannot be compared.
    if (refused.ok()) return wants_digest() ? AtLibrary(unusable) : refused;
    // A wrong path is the likelier mistake: nobody has signed a file that does not exist.
    const auto opened = OpenLibraryFile(policy_.library);
    return AtLibrary(opened.ok() ? refused : opened.status());
  }
  ALLOY_TRY(AtLibrary(unusable));
  auto anchor = ParseCertificateArgument(*crypto_, policy_.certificate);
  if (!anchor.ok()) return AtLibrary(anchor.status());
  anchor_ = *std::move(anchor);
  return Status();
}

Status Procedure::CheckUnsigned() const {
  if (!policy_.allows_unsigned) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
                "no certificate is given, and this host does not allow unsigned "
                "libraries; give the certificate of its signer (`arrowalloy "
                "cert-base64 FILE` prints it), or allow them when the host is made "
                "(ALLOY_ALLOW_UNSIGNED, AllowUnsigned) if you trust the file");
  }
  if (policy_.min_sequence != 0) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_UNSIGNED,
        "the bridge expects a signed sequence of at least " +
            std::to_string(policy_.min_sequence) +
            " (min_sequence), but no certificate is given; give the "
            "certificate of its signer (`arrowalloy cert-base64 FILE` prints it)");
  }
  return Status();
}

Status Procedure::OpenFile() {
  ALLOY_ASSIGN_OR_RETURN(opened_, OpenLibraryFile(policy_.library));
  found_.size = opened_.size;
  return Status();
}

Status Procedure::CheckSidecar() {
  if (!is_signed() && !collects()) return Status();
  const std::string path =
      policy_.sidecar.empty() ? SidecarPathOf(policy_.library) : policy_.sidecar;
  const auto sidecar = ReadSidecar(path, policy_.library);
  if (sidecar.ok() && collects()) {
    found_.sidecar = path;
    ReadClaims(*sidecar);
  }
  if (!anchor_) return Status();  // the first step has the fault, if it is one
  ALLOY_TRY(sidecar.status());
  const Status verified = VerifySigned(*sidecar);
  return verified.ok() ? verified : verified.WithPrefix(path + ": ");
}

Status Procedure::VerifySigned(const std::string& sidecar) {
  ALLOY_ASSIGN_OR_RETURN(VerifiedStatement verified,
                         VerifySidecar(*crypto_, *anchor_, sidecar, policy_.now));
  statement_ = std::make_shared<const VerifiedStatement>(std::move(verified));
  found_.trusted = true;
  found_.warnings = expectations().Warnings();
  return CheckStatement(statement_->statement(), found_.size, policy_);
}

// What the sidecar claims, true or not. Its faults are for the verdict to name.
void Procedure::ReadClaims(const std::string& sidecar) {
  const auto parts = SplitSidecar(sidecar);
  if (!parts.ok()) return;
  auto statement = ParseStatement(parts->message);
  if (statement.ok()) found_.statement = *std::move(statement);
  if (crypto_ == nullptr) return;
  for (const std::vector<std::byte>& der : parts->certificates) {
    const auto certificate = Certificate::FromDer(*crypto_, der);
    if (!certificate.ok()) return;
    found_.certificates.push_back(certificate->facts());
  }
}

Status Procedure::ReadFile() {
  if (only_hash_) return HashFile();
  ALLOY_ASSIGN_OR_RETURN(SealedCopy copy, CopySealed(opened_));
  sealed_ = std::move(copy.sealed);
  bytes_ = std::make_shared<const Mapping>(std::move(copy.bytes));
  if (crypto_ == nullptr) return Status();
  // The sealed copy is hashed, not what was read: until the seals are on, anyone who may
  // open this process's descriptors could have written to it.
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, crypto_->Sha256(Bytes(*bytes_)));
  found_.sha256 = HexText(digest);
  return Status();
}

Status Procedure::HashFile() {
  Sha256Stream hash(*crypto_);
  ALLOY_TRY(ReadInPieces(opened_, [&](std::span<const std::byte> piece) {
    hash.Add(piece);
    return Status();
  }));
  ALLOY_ASSIGN_OR_RETURN(const Digest digest, hash.Finish());
  found_.sha256 = HexText(digest);
  return Status();
}

Status Procedure::CheckDigest() {
  if (statement_ != nullptr) {
    ALLOY_TRY(CheckSignedDigest(*crypto_, statement_->statement(), found_.sha256,
                                policy_.library));
  }
  return CheckWantedDigest(policy_.sha256, found_.sha256);
}

Status Procedure::CheckImage() {
  const auto bytes = Bytes(*bytes_);
  found_.is_archive = IsForTheLinker(bytes, policy_.library);
  if (found_.is_archive) {
    const Status walked = WalkArchive(bytes).status();
    if (!walked.ok()) found_.elf.faults.push_back(walked);
    if (walked.ok() && !collects()) ALLOY_TRY(LinkImage());
  } else {
    found_.elf = InspectElf(bytes);
  }
  return found_.elf.faults.empty() ? Status() : found_.elf.faults.front();
}

// From here on the linked library takes the place of the archive.
Status Procedure::LinkImage() {
  ALLOY_ASSIGN_OR_RETURN(Fd linked, LinkArchive(sealed_, policy_.library));
  FileFacts facts;
  if (const int error = GetFileFacts(linked, &facts); error != 0) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_OPEN,
                "the linked library cannot be read: " + ErrorText(error));
  }
  if (facts.size == 0 || facts.size > kMaxLibrary) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED,
                "the linker wrote a library of " + std::to_string(facts.size) +
                    " bytes; expected 1 byte to 1 GiB");
  }
  Mapping bytes;
  ALLOY_TRY(SealAndMap(facts.size, linked, &bytes));
  sealed_ = std::move(linked);
  linked_ = std::make_shared<const Mapping>(std::move(bytes));
  found_.elf = InspectElf(Bytes(*linked_));
  return Status();
}

}  // namespace alloy::core
