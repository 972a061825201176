// SPDX-License-Identifier: MIT
#include "inspection.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "../base/engine_failure.h"
#include "../base/time_text.h"
#include "../sign/crypto.h"
#include "alloy/alloy.h"
#include "alloy/alloy.hpp"

namespace arrowalloy {

nlohmann::ordered_json Inspect(const std::string& library, const Loading& loading,
                               bool allow_unsigned) {
  const alloy::Host host(
      {.allow_unsigned = allow_unsigned, .may_need = loading.may_need});
  std::string text(size_t{64} << 10U, '\0');
  alloy_error error;
  int64_t length = 0;
  // Each call reads the file again. If the text did not fit, all of it is read again with more
  // room, so it never has parts of two files.
  for (;;) {
    if (alloy_inspect(host.get(), library.c_str(), loading.certificate.c_str(),
                      text.data(), static_cast<int64_t>(text.size()), &length,
                      &error) != ALLOY_OK) {
      throw EngineFailure(error, library);
    }
    if (length < static_cast<int64_t>(text.size())) break;
    text.resize(static_cast<size_t>(length) + 1);
  }
  text.resize(static_cast<size_t>(length));
  return nlohmann::ordered_json::parse(text);
}

bool IsLoadable(const nlohmann::ordered_json& inspection) {
  const auto& verdict = inspection.at("verdict");
  // Admission looks for it last, so nothing else is wrong.
  return verdict.at("ok").get<bool>() ||
         verdict.at("reason").get<int32_t>() == ALLOY_REASON_GO_RUNTIME;
}

LibraryFacts InspectForm(const std::string& library) {
  const nlohmann::ordered_json found = Inspect(library, {}, /*allow_unsigned=*/true);
  const auto& verdict = found.at("verdict");
  const auto reason = verdict.at("reason").get<int32_t>();
  if (!IsLoadable(found) && reason != ALLOY_REASON_NEEDED) {
    throw EngineFailure(verdict.at("code").get<int32_t>(), reason,
                        verdict.at("text").get<std::string>(), library);
  }
  const auto& sha256 = found.at("sha256");
  if (!sha256.is_string()) {
    throw Failure(Exit::kMachine, kToolCode,
                  "the SHA-256 cannot be computed: libcrypto.so.3 is missing", library,
                  "arrowalloy doctor");
  }
  return {.size = found.at("size").get<int64_t>(),
          .sha256 = sha256.get<std::string>(),
          .needed = found.at("elf").at("needed").get<std::vector<std::string>>(),
          .is_archive = found.at("kind") == "archive",
          .has_go_runtime = found.at("elf").at("go_runtime").get<bool>()};
}

std::string CertificateArgument(const std::string& argument) {
  if (!argument.starts_with('@')) return argument;
  return ToBase64(ReadCertificate(argument.substr(1)));
}

std::string EndsSoon(const nlohmann::ordered_json& inspection) {
  const auto& signer = inspection.at("signer");
  if (!signer.is_object()) return "";
  const auto end = signer.at("not_after").get<std::string>();
  const auto left = ParseTime("not_after", end) - Now();
  if (left <= std::chrono::seconds(0) || left >= kWarnBefore) return "";
  return fmt::format(
      "the signer's certificate ends at {}; hosts refuse the library after that", end);
}

}  // namespace arrowalloy
