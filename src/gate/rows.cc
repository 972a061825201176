// SPDX-License-Identifier: MIT
#include "gate/rows.h"

#include <array>
#include <string>
#include <utility>

#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "gate/nulls.h"
#include "gate/reach.h"
#include "gate/row_checks.h"
#include "gate/row_faults.h"
#include "gate/text_checks.h"

namespace alloy::core {
namespace {

bool AnyChildPointsElsewhere(const Layout::Node* parent) {
  const Layout::Node* child = parent + 1;
  for (int32_t i = 0; i < parent->n_children; ++i, child += child->subtree) {
    if (child->points_elsewhere) return true;
  }
  return false;
}

// Walks a tree of arrays along its layout, and applies the checks of row_checks.h and
// text_checks.h.
//
// There are two ways to count rows. `rows` counts as a reader of the array does. `at`
// counts from the start of the buffers, that is with the array's offset.
class RowWalk {
 public:
  RowWalk(const Layout& layout, Checks checks, std::vector<Mend>* mends)
      : layout_(layout), full_(checks.full()), trusted_(checks.trusted), mends_(mends) {}

  bool Check(const ArrowArray& array) {
    return CheckNode(layout_.nodes().data(), array, {0, array.length});
  }
  Status TakeFault() { return std::move(fault_); }

 private:
  using Node = Layout::Node;
  using FormCheck = bool (RowWalk::*)(const Node*, const ArrowArray&, RowRange at);

  // The check of each form, at the place of the form.
  struct CheckOfForm {
    Form form;
    FormCheck check;
  };
  static constexpr auto Checks() {
    return std::to_array<CheckOfForm>({
        {Form::kFixed, &RowWalk::CheckNothing},
        {Form::kOffsets, &RowWalk::CheckBytes},
        {Form::kViews, &RowWalk::CheckViews},
        {Form::kList, &RowWalk::CheckList},
        {Form::kListView, &RowWalk::CheckListView},
        {Form::kFixedSizeList, &RowWalk::CheckFixedSizeList},
        {Form::kStruct, &RowWalk::CheckStruct},
        {Form::kSparseUnion, &RowWalk::CheckSparseUnion},
        {Form::kDenseUnion, &RowWalk::CheckDenseUnion},
        {Form::kRunEnd, &RowWalk::CheckRunEnd},
        {Form::kNull, &RowWalk::CheckNothing},
    });
  }

  bool CheckNode(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckBelow(const Node* node, const ArrowArray& array, RowRange rows);
  bool CheckChildren(const Node* node, const ArrowArray& array, RowRange rows);

  bool CheckNothing(const Node*, const ArrowArray&, RowRange) { return true; }
  bool CheckBytes(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckViews(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckList(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckListView(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckFixedSizeList(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckStruct(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckSparseUnion(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at);

  bool CheckNullCount(const Node* node, const ArrowArray& array);
  bool CheckDictionary(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at);
  bool CheckOffsets(const Node* node, const ArrowArray& array, RowRange at, int64_t limit,
                    const char* limit_noun);

  // `row` is what a check has returned for `at`.
  WrongRow Wrong(const Node* node, const ArrowArray& array, RowRange at,
                 int64_t row) const {
    return {layout_, node, array, at.begin - array.offset + row};
  }
  bool Fail(Status fault) {
    fault_ = std::move(fault);
    return false;
  }
  // A repaired column has the rows of the batch. An array below has all its rows.
  void AddMend(const Node* node, const ArrowArray& array, RowRange at, Mend::Kind kind) {
    if (mends_ == nullptr) return;
    const RowRange whole{.begin = array.offset, .count = array.length};
    mends_->push_back(
        {.node = node, .array = &array, .rows = depth_ == 0 ? at : whole, .kind = kind});
  }

  const Layout& layout_;
  const bool full_;
  const bool trusted_;
  int depth_ = 0;  // below the columns
  std::vector<Mend>* const mends_;
  Status fault_;
};

bool RowWalk::CheckNode(const Node* node, const ArrowArray& array, RowRange rows) {
  static_assert(HasEachForm(Checks()));
  static constexpr auto kChecks = Checks();
  if (full_) {
    if (!CheckNullCount(node, array)) return false;
  } else if (!node->points_elsewhere || rows.count == 0) {
    // Without rows the buffers need not be there, and nothing below can be reached.
    return true;
  }
  const RowRange at{.begin = array.offset + rows.begin, .count = rows.count};
  const size_t mends = mends_ == nullptr ? 0 : mends_->size();
  if (node->dictionary && !CheckDictionary(node, array, at)) return false;
  if (!(this->*kChecks[static_cast<size_t>(node->form)].check)(node, array, at)) {
    return false;
  }
  // A copy for another reason is aligned too. (It was added before those below it.)
  if (trusted_ && mends_ != nullptr && rows.count > 0 && IsMisaligned(*node, array)) {
    const bool copied = mends_->size() > mends && (*mends_)[mends].node == node;
    if (!copied) AddMend(node, array, at, Mend::Kind::kAlignment);
  }
  return true;
}

// A node below a column. Level full checks all its rows. (The columns themselves have only
// the rows of the batch, at every level.)
bool RowWalk::CheckBelow(const Node* node, const ArrowArray& array, RowRange rows) {
  ++depth_;
  const bool fits = CheckNode(node, array, full_ ? RowRange{0, array.length} : rows);
  --depth_;
  return fits;
}

bool RowWalk::CheckChildren(const Node* node, const ArrowArray& array, RowRange rows) {
  const bool root = node == layout_.nodes().data();
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    if (!(root ? CheckNode(child, below, rows) : CheckBelow(child, below, rows))) {
      return false;
    }
  }
  return true;
}

bool RowWalk::CheckNullCount(const Node* node, const ArrowArray& array) {
  if (!HasBitmap(node->form) || array.null_count < 0) return true;
  if (array.buffers[0] == nullptr) return true;  // level shape: then the count is 0
  const int64_t nulls =
      CountNulls(array.buffers[0], {.begin = array.offset, .count = array.length});
  return nulls == array.null_count || Fail(WrongNullCount(layout_, node, array, nulls));
}

bool RowWalk::CheckDictionary(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& values = *array.dictionary;
  bool below_nulls = false;
  const int64_t row = FirstInvalidIndex(array.buffers[1], node->type, at, values.length,
                                        Nulls(array), &below_nulls);
  if (row >= 0) return Fail(InvalidIndex(Wrong(node, array, at, row)));
  if (below_nulls) AddMend(node, array, at, Mend::Kind::kNullIndices);
  return CheckBelow(node + 1, values, {0, values.length});
}

// The offsets of the rows never decrease, and none is above the limit.
bool RowWalk::CheckOffsets(const Node* node, const ArrowArray& array, RowRange at,
                           int64_t limit, const char* limit_noun) {
  const void* offsets = array.buffers[1];
  const uint8_t bytes = node->integer_bytes;
  const int64_t row = FirstDecreasingOffset(offsets, bytes, at);
  if (row >= 0) return Fail(DecreasingOffset(Wrong(node, array, at, row)));
  if (LoadSigned(offsets, at.begin + at.count, bytes) <= limit) return true;
  return Fail(OffsetAboveLimit(Wrong(node, array, at, at.count - 1), limit, limit_noun));
}

bool RowWalk::CheckBytes(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  // The size of the bytes is unknown. They must reach to the end of the array's last row,
  // so that is the limit for the rows of a slice.
  const int64_t limit =
      LoadSigned(array.buffers[1], array.offset + array.length, node->integer_bytes);
  if (!CheckOffsets(node, array, at, limit, "byte")) return false;
  if (!full_ || (node->type != Type::kUtf8 && node->type != Type::kLargeUtf8))
    return true;
  const TextFault fault = FirstInvalidText(array, node->integer_bytes, at);
  if (fault.row >= 0) return Fail(InvalidText(Wrong(node, array, at, fault.row)));
  if (trusted_ && fault.below_nulls) AddMend(node, array, at, Mend::Kind::kNullTexts);
  return true;
}

bool RowWalk::CheckViews(const Node* node, const ArrowArray& array, RowRange at) {
  if (at.count == 0) return true;
  bool below_nulls = false;
  const int64_t row = FirstInvalidView(array, at, &below_nulls);
  if (row >= 0) return Fail(InvalidView(Wrong(node, array, at, row)));
  if (full_) {
    const TextFault fault =
        FirstInvalidViewText(array, at, node->type == Type::kUtf8View);
    if (fault.row >= 0) {
      const WrongRow wrong = Wrong(node, array, at, fault.row);
      return Fail(fault.not_utf8 ? InvalidText(wrong) : InvalidViewPrefix(wrong));
    }
    below_nulls |= trusted_ && fault.below_nulls;
  }
  if (below_nulls) AddMend(node, array, at, Mend::Kind::kNullViews);
  return true;
}

bool RowWalk::CheckList(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  if (at.count == 0) return CheckBelow(node + 1, child, {});
  if (!CheckOffsets(node, array, at, child.length, "row")) return false;
  const void* offsets = array.buffers[1];
  const int64_t first = LoadSigned(offsets, at.begin, node->integer_bytes);
  const int64_t last = LoadSigned(offsets, at.begin + at.count, node->integer_bytes);
  return CheckBelow(node + 1, child, {.begin = first, .count = last - first});
}

bool RowWalk::CheckListView(const Node* node, const ArrowArray& array, RowRange at) {
  const ArrowArray& child = *array.children[0];
  const void* offsets = array.buffers[1];
  const void* sizes = array.buffers[2];
  const uint8_t bytes = node->integer_bytes;
  const int64_t row = FirstInvalidListView(offsets, sizes, bytes, at, child.length);
  if (row >= 0) return Fail(InvalidListView(Wrong(node, array, at, row)));
  // The reach costs a pass over the rows, so it is computed only if it is used.
  RowRange reach;
  if (!full_ && node[1].points_elsewhere) {
    reach = ReachOfListViews(offsets, sizes, bytes, at);
  }
  return CheckBelow(node + 1, child, reach);
}

bool RowWalk::CheckFixedSizeList(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckChildren(node, array,
                       {.begin = at.begin * node->size, .count = at.count * node->size});
}

bool RowWalk::CheckStruct(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckChildren(node, array, at);
}

bool RowWalk::CheckSparseUnion(const Node* node, const ArrowArray& array, RowRange at) {
  return CheckTypeIds(node, array, at) && CheckChildren(node, array, at);
}

bool RowWalk::CheckTypeIds(const Node* node, const ArrowArray& array, RowRange at) {
  const int64_t row =
      FirstInvalidTypeId(array.buffers[0], at, layout_.type_ids(*node).children);
  return row < 0 || Fail(InvalidTypeId(Wrong(node, array, at, row)));
}

bool RowWalk::CheckDenseUnion(const Node* node, const ArrowArray& array, RowRange at) {
  if (!CheckTypeIds(node, array, at)) return false;
  const auto& children = layout_.type_ids(*node).children;
  std::array<int64_t, 128> lengths{};
  for (size_t id = 0; id < children.size(); ++id) {
    if (children[id] >= 0) lengths[id] = array.children[children[id]]->length;
  }
  const auto* ids = static_cast<const uint8_t*>(array.buffers[0]);  // checked: 0 to 127
  const void* offsets = array.buffers[1];
  const int64_t row = FirstInvalidUnionOffset(ids, offsets, at, lengths);
  if (row >= 0) {
    const int64_t length = lengths[ids[at.begin + row]];
    return Fail(InvalidUnionOffset(Wrong(node, array, at, row), length));
  }
  std::array<RowRange, 128> reach{};
  if (!full_ && AnyChildPointsElsewhere(node)) {
    reach = ReachOfDenseUnion(ids, offsets, at, children);
  }
  const Node* child = node + 1;
  for (size_t i = 0; i < static_cast<size_t>(node->n_children);
       ++i, child += child->subtree) {
    if (!CheckBelow(child, *array.children[i], reach[i])) return false;
  }
  return true;
}

// All run ends, because readers search all of them; of the values only the runs that
// contain the rows.
bool RowWalk::CheckRunEnd(const Node* node, const ArrowArray& array, RowRange at) {
  const Node* ends_node = node + 1;
  const Node* values_node = ends_node + ends_node->subtree;
  const ArrowArray& ends = *array.children[0];
  const ArrowArray& values = *array.children[1];
  const uint8_t bytes = ends_node->integer_bytes;
  const int64_t row = FirstNotIncreasingRunEnd(ends.buffers[1], bytes, ends.length);
  if (row >= 0) {
    return Fail(InvalidRunEnd(Wrong(ends_node, ends, {0, ends.length}, row)));
  }
  if (at.count == 0) return CheckBelow(values_node, values, {});
  return CheckBelow(values_node, values,
                    ReachOfRunEnds(ends.buffers[1], bytes, ends.length, at));
}

}  // namespace

Status CheckRows(const Layout& layout, Checks checks, const ArrowArray& array,
                 std::vector<Mend>* mends) {
  if (!checks.rows()) return Status();
  if (!checks.full() && !layout.nodes()[0].points_elsewhere) return Status();
  RowWalk walk(layout, checks, mends);
  return walk.Check(array) ? Status() : walk.TakeFault();
}

}  // namespace alloy::core
