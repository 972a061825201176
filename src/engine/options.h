// SPDX-License-Identifier: MIT
#ifndef ALLOY_SRC_ENGINE_OPTIONS_H_
#define ALLOY_SRC_ENGINE_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <span>

namespace alloy::core {

// Whether struct_size is that of some version: not less than what this engine knows, and
// not so much that it was never set.
template <typename Options>
bool IsPlausibleSize(const Options& options) {
  return options.struct_size >= sizeof(Options) && options.struct_size <= 4096;
}

// Whether what a newer program has put behind the fields that this engine knows asks for
// nothing: a choice that is not understood must not be ignored. Reads struct_size bytes.
template <typename Options>
bool TailIsZero(const Options& options) {
  const std::span whole(reinterpret_cast<const std::byte*>(&options),
                        options.struct_size);
  return std::ranges::all_of(whole.subspan(sizeof(Options)),
                             [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPTIONS_H_
