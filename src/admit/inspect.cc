// SPDX-License-Identifier: MIT
#include "admit/inspect.h"

#include <utility>

#include "admit/archive.h"
#include "admit/sealed_copy.h"
#include "admit/sidecar_file.h"

namespace alloy::core {
namespace {

// What the sidecar claims. Its faults are for the verdict to tell.
void ReadClaims(const std::string& bytes, const Crypto* crypto, Inspection* found) {
  const auto parts = SplitSidecar(bytes);
  if (!parts.ok()) return;
  auto statement = ParseStatement(parts->message);
  if (statement.ok()) found->statement = *std::move(statement);
  if (crypto == nullptr) return;
  for (const std::vector<std::byte>& der : parts->certificates) {
    const auto certificate = Certificate::FromDer(*crypto, der);
    if (!certificate.ok()) return;
    found->certificates.push_back(certificate->facts());
  }
}

void LookAt(std::span<const std::byte> bytes, Inspection* found) {
  found->is_archive = IsForTheLinker(bytes, found->library);
  if (!found->is_archive) {
    found->elf = FindAllInElf(bytes);
    return;
  }
  const auto walked = WalkArchive(bytes);
  if (!walked.ok()) found->elf.faults.push_back(walked.status());
}

// The steps of a load with a certificate, in its order and with its words.
Status JudgeSignature(const Result<std::string>& sidecar, const std::string& sidecar_path,
                      const Crypto& crypto, const Admission& admission,
                      Inspection* found) {
  const std::string library = found->library + ": ", beside = sidecar_path + ": ";
  const auto anchor = ParseCertificateArgument(crypto, admission.certificate);
  if (!anchor.ok()) return anchor.status().WithPrefix(library);
  if (!sidecar.ok()) return sidecar.status();
  const auto verified = VerifySidecar(crypto, *anchor, *sidecar, admission.now);
  if (!verified.ok()) return verified.status().WithPrefix(beside);
  found->trusted = true;
  found->warnings = WarningsOf(*verified, admission.now);
  const Policy policy = PolicyOf(found->library, admission);
  const Status wanted = CheckStatement(verified->statement, found->size, policy);
  if (!wanted.ok()) return wanted.WithPrefix(beside);
  const Status same = CheckDigest(crypto, verified->statement, *found->digest, policy);
  if (!same.ok()) return same.WithPrefix(library);
  if (!found->elf.faults.empty()) return found->elf.faults.front().WithPrefix(library);
  if (found->is_archive) return Status();
  const Status needs = CheckNeeded(verified->statement, found->elf.facts.needed, policy);
  return needs.ok() ? needs : needs.WithPrefix(library);
}

Status JudgeUnsigned(const Inspection& found, bool allows_unsigned) {
  if (!allows_unsigned) return NoCertificate(found.library);
  if (found.elf.faults.empty()) return Status();
  return found.elf.faults.front().WithPrefix(found.library + ": ");
}

}  // namespace

Result<Inspection> Inspect(const std::string& path, const Admission& admission,
                           bool allows_unsigned, LibcryptoSource& libcrypto) {
  const auto opened = OpenLibraryFile(path);
  if (!opened.ok()) return opened.status().WithPrefix(path + ": ");
  const auto copy = CopySealed(*opened);
  if (!copy.ok()) return copy.status().WithPrefix(path + ": ");
  Inspection found;
  found.library = path;
  found.size = opened->size;
  const auto crypto = libcrypto.Get();
  if (crypto.ok()) {
    ALLOY_ASSIGN_OR_RETURN(found.digest, (*crypto)->Sha256(Bytes(copy->bytes)));
  }
  const std::string sidecar_path =
      admission.sidecar.empty() ? SidecarBeside(path) : admission.sidecar;
  const auto sidecar = ReadSidecar(sidecar_path, path);
  if (sidecar.ok()) {
    found.sidecar = sidecar_path;
    ReadClaims(*sidecar, crypto.ok() ? crypto->get() : nullptr, &found);
  }
  LookAt(Bytes(copy->bytes), &found);
  if (admission.certificate.empty()) {
    found.verdict = JudgeUnsigned(found, allows_unsigned);
  } else if (!crypto.ok()) {
    found.verdict = crypto.status().WithPrefix(path + ": ");
  } else {
    found.verdict = JudgeSignature(sidecar, sidecar_path, **crypto, admission, &found);
  }
  return found;
}

}  // namespace alloy::core
