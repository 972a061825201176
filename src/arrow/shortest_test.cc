// SPDX-License-Identifier: MIT
#include "arrow/shortest.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>

namespace alloy::core {
namespace {

// What std::to_chars finds, in the same form.
template <typename T>
ShortestDigits OfTheLibrary(T value) {
  char text[64];
  auto [end, error] =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  *end = 0;
  const std::string_view all(text, static_cast<size_t>(end - text));
  const size_t e = all.find('e');
  ShortestDigits found{};
  for (const char c : all.substr(0, e)) {
    if (c != '.') found.digits += c;
  }
  found.digits.erase(found.digits.find_last_not_of('0') + 1);
  found.point = std::atoi(text + e + 1) + 1;
  if (value == 0) return {.digits = "0", .point = 1};
  return found;
}

template <typename T>
void ExpectShortest(T value) {
  const ShortestDigits ours = Shortest(value);
  const ShortestDigits theirs = OfTheLibrary(value);
  EXPECT_EQ(ours.digits, theirs.digits) << value;
  EXPECT_EQ(ours.point, theirs.point) << value;
}

template <typename T>
class ShortestTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(ShortestTest, Types);

TYPED_TEST(ShortestTest, KnownNumbers) {
  for (const TypeParam value :
       {TypeParam(0), TypeParam(1), TypeParam(0.1), TypeParam(0.5), TypeParam(1e16),
        TypeParam(9.5), TypeParam(99999), TypeParam(1.0 / 3),
        std::numeric_limits<TypeParam>::max(), std::numeric_limits<TypeParam>::min(),
        std::numeric_limits<TypeParam>::denorm_min()}) {
    ExpectShortest(value);
  }
}

TYPED_TEST(ShortestTest, EveryPowerOfTwoAndItsNeighbours) {
  using Limits = std::numeric_limits<TypeParam>;
  for (int exponent = Limits::min_exponent - Limits::digits;
       exponent < Limits::max_exponent; ++exponent) {
    const TypeParam value = std::ldexp(TypeParam(1), exponent);
    if (value == 0) continue;
    ExpectShortest(value);
    ExpectShortest(std::nextafter(value, Limits::infinity()));
    if (value > Limits::denorm_min()) ExpectShortest(std::nextafter(value, TypeParam(0)));
  }
}

TYPED_TEST(ShortestTest, RandomBits) {
  using Bits = std::conditional_t<sizeof(TypeParam) == 4, uint32_t, uint64_t>;
  std::mt19937_64 random(20261201);  // NOLINT: the same numbers each time
  for (int i = 0; i < 50'000; ++i) {
    const auto value = std::fabs(std::bit_cast<TypeParam>(static_cast<Bits>(random())));
    if (std::isfinite(value)) ExpectShortest(value);
  }
}

TYPED_TEST(ShortestTest, ShortDecimals) {
  std::mt19937_64 random(7);  // NOLINT: the same numbers each time
  for (int i = 0; i < 20'000; ++i) {
    const auto whole = static_cast<double>(random() % 1'000'000);
    const auto power = static_cast<int>(random() % 20) - 10;
    ExpectShortest(static_cast<TypeParam>(whole * std::pow(10.0, power)));
  }
}

}  // namespace
}  // namespace alloy::core
