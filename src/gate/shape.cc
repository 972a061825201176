// SPDX-License-Identifier: MIT
#include "gate/shape.h"

#include <algorithm>
#include <string>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "base/bits.h"

namespace alloy::core {
namespace {

struct Words {
  std::string wanted;
  std::string found;
};

// For a fault of a pointer, or of a count that is right only at 0.
Words PointerWords(const ShapeFault& fault) {
  switch (fault.reason) {
    case ALLOY_REASON_ARRAY_RELEASED:
      return {"a live array", "a released one"};
    case ALLOY_REASON_CHILD_NULL:
      return {"an array", "NULL"};
    case ALLOY_REASON_DICTIONARY_UNEXPECTED:
      return {"no dictionary", "one"};
    case ALLOY_REASON_DICTIONARY_MISSING:
      return {"a dictionary", "NULL"};
    default:
      return {"a pointer", "NULL"};
  }
}

Words WordsOf(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.bound) {
    case ShapeFault::kEnd:
      return {"an end of at most " + std::to_string(node.max_end),
              "offset " + std::to_string(fault.found) + " and length " +
                  std::to_string(fault.wanted)};
    case ShapeFault::kPointer:
      return PointerWords(fault);
    case ShapeFault::kBuffer:
      return {"buffer " + std::to_string(fault.wanted), "NULL"};
    case ShapeFault::kAtLeast:
      return {"at least " + std::to_string(fault.wanted), std::to_string(fault.found)};
    case ShapeFault::kAtMost:
      return {"at most " + std::to_string(fault.wanted), std::to_string(fault.found)};
    case ShapeFault::kExactly:
      break;
  }
  return {std::to_string(fault.wanted), std::to_string(fault.found)};
}

}  // namespace

Status ShapeStatus(const Layout& layout, const ShapeFault& fault) {
  const int32_t column = fault.node - 1;
  const Words words = WordsOf(fault, layout.nodes()[static_cast<size_t>(fault.node)]);
  return DataFault(fault.reason, column, layout.Path(column), words.wanted, words.found);
}

bool AnyNull(const void* bitmap, int64_t offset, int64_t length) {
  if (bitmap == nullptr) return false;
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = offset + length;
  int64_t i = offset;
  for (; i < end && i % 8 != 0; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  const auto whole = [](unsigned char byte) { return byte == 0xFF; };
  if (!std::all_of(bytes + i / 8, bytes + std::max(i, end) / 8, whole)) return true;
  for (i = std::max(i, end / 8 * 8); i < end; ++i) {
    if (!BitAt(bitmap, i)) return true;
  }
  return false;
}

}  // namespace alloy::core
