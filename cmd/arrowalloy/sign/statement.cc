// SPDX-License-Identifier: MIT
#include "statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../base/failure.h"
#include "../base/time_text.h"
#include "alloy/backend.h"
#include "crypto.h"

namespace arrowalloy {
namespace {

constexpr size_t kMaxNeeded = 64;

Failure BadField(const char* option, const std::string& value, const char* expected) {
  return Failure(Exit::kUsage, kStatementCode,
                 fmt::format("expected {} {}, found `{}`", option, expected, value),
                 option, "arrowalloy sign --help");
}

void CheckWord(const char* option, const std::string& word) {
  const bool printable =
      std::ranges::all_of(word, [](char c) { return c > ' ' && c <= '~'; });
  if (word.empty() || word.size() > 128 || !printable) {
    throw BadField(option, word, "of 1 to 128 printable ASCII characters without blanks");
  }
}

std::string Block(std::string_view label, std::string_view base64) {
  std::string block = fmt::format("-----BEGIN {}-----\n", label);
  for (; !base64.empty(); base64.remove_prefix(std::min<size_t>(64, base64.size()))) {
    block.append(base64.substr(0, 64)).append("\n");
  }
  return block + fmt::format("-----END {}-----\n", label);
}

}  // namespace

std::string_view ThisPlatform() {
#if defined(__aarch64__)
  return "linux-aarch64-gnu";
#else
  return "linux-x86_64-gnu";
#endif
}

std::string StatementText(const Statement& statement) {
  CheckWord("--name", statement.name);
  CheckWord("--version", statement.version);
  CheckWord("the file name of the library", statement.file);
  if (statement.sequence < 0) {
    throw BadField("--sequence", std::to_string(statement.sequence), "from 0");
  }
  if (statement.not_after <= statement.not_before) {
    throw BadField("--not-after", TimeText(statement.not_after),
                   "later than --not-before");
  }
  std::vector<std::string> needed = statement.needed;
  std::ranges::sort(needed);
  needed.erase(std::ranges::unique(needed).begin(), needed.end());
  if (needed.size() > kMaxNeeded) {
    throw BadField("the number of needed libraries", std::to_string(needed.size()),
                   "to be at most 64");
  }
  std::string text = fmt::format(
      "alloy-statement-v1\nkind: backend\nname: {}\nversion: {}\nsequence: {}\nabi: {}\n"
      "platform: {}\nnot-before: {}\nnot-after: {}\nsize: {}\nsha256: {}  {}\n",
      statement.name, statement.version, statement.sequence, ALLOY_ABI, ThisPlatform(),
      TimeText(statement.not_before), TimeText(statement.not_after), statement.size,
      statement.sha256, statement.file);
  for (const std::string& name : needed) text += fmt::format("needed: {}\n", name);
  return text + "end\n";
}

std::string SidecarText(const std::string& message, std::string_view signature,
                        const std::vector<std::string>& certificates) {
  std::string text = message + Block("ALLOY SIGNATURE", EncodeBase64(signature));
  for (const std::string& certificate : certificates) {
    text += Block("CERTIFICATE", certificate);
  }
  return text;
}

}  // namespace arrowalloy
