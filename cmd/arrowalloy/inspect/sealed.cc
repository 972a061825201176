// SPDX-License-Identifier: MIT
#include "sealed.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../base/failure.h"

namespace arrowalloy {
namespace {

namespace fs = std::filesystem;
constexpr char kMemory[] = "/memfd:";

using Identity = std::pair<dev_t, ino_t>;

struct Mapped {
  std::string name;
  uint64_t base = UINT64_MAX;
  bool runs = false;
};

Failure NoProcess(int64_t pid, const std::string& why) {
  return Failure(
      Exit::kMachine, kReadCode,
      fmt::format("cannot read the memory mappings of process {}: {}", pid, why),
      fmt::format("/proc/{}/maps", pid),
      "ps -e lists the processes; try as the same user or as root");
}

// Read one line of /proc/PID/maps; lines that do not map a memfd are skipped.
void ReadMapping(const std::string& line, std::map<Identity, Mapped>* found) {
  uint64_t start = 0;
  uint64_t offset = 0;
  uint64_t inode = 0;
  unsigned major = 0;
  unsigned minor = 0;
  char rights[5] = {};
  int name = 0;
  // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
  if (std::sscanf(line.c_str(), "%" SCNx64 "-%*x %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
                  &start, rights, &offset, &major, &minor, &inode, &name) != 6 ||
      name == 0 ||
      line.compare(static_cast<size_t>(name), sizeof(kMemory) - 1, kMemory) != 0) {
    return;
  }
  Mapped& mapped = (*found)[{makedev(major, minor), inode}];
  mapped.name = line.substr(static_cast<size_t>(name) + 1);
  const size_t deleted = mapped.name.find(" (deleted)");
  if (deleted != std::string::npos) mapped.name.resize(deleted);
  if (start - offset < mapped.base) mapped.base = start - offset;
  mapped.runs = mapped.runs || rights[2] == 'x';
}

}  // namespace

std::vector<SealedLibrary> FindSealedLibraries(int64_t pid) {
  const std::string process = fmt::format("/proc/{}", pid);
  std::ifstream maps(process + "/maps");
  std::map<Identity, Mapped> found;
  if (!maps) throw NoProcess(pid, "no such process, or it belongs to another user");
  for (std::string line; std::getline(maps, line);) ReadMapping(line, &found);
  std::vector<SealedLibrary> libraries;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(process + "/fd", error)) {
    struct stat status{};
    if (stat(entry.path().c_str(), &status) != 0) continue;
    const auto mapped = found.find({status.st_dev, status.st_ino});
    if (mapped == found.end() || !mapped->second.runs) continue;
    libraries.push_back(
        {mapped->second.name, entry.path().string(), mapped->second.base});
    found.erase(mapped);
  }
  if (error) throw NoProcess(pid, error.message());
  return libraries;
}

}  // namespace arrowalloy
