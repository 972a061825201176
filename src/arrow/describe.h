// SPDX-License-Identifier: MIT
//
// Shows Arrow arrays as text in logs and error texts, the same in every language.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_DESCRIBE_H_
#define ALLOY_SRC_ARROW_DESCRIBE_H_

#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/result.h"

namespace alloy::core {

// `Int32[1, null, -4]` for numbers, booleans and strings: at most 16 values, then
// `… n more`. Strings are in double quotes and escaped as AppendEscaped does. Every other
// type gives `Type[n rows]`.
// The array must have passed level shape with this layout. gate/describe.h also does that
// check; use it for arrays from elsewhere.
//   Fails  ALLOY_BAD_DATA  a string points outside its buffer.
Result<std::string> DescribeRows(const ArrowSchema& schema, const Layout& layout,
                                 const ArrowArray& array);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_DESCRIBE_H_
