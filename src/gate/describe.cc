// SPDX-License-Identifier: MIT
#include "gate/describe.h"

#include "arrow/describe.h"
#include "arrow/layout.h"
#include "base/utf8.h"
#include "gate/shape.h"

namespace alloy::core {

Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array) {
  ALLOY_ASSIGN_OR_RETURN(const Layout layout, Layout::Of(schema));
  ALLOY_TRY(CheckShape(layout, array));
  return DescribeRows(schema, layout, array);
}

Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity) {
  ALLOY_ASSIGN_OR_RETURN(const std::string described, Describe(schema, array));
  if (capacity > 0) CopyText(described, text, static_cast<size_t>(capacity));
  return static_cast<int64_t>(described.size());
}

}  // namespace alloy::core
