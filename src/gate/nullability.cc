// SPDX-License-Identifier: MIT
#include "gate/nullability.h"

#include <string>
#include <utility>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "gate/nulls.h"
#include "gate/row_checks.h"

namespace alloy::core {
namespace {

class NullabilityWalk {
 public:
  NullabilityWalk(const Layout& layout, Checks checks)
      : layout_(layout), declared_(checks.level != Level::kShape), maps_(checks.full()) {}

  bool Check(const ArrowArray& batch) {
    const Node* root = layout_.nodes().data();
    return !Needs(root) || CheckChildren({nullptr, root, &batch}, {0, batch.length});
  }
  Status TakeFault() { return std::move(fault_); }

 private:
  using Node = Layout::Node;

  // An array and what it is in. Rows are counted as a reader counts them.
  struct Place {
    const Place* parent;
    const Node* node;
    const ArrowArray* array;
  };

  bool Needs(const Node* node) const {
    return (declared_ && node->has_required) || (maps_ && node->has_map);
  }

  bool CheckNode(const Place& place, RowRange rows, bool of_map) {
    const Node* node = place.node;
    const bool required = (declared_ && !node->nullable) || (maps_ && of_map);
    if (required && HasBitmap(node->form) && !CheckNoNulls(place, rows)) {
      return false;
    }
    // The keys are below the entries, which need not have a map below them.
    const bool descends = Needs(node) || (maps_ && of_map);
    return !descends || rows.count == 0 || CheckChildren(place, rows);
  }

  // The rows of the children that the rows reach.
  bool CheckChildren(const Place& place, RowRange rows) {
    const ArrowArray& array = *place.array;
    const int64_t begin = array.offset + rows.begin;
    switch (place.node->form) {
      case Form::kStruct:
        return CheckEach(place, {.begin = begin, .count = rows.count});
      case Form::kFixedSizeList:
        return CheckEach(place, {.begin = begin * place.node->size,
                                 .count = rows.count * place.node->size});
      case Form::kList: {
        const uint8_t bytes = place.node->integer_bytes;
        const int64_t first = LoadSigned(array.buffers[1], begin, bytes);
        const int64_t last = LoadSigned(array.buffers[1], begin + rows.count, bytes);
        return CheckEach(place, {.begin = first, .count = last - first});
      }
      default:
        return true;
    }
  }

  bool CheckEach(const Place& place, RowRange rows) {
    const bool is_map = place.node->type == Type::kMap;
    const bool is_entries =
        place.parent != nullptr && place.parent->node->type == Type::kMap;
    const Node* child = place.node + 1;
    for (int32_t i = 0; i < place.node->n_children; ++i, child += child->subtree) {
      const Place below{&place, child, place.array->children[i]};
      if (!CheckNode(below, rows, is_map || (is_entries && i == 0))) return false;
    }
    return true;
  }

  bool CheckNoNulls(const Place& place, RowRange rows) {
    const ArrowArray& array = *place.array;
    const Nulls nulls(array);
    if (!AnyNull(nulls.bitmap, {array.offset + rows.begin, rows.count})) return true;
    for (int64_t row = rows.begin; row < rows.begin + rows.count; ++row) {
      if (nulls.At(array.offset + row) && IsSeen(place, row)) {
        return Fail(place, row);
      }
    }
    return true;
  }

  // Whether everything around this row is valid.
  static bool IsSeen(const Place& place, int64_t row) {
    for (const Place* at = &place; at->parent != nullptr; at = at->parent) {
      row = RowOf(*at->parent, row);
      // The batch itself has no null rows.
      const ArrowArray& parent = *at->parent->array;
      if (Nulls(parent).At(parent.offset + row)) return false;
    }
    return true;
  }

  // The row of `parent` that holds row `row` of its children.
  static int64_t RowOf(const Place& parent, int64_t row) {
    const ArrowArray& array = *parent.array;
    if (parent.node->form == Form::kStruct) return row - array.offset;
    if (parent.node->form == Form::kFixedSizeList) {
      return row / parent.node->size - array.offset;
    }
    // A list: the last row that begins at or before the item, and so is not empty.
    int64_t low = 0, high = array.length;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      const bool before = LoadSigned(array.buffers[1], array.offset + middle,
                                     parent.node->integer_bytes) <= row;
      (before ? low : high) = middle;
    }
    return low;
  }

  bool Fail(const Place& place, int64_t row) {
    const auto column = static_cast<int32_t>(place.node - layout_.nodes().data()) - 1;
    fault_ = DataFault(
        place.node->nullable ? ALLOY_REASON_MAP_NULLS : ALLOY_REASON_NOT_NULLABLE,
        {.column = column, .path = layout_.Path(column), .row = row},
        place.node->nullable
            ? "the entries and the keys of a map must not be null"
            : "the row is null, but the column is declared not nullable");
    return false;
  }

  const Layout& layout_;
  const bool declared_;
  const bool maps_;
  Status fault_;
};

}  // namespace

Status CheckNullability(const Layout& layout, Checks checks, const ArrowArray& batch) {
  NullabilityWalk walk(layout, checks);
  return walk.Check(batch) ? Status() : walk.TakeFault();
}

}  // namespace alloy::core
