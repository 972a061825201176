// SPDX-License-Identifier: MIT
//
// arrowalloy keygen: a key, and a self-signed certificate or a request for one.
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "../base/command.h"
#include "../base/destination.h"
#include "../base/time_text.h"
#include "../commands.h"
#include "crypto.h"

namespace arrowalloy::keygen {
namespace {

struct Options {
  std::string out;
  std::string type = "ed25519";
  std::string subject;
  int64_t days = 365;
  bool csr = false;
};

constexpr int64_t kMaxDays = 3650;

// Write both files or neither. Both paths are checked before the first is written.
class Pair {
 public:
  Pair(const std::string& key_path, const std::string& other_path)
      : key_({.path = key_path, .mode = 0600, .only_new = true}),
        other_({.path = other_path, .mode = 0644, .only_new = true}) {}

  void Write(const std::string& key, const std::string& other) {
    key_.Write(key);
    other_.Write(other);
    key_.Finish();
    try {
      other_.Finish();
    } catch (const Failure&) {
      key_.Withdraw();
      throw;
    }
  }

 private:
  Destination key_, other_;
};

Exit Run(const Options& options, Console& console) {
  if (options.days < 1 || options.days > kMaxDays) {
    throw Failure(
        Exit::kUsage, kUsageCode,
        fmt::format("expected --days from 1 to {}, found {}", kMaxDays, options.days),
        "--days", "arrowalloy keygen --out dev --days 365");
  }
  const std::string name = std::filesystem::path(options.out).filename().string();
  const Subject subject{.common_name = options.subject.empty() ? name : options.subject,
                        .days = options.days};
  const std::string key_path = options.out + ".key";
  const Key key = MakeKey(options.type);
  Report report;
  report.Add("key", "key", key_path);
  if (options.csr) {
    const std::string request_path = options.out + ".csr";
    Pair(key_path, request_path).Write(ToPem(key), MakeRequest(key, subject));
    report.Add("request", "request", request_path);
    console.PrintCreated(report);
    console.Note(fmt::format("Send {} to your authority. Keep {} secret.", request_path,
                             key_path));
    return Exit::kOk;
  }
  const std::string certificate_path = options.out + ".crt";
  const Certificate certificate = SelfSign(key, subject);
  Pair(key_path, certificate_path).Write(ToPem(key), ToPem(certificate));
  report.Add("certificate", "certificate", certificate_path)
      .Add("not_after", "ends", TimeText(NotAfter(certificate)))
      .Add("base64", ToBase64(certificate));
  console.PrintCreated(report);
  console.Note(
      fmt::format("Keep {} secret. Next: arrowalloy sign LIBRARY --key {} --cert {}",
                  key_path, key_path, certificate_path));
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "keygen",
       .summary = "Make a signing key, and a certificate or a request for one",
       .details =
           R"(Writes OUT.key, a private key in PKCS#8 PEM that only you can read, and OUT.crt,
a self-signed certificate for signing code. With --csr it writes OUT.csr instead
of OUT.crt: a certificate request that you send to an authority.
Existing files are never overwritten.)",
       .examples = R"(  arrowalloy keygen --out dev
  arrowalloy keygen --out release --type p256 --csr --subject "Acme build"
)"});
  command.Value("-o,--out", &options->out, "Path of the new files, without .key and .crt",
                {.required = true, .kind = Kind::kFile, .placeholder = "OUT"});
  command.Value("--type", &options->type, "Type of the key (default: ed25519)",
                {.choices = {"ed25519", "p256"}});
  command.Value("--days", &options->days,
                "Days until the certificate expires (default: 365)",
                {.placeholder = "DAYS"});
  command.Value("--subject", &options->subject,
                "Name in the certificate (default: file name of OUT)",
                {.placeholder = "NAME"});
  command.Flag("--csr", &options->csr, "Write a certificate request for an authority");
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::keygen
