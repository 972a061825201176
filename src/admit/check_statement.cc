// SPDX-License-Identifier: MIT
#include "admit/check_statement.h"

#include <algorithm>

#include "alloy/backend.h"
#include "base/text.h"
#include "trust/time_text.h"

namespace alloy::core {
namespace {

Status StatementRefused(int32_t reason, std::string text) {
  return Fail(ALLOY_REFUSED, reason, std::move(text));
}

std::string SignAgain(const std::string& library) {
  return "; sign it again: arrowalloy sign " + library + " --key KEY --cert CERTIFICATE";
}

Status CheckSize(const Statement& statement, int64_t file_size,
                 const std::string& library) {
  if (statement.size == file_size) return Status();
  return StatementRefused(ALLOY_REASON_SIZE, "size: " + std::to_string(statement.size) +
                                                 " bytes were signed (" + statement.file +
                                                 "), but the library has " +
                                                 std::to_string(file_size) + " bytes" +
                                                 SignAgain(library));
}

Status CheckTarget(const Statement& statement, const Policy& policy) {
  if (statement.kind != "backend") {
    return StatementRefused(
        ALLOY_REASON_KIND, "kind: expected \"backend\", found " + Quoted(statement.kind) +
                               "; use the signature file of the library");
  }
  if (statement.abi != ALLOY_ABI) {
    return StatementRefused(
        ALLOY_REASON_STATEMENT_ABI,
        "abi: signed for ABI " + std::to_string(statement.abi) +
            ", but this engine has ABI " + std::to_string(ALLOY_ABI) +
            "; build the library with this engine's headers, then sign it");
  }
  if (statement.platform != kThisPlatform) {
    return StatementRefused(ALLOY_REASON_PLATFORM,
                            "platform: signed for " + Quoted(statement.platform) +
                                ", but this machine is \"" + std::string(kThisPlatform) +
                                "\"; load the library for this platform");
  }
  if (!policy.name.empty() && statement.name != policy.name) {
    return StatementRefused(ALLOY_REASON_NAME,
                            "name: the library is the backend " + Quoted(statement.name) +
                                ", but the bridge expects " + Quoted(policy.name));
  }
  return Status();
}

Status CheckTimes(const Statement& statement, const Policy& policy) {
  if (policy.now > statement.not_after) {
    return StatementRefused(ALLOY_REASON_STATEMENT_EXPIRED,
                            "not-after: the statement expired at " +
                                TimeText(statement.not_after) + ", and now it is " +
                                TimeText(policy.now) + SignAgain(policy.library));
  }
  if (policy.now < statement.not_before) {
    return StatementRefused(ALLOY_REASON_STATEMENT_NOT_YET_VALID,
                            "not-before: the statement is valid from " +
                                TimeText(statement.not_before) + ", and now it is " +
                                TimeText(policy.now) + "; check this machine's clock");
  }
  return Status();
}

// The names, cut where the list is long.
std::string Listed(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing";
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
    if (text.size() > 200) return text + ", …";
  }
  return text;
}

Status TableDiffers(const char* field, const std::string& stated,
                    std::string_view found) {
  return StatementRefused(ALLOY_REASON_STATEMENT_TABLE,
                          std::string(field) + ": " + Quoted(stated) +
                              " was signed, but the library's own table has " +
                              Quoted(found) + "; sign it again with the table's values");
}

}  // namespace

Status CheckStatement(const Statement& statement, int64_t file_size,
                      const Policy& policy) {
  ALLOY_TRY(CheckSize(statement, file_size, policy.library));
  ALLOY_TRY(CheckTarget(statement, policy));
  ALLOY_TRY(CheckTimes(statement, policy));
  if (statement.sequence < policy.min_sequence) {
    return StatementRefused(ALLOY_REASON_ROLLBACK,
                            "sequence: " + std::to_string(statement.sequence) +
                                " was signed, but the bridge expects at least " +
                                std::to_string(policy.min_sequence) +
                                "; load a newer version of the library");
  }
  return Status();
}

Status CheckSignedDigest(const Crypto& crypto, const Statement& statement,
                         std::string_view sha256, const std::string& library) {
  // Both values are public, so constant time is not needed; it is used so that reviewers
  // need not check.
  if (crypto.SameInConstantTime(statement.sha256, sha256)) return Status();
  return StatementRefused(ALLOY_REASON_DIGEST,
                          "sha256: " + statement.sha256 + " was signed (" +
                              statement.file + "), but the library has " +
                              std::string(sha256) + SignAgain(library));
}

Status CheckWantedDigest(std::string_view wanted, std::string_view sha256) {
  if (wanted.empty() || wanted == sha256) return Status();
  return StatementRefused(ALLOY_REASON_DIGEST,
                          "sha256: the bridge expects " + std::string(wanted) +
                              ", but the library has " + std::string(sha256) +
                              "; give the library that the bridge expects, or make a "
                              "bridge that expects this one");
}

Status CheckSignedNeeds(const Statement& statement, std::vector<std::string> needed,
                        const std::string& library) {
  // The statement has each name once, in order.
  std::ranges::sort(needed);
  const auto twice = std::ranges::unique(needed);
  needed.erase(twice.begin(), twice.end());
  if (needed == statement.needed) return Status();
  return StatementRefused(ALLOY_REASON_NEEDED, "needed: " + Listed(statement.needed) +
                                                   " was signed, but the library needs " +
                                                   Listed(needed) + SignAgain(library));
}

Status CheckSignedTable(const Statement& statement, std::string_view name,
                        std::string_view version, uint32_t abi) {
  if (statement.name != name) return TableDiffers("name", statement.name, name);
  if (statement.version != version) {
    return TableDiffers("version", statement.version, version);
  }
  if (statement.abi != abi) {
    return TableDiffers("abi", std::to_string(statement.abi), std::to_string(abi));
  }
  return Status();
}

}  // namespace alloy::core
