// SPDX-License-Identifier: MIT
#include "gate/describe.h"

#include "arrow/describe.h"
#include "arrow/layout.h"
#include "gate/shape.h"

namespace alloy::core {

Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array) {
  ALLOY_ASSIGN_OR_RETURN(const Layout layout, Layout::Of(schema));
  ALLOY_TRY(CheckShape(layout, array));
  return DescribeRows(schema, layout, array);
}

}  // namespace alloy::core
