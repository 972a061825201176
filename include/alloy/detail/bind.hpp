// SPDX-License-Identifier: MIT
//
// What binding a function needs of C++ types.
#ifndef ALLOY_DETAIL_BIND_HPP_
#define ALLOY_DETAIL_BIND_HPP_

#include <cstdint>
#include <string_view>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/call_options.hpp"

namespace alloy::detail {

// Whether an array with one schema can be used as an array with the other.
inline bool SameType(const ArrowSchema& a, const ArrowSchema& b) {
  if (&a == &b) return true;
  if (std::string_view(a.format) != b.format || a.n_children != b.n_children ||
      (a.dictionary == nullptr) != (b.dictionary == nullptr)) {
    return false;
  }
  for (int64_t i = 0; i < a.n_children; ++i) {
    if (!SameType(*a.children[i], *b.children[i])) return false;
  }
  return a.dictionary == nullptr || SameType(*a.dictionary, *b.dictionary);
}

// Options in the form of alloy_call_bind: key, value, ..., NULL.
inline std::vector<const char*> FlattenOptions(const OptionMap& options) {
  std::vector<const char*> flat;
  flat.reserve(2 * options.size() + 1);
  for (const auto& [key, value] : options) {
    flat.push_back(key.c_str());
    flat.push_back(value.c_str());
  }
  flat.push_back(nullptr);
  return flat;
}

struct FreeCall {
  void operator()(alloy_call* call) const { alloy_call_free(call); }
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BIND_HPP_
