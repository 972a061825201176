// SPDX-License-Identifier: MIT
#include "memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

namespace arrowalloy::run {
namespace {

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();

// The first number of a file; `max`, or no file: no limit.
int64_t NumberIn(const char* path) {
  std::ifstream file(path);
  int64_t number = 0;
  return file >> number ? number : kUnknown;
}

int64_t AvailableOnTheMachine() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    int64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return kibibytes << 10;
  }
  return kUnknown;
}

// What the control group of a container leaves.
int64_t AvailableInTheGroup() {
  const int64_t most = NumberIn("/sys/fs/cgroup/memory.max");
  const int64_t used = NumberIn("/sys/fs/cgroup/memory.current");
  return most == kUnknown || used == kUnknown ? kUnknown
                                              : std::max<int64_t>(0, most - used);
}

}  // namespace

arrow::MemoryPool* InputPool() {
  // It is never destroyed: batches of an input may outlive everything else.
  static auto* pool = [] {
    const int64_t available = std::min(AvailableOnTheMachine(), AvailableInTheGroup());
    // The rest is for results, threads and the program itself.
    const int64_t most = available == kUnknown ? kUnknown : available / 10 * 9;
    return new arrow::CappedMemoryPool(arrow::default_memory_pool(), most);
  }();
  return pool;
}

}  // namespace arrowalloy::run
