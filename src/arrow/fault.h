// SPDX-License-Identifier: MIT
//
// The errors of malformed Arrow structs. Checks call this only after they have found a
// fault, so that the checks themselves stay small.
//
// Every text has the form "place: what happened", in one of two forms:
//   expected 2 buffers, found 1                    for numbers and names
//   row 1: the view points outside its 2 buffers   for the rest: a sentence
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_FAULT_H_
#define ALLOY_SRC_ARROW_FAULT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace alloy::core {

// Where the fault is.
struct FaultPlace {
  int32_t column = -1;    // -1: the array or schema itself
  std::string path = {};  // of the column
  int64_t row = -1;       // -1: not in one row
};

// BAD_DATA with the text `column 3 (a.b.item), row 1: ` and `what`.
Status DataFault(int32_t reason, const FaultPlace& place, std::string_view what);

// The meaning of a reason, from reason.h.
std::string_view ReasonText(int32_t reason);

// `1 buffer`, `2 buffers`. `child` is the one irregular noun.
std::string CountText(int64_t count, std::string_view noun);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_FAULT_H_
