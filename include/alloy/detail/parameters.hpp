// SPDX-License-Identifier: MIT
//
// What the parameters of a C++ callable declare: the columns it reads and those it makes.
#ifndef ALLOY_DETAIL_PARAMETERS_HPP_
#define ALLOY_DETAIL_PARAMETERS_HPP_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/column.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/list.hpp"
#include "alloy/nested_output.hpp"
#include "alloy/output.hpp"
#include "alloy/strings.hpp"

namespace alloy::detail {

// The parameters and the result of a callable that is not a template.
template <typename T>
struct Signature {
  static constexpr bool kKnown = false;
};
template <typename T>
  requires requires { &T::operator(); }
struct Signature<T> : Signature<decltype(&T::operator())> {};
template <typename R, typename... P>
struct Signature<R (*)(P...)> {
  static constexpr bool kKnown = true;
  static constexpr bool kMutable = false;
  using Result = R;
  using Parameters = std::tuple<P...>;
};
template <typename R, typename... P>
struct Signature<R (*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct Signature<R (C::*)(P...) const> : Signature<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct Signature<R (C::*)(P...) const noexcept> : Signature<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct Signature<R (C::*)(P...)> : Signature<R (*)(P...)> {
  static constexpr bool kMutable = true;
};

// Reports, in one line of the compiler, a callable that cannot be a function of a backend.
template <typename Body>
constexpr bool CheckSignature() {
  static_assert(
      Signature<Body>::kKnown,
      "Alloy: a parameter declared as auto does not say which type of column the "
      "function reads. Write its type, such as double or std::string_view.");
  if constexpr (Signature<Body>::kKnown) {
    static_assert(
        !Signature<Body>::kMutable,
        "Alloy: a mutable lambda would be changed by two threads at a time. Keep "
        "state in the type of an alloy::Streams.");
    return !Signature<Body>::kMutable;
  }
  return false;
}

template <typename T>
inline constexpr bool kIsOutput = false;
template <typename T>
inline constexpr bool kIsOutput<Output<T>> = true;
template <typename T>
inline constexpr bool kIsColumn =
    std::is_same_v<T, Strings> || std::is_same_v<T, AnyColumn>;
template <typename T>
inline constexpr bool kIsColumn<Column<T>> = true;

template <typename T>
struct ValueOf;  // the value type of an output
template <typename T>
struct ValueOf<Output<T>> {
  using Type = T;
};

// The outputs among the parameters, in their order, as one tuple.
template <typename T>
using IfOutput = std::conditional_t<kIsOutput<T>, std::tuple<T>, std::tuple<>>;
template <typename Parameters>
struct OutputsOf;
template <typename... P>
struct OutputsOf<std::tuple<P...>> {
  using Type = decltype(std::tuple_cat(std::declval<IfOutput<std::decay_t<P>>>()...));
};

// How many of the first `end` parameters are columns, and how many are outputs.
template <typename Parameters, size_t end>
struct Count;
template <typename... P, size_t end>
struct Count<std::tuple<P...>, end> {
  static constexpr size_t Of(const bool* which) {
    size_t count = 0;
    for (size_t i = 0; i < end; ++i) count += which[i] ? 1 : 0;
    return count;
  }
  static constexpr bool kColumnFlags[] = {kIsColumn<std::decay_t<P>>..., false};
  static constexpr bool kOutputFlags[] = {kIsOutput<std::decay_t<P>>..., false};
  static constexpr size_t kColumns = Of(kColumnFlags);
  static constexpr size_t kOutputs = Of(kOutputFlags);
};

// A value of one row, as a parameter or a result of a function of rows.
template <typename T>
struct Cell {
  static constexpr bool kOptional = false;
  using Value = T;
};
template <typename T>
struct Cell<std::optional<T>> {
  static constexpr bool kOptional = true;
  using Value = T;
};
template <typename T>
using ViewOf = ItemsOf<typename Cell<T>::Value>;

template <typename R>
using OutputOf = OutputFor<typename Cell<R>::Value>;

template <typename Parameters>
struct Undecayed;
template <typename... P>
struct Undecayed<std::tuple<P...>> {
  template <typename R>
  using Pointer = R (*)(std::decay_t<P>...);
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_PARAMETERS_HPP_
