// SPDX-License-Identifier: MIT
#include "admit/runtimes.h"

#include <algorithm>

namespace alloy::core {
namespace {

constexpr std::string_view kRuntimes[] = {
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
#if defined(__aarch64__)
    "ld-linux-aarch64.so.1",
#else
    "ld-linux-x86-64.so.2",
#endif
};

// What the sanitizer presets link into everything, the engine included.
constexpr bool IsSanitizer([[maybe_unused]] std::string_view soname) {
#if defined(__SANITIZE_ADDRESS__)
  return soname.starts_with("libasan.so.") || soname.starts_with("libubsan.so.");
#elif defined(__SANITIZE_THREAD__)
  return soname.starts_with("libtsan.so.");
#else
  return false;
#endif
}

}  // namespace

bool IsRuntime(std::string_view soname) {
  return std::ranges::find(kRuntimes, soname) != std::ranges::end(kRuntimes) ||
         IsSanitizer(soname);
}

}  // namespace alloy::core
