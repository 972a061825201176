// SPDX-License-Identifier: MIT
//
// The steps of an admission, in the only order there is. A load runs them in parts,
// through the types of admit.h, and stops at the first fault. An inspection runs them at
// once and collects the faults. Only a load links an archive.
#ifndef ALLOY_SRC_ADMIT_PROCEDURE_H_
#define ALLOY_SRC_ADMIT_PROCEDURE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "admit/admit.h"
#include "admit/inspection.h"
#include "admit/sealed_copy.h"
#include "trust/verify.h"

namespace alloy::core {

enum class OnFault { kStop, kCollect };

// Threads  serial. Borrows libcrypto and may_need for its life.
class Procedure {
 public:
  enum class Step {
    kCertificate,  // parse the given one, or: may the library be unsigned?
    kOpen,         // the file
    kStatement,    // verify the sidecar, and compare the statement with the policy
    kRead,         // the file, into a sealed copy or a hash
    kDigest,       // compare it with the signed one
    kImage,        // inspect the ELF file; link an archive first
    kNeeded,       // compare what it needs with the statement
    kAllowed,      // compare what it needs with what the host allows
    kRuntime,      // may it bring a Go runtime into this process?
    kEnd,
  };

  Procedure(Policy policy, OnFault on_fault, LibcryptoSource& libcrypto,
            const MayNeed& may_need);

  // Run the steps that did not run yet, `last` included.
  //   Fails  kStop: with the first fault, and again on each later call.
  //          kCollect: only when the file cannot be read; else the verdict has the fault.
  Status RunThrough(Step last);
  // Make kRead hash the file, and not copy it.
  void ReadOnlyToHash() { only_hash_ = true; }

  const Inspection& found() const { return found_; }
  // After kStatement.
  const VerifiedStatement* statement() const { return statement_.get(); }
  Expectations expectations() const { return {statement_, policy_}; }
  // After kDigest.
  FileIdentity identity() const { return {found_.sha256, bytes_}; }
  // After kImage: what is to be loaded, and its bytes.
  Fd TakeSealed() { return std::move(sealed_); }
  std::shared_ptr<const Mapping> linked() const { return linked_; }

 private:
  bool collects() const { return on_fault_ == OnFault::kCollect; }
  bool wants_digest() const { return !policy_.sha256.empty(); }
  bool is_signed() const { return !policy_.certificate.empty(); }
  Status AtLibrary(const Status& status) const;

  Status Run(Step step);
  Status CheckCertificate();
  Status CheckUnsigned() const;
  Status OpenFile();
  Status CheckSidecar();
  Status VerifySigned(const std::string& sidecar);
  void ReadClaims(const std::string& sidecar);
  Status ReadFile();
  Status HashFile();
  Status CheckDigest();
  Status CheckImage();
  Status LinkImage();

  const Policy policy_;
  const OnFault on_fault_;
  LibcryptoSource& libcrypto_;
  const MayNeed& may_need_;
  Step next_ = Step::kCertificate;
  bool only_hash_ = false;

  Inspection found_;
  std::shared_ptr<const Crypto> crypto_;  // outlives the certificate
  std::optional<Certificate> anchor_;
  OpenedFile opened_;
  std::shared_ptr<const VerifiedStatement> statement_;  // NULL without a certificate
  Fd sealed_;
  std::shared_ptr<const Mapping> bytes_, linked_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_PROCEDURE_H_
