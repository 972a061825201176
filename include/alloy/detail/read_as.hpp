// SPDX-License-Identifier: MIT
//
// From a C++ type to the view that reads it and the output that makes it.
#ifndef ALLOY_DETAIL_READ_AS_HPP_
#define ALLOY_DETAIL_READ_AS_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "alloy/arrow_abi.h"
#include "alloy/column.hpp"
#include "alloy/status.hpp"
#include "alloy/strings.hpp"

namespace alloy::detail {

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
struct WithoutOptional {
  using Type = T;
};
template <typename T>
struct WithoutOptional<std::optional<T>> {
  using Type = T;
};

template <typename T>
concept Text = std::is_convertible_v<T, std::string_view>;

// std::string stands for every kind of text.
template <typename T>
using ElementOf = std::conditional_t<Text<T>, std::string, T>;
template <typename T>
using ViewOfElement = std::conditional_t<Text<T>, Strings, Column<T>>;

template <typename T>
Result<ViewOfElement<T>> ReadAs(const ArrowSchema& schema, const ArrowArray& array) {
  using View = ViewOfElement<T>;
  if (!View::Accepts(schema)) {
    return Status::Invalid(
        "column '" + std::string(schema.name == nullptr ? "" : schema.name) +
        "' has format '" + schema.format + "', but the function reads it as " +
        std::string(View::kWanted));
  }
  if constexpr (Text<T>) {
    Strings strings(schema, array);
    std::optional<std::string_view> text;
    for (int64_t row = 0; row < strings.size(); ++row) {
      if (const char* fault = strings.Read(row, &text)) {
        return Status::Invalid(strings.Explain(row, fault));
      }
    }
    return strings;
  } else {
    return View(schema, array);
  }
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_READ_AS_HPP_
