// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_
#define ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace alloy::core {

// Whether struct_size is that of some version: not less than the first one had, and not
// so much that it was never set.
template <typename Options>
bool IsPlausibleSize(const Options& options, size_t first = sizeof(Options)) {
  return options.struct_size >= first && options.struct_size <= 4096;
}

// The options of a program that may be older: what it does not know of is zero. Reads
// struct_size bytes at most.
template <typename Options>
Options Completed(const Options& options) {
  Options whole{};
  std::memcpy(&whole, &options, std::min<size_t>(options.struct_size, sizeof(Options)));
  return whole;
}

// Whether what a newer program has put behind the fields that this engine knows asks for
// nothing: a choice that is not understood must not be ignored. Reads struct_size bytes.
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
