// SPDX-License-Identifier: MIT
//
// A function of rows as a function of columns: it runs the callable for each row.
//
// Threads  as State: serial.
#ifndef ALLOY_DETAIL_OVER_COLUMNS_HPP_
#define ALLOY_DETAIL_OVER_COLUMNS_HPP_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "alloy/column.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/detail/parameters.hpp"
#include "alloy/output.hpp"
#include "alloy/scope.hpp"

namespace alloy::detail {

// A null makes its row null, unless the parameter is a std::optional.
template <typename P, typename T>
bool Passes(const std::optional<T>& value) {
  return Cell<P>::kOptional || value.has_value();
}
template <typename P, typename T>
decltype(auto) Pass(const std::optional<T>& value) {
  if constexpr (Cell<P>::kOptional) {
    return (value);
  } else {
    return (*value);
  }
}

// Whether 64 rows at a time can be read, by the bits of their nulls, and written.
template <typename R, typename... P>
constexpr bool kBy64 =
    FixedWidth<R> && !std::is_same_v<R, bool> && (FixedWidth<P> && ...);

// Runs at most 64 rows. The callable may not see values of nulls: it might divide by them.
template <typename T, typename... Views>
void Run64(const auto& body, int64_t first, int64_t rows, Output<T>& output,
           const Views&... views) {
  const uint64_t valid = (views.Valid64(first, rows) & ...);
  T* const to = output.Extend64(rows, valid).data();
  if (std::popcount(valid) == rows) {
    for (int64_t i = 0; i < rows; ++i) to[i] = body(views[first + i]...);
    return;
  }
  std::fill_n(to, rows, T());
  for (uint64_t left = valid; left != 0; left &= left - 1) {
    const int64_t i = std::countr_zero(left);
    to[i] = body(views[first + i]...);
  }
}

template <typename Body, typename R, typename... P>
auto OverColumns(Body body, R (*)(P...)) {
  static_assert(sizeof...(P) > 0, "a function of rows takes at least one column");
  return [body = std::move(body)](Scope& scope, ViewOf<P>... views, OutputOf<R>& output) {
    constexpr int64_t kPollEvery = 1 << 16;
    const int64_t rows = std::get<0>(std::tie(views...)).size();
    if constexpr (kBy64<R, P...>) {
      output.Reserve(rows);
      for (int64_t row = 0; row < rows; row += 64) {
        if (row % kPollEvery == 0) scope.ThrowIfCancelled();
        Run64(body, row, std::min<int64_t>(64, rows - row), output, views...);
      }
    } else {
      for (int64_t row = 0; row < rows; ++row) {
        if (row % kPollEvery == 0) scope.ThrowIfCancelled();
        [&](const auto&... values) {
          if ((Passes<P>(values) && ...)) {
            output.Append(body(Pass<P>(values)...));
          } else {
            output.AppendNull();
          }
        }(views.Get(row)...);
      }
    }
  };
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_OVER_COLUMNS_HPP_
