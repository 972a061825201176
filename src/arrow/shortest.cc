// SPDX-License-Identifier: MIT
#include "arrow/shortest.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

namespace alloy::core {
namespace {

double Parse(const char* text, double) { return std::strtod(text, nullptr); }
float Parse(const char* text, float) { return std::strtof(text, nullptr); }

// `digits` times 10 to the power of `exponent`, as the locale of the process needs no point.
template <typename T>
bool IsTextOf(const std::string& digits, int exponent, T value) {
  return Parse((digits + 'e' + std::to_string(exponent)).c_str(), value) == value;
}

// The nearest number with so many digits.
template <typename T>
ShortestDigits Rounded(T value, int count) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*e", count - 1, static_cast<double>(value));
  ShortestDigits found{};
  const char* at = text;
  for (; *at != 'e'; ++at) {
    if (*at >= '0' && *at <= '9') found.digits += *at;  // the point depends on the locale
  }
  found.point = std::atoi(at + 1) + 1;
  return found;
}

// The next larger number with as many digits.
ShortestDigits Above(ShortestDigits number) {
  size_t i = number.digits.size();
  while (i > 0 && number.digits[i - 1] == '9') number.digits[--i] = '0';
  if (i > 0) {
    ++number.digits[i - 1];
  } else {
    number.digits.insert(0, 1, '1').pop_back();
    ++number.point;
  }
  return number;
}

template <typename T>
ShortestDigits Find(T value) {
  if (value == 0) return {.digits = "0", .point = 1};
  constexpr int kSafe = std::numeric_limits<T>::digits10;
  int exponent = 0;
  const bool is_power_of_2 = std::frexp(value, &exponent) == T(0.5);
  // If kSafe digits are enough, the shortest are those without zeros at their end. Numbers
  // below the smallest normal one have fewer bits, so this does not hold for them.
  int count = value < std::numeric_limits<T>::min() ? 1 : kSafe;
  for (;; ++count) {
    ShortestDigits found = Rounded(value, count);
    // Numbers just below a power of 2 are closer together than those above it. So a text
    // above may be right although a nearer one below is not.
    for (int side = 0; side < (is_power_of_2 ? 2 : 1); ++side) {
      if (side == 1) found = Above(std::move(found));
      if (!IsTextOf(found.digits, found.point - count, value)) continue;
      found.digits.erase(found.digits.find_last_not_of('0') + 1);
      return found;
    }
  }
}

}  // namespace

ShortestDigits Shortest(double value) { return Find(value); }
ShortestDigits Shortest(float value) { return Find(value); }

}  // namespace alloy::core
