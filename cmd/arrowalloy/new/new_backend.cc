// SPDX-License-Identifier: MIT
//
// arrowalloy new: a folder with a backend that is ready to build, sign, test and run.
#include <fmt/format.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../base/command.h"
#include "../base/files.h"
#include "../commands.h"
#include "../sign/crypto.h"
#include "alloy/alloy.h"
#include "sdk.h"
#include "templates.h"

namespace arrowalloy::new_backend {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string language;
  std::string folder;
  bool arrow = false;
};

constexpr char kArrowVersion[] = "60";
constexpr int kDays = 365;

// A name must be valid for a CMake target, a crate and a file.
void CheckName(const std::string& name) {
  constexpr std::array kTaken = {"alloc", "alloy", "arrowalloy", "core",    "crate",
                                 "host",  "self",  "std",        "super",   "test",
                                 "all",   "run",   "clean",      "install", "fn",
                                 "mod",   "type",  "use",        "as",      "match",
                                 "move",  "main",  "go",         "vendor",  "internal"};
  const bool well_formed =
      !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
      std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  if (well_formed && std::ranges::find(kTaken, name) == kTaken.end()) return;
  throw Failure(
      Exit::kUsage, kUsageCode,
      well_formed
          ? fmt::format("the name {} is reserved by compilers, make or Alloy", name)
          : fmt::format("{} is not a valid name: use a-z, 0-9 and _, begin with a "
                        "letter, at most 64",
                        name),
      "NAME", "arrowalloy new --lang cpp score");
}

std::vector<std::string_view> SetsOf(const Options& options) {
  if (options.language == "cpp") return {"cpp"};
  if (options.language == "c") return {"host", "c"};
  if (options.language == "go") return {"host", "go"};
  if (options.arrow) return {"host", "rust", "rust_arrow"};
  return {"host", "rust"};
}

std::string Fill(std::string_view text,
                 const std::map<std::string, std::string>& values) {
  std::string filled;
  while (!text.empty()) {
    const size_t start = text.find('@');
    filled += text.substr(0, start);
    if (start == std::string_view::npos) break;
    const size_t end = text.find('@', start + 1);
    const auto value =
        end == std::string_view::npos
            ? values.end()
            : values.find(std::string(text.substr(start + 1, end - start - 1)));
    if (value == values.end()) {
      filled += '@';
      text.remove_prefix(start + 1);
    } else {
      filled += value->second;
      text.remove_prefix(end + 1);
    }
  }
  return filled;
}

// Later sets replace files of earlier ones.
std::map<std::string, std::string> FilesOf(
    const Options& options, const std::map<std::string, std::string>& values) {
  std::map<std::string, std::string> files;
  for (const std::string_view set : SetsOf(options)) {
    for (const Template& file : Templates()) {
      if (file.set == set) files[std::string(file.path)] = Fill(file.text, values);
    }
  }
  return files;
}

// The folder and what was written into it. It removes all of it unless it is kept.
class NewFolder {
 public:
  explicit NewFolder(fs::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    const bool exists = fs::exists(fs::symlink_status(folder_, error));
    if (exists && !(fs::is_directory(folder_, error) && fs::is_empty(folder_, error))) {
      throw Failure(Exit::kUsage, kExistsCode,
                    fmt::format("{} exists and is not an empty folder", folder_.string()),
                    folder_.string(), "choose another name, or move it away");
    }
    MakeFolder(folder_);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    std::error_code ignored;
    for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), ignored);
  }

  void Write(const fs::path& path, std::string_view text, mode_t mode) {
    const fs::path file = folder_ / path;
    MakeFolder(file.parent_path());
    CreateFile(file.string(), text, mode);
    made_.push_back(file);
  }
  void Keep() { made_.clear(); }

 private:
  void MakeFolder(const fs::path& folder) {
    std::error_code error;
    if (folder.empty() || fs::is_directory(folder, error)) return;
    MakeFolder(folder.parent_path());
    if (fs::create_directory(folder, error)) made_.push_back(folder);
    if (!error) return;
    throw Failure(
        Exit::kMachine, kWriteCode,
        fmt::format("cannot make the folder {}: {}", folder.string(), error.message()),
        folder.string(), "check that the folder above it exists and is writable");
  }

  const fs::path folder_;
  std::vector<fs::path> made_;  // in order, so that a folder follows what is in it
};

// What a module that uses the SDK needs in its go.mod: the version of Go, and all of the
// requirements of the SDK. So go has nothing to look up.
struct GoRequirements {
  std::string version, text, sums;
};

GoRequirements ReadGoModule(const std::string& folder) {
  constexpr size_t kMost = size_t{1} << 20U;
  const std::string path = folder + "/go.mod", text = ReadFile(path, kMost);
  constexpr std::string_view kVersion = "\ngo ", kFirst = "\nrequire ";
  const size_t version = text.find(kVersion), first = text.find(kFirst);
  if (version == std::string::npos || first == std::string::npos) {
    throw Failure(Exit::kMachine, kToolCode,
                  path + " of this installation has no version of Go or no requirements",
                  path, "install Alloy again");
  }
  const size_t begin = version + kVersion.size();
  std::string requirements = text.substr(first + 1);
  while (requirements.ends_with('\n')) requirements.pop_back();
  return {.version = text.substr(begin, text.find('\n', begin) - begin),
          .text = std::move(requirements),
          .sums = ReadFile(folder + "/go.sum", kMost)};
}

Sdk NeedSdk() {
  std::string missing;
  if (auto sdk = FindSdk(&missing)) return *sdk;
  throw Failure(
      Exit::kMachine, kToolCode,
      fmt::format("the SDK of this arrowalloy is not complete: {} is missing", missing),
      missing, "cmake --install build --prefix ~/.local && ~/.local/bin/arrowalloy new");
}

Exit Run(const Options& options, Console& console) {
  const fs::path folder = fs::path(options.folder).lexically_normal();
  const std::string name =
      (folder.has_filename() ? folder : folder.parent_path()).filename();
  CheckName(name);
  if (options.arrow && options.language != "rust") {
    throw Failure(Exit::kUsage, kUsageCode, "--arrow works only with --lang rust",
                  "arrowalloy new", "arrowalloy new --lang rust --arrow score");
  }
  const Sdk sdk = NeedSdk();
  const GoRequirements go = ReadGoModule(sdk.go);
  const auto files = FilesOf(
      options, {{"NAME", name},
                {"VERSION", ALLOY_VERSION},
                {"PROGRAM", sdk.program},
                {"PACKAGE", sdk.package},
                {"INCLUDE", sdk.include},
                {"LIBRARY", sdk.library},
                {"CRATE", sdk.crate},
                {"GO_MODULE", sdk.go},
                {"GO_VERSION", go.version},
                {"GO_REQUIRES", go.text},
                {"GO_SUM", go.sums},
                // go must not compile the host. A backend in Go needs a process
                // of its own.
                {"BUILD_TAG", options.language == "go" ? "//go:build ignore\n\n" : ""},
                {"ISOLATED", options.language == "go" ? "1" : "0"},
                {"ARROW", kArrowVersion},
                // Without other crates cargo need not fetch anything.
                {"CARGO_FLAGS", options.arrow ? "" : "--offline"}});
  NewFolder into(folder);
  std::vector<std::string> made;
  for (const auto& [path, text] : files) {
    into.Write(path, text, 0644);
    made.push_back(path);
  }
  const Key key = MakeKey("ed25519");
  const Certificate certificate =
      SelfSign(key, {.common_name = name + " development", .days = kDays});
  into.Write("dev.key", ToPem(key), 0600);
  into.Write("dev.crt", ToPem(certificate), 0644);
  into.Keep();
  made.insert(made.end(), {"dev.key", "dev.crt"});

  Report report;
  report.Add("folder", "folder", folder.string()).Add("files", "files", made);
  console.PrintCreated(report);
  console.Note(
      options.language == "cpp"
          ? fmt::format("Next: cd {} && cmake -B build && cmake --build build && ctest "
                        "--test-dir build",
                        folder.string())
          : fmt::format("Next: cd {} && make test run", folder.string()));
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "new",
       .summary = "Make a folder with a new backend, ready to build, test and run",
       .details =
           R"(The folder has a README, sources, a test, a host program, and a development key
and certificate to sign with. It needs this installation and a compiler, and no
network. With --arrow it uses crates of arrow-rs, which cargo downloads. A backend in
Go uses arrow-go, which go downloads if it does not have it.)",
       .examples = R"(  arrowalloy new --lang cpp score
  arrowalloy new --lang rust distance && cd distance && make test run
)"});
  command.Value("--lang", &options->language, "Language of the backend",
                {.required = true, .choices = {"rust", "cpp", "c", "go"}});
  command.Value("NAME", &options->folder,
                "Name of the backend, or a path that ends in the name",
                {.required = true, .kind = Kind::kFolder});
  command.Flag("--arrow", &options->arrow, "Use arrow-rs (only with --lang rust)");
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::new_backend
