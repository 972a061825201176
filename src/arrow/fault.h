// SPDX-License-Identifier: MIT
//
// What the gate says when it refuses. Only ever reached on a failure, so that the checks
// themselves stay small.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_FAULT_H_
#define ALLOY_SRC_ARROW_FAULT_H_

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace alloy::core {

// `column 3 (a.b.item): the number of buffers is not that of the type: 2 wanted, 1 found`
Status DataFault(int32_t reason, int32_t column, std::string_view path,
                 std::string_view wanted, std::string_view found);

// What a reason means, as reason.h says it.
std::string_view ReasonText(int32_t reason);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_FAULT_H_
