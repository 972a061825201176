// SPDX-License-Identifier: MIT
//
// arrowalloy verify: whether a host with this certificate would load a library. Nothing of
// the library runs.
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "../base/command.h"
#include "../base/engine_failure.h"
#include "../commands.h"
#include "alloy/alloy.h"
#include "inspection.h"

namespace arrowalloy::verify {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string library, certificate;
  std::vector<std::string> may_need;
  std::optional<std::string> name;
  std::optional<int64_t> min_sequence;
};

// What a host may require beyond a good signature.
void CheckRequirements(const Options& options, const Json& statement) {
  const auto name = statement.at("name").get<std::string>();
  if (options.name && *options.name != name) {
    throw EngineFailure(
        ALLOY_REFUSED, ALLOY_REASON_NAME,
        fmt::format("expected the name {}, it is signed as {}", *options.name, name),
        options.library);
  }
  const auto sequence = statement.at("sequence").get<uint64_t>();
  if (options.min_sequence && *options.min_sequence > 0 &&
      sequence < static_cast<uint64_t>(*options.min_sequence)) {
    throw EngineFailure(ALLOY_REFUSED, ALLOY_REASON_ROLLBACK,
                        fmt::format("expected sequence {} or more, it is signed with {}",
                                    *options.min_sequence, sequence),
                        options.library);
  }
}

Exit Run(const Options& options, Console& console) {
  const Json found = Inspect(options.library,
                             {.certificate = CertificateArgument(options.certificate),
                              .may_need = options.may_need},
                             /*allow_unsigned=*/false);
  const Json& verdict = found.at("verdict");
  if (!IsLoadable(found)) {
    throw EngineFailure(verdict.at("code").get<int32_t>(),
                        verdict.at("reason").get<int32_t>(),
                        verdict.at("text").get<std::string>(), options.library);
  }
  const Json& statement = found.at("statement");
  CheckRequirements(options, statement);
  for (const Json& warning : found.at("warnings")) {
    console.Warn(warning.get<std::string>());
  }
  Report report;
  report.Add("verified", true)
      .Add("library", "verified", options.library)
      .Add("name", "name", statement.at("name").get<std::string>())
      .Add("version", "version", statement.at("version").get<std::string>())
      .Add("sequence", "sequence", statement.at("sequence").get<int64_t>())
      .Add("signer", "signer", found.at("signer").at("subject").get<std::string>())
      .Add("not_after", "ends", statement.at("not_after").get<std::string>())
      .Add("sha256", "sha256", statement.at("sha256").get<std::string>());
  console.PrintResult(report);
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "verify",
       .summary = "Check whether a host with this certificate would load a library",
       .details =
           R"(Nothing of the library runs. The exit code says what is wrong: arrowalloy --help
lists the codes. A static archive is checked but not linked. A PATH of
--may-need is loaded, as a host loads it.)",
       .examples = R"help(  arrowalloy verify build/libscore.so --certificate @dev.crt
  arrowalloy verify build/libscore.so --certificate "$(arrowalloy cert-base64 dev.crt)"
)help"});
  command.Value("LIBRARY", &options->library, "Shared library or static archive",
                {.required = true, .kind = Kind::kFile});
  command.Value("--certificate", &options->certificate,
                "Certificate that the host trusts: base64, or @FILE (PEM, DER, base64)",
                {.required = true, .kind = Kind::kFile, .placeholder = "BASE64|@FILE"});
  DeclareMayNeed(command, &options->may_need);
  command.Value("--name", &options->name, "Require this name in the signature",
                {.placeholder = "NAME"});
  command.Value("--min-sequence", &options->min_sequence,
                "Require at least this sequence in the signature",
                {.placeholder = "NUMBER"});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::verify
