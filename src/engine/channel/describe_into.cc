// SPDX-License-Identifier: MIT
#include "engine/channel/describe_into.h"

#include <cstring>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "gate/describe.h"

namespace alloy::core {

Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity) {
  ALLOY_ASSIGN_OR_RETURN(const std::string described, Describe(schema, array));
  if (capacity > 0) {
    const std::string_view cut = CutText(described, static_cast<size_t>(capacity) - 1);
    std::memcpy(text, cut.data(), cut.size());
    text[cut.size()] = '\0';
  }
  return static_cast<int64_t>(described.size());
}

}  // namespace alloy::core
