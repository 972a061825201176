// SPDX-License-Identifier: MIT
#include "port/cpu.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <memory>

#include "port/fd.h"

namespace alloy::core {
namespace {

// Of a small file, the first 4 KiB; empty if it cannot be read.
std::string TextOf(const std::string& path) {
  Fd file;
  std::array<char, 4096> text;
  size_t length = 0;
  if (OpenForReading(path, &file) != 0) return {};
  if (ReadFully(file, std::as_writable_bytes(std::span(text)), &length) != 0) return {};
  return {text.data(), length};
}

// A quota below one processor is one: the process runs, but not all the time.
int WholeCpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return INT_MAX;
  return static_cast<int>(
      std::clamp(quota / period, 1LL, static_cast<long long>(INT_MAX)));
}

// "max 100000" or "200000 100000".
int QuotaOfV2(const std::string& folder) {
  long long quota = 0, period = 0;
  const std::string text = TextOf(folder + "/cpu.max");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(text.c_str(), "%18lld %18lld", &quota, &period) != 2) return INT_MAX;
  return WholeCpus(quota, period);
}

int QuotaOfV1(const std::string& folder) {
  long long quota = 0, period = 0;
  const std::string quota_text = TextOf(folder + "/cpu.cfs_quota_us");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(quota_text.c_str(), "%18lld", &quota) != 1 || quota <= 0) {
    return INT_MAX;
  }
  const std::string period_text = TextOf(folder + "/cpu.cfs_period_us");
  // NOLINTNEXTLINE(cert-err34-c): the count is checked
  if (std::sscanf(period_text.c_str(), "%18lld", &period) != 1) return INT_MAX;
  return WholeCpus(quota, period);
}

// The smallest quota of a group and of all groups above it. A container often sees the path
// of its group on the host, but has the files of that group at the root.
int SmallestQuota(const std::string& root, std::string path,
                  int (*quota)(const std::string&)) {
  int smallest = quota(root);
  while (path.size() > 1) {
    smallest = std::min(smallest, quota(root + path));
    path.resize(path.rfind('/'));
  }
  return smallest;
}

bool Lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == wanted) return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

int CpusOfAffinity() {
  // For 65,536 processors; the kernel refuses a set that is too small for the machine.
  constexpr size_t kSets = 64;
  const auto sets = std::make_unique<std::array<cpu_set_t, kSets>>();
  constexpr size_t kSize = kSets * sizeof(cpu_set_t);
  if (::sched_getaffinity(0, kSize, sets->data()) != 0) return 1;
  return std::max(1, CPU_COUNT_S(kSize, sets->data()));
}

}  // namespace

int CpusOfQuota(std::string_view groups, const std::string& root) {
  int smallest = INT_MAX;
  // Each line is "number:controllers:path"; the line of v2 has no controllers.
  while (!groups.empty()) {
    const size_t end = std::min(groups.find('\n'), groups.size());
    const std::string_view line = groups.substr(0, end);
    groups.remove_prefix(std::min(end + 1, groups.size()));
    const size_t first = line.find(':');
    if (first == line.npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == line.npos || line.substr(second + 1, 1) != "/") continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string path(line.substr(second + 1));
    if (controllers.empty()) {
      smallest = std::min(smallest, SmallestQuota(root, std::move(path), QuotaOfV2));
    } else if (Lists(controllers, "cpu")) {
      // Systems that mount cpu and cpuacct together have a link with this name.
      smallest =
          std::min(smallest, SmallestQuota(root + "/cpu", std::move(path), QuotaOfV1));
    }
  }
  return smallest;
}

int UsableCpus() {
  return std::min(CpusOfAffinity(),
                  CpusOfQuota(TextOf("/proc/self/cgroup"), "/sys/fs/cgroup"));
}

}  // namespace alloy::core
