// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "../base/failure.h"
#include "../base/process.h"
#include "../new/sdk.h"
#include "machine.h"

namespace arrowalloy {
namespace {

constexpr std::chrono::seconds kLimit(20);

std::string Install(const std::string& package) {
  if (access("/usr/bin/apt-get", X_OK) != 0) {
    return fmt::format("install the package that Debian calls {}", package);
  }
  return fmt::format("{}apt-get install {}", geteuid() == 0 ? "" : "sudo ", package);
}

// The first version in a text, such as 1.2 or 1.2.3; `shown` is its text.
std::pair<int, int> Version(const std::string& text, std::string* shown) {
  for (size_t at = text.find_first_of("0123456789"); at != std::string::npos;
       at = text.find_first_of("0123456789", at + 1)) {
    int major = 0;
    int minor = 0;
    // NOLINTNEXTLINE(cert-err34-c): %9d cannot overflow, and the count is checked
    if (std::sscanf(text.c_str() + at, "%9d.%9d", &major, &minor) == 2) {
      *shown = text.substr(at, text.find_first_not_of("0123456789.", at) - at);
      return {major, minor};
    }
  }
  return {0, 0};
}

struct Tool {
  const char* program;
  const char* flag;
  std::pair<int, int> least;
  const char* package;
  const char* use;
};

constexpr Tool kTools[] = {
    {"g++",
     "--version",
     {12, 0},
     "g++",
     "building backends in C++, and linking static archives"},
    {"cc",
     "--version",
     {0, 0},
     "gcc",
     "building backends in C and Rust, and linking static archives"},
    {"cmake", "--version", {3, 25}, "cmake", "building backends in C++"},
    {"make",
     "--version",
     {0, 0},
     "make",
     "building the folders that arrowalloy new makes"},
    {"cargo",
     "--version",
     {1, 88},
     "cargo (1.88 or newer; or rustup)",
     "building backends in Rust"},
    {"go", "version", {1, 25}, "golang (1.25 or newer)", "building hosts in Go"},
    {"openssl",
     "version",
     {3, 0},
     "openssl",
     "checking a signature without Alloy (docs/signing.md)"},
    {"gdb", "--version", {0, 0}, "gdb", "debugging a running backend"},
};

Finding Check(const Tool& tool) {
  Finding finding{.name = tool.program,
                  .needed = false,
                  .found = {},
                  .use = tool.use,
                  .fix = Install(tool.package)};
  Ended ended;
  try {
    ended = RunProcess({tool.program, tool.flag}, kLimit);
  } catch (const Failure&) {
    finding.found = "not found in PATH";
    return finding;
  }
  if (ended.code != 0) {
    finding.found = fmt::format("`{} {}` {}", tool.program, tool.flag, ended.HowText());
    return finding;
  }
  const auto version = Version(ended.output, &finding.found);
  finding.fit = version >= tool.least;
  if (finding.fit) {
    finding.fix.clear();
  } else {
    finding.found +=
        fmt::format(", older than {}.{}", tool.least.first, tool.least.second);
  }
  return finding;
}

Finding CheckLibcrypto() {
  Finding finding{.name = "libcrypto.so.3",
                  .found = {},
                  .use = "keys, certificates and signatures",
                  .fix = Install("libssl3")};
  void* library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    finding.found = dlerror();  // NOLINT(concurrency-mt-unsafe): there is one thread
    return finding;
  }
  using VersionText = const char* (*)(int);
  const auto version = reinterpret_cast<VersionText>(dlsym(library, "OpenSSL_version"));
  finding.fit = version != nullptr;
  finding.found = version == nullptr ? "it does not export OpenSSL_version" : version(0);
  if (finding.fit) finding.fix.clear();
  return finding;
}

}  // namespace

std::vector<Finding> CheckPrograms() {
  std::vector<Finding> findings;
  findings.push_back({.name = "glibc",
                      .fit = true,
                      .found = gnu_get_libc_version(),
                      .use = "everything",
                      .fix = {}});
  findings.push_back(CheckLibcrypto());
  for (const Tool& tool : kTools) findings.push_back(Check(tool));
  return findings;
}

Finding CheckSdk() {
  Finding finding{
      .name = "SDK",
      .needed = false,
      .found = {},
      .use = "arrowalloy new",
      .fix = "cmake --install build --prefix ~/.local, then run ~/.local/bin/arrowalloy"};
  std::string missing;
  const auto sdk = FindSdk(&missing);
  finding.fit = sdk.has_value();
  finding.found = finding.fit ? sdk->package : missing + " is missing";
  if (finding.fit) finding.fix.clear();
  return finding;
}

}  // namespace arrowalloy
