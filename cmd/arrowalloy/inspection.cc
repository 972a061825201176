// SPDX-License-Identifier: MIT
#include "inspection.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "alloy/alloy.h"
#include "alloy/alloy.hpp"
#include "crypto.h"
#include "engine_failure.h"
#include "time_text.h"

namespace arrowalloy {

constexpr std::chrono::days kSoon(30);

nlohmann::ordered_json Inspect(const std::string& library, const Loading& loading,
                               bool allow_unsigned) {
  const alloy::Host host(
      {.allow_unsigned = allow_unsigned, .may_need = loading.may_need});
  std::string text(size_t{64} << 10U, '\0');
  alloy_error error;
  int64_t length = 0;
  // The file may have changed between two looks: again until the answer fits.
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

std::string CertificateArgument(const std::string& argument) {
  if (!argument.starts_with('@')) return argument;
  return ToBase64(ReadCertificate(argument.substr(1)));
}

std::string EndsSoon(const nlohmann::ordered_json& inspection) {
  const auto& signer = inspection.at("signer");
  if (!signer.is_object()) return "";
  const auto end = signer.at("not_after").get<std::string>();
  const auto left = ParseTime("not_after", end) - Now();
  if (left <= std::chrono::seconds(0) || left >= kSoon) return "";
  return fmt::format("the signer's certificate ends at {}: hosts refuse the library then",
                     end);
}

}  // namespace arrowalloy
