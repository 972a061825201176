// SPDX-License-Identifier: MIT
//
// The sidecar of a library: a statement about it, signed.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "backend_table.h"
#include "command.h"
#include "commands.h"
#include "crypto.h"
#include "engine_failure.h"
#include "files.h"
#include "inspection.h"
#include "library_file.h"
#include "statement.h"
#include "time_text.h"

namespace arrowalloy::sign {
namespace {

constexpr size_t kMaxCertificates = 4;
constexpr std::chrono::days kSoon(30);

struct Options {
  std::string library, key, certificate;
  std::vector<std::string> chain, may_need;
  std::optional<std::string> name, version, not_before, not_after, out;
  std::optional<int64_t> sequence;
  int64_t limit = kTableLimit.count();
};

// The signer's certificate, then those that lead to the authority, in their order.
std::vector<Certificate> ReadCertificates(const Options& options) {
  std::vector<Certificate> all;
  all.push_back(ReadCertificate(options.certificate));
  for (const std::string& path : options.chain) {
    for (Certificate& certificate : ReadChain(path)) {
      if (!Issued(certificate, all.back())) {
        throw Failure(Exit::kUsage, kSignerCode,
                      fmt::format("{} is not by {}, which follows it in the chain",
                                  SubjectOf(all.back()), SubjectOf(certificate)),
                      path, "give --chain the issuer of --cert first, then its issuer");
      }
      all.push_back(std::move(certificate));
    }
  }
  if (all.size() > kMaxCertificates) {
    throw Failure(Exit::kUsage, kSignerCode,
                  fmt::format("{} certificates; a sidecar has at most {}", all.size(),
                              kMaxCertificates),
                  "--chain", "leave out those that hosts have as their anchor");
  }
  return all;
}

// What a host will see of an archive once it has linked it: linked here, to be read.
std::vector<std::string> NeededOfArchive(const std::string& archive) {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "arrowalloy.XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw Failure(Exit::kMachine, kWriteCode, fmt::format("cannot make {}", folder),
                  folder, "df -h /tmp");
  }
  const std::string library = folder + "/linked.so";
  alloy_error error;
  const alloy_code code = alloy_link(archive.c_str(), library.c_str(), &error);
  std::vector<std::string> needed;
  if (code == ALLOY_OK) needed = ReadLibrary(library).needed;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (code != ALLOY_OK) throw EngineFailure(error, archive);
  return needed;
}

// What the file itself says, and the library of itself where the caller does not.
Statement MakeStatement(const Options& options, const Certificate& signer,
                        Console& console) {
  const LibraryFile file = ReadLibrary(options.library);
  Statement statement;
  statement.size = file.size;
  statement.sha256 = file.sha256;
  statement.needed = file.is_archive ? NeededOfArchive(options.library) : file.needed;
  statement.file = std::filesystem::path(options.library).filename().string();
  if (options.name && options.version) {
    statement.name = *options.name;
    statement.version = *options.version;
  } else {
    console.Detail("asking the library for its name and version: this runs it");
    const BackendTable table =
        ReadTable(options.library, {.certificate = "", .may_need = options.may_need},
                  std::chrono::seconds(options.limit));
    statement.name = options.name.value_or(table.name);
    statement.version = options.version.value_or(table.version);
    if (statement.name != table.name || statement.version != table.version) {
      throw Failure(
          Exit::kUsage, kStatementCode,
          fmt::format("the library calls itself {} {}: hosts would refuse it as {} {}",
                      table.name, table.version, statement.name, statement.version),
          options.library, "leave out --name and --version");
    }
  }
  statement.not_before =
      options.not_before ? ParseTime("--not-before", *options.not_before) : Now();
  statement.not_after =
      options.not_after ? ParseTime("--not-after", *options.not_after) : NotAfter(signer);
  // Rises by itself, so that hosts can refuse what is older.
  statement.sequence = options.sequence.value_or(Now().time_since_epoch().count());
  if (statement.not_after <= Now()) {
    throw Failure(Exit::kUsage, kStatementCode,
                  fmt::format("--not-after {} has passed", TimeText(statement.not_after)),
                  "--not-after", "arrowalloy sign --help");
  }
  return statement;
}

// The form that no host would load. What a library needs beyond the runtimes is for each
// host to allow.
void RefuseUnfit(const std::string& library) {
  const nlohmann::ordered_json found = Inspect(library, {}, /*allow_unsigned=*/true);
  const auto& verdict = found.at("verdict");
  const auto reason = verdict.at("reason").get<int32_t>();
  if (verdict.at("ok").get<bool>() || reason == ALLOY_REASON_NEEDED) return;
  throw EngineFailure(verdict.at("code").get<int32_t>(), reason,
                      verdict.at("text").get<std::string>(), library);
}

Exit Run(const Options& options, Console& console) {
  const Key key = ReadKey(options.key);
  const std::vector<Certificate> certificates = ReadCertificates(options);
  const Certificate& signer = certificates.front();
  CheckSigner(signer, options.certificate, key, Now());
  const Statement statement = MakeStatement(options, signer, console);
  RefuseUnfit(options.library);
  const std::string message = StatementText(statement);
  std::vector<std::string> base64;
  base64.reserve(certificates.size());
  for (const Certificate& certificate : certificates)
    base64.push_back(ToBase64(certificate));
  const std::string sidecar = options.out.value_or(options.library + ".alloysig");
  ReplaceFile(sidecar, SidecarText(message, Sign(key, message), base64), 0644);

  if (NotAfter(signer) - Now() < kSoon) {
    console.Warn(
        fmt::format("the certificate {} ends at {}: hosts refuse the library then",
                    options.certificate, TimeText(NotAfter(signer))));
  }
  Report report;
  report.Add("sidecar", "sidecar", sidecar)
      .Add("name", "name", statement.name)
      .Add("version", "version", statement.version)
      .Add("sequence", "sequence", statement.sequence)
      .Add("not_after", "ends", TimeText(statement.not_after))
      .Add("sha256", "sha256", statement.sha256)
      .Add("needed", "needed", statement.needed);
  console.Made(report);
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "sign",
       .summary = "Sign a library: write LIBRARY.alloysig beside it",
       .details =
           "Takes shared libraries and static archives. Without --name and --version it\n"
           "asks the library itself, in a child process, since that runs it. What the\n"
           "loader would refuse is refused here.",
       .examples =
           "  arrowalloy sign build/libscore.so --key dev.key --cert dev.crt\n"
           "  arrowalloy sign build/libscore.so --key dev.key --cert dev.crt --name "
           "acme.score --version 0.1.0\n"});
  const ValueSpec file = {.required = true, .kind = Kind::kFile};
  const ValueSpec time = {.placeholder = "TIME"};
  command.Value("LIBRARY", &options->library, "The library or archive", file);
  command.Value("--key", &options->key, "Private key in PEM, or -", file);
  command.Value("--cert", &options->certificate, "Certificate of the key", file);
  command.Values("--chain", &options->chain, "PEM file with the certificates above it",
                 {.kind = Kind::kFile});
  command.Value("--name", &options->name, "Name of the backend, as in its table",
                {.placeholder = "NAME"});
  command.Value("--version", &options->version, "Version of the backend, as in its table",
                {.placeholder = "VERSION"});
  command.Value("--sequence", &options->sequence,
                "Rising number of the release (default: the seconds since 1970)",
                {.placeholder = "NUMBER"});
  command.Value("--not-before", &options->not_before,
                "Start of the statement (default: now)", time);
  command.Value("--not-after", &options->not_after,
                "End of the statement (default: that of the certificate)", time);
  command.Value("--limit", &options->limit,
                "Seconds that the library may take to tell its name (default 20)",
                {.placeholder = "SECONDS"});
  DeclareMayNeed(command, &options->may_need);
  command.Value("-o,--out", &options->out, "Sidecar (default LIBRARY.alloysig)",
                {.kind = Kind::kFile});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::sign
