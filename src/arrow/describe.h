// SPDX-License-Identifier: MIT
//
// Arrow arrays as text, for logs and error texts: one form for every language.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_DESCRIBE_H_
#define ALLOY_SRC_ARROW_DESCRIBE_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/result.h"

namespace alloy::core {

// `Int32[1, null, -4]` for numbers, booleans and strings: at most 16 values and then
// `… n more`. Strings stand in double quotes; quotes, backslashes, control characters and
// bytes that are no UTF-8 are escaped. `Type[n rows]` for every other type.
// The array must have passed level shape with this layout; gate/describe.h checks that.
//   Fails  ALLOY_BAD_DATA  a string to show leaves its buffer.
Result<std::string> DescribeRows(const ArrowSchema& schema, const Layout& layout,
                                 const ArrowArray& array);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_DESCRIBE_H_
