// SPDX-License-Identifier: MIT
//
// arrowalloy run: starts arrowalloy-run in the place of this process. That is a program of
// its own because it links Apache Arrow C++, which the other commands do not need.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "../../arrowalloy_run/options.h"
#include "../base/command.h"
#include "../commands.h"

namespace arrowalloy::run {
namespace {

// The arguments of this process, unchanged.
std::vector<std::string> OwnArguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words;
  for (size_t at = 0; at < all.size(); at += words.back().size() + 1) {
    words.emplace_back(all.c_str() + at);
  }
  return words;
}

// Both programs are built and installed in one folder.
std::string WorkerPath() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "arrowalloy-run").string();
}

Exit HandOver() {
  const std::string program = WorkerPath();
  std::vector<std::string> words = OwnArguments();
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  throw Failure(
      Exit::kMachine, kToolCode,
      "cannot start arrowalloy-run: " + std::generic_category().message(errno), program,
      "install Apache Arrow C++ with Parquet and build Alloy again; arrowalloy-run "
      "is built only when they are found");
}

}  // namespace

void Add(Program& program) {
  Declare(program, [](const Options&, Console&) { return HandOver(); });
}

}  // namespace arrowalloy::run
