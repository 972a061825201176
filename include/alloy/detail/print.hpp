// SPDX-License-Identifier: MIT
//
// Arrays as text, as every Alloy program prints them.
#ifndef ALLOY_DETAIL_PRINT_HPP_
#define ALLOY_DETAIL_PRINT_HPP_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "alloy/alloy.h"
#include "alloy/status.hpp"

namespace alloy::detail {

// Write `Int32[1, 2, null]`, or the error of an array that cannot be described.
inline std::ostream& Print(std::ostream& out, const ArrowSchema& schema,
                           const ArrowArray& array) {
  std::string text(255, '\0');
  int64_t length = 0;
  alloy_error error;
  const auto describe = [&] {
    return alloy_describe(&schema, &array, text.data(),
                          static_cast<int64_t>(text.size()) + 1, &length, &error);
  };
  alloy_code code = describe();
  if (code == ALLOY_OK && length > static_cast<int64_t>(text.size())) {
    text.resize(static_cast<size_t>(length));
    code = describe();
  }
  if (code != ALLOY_OK) return out << Status(error);
  return out << std::string_view(text.data(), static_cast<size_t>(length));
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_PRINT_HPP_
