// SPDX-License-Identifier: MIT
#include "value_text.h"

#include <chrono>

namespace aggregate {

std::optional<int32_t> ParseDate(std::string_view text) {
  text = Trimmed(text);
  constexpr std::string_view kForm = "1998-09-02";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '-' ? text[i] != '-' : !is_digit) return std::nullopt;
  }
  const auto part = [text](size_t first, size_t size) {
    return *ParseNumber<int>(text.substr(first, size));
  };
  const std::chrono::year_month_day date(
      std::chrono::year(part(0, 4)),
      std::chrono::month(static_cast<unsigned>(part(5, 2))),
      std::chrono::day(static_cast<unsigned>(part(8, 2))));
  if (!date.ok()) return std::nullopt;
  return static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

}  // namespace aggregate
