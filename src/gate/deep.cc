// SPDX-License-Identifier: MIT
#include "gate/deep.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/load_value.h"
#include "gate/follow.h"

namespace alloy::core {
namespace {

std::string UpTo(int64_t most) {
  return most < 0 ? "none" : "0 to " + std::to_string(most);
}

std::string IndexText(const void* indices, const Layout::Node& node, int64_t row) {
  const int64_t index = LoadSigned(indices, row, node.offset_bytes);
  switch (node.type) {
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

bool AnyFollowed(const Layout::Node* parent) {
  const Layout::Node* child = parent + 1;
  for (int32_t i = 0; i < parent->n_children; ++i, child += child->subtree) {
    if (child->followed) return true;
  }
  return false;
}

// The rows of a child that list views or offsets of a dense union lead to: all between.
struct Reach {
  int64_t first = std::numeric_limits<int64_t>::max();
  int64_t end = 0;
  RowRange rows() const {
    return end == 0 ? RowRange{} : RowRange{.begin = first, .count = end - first};
  }
  void Add(int64_t begin, int64_t past) {
    first = std::min(first, begin);
    end = std::max(end, past);
  }
};

// Walks an array that has passed ShapeWalk. Ranges of rows are those of an array by
// itself, that is without its offset.
class DeepWalk {
 public:
  DeepWalk(const Layout& layout, Level level)
      : layout_(layout), full_(level == Level::kFull) {}

  bool Check(const ArrowArray& array) {
    return CheckRows(layout_.nodes().data(), array, {0, array.length});
  }
  Status TakeFault() { return std::move(fault_); }

 private:
  using Node = Layout::Node;

  bool CheckRows(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckBelow(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckChildren(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckNulls(const Node* node, const ArrowArray& array);
  bool CheckOffsets(const Node* node, const ArrowArray& array, RowRange at,
                    int64_t limit);
  bool CheckBytes(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckViews(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckList(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckListView(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckDictionary(const Node* node, const ArrowArray& array, RowRange at);

  bool Blame(const Node* node, int32_t reason, std::string_view wanted,
             std::string_view found);
  bool BlameRow(const Node* node, int32_t reason, std::string_view wanted,
                std::string_view found, int64_t row) {
    return Blame(node, reason, wanted,
                 std::string(found) + " in row " + std::to_string(row));
  }

  const Layout& layout_;
  const bool full_;
  Status fault_;
};

bool DeepWalk::Blame(const Node* node, int32_t reason, std::string_view wanted,
                     std::string_view found) {
  const auto column = static_cast<int32_t>(node - layout_.nodes().data()) - 1;
  fault_ = DataFault(reason, column, layout_.Path(column), wanted, found);
  return false;
}

bool DeepWalk::CheckRows(const Node* node, const ArrowArray& array, RowRange rows) {
  if (full_) {
    if (!CheckNulls(node, array)) return false;
  } else if (!node->followed) {
    return true;
  }
  // Without rows the buffers may not even be there.
  if (rows.count == 0 && !full_) return true;
  const RowRange at{.begin = array.offset + rows.begin, .count = rows.count};
  if (node->dictionary && !CheckDictionary(node, array, at)) return false;
  switch (node->form) {
    case Form::kFixed:
    case Form::kNull:
      return true;
    case Form::kOffsets:
      return CheckBytes(node, array, at);
    case Form::kViews:
      return CheckViews(node, array, at);
    case Form::kList:
      return CheckList(node, array, at);
    case Form::kListView:
      return CheckListView(node, array, at);
    case Form::kFixedSizeList:
      return CheckChildren(
          node, array, {.begin = at.begin * node->size, .count = at.count * node->size});
    case Form::kStruct:
      return CheckChildren(node, array, at);
    case Form::kSparseUnion:
      return CheckTypeIds(node, array, at) && CheckChildren(node, array, at);
    case Form::kDenseUnion:
      return CheckTypeIds(node, array, at) && CheckDenseUnion(node, array, at);
    case Form::kRunEnd:
      return CheckRunEnd(node, array, at);
  }
  return false;
}

// What lies below a node; level full looks at all of it, but for the columns of a batch,
// which have no rows but those of the batch.
bool DeepWalk::CheckBelow(const Node* node, const ArrowArray& array, RowRange rows) {
  return CheckRows(node, array, full_ ? RowRange{0, array.length} : rows);
}

bool DeepWalk::CheckChildren(const Node* node, const ArrowArray& array, RowRange rows) {
  const bool root = node == layout_.nodes().data();
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    if (!(root ? CheckRows(child, below, rows) : CheckBelow(child, below, rows))) {
      return false;
    }
  }
  return true;
}

bool DeepWalk::CheckNulls(const Node* node, const ArrowArray& array) {
  if (!HasValidity(node->form) || array.null_count < 0) return true;
  if (array.buffers[0] == nullptr) return true;  // then it is 0: that is level shape
  const int64_t nulls =
      CountNulls(array.buffers[0], {.begin = array.offset, .count = array.length});
  if (nulls == array.null_count) return true;
  return Blame(node, ALLOY_REASON_NULL_COUNT, std::to_string(nulls) + " by the bitmap",
               std::to_string(array.null_count));
}

bool DeepWalk::CheckOffsets(const Node* node, const ArrowArray& array, RowRange at,
                            int64_t limit) {
  const void* offsets = array.buffers[1];
  const uint8_t bytes = node->offset_bytes;
  const int64_t row = FirstFallingOffset(offsets, bytes, at);
  if (row >= 0) {
    const int64_t here = LoadSigned(offsets, at.begin + row, bytes);
    const bool falls = here >= 0;
    return BlameRow(
        node, ALLOY_REASON_OFFSETS, "at least " + std::to_string(falls ? here : 0),
        std::to_string(falls ? LoadSigned(offsets, at.begin + row + 1, bytes) : here),
        at.begin - array.offset + row);
  }
  const int64_t last = LoadSigned(offsets, at.begin + at.count, bytes);
  if (last <= limit) return true;
  return BlameRow(node, ALLOY_REASON_OFFSETS, UpTo(limit), std::to_string(last),
                  at.begin - array.offset + at.count - 1);
}

bool DeepWalk::CheckBytes(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  // All that is known of the size of the bytes: where the last row ends.
  const int64_t limit =
      LoadSigned(array.buffers[1], array.offset + array.length, node->offset_bytes);
  if (!CheckOffsets(node, array, at, limit)) return false;
  if (!full_ || (node->type != Type::kUtf8 && node->type != Type::kLargeUtf8))
    return true;
  const int64_t row = FirstBadText(array, node->offset_bytes, at);
  if (row < 0) return true;
  return BlameRow(node, ALLOY_REASON_UTF8, "UTF-8", "other bytes",
                  at.begin - array.offset + row);
}

bool DeepWalk::CheckViews(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  const int64_t row = FirstStrayView(array, at);
  const int64_t skipped = at.begin - array.offset;
  if (row >= 0) {
    return BlameRow(
        node, ALLOY_REASON_VIEW,
        "a view within its " + std::to_string(array.n_buffers - 3) + " buffers",
        "one that leaves them", skipped + row);
  }
  if (!full_) return true;
  const ViewFault fault = FirstBadView(array, at, node->type == Type::kUtf8View);
  if (fault.row < 0) return true;
  if (fault.text) {
    return BlameRow(node, ALLOY_REASON_UTF8, "UTF-8", "other bytes", skipped + fault.row);
  }
  return BlameRow(node, ALLOY_REASON_VIEW_PREFIX, "the first bytes, then zeros", "others",
                  skipped + fault.row);
}

bool DeepWalk::CheckList(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  if (at.count == 0) return CheckBelow(node + 1, child, {});
  if (!CheckOffsets(node, array, at, child.length)) return false;
  const int64_t first = LoadSigned(array.buffers[1], at.begin, node->offset_bytes);
  const int64_t last =
      LoadSigned(array.buffers[1], at.begin + at.count, node->offset_bytes);
  return CheckBelow(node + 1, child, {.begin = first, .count = last - first});
}

bool DeepWalk::CheckListView(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  const void* offsets = array.buffers[1];
  const void* sizes = array.buffers[2];
  const uint8_t bytes = node->offset_bytes;
  const int64_t row = FirstStrayListView(offsets, sizes, bytes, at, child.length);
  if (row >= 0) {
    return BlameRow(
        node, ALLOY_REASON_LIST_VIEW,
        "a part of " + std::to_string(child.length) + " rows",
        "offset " + std::to_string(LoadSigned(offsets, at.begin + row, bytes)) +
            " and size " + std::to_string(LoadSigned(sizes, at.begin + row, bytes)),
        at.begin - array.offset + row);
  }
  Reach reach;
  if (!full_ && node[1].followed) {
    for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
      const int64_t size = LoadSigned(sizes, i, bytes);
      if (size == 0) continue;
      const int64_t offset = LoadSigned(offsets, i, bytes);
      reach.Add(offset, offset + size);
    }
  }
  return CheckBelow(node + 1, child, reach.rows());
}

bool DeepWalk::CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at) {
  const int64_t row =
      FirstStrayTypeId(array.buffers[0], at, layout_.type_ids(*node).children);
  if (row < 0) return true;
  return BlameRow(
      node, ALLOY_REASON_TYPE_ID,
      "one of " + std::to_string(node->n_children) + " type ids",
      std::to_string(LoadSigned(array.buffers[0], at.begin + row, sizeof(int8_t))),
      at.begin - array.offset + row);
}

bool DeepWalk::CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at) {
  const auto& children = layout_.type_ids(*node).children;
  std::array<int64_t, 128> lengths{};
  for (size_t id = 0; id < children.size(); ++id) {
    if (children[id] >= 0) lengths[id] = array.children[children[id]]->length;
  }
  const auto* ids = static_cast<const uint8_t*>(array.buffers[0]);  // checked: 0 to 127
  const void* offsets = array.buffers[1];
  const int64_t row = FirstStrayUnionOffset(ids, offsets, at, lengths);
  if (row >= 0) {
    const size_t id = ids[at.begin + row];
    return BlameRow(node, ALLOY_REASON_UNION_OFFSET, UpTo(lengths[id] - 1),
                    std::to_string(LoadValue<int32_t>(offsets, at.begin + row)),
                    at.begin - array.offset + row);
  }
  std::array<Reach, 128> reach;
  if (!full_ && AnyFollowed(node)) {
    for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
      const int64_t offset = LoadValue<int32_t>(offsets, i);
      const auto child = static_cast<uint8_t>(children[ids[i]]);
      reach[child].Add(offset, offset + 1);
    }
  }
  const Node* child = node + 1;
  for (size_t i = 0; i < static_cast<size_t>(node->n_children);
       ++i, child += child->subtree) {
    if (!CheckBelow(child, *array.children[i], reach[i].rows())) return false;
  }
  return true;
}

// All run ends, because readers search all of them; of the values, those of the rows.
bool DeepWalk::CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray& ends = *array.children[0];
  const void* values = ends.buffers[1];
  const uint8_t bytes = ends_node->offset_bytes;
  const int64_t row = FirstFallingRunEnd(values, bytes, ends.length);
  if (row >= 0) {
    const int64_t before = row == 0 ? 0 : LoadSigned(values, row - 1, bytes);
    return BlameRow(ends_node, ALLOY_REASON_RUN_ENDS,
                    "more than " + std::to_string(before),
                    std::to_string(LoadSigned(values, row, bytes)), row);
  }
  if (at.count == 0) return CheckBelow(values_node, *array.children[1], {});
  // The run that a row is in: the first that ends behind it.
  const auto run_of = [&](int64_t place) {
    int64_t low = 0, high = ends.length;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (LoadSigned(values, middle, bytes) > place) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  };
  const int64_t first = run_of(at.begin);
  return CheckBelow(
      values_node, *array.children[1],
      {.begin = first, .count = run_of(at.begin + at.count - 1) + 1 - first});
}

bool DeepWalk::CheckDictionary(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& values = *array.dictionary;
  const void* indices = array.buffers[1];
  const int64_t row =
      FirstStrayIndex(indices, node->type, at, values.length, Nulls(array));
  if (row >= 0) {
    return BlameRow(node, ALLOY_REASON_INDEX, UpTo(values.length - 1),
                    IndexText(indices, *node, at.begin + row),
                    at.begin - array.offset + row);
  }
  return CheckRows(node + 1, values, {0, values.length});
}

}  // namespace

Status CheckDeep(const Layout& layout, Level level, const ArrowArray& array) {
  if (level == Level::kShape) return Status();
  if (level == Level::kSafe && !layout.nodes()[0].followed) return Status();
  DeepWalk walk(layout, level);
  return walk.Check(array) ? Status() : walk.TakeFault();
}

}  // namespace alloy::core
