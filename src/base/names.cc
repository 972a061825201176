// SPDX-License-Identifier: MIT
#include "base/names.h"

#include <array>
#include <cstddef>

#include "alloy/reason.h"

namespace alloy::core {
namespace {

constexpr std::array kCodeNames = {"OK",        "INVALID", "BAD_DATA",    "NO_MATCH",
                                   "NOT_FOUND", "REFUSED", "FAILED",      "RETRY",
                                   "CANCELLED", "TIMEOUT", "LOST",        "EXHAUSTED",
                                   "BUSY",      "CLOSED",  "UNSUPPORTED", "INTERNAL"};

}  // namespace

const char* CodeName(int32_t code) {
  if (code < 0 || static_cast<size_t>(code) >= kCodeNames.size()) return "UNKNOWN";
  return kCodeNames[static_cast<size_t>(code)];
}

const char* ReasonName(int32_t reason) {
  switch (reason) {
#define ALLOY_REASON_CASE_(name, number, text) \
  case number:                                 \
    return #name;
    ALLOY_REASONS(ALLOY_REASON_CASE_)
#undef ALLOY_REASON_CASE_
    default:
      return "UNKNOWN";
  }
}

}  // namespace alloy::core
