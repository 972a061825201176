// SPDX-License-Identifier: MIT
#include "paths.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "../arrow_error.h"

namespace arrowalloy::run {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FilesInFolder(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.starts_with('.') || name.starts_with('_')) continue;
    std::error_code ignored;
    if (entries->is_directory(ignored)) {
      throw Failure(
          Exit::kMachine, kReadCode,
          fmt::format("the folder has a folder {}; only its own files are read", name),
          path, fmt::format("pass a pattern: -i '{}/*/*'", path));
    }
    files.push_back(entries->path().string());
  }
  if (error) {
    throw Failure(Exit::kMachine, kReadCode, "cannot read the folder: " + error.message(),
                  path, "let this user list the folder");
  }
  if (files.empty()) {
    throw Failure(
        Exit::kMachine, kReadCode, "the folder has no file", path,
        "pass a folder with data files; names with . or _ in front are left out");
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<std::string> FilesOf(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return FilesInFolder(path);
  // A file whose name has such characters is meant itself.
  if (path.find_first_of("*?[") == std::string::npos || fs::exists(path, error)) {
    return {path};
  }
  glob_t found{};
  const int result = ::glob(path.c_str(), GLOB_MARK, nullptr, &found);
  std::vector<std::string> files;
  for (size_t i = 0; result == 0 && i < found.gl_pathc; ++i) {
    const std::string file = found.gl_pathv[i];
    if (!file.ends_with('/')) files.push_back(file);
  }
  ::globfree(&found);
  if (files.empty()) {
    throw Failure(Exit::kMachine, kReadCode, "no file matches the pattern", path,
                  "check the pattern; in the shell, ls prints what it matches");
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace arrowalloy::run
