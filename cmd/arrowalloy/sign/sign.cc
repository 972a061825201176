// SPDX-License-Identifier: MIT
//
// arrowalloy sign: write the signature file of a library: a statement about it, signed.
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../base/command.h"
#include "../base/destination.h"
#include "../base/engine_failure.h"
#include "../base/files.h"
#include "../base/os_error.h"
#include "../base/time_text.h"
#include "../commands.h"
#include "../inspect/backend_table.h"
#include "../inspect/inspection.h"
#include "alloy/alloy.h"
#include "crypto.h"
#include "private_copy.h"
#include "statement.h"

namespace arrowalloy::sign {
namespace {

constexpr size_t kMaxCertificates = 4;

struct Options {
  std::string library, key, certificate;
  std::vector<std::string> chain, may_need;
  std::optional<std::string> name, version, not_before, not_after, out;
  std::optional<int64_t> sequence;
  int64_t limit = kTableLimit.count();
};

// The signer's certificate, then its issuers, in order.
std::vector<Certificate> ReadCertificates(const Options& options) {
  std::vector<Certificate> all;
  all.push_back(ReadCertificate(options.certificate));
  for (const std::string& path : options.chain) {
    for (Certificate& certificate : ReadChain(path)) {
      if (!Issued(certificate, all.back())) {
        throw Failure(Exit::kUsage, kSignerCode,
                      fmt::format("{} did not issue {}, which precedes it in the chain",
                                  SubjectOf(certificate), SubjectOf(all.back())),
                      path,
                      "pass with --chain the issuer of --cert first, then its issuer");
      }
      all.push_back(std::move(certificate));
    }
  }
  if (all.size() > kMaxCertificates) {
    throw Failure(Exit::kUsage, kSignerCode,
                  fmt::format("expected at most {} certificates, found {}",
                              kMaxCertificates, all.size()),
                  "--chain", "leave out the certificate that hosts trust");
  }
  return all;
}

// What the archive needs after linking. It is linked here as a host links it. Each host links
// the archive itself, so this list only informs readers of the signature file.
std::vector<std::string> NeededOfArchive(const PrivateCopy& archive) {
  const std::string library = archive.Neighbour("linked.so");
  alloy_error error;
  if (alloy_link(archive.path().c_str(), library.c_str(), &error) != ALLOY_OK) {
    throw EngineFailure(error, archive.path());
  }
  return InspectForm(library).needed;
}

// Everything is about one copy of the library, which nobody else can change: what is
// inspected, linked or run here is what is signed.
Statement MakeStatement(const Options& options, const PrivateCopy& copy,
                        const Certificate& signer, Console& console) {
  const LibraryFacts file = InspectForm(copy.path());
  Statement statement;
  statement.size = file.size;
  statement.sha256 = file.sha256;
  statement.needed = file.is_archive ? NeededOfArchive(copy) : file.needed;
  statement.file = std::filesystem::path(options.library).filename().string();
  if (options.name && options.version) {
    statement.name = *options.name;
    statement.version = *options.version;
  } else {
    console.Detail("reading name and version from the library: this runs it");
    const BackendTable table = ReadTable(copy.path(),
                                         {.certificate = "",
                                          .may_need = options.may_need,
                                          .isolated = file.has_go_runtime},
                                         std::chrono::seconds(options.limit));
    statement.name = options.name.value_or(table.name);
    statement.version = options.version.value_or(table.version);
    if (statement.name != table.name || statement.version != table.version) {
      throw Failure(
          Exit::kUsage, kStatementCode,
          fmt::format("the table of the library has {} {}, but the statement would have "
                      "{} {}; hosts refuse that",
                      table.name, table.version, statement.name, statement.version),
          options.library, "leave out --name and --version");
    }
  }
  statement.not_before =
      options.not_before ? ParseTime("--not-before", *options.not_before) : Now();
  statement.not_after =
      options.not_after ? ParseTime("--not-after", *options.not_after) : NotAfter(signer);
  // The time increases by itself, so hosts can refuse older releases.
  statement.sequence = options.sequence.value_or(Now().time_since_epoch().count());
  if (statement.not_after <= Now()) {
    throw Failure(
        Exit::kUsage, kStatementCode,
        fmt::format("--not-after {} is in the past", TimeText(statement.not_after)),
        "--not-after", "pass a later time, or leave it out");
  }
  return statement;
}

// The signature file must not replace what was read for it.
DestinationOptions SidecarOf(const Options& options) {
  DestinationOptions sidecar{.path = options.out.value_or(options.library + ".alloysig"),
                             .mode = 0644,
                             .not_over = {{options.library, "the library"},
                                          {options.key, "the key"},
                                          {options.certificate, "the certificate"}}};
  for (const std::string& path : options.chain) {
    sidecar.not_over.push_back({path, "a certificate of the chain"});
  }
  for (const std::string& path : options.may_need) {
    sidecar.not_over.push_back({path, "a library that it may need"});
  }
  return sidecar;
}

std::vector<std::string> Base64Of(const std::vector<Certificate>& certificates) {
  std::vector<std::string> base64;
  base64.reserve(certificates.size());
  for (const Certificate& certificate : certificates) {
    base64.push_back(ToBase64(certificate));
  }
  return base64;
}

// The engine decides what hosts load. A signature that it refuses is not written, except
// for what depends on the host or on the time.
void CheckAsHost(const PrivateCopy& copy, const std::string& sidecar,
                 const std::string& certificate) {
  CreateFile(copy.path() + ".alloysig", sidecar, 0600);
  const nlohmann::ordered_json found =
      Inspect(copy.path(), {.certificate = certificate, .may_need = {}},
              /*allow_unsigned=*/false);
  const auto& verdict = found.at("verdict");
  const auto reason = verdict.at("reason").get<int32_t>();
  if (IsLoadable(found) || reason == ALLOY_REASON_NEEDED ||
      reason == ALLOY_REASON_STATEMENT_NOT_YET_VALID) {
    return;
  }
  throw EngineFailure(verdict.at("code").get<int32_t>(), reason,
                      verdict.at("text").get<std::string>(), copy.path());
}

Exit Run(const Options& options, Console& console) {
  if (options.limit < 1) {
    throw Failure(Exit::kUsage, kUsageCode,
                  fmt::format("expected --limit from 1, found {}", options.limit),
                  "--limit", "leave it out: the default is 20 seconds");
  }
  Destination sidecar(SidecarOf(options));
  if (sidecar.is_standard_output()) console.KeepOutputForData();
  const Key key = ReadKey(options.key);
  const std::vector<Certificate> certificates = ReadCertificates(options);
  const Certificate& signer = certificates.front();
  CheckSigner(signer, options.certificate, key, Now());
  const PrivateCopy copy(options.library);
  Statement statement;
  std::string text;
  try {
    statement = MakeStatement(options, copy, signer, console);
    const std::string message = StatementText(statement);
    text = SidecarText(message, Sign(key, message), Base64Of(certificates));
    CheckAsHost(copy, text, ToBase64(signer));
  } catch (Failure& failure) {
    copy.NameOriginal(&failure);
    throw;
  }
  sidecar.Write(text);
  sidecar.Finish();

  if (NotAfter(signer) - Now() < kWarnBefore) {
    console.Warn(
        fmt::format("the certificate {} ends at {}; hosts refuse the library after that",
                    options.certificate, TimeText(NotAfter(signer))));
  }
  Report report;
  report.Add("sidecar", "signature file", OutputName(sidecar.path()))
      .Add("name", "name", statement.name)
      .Add("version", "version", statement.version)
      .Add("sequence", "sequence", statement.sequence)
      .Add("not_after", "ends", TimeText(statement.not_after))
      .Add("sha256", "sha256", statement.sha256)
      .Add("needed", "needed", statement.needed);
  console.PrintCreated(report);
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "sign",
       .summary = "Sign a library: write LIBRARY.alloysig",
       .details =
           R"(LIBRARY is a shared library or a static archive. The file is read once: exactly
these bytes are inspected and signed. A library that no host would load is
refused. Without --name and --version a child process loads the library and
reads both from its table. With both nothing of the library runs.)",
       .examples = R"(  arrowalloy sign build/libscore.so --key dev.key --cert dev.crt
  arrowalloy sign build/libscore.so --key dev.key --cert dev.crt --name acme.score --version 0.1.0
  openssl pkey -in locked.key | arrowalloy sign libscore.so --key - --cert release.crt
)"});
  const ValueSpec file = {.required = true, .kind = Kind::kFile};
  const ValueSpec time = {.placeholder = "TIME"};
  command.Value("LIBRARY", &options->library, "Shared library or static archive", file);
  command.Value("--key", &options->key, "Private key in PEM; - reads standard input",
                file);
  command.Value("--cert", &options->certificate, "Certificate of the key", file);
  command.Value("--chain", &options->chain,
                "PEM file with the issuer of --cert, then its issuer",
                {.kind = Kind::kFile});
  command.Value("--name", &options->name, "Name of the backend, as in its table",
                {.placeholder = "NAME"});
  command.Value("--version", &options->version, "Version of the backend, as in its table",
                {.placeholder = "VERSION"});
  command.Value("--sequence", &options->sequence,
                "Number that rises with each release (default: seconds since 1970)",
                {.placeholder = "NUMBER"});
  command.Value("--not-before", &options->not_before,
                "Hosts refuse the library before this time (default: now)", time);
  command.Value("--not-after", &options->not_after,
                "Hosts refuse it after this time (default: end of --cert)", time);
  command.Value("--limit", &options->limit,
                "Time to read name and version from the library (default: 20)",
                {.placeholder = "SECONDS"});
  DeclareMayNeed(command, &options->may_need);
  command.Value("-o,--out", &options->out,
                "Signature file to write (default: LIBRARY.alloysig)",
                {.kind = Kind::kFile});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::sign
