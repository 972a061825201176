// SPDX-License-Identifier: MIT
#include "gate/row_faults.h"

#include <string>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/load_value.h"
#include "gate/row_checks.h"

namespace alloy::core {
namespace {

Status FaultAt(const WrongRow& wrong, int32_t reason, const std::string& what) {
  const auto column = static_cast<int32_t>(wrong.node - wrong.layout.nodes().data()) - 1;
  return DataFault(
      reason, {.column = column, .path = wrong.layout.Path(column), .row = wrong.row},
      what);
}

std::string Expected(const std::string& expected, const std::string& found) {
  return "expected " + expected + ", found " + found;
}

// LoadSigned has read the bytes as a signed number. Unsigned indices are shown as such.
std::string IndexText(const WrongRow& wrong) {
  const int64_t index =
      LoadSigned(wrong.array.buffers[1], wrong.at(), wrong.node->integer_bytes);
  switch (wrong.node->type) {
    case Type::kUInt8:
      return std::to_string(static_cast<uint8_t>(index));
    case Type::kUInt16:
      return std::to_string(static_cast<uint16_t>(index));
    case Type::kUInt32:
      return std::to_string(static_cast<uint32_t>(index));
    case Type::kUInt64:
      return std::to_string(static_cast<uint64_t>(index));
    default:
      return std::to_string(index);
  }
}

}  // namespace

Status DecreasingOffset(const WrongRow& wrong) {
  const void* offsets = wrong.array.buffers[1];
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t here = LoadSigned(offsets, wrong.at(), bytes);
  const int64_t next = LoadSigned(offsets, wrong.at() + 1, bytes);
  // Either the row's own offset is negative, or the next one is below it.
  return FaultAt(wrong, ALLOY_REASON_OFFSETS,
                 here < 0 ? Expected("an offset of at least 0", std::to_string(here))
                          : "the offsets decrease from " + std::to_string(here) + " to " +
                                std::to_string(next));
}

Status OffsetAboveLimit(const WrongRow& wrong, int64_t limit, const char* noun) {
  const int64_t last =
      LoadSigned(wrong.array.buffers[1], wrong.at() + 1, wrong.node->integer_bytes);
  return FaultAt(wrong, ALLOY_REASON_OFFSETS,
                 "the row ends at offset " + std::to_string(last) +
                     ", but there are only " + CountText(limit, noun));
}

Status InvalidView(const WrongRow& wrong) {
  const auto length = LoadValue<int32_t>(wrong.array.buffers[1], 4 * wrong.at());
  return FaultAt(wrong, ALLOY_REASON_VIEW,
                 length < 0
                     ? Expected("a view length of at least 0", std::to_string(length))
                     : "the view points outside its " +
                           CountText(wrong.array.n_buffers - 3, "buffer"));
}

Status InvalidViewPrefix(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_VIEW_PREFIX,
                 "the prefix or the padding of the view does not match its text");
}

Status InvalidText(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_UTF8, "the text is not UTF-8");
}

Status InvalidListView(const WrongRow& wrong) {
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t offset = LoadSigned(wrong.array.buffers[1], wrong.at(), bytes);
  const int64_t size = LoadSigned(wrong.array.buffers[2], wrong.at(), bytes);
  return FaultAt(wrong, ALLOY_REASON_LIST_VIEW,
                 "the list view has offset " + std::to_string(offset) + " and size " +
                     std::to_string(size) + ", but the child has " +
                     CountText(wrong.array.children[0]->length, "row"));
}

Status InvalidTypeId(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_TYPE_ID,
                 "the union has no type id " +
                     std::to_string(LoadSigned(wrong.array.buffers[0], wrong.at(), 1)));
}

Status InvalidUnionOffset(const WrongRow& wrong, int64_t n_values) {
  const auto offset = LoadValue<int32_t>(wrong.array.buffers[1], wrong.at());
  return FaultAt(wrong, ALLOY_REASON_UNION_OFFSET,
                 "the offset is " + std::to_string(offset) + ", but the child has " +
                     CountText(n_values, "row"));
}

Status InvalidRunEnd(const WrongRow& wrong) {
  const void* ends = wrong.array.buffers[1];
  const uint8_t bytes = wrong.node->integer_bytes;
  const int64_t before = wrong.row == 0 ? 0 : LoadSigned(ends, wrong.at() - 1, bytes);
  return FaultAt(wrong, ALLOY_REASON_RUN_ENDS,
                 Expected("a run end above " + std::to_string(before),
                          std::to_string(LoadSigned(ends, wrong.at(), bytes))));
}

Status InvalidIndex(const WrongRow& wrong) {
  return FaultAt(wrong, ALLOY_REASON_INDEX,
                 "the index is " + IndexText(wrong) + ", but the dictionary has " +
                     CountText(wrong.array.dictionary->length, "value"));
}

Status WrongNullCount(const Layout& layout, const Layout::Node* node,
                      const ArrowArray& array, int64_t nulls) {
  const auto column = static_cast<int32_t>(node - layout.nodes().data()) - 1;
  return DataFault(ALLOY_REASON_NULL_COUNT,
                   {.column = column, .path = layout.Path(column)},
                   "the null count is " + std::to_string(array.null_count) +
                       ", but the validity bitmap has " + CountText(nulls, "null"));
}

}  // namespace alloy::core
