// SPDX-License-Identifier: MIT
#include "trust/verify.h"

#include <algorithm>

#include "alloy/backend.h"
#include "base/text.h"
#include "trust/chain.h"
#include "trust/time_text.h"

namespace alloy::core {
namespace {

Status Refuse(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

std::string SignAgain(const Policy& policy) {
  return "; sign it again: arrowalloy sign " + policy.library +
         " --key KEY --cert CERTIFICATE";
}

Status CheckSize(const Statement& statement, int64_t file_size, const Policy& policy) {
  if (statement.size == file_size) return Status();
  return Refuse(ALLOY_REASON_SIZE, "size: " + std::to_string(statement.size) +
                                       " bytes were signed (" + statement.file +
                                       "), the library has " + std::to_string(file_size) +
                                       SignAgain(policy));
}

Status CheckTarget(const Statement& statement, const Policy& policy) {
  if (statement.kind != "backend") {
    return Refuse(ALLOY_REASON_KIND, "kind: " + Quoted(statement.kind) +
                                         " was signed, and a backend is wanted");
  }
  if (statement.abi != ALLOY_ABI) {
    return Refuse(ALLOY_REASON_STATEMENT_ABI,
                  "abi: signed for " + std::to_string(statement.abi) +
                      ", this engine speaks " + std::to_string(ALLOY_ABI) +
                      "; build it against this engine's headers, then sign it");
  }
  if (statement.platform != kThisPlatform) {
    return Refuse(ALLOY_REASON_PLATFORM, "platform: signed for " +
                                             Quoted(statement.platform) + ", this is \"" +
                                             std::string(kThisPlatform) +
                                             "\"; load the library for this platform");
  }
  if (!policy.name.empty() && statement.name != policy.name) {
    return Refuse(ALLOY_REASON_NAME, "name: this is the backend " +
                                         Quoted(statement.name) +
                                         ", and the bridge wants " + Quoted(policy.name));
  }
  return Status();
}

Status CheckTimes(const Statement& statement, const Policy& policy) {
  if (policy.now > statement.not_after) {
    return Refuse(ALLOY_REASON_STATEMENT_EXPIRED,
                  "not-after: the statement ended at " + TimeText(statement.not_after) +
                      ", and it is " + TimeText(policy.now) + SignAgain(policy));
  }
  if (policy.now < statement.not_before) {
    return Refuse(ALLOY_REASON_STATEMENT_NOT_YET_VALID,
                  "not-before: the statement begins at " +
                      TimeText(statement.not_before) + ", and it is " +
                      TimeText(policy.now) + "; see to the clock of this machine");
  }
  return Status();
}

std::string Listed(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing";
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
    if (text.size() > 200) return text + ", …";
  }
  return text;
}

}  // namespace

const CertificateFacts& Verified::first_to_end() const {
  return *std::ranges::min_element(chain, {}, &CertificateFacts::not_after);
}

Result<Verified> VerifySidecar(const Crypto& crypto, const Certificate& anchor,
                               std::string_view sidecar, int64_t now) {
  ALLOY_ASSIGN_OR_RETURN(const Sidecar parts, SplitSidecar(sidecar));
  std::vector<Certificate> certificates;
  for (const std::vector<std::byte>& der : parts.certificates) {
    auto certificate = Certificate::FromDer(crypto, der);
    if (!certificate.ok()) {
      return certificate.status().WithPrefix(
          "certificate " + std::to_string(certificates.size() + 1) + " ");
    }
    certificates.push_back(*std::move(certificate));
  }
  Verified verified;
  ALLOY_ASSIGN_OR_RETURN(verified.chain, VerifyChain(crypto, anchor, certificates, now));
  ALLOY_TRY(VerifyMessage(crypto, certificates.front(), parts.message, parts.signature));
  ALLOY_ASSIGN_OR_RETURN(verified.statement, ParseStatement(parts.message));
  return verified;
}

Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy) {
  ALLOY_TRY(CheckSize(statement, file_size, policy));
  ALLOY_TRY(CheckTarget(statement, policy));
  ALLOY_TRY(CheckTimes(statement, policy));
  if (statement.sequence < policy.min_sequence) {
    return Refuse(ALLOY_REASON_ROLLBACK,
                  "sequence: " + std::to_string(statement.sequence) +
                      " was signed, and the bridge wants at least " +
                      std::to_string(policy.min_sequence) +
                      "; load a newer version of the library");
  }
  return Status();
}

Status CheckDigest(const Crypto& crypto, const Statement& statement, const Digest& digest,
                   const Policy& policy) {
  const std::string found = HexText(digest);
  // Both sides are public; constant time costs nothing, and no one need prove that again.
  if (crypto.SameInConstantTime(statement.sha256, found)) return Status();
  return Refuse(ALLOY_REASON_DIGEST, "sha256: " + statement.sha256 + " was signed (" +
                                         statement.file + "), the library has " + found +
                                         SignAgain(policy));
}

Status CheckNeeded(const Statement& statement, std::vector<std::string> needed,
                   const Policy& policy) {
  std::ranges::sort(needed);
  const auto twice = std::ranges::unique(needed);
  needed.erase(twice.begin(), twice.end());
  if (needed == statement.needed) return Status();
  return Refuse(ALLOY_REASON_NEEDED, "needed: " + Listed(statement.needed) +
                                         " was signed, the library needs " +
                                         Listed(needed) + SignAgain(policy));
}

Status CheckTable(const Statement& statement, std::string_view name,
                  std::string_view version, uint32_t abi) {
  const auto differs = [](const char* field, const std::string& stated,
                          std::string_view found) {
    return Refuse(ALLOY_REASON_STATEMENT_TABLE,
                  std::string(field) + ": " + Quoted(stated) +
                      " was signed, and the library says " + Quoted(found) +
                      "; sign it again with the values of its own table");
  };
  if (statement.name != name) return differs("name", statement.name, name);
  if (statement.version != version) {
    return differs("version", statement.version, version);
  }
  if (statement.abi != abi) {
    return differs("abi", std::to_string(statement.abi), std::to_string(abi));
  }
  return Status();
}

}  // namespace alloy::core
