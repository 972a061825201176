// SPDX-License-Identifier: MIT
//
// Option structs of programs that are older or newer than this engine.
#ifndef ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_
#define ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace alloy::core {

// Whether struct_size may be that of some version: at least the size of the first version,
// and not so large that it must be uninitialised memory.
template <typename Options>
bool IsPlausibleSize(const Options& options, size_t first = sizeof(Options)) {
  return options.struct_size >= first && options.struct_size <= 4096;
}

// The options of a program that may be older: fields that it does not know are zero. Reads
// at most struct_size bytes.
template <typename Options>
Options Completed(const Options& options) {
  Options whole{};
  std::memcpy(&whole, &options, std::min<size_t>(options.struct_size, sizeof(Options)));
  return whole;
}

// True if all bytes after the fields that this engine knows are zero. A newer program's
// non-zero field is an option that would otherwise be silently ignored. Reads struct_size
// bytes.
template <typename Options>
bool TailIsZero(const Options& options) {
  if (options.struct_size <= sizeof(Options)) return true;
  const std::span whole(reinterpret_cast<const std::byte*>(&options),
                        options.struct_size);
  return std::ranges::all_of(whole.subspan(sizeof(Options)),
                             [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_
