// SPDX-License-Identifier: MIT
#include "arrow/fault.h"

#include <utility>

#include "alloy/reason.h"

namespace alloy::core {

std::string_view ReasonText(int32_t reason) {
  switch (reason) {
#define ALLOY_REASON_TEXT_(name, number, text) \
  case number:                                 \
    return text;
    ALLOY_REASONS(ALLOY_REASON_TEXT_)
#undef ALLOY_REASON_TEXT_
    default:
      return "unknown reason";
  }
}

std::string CountText(int64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + ' ';
  text += noun;
  if (count != 1) text += noun == "child" ? "ren" : "s";
  return text;
}

Status DataFault(int32_t reason, const FaultPlace& place, std::string_view what) {
  std::string text = "top level";
  if (place.column >= 0) {
    text = "column " + std::to_string(place.column);
    text.append(" (").append(place.path).append(")");
  }
  if (place.row >= 0) text += ", row " + std::to_string(place.row);
  text.append(": ").append(what);
  return Status(Fault{.code = ALLOY_BAD_DATA,
                      .reason = reason,
                      .column = place.column,
                      .text = std::move(text)});
}

}  // namespace alloy::core
