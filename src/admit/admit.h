// SPDX-License-Identifier: MIT
//
// Admission: from a file to memory that the loader takes, in one order of steps. The
// compiler holds the order. Each type below is move-only, and only the step before makes
// it:
//
//   Admitter::Open      Candidate  The file is open. With a certificate, its signed
//                                  statement is verified. No byte of the file is read.
//   Candidate::Seal     Sealed     A copy of the file in memory that cannot be changed.
//   Sealed::Verify      Verified   With a certificate: the copy is what was signed.
//   Verified::Clear     Cleared    Inspected: nothing in it runs or misleads too early,
//                                  and it needs only what the host allows.
//
// LoadBackend takes a Cleared. Candidate::Confirm is for a file whose signed digest the
// caller has loaded already: it hashes the file without a copy, and leads to no Cleared.
//
// An inspection (Admitter::Inspect) runs the same steps, and goes on after a fault.
// procedure.h has the steps.
//
// Threads  Admitter is shared; the other types are serial.
#ifndef ALLOY_SRC_ADMIT_ADMIT_H_
#define ALLOY_SRC_ADMIT_ADMIT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admit/libcrypto_source.h"
#include "admit/may_need.h"
#include "admit/policy.h"
#include "alloy/backend.h"
#include "base/result.h"
#include "port/cleared.h"
#include "port/fd.h"
#include "port/restrict.h"

namespace alloy::core {

class Procedure;
class VerifiedStatement;

struct DeleteProcedure {
  void operator()(Procedure* procedure) const;
};
using OwnedProcedure = std::unique_ptr<Procedure, DeleteProcedure>;

// Where a loaded library comes from. A value.
struct SourceFile {
  std::shared_ptr<const Mapping> bytes;  // of a sealed copy of the file
  std::string sha256;                    // as signed, in hex; empty without a certificate
  // The certificate of the signer; empty and 0 without one.
  std::string signer, signer_sha256;
  std::string signer_json;  // all of this certificate, as alloy_inspect describes it
  uint64_t sequence = 0;

  bool operator==(const SourceFile&) const = default;
};

// What a library must turn out to be: what its signer stated, or, without a certificate,
// what the host asks for. A value.
class Expectations {
 public:
  // `statement` is NULL without a certificate.
  Expectations(std::shared_ptr<const VerifiedStatement> statement, const Policy& policy)
      : statement_(std::move(statement)),
        library_(policy.library),
        name_(policy.name),
        now_(policy.now) {}

  // Compare the SONAMEs that the library needs, in any order, with the statement.
  //   Fails  REFUSED with NEEDED; the text names the file.
  Status CheckNeeded(const std::vector<std::string>& needed) const;
  // Compare what the table of the loaded backend says with the statement; without one,
  // with the name that the host asks for.
  //   Fails  REFUSED with STATEMENT_TABLE, or with NAME; the text names the file.
  Status CheckTable(std::string_view name, std::string_view version, uint32_t abi) const;
  // `bytes` are those of the file that is loaded.
  SourceFile Describe(std::shared_ptr<const Mapping> bytes) const;
  // What the operator of the host should know: a certificate that ends within 30 days.
  std::vector<std::string> Warnings() const;

 private:
  std::shared_ptr<const VerifiedStatement> statement_;
  std::string library_, name_;
  int64_t now_;
};

// What distinguishes one file from another. A value.
struct FileIdentity {
  std::string sha256;                    // in hex; empty: it came without a certificate
  std::shared_ptr<const Mapping> bytes;  // of the sealed copy

  // By the two digests; where one is missing, by all bytes.
  bool IsSameFile(const FileIdentity& other) const;
};

class Verified {
 public:
  FileIdentity identity() const;
  Expectations expectations() const;

  // Inspect the library, and compare what it needs with the statement and with what the
  // host allows. Refuse a Go runtime, unless the policy allows it. A static archive is linked into a library first.
  //   Fails  REFUSED with ELF_MALFORMED, ELF_REFUSED, EXPORTS, ARCHIVE_MALFORMED,
  //          LINK_FAILED, CANNOT_SEAL, NEEDED or GO_RUNTIME; the text names the file.
  Result<Cleared> Clear() &&;

 private:
  friend class Sealed;
  explicit Verified(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Sealed {
 public:
  // With a certificate, compare the digest of the copy with the signed one.
  //   Fails  REFUSED with DIGEST; the text names the file.
  Result<Verified> Verify() &&;

 private:
  friend class Candidate;
  explicit Sealed(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Candidate {
 public:
  // In hex; empty without a certificate.
  std::string_view signed_sha256() const;

  // Read the file once, exactly its size, into memory under all four seals.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or CANNOT_SEAL; the text names the file.
  Result<Sealed> Seal() &&;
  // Only with a certificate: hash the file, and compare the digest with the signed one.
  // Nothing of this file will run.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or DIGEST; the text names the file.
  Result<Expectations> Confirm() &&;

 private:
  friend class Admitter;
  explicit Candidate(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

// What one host admits libraries with. It must live as long as what it gives. Fixed in
// place.
class Admitter {
 public:
  // `libcrypto` is another SONAME only in tests.
  explicit Admitter(MayNeed may_need, std::string libcrypto = "libcrypto.so.3")
      : may_need_(std::move(may_need)), libcrypto_(std::move(libcrypto)) {}
  Admitter(const Admitter&) = delete;
  Admitter& operator=(const Admitter&) = delete;

  // Parse the certificate, open a regular file of 64 bytes to 1 GiB, and, with a
  // certificate, verify the signed statement and compare it with the policy.
  //   Fails  REFUSED with a reason of 2001 to 2024 or 3001 to 3004, with UNSIGNED or with
  //          NO_LIBCRYPTO; the text names the file.
  Result<Candidate> Open(const Policy& policy);

  // All that can be known of a library without running it, and the verdict of a load: the
  // JSON that alloy.h documents for alloy_inspect. An archive is checked, not linked.
  //   Fails  REFUSED with a reason of 3001 to 3006: the file cannot be read.
  Result<std::string> Inspect(const Policy& policy);

  // In hex; empty without libcrypto.
  std::string Sha256(const SourceFile& file);

  // Where certificates are checked with; benchmarks use it too.
  LibcryptoSource& libcrypto() { return libcrypto_; }

 private:
  const MayNeed may_need_;
  LibcryptoSource libcrypto_;
};

// The JSON that alloy.h documents for alloy_bridge_identity. `file` is NULL, and `library`
// and `sha256` are empty, for the built-in echo. `isolated`: what the workers of the backend
// have given up; nullopt: it is in this process.
std::string IdentityAsJson(const alloy_backend& backend, const std::string& library,
                           const std::string& sha256, const SourceFile* file,
                           std::optional<Restrictions> isolated);

// Link a static archive into a library, as a load of it does. Nothing of it runs.
//   Gives  the bytes of the library, in sealed memory.
//   Fails  INVALID: the file is not an archive. REFUSED: why a load would refuse it.
Result<std::shared_ptr<const Mapping>> LinkLibraryFrom(const std::string& archive);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ADMIT_H_
