// SPDX-License-Identifier: MIT
//
// ALLOY_CHECK ends the process on a bug of our own. It never judges input.
#ifndef ALLOY_SRC_BASE_CHECK_H_
#define ALLOY_SRC_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define ALLOY_CHECK(condition)                                                     \
  do {                                                                             \
    if (!(condition)) [[unlikely]] {                                               \
      std::fprintf(stderr, "alloy: %s:%d: check failed: %s\n", __FILE__, __LINE__, \
                   #condition);                                                    \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

#endif  // ALLOY_SRC_BASE_CHECK_H_
