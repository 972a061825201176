// SPDX-License-Identifier: MIT
#include "port/own_program.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>

#include "port/spawn.h"

namespace alloy::core {

std::string FileOfEngine() {
  Dl_info info;
  if (::dladdr(reinterpret_cast<const void*>(&FileOfEngine), &info) == 0 ||
      info.dli_fname == nullptr) {
    return {};
  }
  // The loader keeps the name of a program as it was called, so it may be relative.
  std::array<char, PATH_MAX> path;
  const bool found = ::realpath(info.dli_fname, path.data()) != nullptr;
  return found ? std::string(path.data()) : std::string(info.dli_fname);
}

std::string WorkerIn(const std::string& folder) {
  for (const char* const place : {"alloy-worker", "alloy/alloy-worker"}) {
    if (IsExecutable(folder + place)) return folder + place;
  }
  return {};
}

bool IsSealable(int fd) { return ::fcntl(fd, F_GET_SEALS) >= 0; }

void EndProcess(int status) { ::_exit(status); }

}  // namespace alloy::core
