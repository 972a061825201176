// SPDX-License-Identifier: MIT
//
// Where a piece of memory lies: two processes share it if the file and the place in it are the
// same.
#ifndef ALLOY_TESTS_ISOLATED_PAGE_OF_H_
#define ALLOY_TESTS_ISOLATED_PAGE_OF_H_

#include <cinttypes>
#include <cstdint>
#include <cstdio>

namespace isolated {

struct PageOf {
  int64_t inode = 0, offset = 0;
  bool operator==(const PageOf&) const = default;
};

// As tests/backends/pages.c finds it.
inline PageOf Find(const void* address) {
  PageOf page;
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t begin = 0, end = 0;
    uint64_t from = 0, inode = 0;
    const auto at = reinterpret_cast<uintptr_t>(address);
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %*s %" SCNu64,
                    &begin, &end, &from, &inode) == 4 &&
        at >= begin && at < end) {
      page = {static_cast<int64_t>(inode), static_cast<int64_t>(from + (at - begin))};
    }
  }
  std::fclose(maps);
  return page;
}

}  // namespace isolated

#endif  // ALLOY_TESTS_ISOLATED_PAGE_OF_H_
