// SPDX-License-Identifier: MIT
#include "loaded.h"

#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "../arrowalloy/base/failure.h"

namespace arrowalloy::run {
namespace {

int AddPath(dl_phdr_info* info, size_t /*size*/, void* paths) {
  const std::string path = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (!path.empty()) static_cast<std::vector<std::string>*>(paths)->push_back(path);
  return 0;
}

// libarrow.so.2600 of libarrow.so.2600.0.1: the names differ only in the version's length.
bool SameLibrary(const std::string& one, const std::string& other) {
  const auto& longer = one.size() > other.size() ? one : other;
  const auto& shorter = one.size() > other.size() ? other : one;
  return shorter.find(".so") != std::string::npos && longer.starts_with(shorter) &&
         (longer.size() == shorter.size() || longer[shorter.size()] == '.');
}

bool SameFile(const std::string& one, const std::string& other) {
  struct stat first{}, second{};
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

void CheckOtherCopy(const std::string& may_need) {
  if (may_need.find('/') == std::string::npos) return;  // a name: the loaded one is meant
  const std::string name = std::filesystem::path(may_need).filename().string();
  std::vector<std::string> loaded;
  dl_iterate_phdr(AddPath, &loaded);
  for (const std::string& path : loaded) {
    if (!SameLibrary(name, std::filesystem::path(path).filename().string()) ||
        SameFile(path, may_need)) {
      continue;
    }
    throw Failure(
        Exit::kUsage, kUsageCode,
        fmt::format("arrowalloy run uses {} itself, and another copy of that "
                    "library cannot be loaded next to it",
                    path),
        "--may-need " + may_need,
        fmt::format("pass --may-need {}, if the backend fits that version", path));
  }
}

}  // namespace arrowalloy::run
