// SPDX-License-Identifier: MIT
//
// The order of values: there is one zero, and NaN is greater than any number.
#ifndef AGGREGATE_CPP_ORDER_H_
#define AGGREGATE_CPP_ORDER_H_

#include <cmath>
#include <concepts>

namespace aggregate {

template <typename T>
bool IsLess(const T& one, const T& other) {
  if constexpr (std::floating_point<T>) {
    return one < other || (std::isnan(other) && !std::isnan(one));
  } else {
    return one < other;
  }
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_ORDER_H_
