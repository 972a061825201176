// SPDX-License-Identifier: MIT
#include "bench/isolated/cores.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

namespace alloy::bench {
namespace {

// The cores that this process may use, as it began.
const cpu_set_t& AllCores() {
  static const cpu_set_t all = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof(set), &set);
    return set;
  }();
  return all;
}

// Of the cores that this process may use, the one with this place in their order.
void Pin(pid_t process, int place) {
  if (CPU_COUNT(&AllCores()) < 2) return;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &AllCores()) || place-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(process, sizeof(one), &one);
    return;
  }
}

std::vector<pid_t> NewChildren() {
  static std::set<pid_t> known;
  std::vector<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) {
      if (known.insert(child).second) found.push_back(child);
    }
  }
  return found;
}

}  // namespace

void PinToSecondCore(pid_t process) { Pin(process, 1); }

void PinNewChildren() {
  for (const pid_t child : NewChildren()) PinToSecondCore(child);
}

void SkipNewChildren() { (void)NewChildren(); }

OnFirstCore::OnFirstCore() { Pin(0, 0); }

OnFirstCore::~OnFirstCore() { ::sched_setaffinity(0, sizeof(cpu_set_t), &AllCores()); }

}  // namespace alloy::bench
