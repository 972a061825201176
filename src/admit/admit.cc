// SPDX-License-Identifier: MIT
#include "admit/admit.h"

#include <algorithm>
#include <utility>

#include "admit/check_statement.h"
#include "admit/json.h"
#include "admit/procedure.h"
#include "trust/time_text.h"

namespace alloy::core {
namespace {

using Step = Procedure::Step;

OwnedProcedure MakeProcedure(const Policy& policy, OnFault on_fault,
                             LibcryptoSource& libcrypto, const MayNeed& may_need) {
  return OwnedProcedure(new Procedure(policy, on_fault, libcrypto, may_need));
}

}  // namespace

void DeleteProcedure::operator()(Procedure* procedure) const { delete procedure; }

Status Expectations::CheckNeeded(const std::vector<std::string>& needed) const {
  if (statement_ == nullptr) return Status();
  const Status same = CheckSignedNeeds(statement_->statement(), needed, library_);
  return same.ok() ? same : same.WithPrefix(library_ + ": ");
}

Status Expectations::CheckTable(std::string_view name, std::string_view version,
                                uint32_t abi) const {
  if (statement_ != nullptr) {
    // The name that the host asks for was compared with the statement's.
    const Status same = CheckSignedTable(statement_->statement(), name, version, abi);
    return same.ok() ? same : same.WithPrefix(library_ + ": ");
  }
  if (name_.empty() || name_ == name) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NAME,
              library_ + ": the library is the backend " + std::string(name) +
                  ", but the bridge expects " + name_);
}

SourceFile Expectations::Describe(std::shared_ptr<const Mapping> bytes) const {
  SourceFile file;
  file.bytes = std::move(bytes);
  if (statement_ == nullptr) return file;
  file.sha256 = statement_->statement().sha256;
  JsonWriter signer;
  WriteCertificate(signer, statement_->signer());
  file.signer_json = signer.text();
  file.signer = statement_->signer().subject;
  file.signer_sha256 = statement_->signer().sha256;
  file.sequence = statement_->statement().sequence;
  return file;
}

std::vector<std::string> Expectations::Warnings() const {
  constexpr int64_t kDay = 86400, kNotice = 30 * kDay;
  if (statement_ == nullptr) return {};
  const CertificateFacts& first = statement_->first_to_end();
  const int64_t left = first.not_after - now_;
  if (left >= kNotice) return {};
  return {"the certificate of " + first.subject + " ends at " +
          TimeText(first.not_after) + ", in " + std::to_string(left / kDay) +
          " days; renew it, then sign the library again: arrowalloy sign"};
}

bool FileIdentity::IsSameFile(const FileIdentity& other) const {
  if (!sha256.empty() && !other.sha256.empty()) return sha256 == other.sha256;
  return std::ranges::equal(Bytes(*bytes), Bytes(*other.bytes));
}

Result<Candidate> Admitter::Open(const Policy& policy) {
  OwnedProcedure procedure = MakeProcedure(policy, OnFault::kStop, libcrypto_, may_need_);
  ALLOY_TRY(procedure->RunThrough(Step::kStatement));
  return Candidate(std::move(procedure));
}

Result<std::string> Admitter::Inspect(const Policy& policy) {
  Procedure procedure(policy, OnFault::kCollect, libcrypto_, may_need_);
  ALLOY_TRY(procedure.RunThrough(Step::kEnd));
  return AsJson(procedure.found());
}

std::string Admitter::Sha256(const SourceFile& file) {
  if (!file.sha256.empty()) return file.sha256;
  const auto crypto = libcrypto_.Get();
  if (!crypto.ok()) return {};
  const auto digest = (*crypto)->Sha256(Bytes(*file.bytes));
  return digest.ok() ? HexText(*digest) : std::string();
}

namespace {

void WriteRestrictions(Restrictions reached, JsonWriter* json) {
  const auto list = [&](const char* key, Restrictions set) {
    json->Key(key);
    json->BeginArray();
    for (int i = 0; i < kRestrictionCount; ++i) {
      const auto one = static_cast<Restriction>(i);
      if (set.Has(one)) json->String(RestrictionName(one));
    }
    json->EndArray();
  };
  json->BeginObject();
  list("reached", reached);
  list("missing", Restrictions::All().Without(reached));
  json->EndObject();
}

}  // namespace

std::string IdentityAsJson(const alloy_backend& backend, const std::string& library,
                           const std::string& sha256, const SourceFile* file,
                           std::optional<Restrictions> isolated) {
  JsonWriter json;
  const auto text = [&](const char* key, std::string_view value) {
    json.Key(key);
    if (value.empty()) return json.Null();
    json.String(value);
  };
  json.BeginObject();
  text("name", backend.name);
  text("version", backend.version);
  text("language", backend.language);
  text("library", library);
  json.Key("size");
  json.Unsigned(file != nullptr ? Bytes(*file->bytes).size() : 0);
  text("sha256", sha256);
  json.Key("sequence");
  json.Unsigned(file != nullptr ? file->sequence : 0);
  json.Key("signer");
  if (file == nullptr || file->signer_json.empty()) {
    json.Null();
  } else {
    json.Written(file->signer_json);
  }
  json.Key("isolated");
  if (isolated.has_value()) {
    WriteRestrictions(*isolated, &json);
  } else {
    json.Null();
  }
  json.EndObject();
  return json.text();
}

std::string_view Candidate::signed_sha256() const {
  const VerifiedStatement* statement = procedure_->statement();
  return statement != nullptr ? std::string_view(statement->statement().sha256) : "";
}

Result<Sealed> Candidate::Seal() && {
  ALLOY_TRY(procedure_->RunThrough(Step::kRead));
  return Sealed(std::move(procedure_));
}

Result<Expectations> Candidate::Confirm() && {
  const OwnedProcedure procedure = std::move(procedure_);
  if (procedure->statement() == nullptr) {
    return Fail(ALLOY_INTERNAL, "a file without a signed digest cannot be confirmed");
  }
  procedure->ReadOnlyToHash();
  ALLOY_TRY(procedure->RunThrough(Step::kDigest));
  return procedure->expectations();
}

Result<Verified> Sealed::Verify() && {
  ALLOY_TRY(procedure_->RunThrough(Step::kDigest));
  return Verified(std::move(procedure_));
}

FileIdentity Verified::identity() const { return procedure_->identity(); }
Expectations Verified::expectations() const { return procedure_->expectations(); }

Result<Cleared> Verified::Clear() && {
  ALLOY_TRY(procedure_->RunThrough(Step::kRuntime));
  const Inspection& found = procedure_->found();
  return Cleared(procedure_->TakeSealed(), found.library, found.is_archive,
                 found.elf.facts.needed);
}

Result<std::shared_ptr<const Mapping>> LinkLibraryFrom(const std::string& archive) {
  Policy policy;
  policy.library = archive;
  policy.allows_unsigned = true;
  LibcryptoSource unused;
  const MayNeed nothing;
  Procedure procedure(policy, OnFault::kStop, unused, nothing);
  // The last step is for the host that will load the library.
  ALLOY_TRY(procedure.RunThrough(Step::kNeeded));
  if (procedure.linked() == nullptr) {
    return Fail(ALLOY_INVALID, archive +
                                   ": is a shared library already; give a static "
                                   "archive, or load the library");
  }
  return procedure.linked();
}

}  // namespace alloy::core
