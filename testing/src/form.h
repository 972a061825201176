// SPDX-License-Identifier: MIT
//
// What a format string says about the buffers of an array.
// Source: "The Arrow C data interface", "Data type description -- format strings".
#ifndef ALLOY_TESTING_SRC_FORM_H_
#define ALLOY_TESTING_SRC_FORM_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "alloy/detail/bits.hpp"

namespace alloy::testing {

enum class Kind {
  kNull,
  kBool,
  kFixed,     // width bytes a value
  kBytes,     // offsets of `width` bytes, then bytes
  kView,      // views of 16 bytes
  kList,      // offsets of `width` bytes
  kListView,  // offsets and sizes of `width` bytes
  kFixedList,
  kStruct,
  kDenseUnion,
  kSparseUnion,
  kRunEnd,
};

struct Form {
  Kind kind = Kind::kNull;
  int64_t width = 0;             // bytes of a value or an offset; items of a fixed list
  bool text = false;             // UTF-8
  std::vector<int8_t> type_ids;  // of a union
};

// The form of a well-formed format string.
Form FormOf(std::string_view format);

// A bit of a bitmap; if there is none, every bit is set.
inline bool BitAt(const void* bitmap, int64_t i) {
  return bitmap == nullptr || alloy::detail::BitAt(bitmap, i);
}

inline bool HasValidity(Kind kind) {
  return kind != Kind::kNull && kind != Kind::kDenseUnion && kind != Kind::kSparseUnion &&
         kind != Kind::kRunEnd;
}

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SRC_FORM_H_
