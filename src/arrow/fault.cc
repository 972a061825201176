// SPDX-License-Identifier: MIT
#include "arrow/fault.h"

#include <string>

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
      return "a fault without a name";
  }
}

Status DataFault(int32_t reason, int32_t column, std::string_view path,
                 std::string_view wanted, std::string_view found) {
  std::string text;
  if (column < 0) {
    text = "the top level";
  } else {
    text = "column " + std::to_string(column);
    text.append(" (").append(path).append(")");
  }
  text.append(": ").append(ReasonText(reason));
  text.append(": ").append(wanted).append(" wanted, ").append(found).append(" found");
  return Status(Fault{.code = ALLOY_BAD_DATA,
                      .reason = reason,
                      .column = column,
                      .text = std::move(text)});
}

}  // namespace alloy::core
