// SPDX-License-Identifier: MIT
#include "decimal_text.h"

#include <cstdlib>

#include "names.h"
#include "quotient.h"

namespace aggregate {

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  constexpr size_t kMostScale = 127;
  text = Trimmed(text);
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const size_t scale = point == text.npos ? 0 : text.size() - point - 1;
  Decimal decimal{.scale = static_cast<int32_t>(scale)};
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    const int digit = is_negative ? '0' - text[i] : text[i] - '0';
    if (__builtin_mul_overflow(decimal.digits, 10, &decimal.digits) ||
        __builtin_add_overflow(decimal.digits, digit, &decimal.digits)) {
      return std::nullopt;
    }
    ++digits;
  }
  if (digits == 0 || scale > kMostScale) return std::nullopt;
  return decimal;
}

std::optional<alloy::Decimal128> Decimal::Rescaled(int32_t to) const {
  constexpr int32_t kMostDigits = 38;
  const int32_t more = to - scale;
  if (std::abs(more) > kMostDigits) return std::nullopt;
  const auto power = static_cast<alloy::Decimal128>(PowerOfTen(std::abs(more)));
  if (more < 0) {
    if (digits % power != 0) return std::nullopt;
    return digits / power;
  }
  alloy::Decimal128 scaled = 0;
  if (__builtin_mul_overflow(digits, power, &scaled)) return std::nullopt;
  return scaled;
}

}  // namespace aggregate
