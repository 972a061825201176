// SPDX-License-Identifier: MIT
#include "wire/record_writer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "arrow/load_value.h"
#include "arrow/run_ends.h"
#include "arrow/view.h"
#include "base/bits.h"

namespace alloy::core {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kMostCopied = uint64_t{1} << 62;

const char* From(const void* base, int64_t bytes) {
  return static_cast<const char*>(base) + bytes;
}

constexpr uint64_t Bytes(int64_t size) { return static_cast<uint64_t>(size); }

const void* BitmapOf(const Layout::Node& node, const ArrowArray& array) {
  return HasBitmap(node.form) ? array.buffers[0] : nullptr;
}

int64_t NullCount(const Layout::Node& node, const ArrowArray& array, int64_t rows) {
  if (node.form == Form::kNull) return rows;
  if (BitmapOf(node, array) == nullptr) return 0;
  // A part of the rows may have fewer nulls, but never some where there were none.
  return rows == array.length || array.null_count == 0 ? array.null_count : -1;
}

struct ListViewAt {
  int64_t offset;
  int64_t size;

  bool IsIn(int64_t rows) const {
    return offset >= 0 && size >= 0 && offset <= rows && size <= rows - offset;
  }
};

ListViewAt LoadListView(const ArrowArray& array, uint8_t bytes, int64_t row) {
  return {LoadSigned(array.buffers[1], row, bytes),
          LoadSigned(array.buffers[2], row, bytes)};
}

// Where a row of a dense union is. A child below 0: nowhere.
struct UnionRow {
  int32_t child = -1;
  int64_t offset = 0;
};

UnionRow LoadUnionRow(const Layout& layout, const Layout::Node& node,
                      const ArrowArray& array, int64_t row) {
  const auto id = LoadValue<uint8_t>(array.buffers[0], row);
  const auto& children = layout.type_ids(node).children;
  if (id >= children.size() || children[id] < 0) return {};
  const int64_t offset = LoadValue<int32_t>(array.buffers[1], row);
  if (offset < 0 || offset >= array.children[children[id]]->length) return {};
  return {.child = children[id], .offset = offset};
}

// Offsets that begin at 0, after `lead` zeros. They are not checked yet, so the
// difference may wrap.
template <typename T>
void CopyOffsets(std::byte* to, const void* from, int32_t lead, int64_t rows,
                 int64_t base) {
  using Bits = std::make_unsigned_t<T>;
  std::memset(to, 0, static_cast<size_t>(lead) * sizeof(T));
  to += static_cast<size_t>(lead) * sizeof(T);
  const auto less = static_cast<Bits>(base);
  for (int64_t i = 0; i < rows; ++i) {
    const auto offset = static_cast<Bits>(LoadValue<Bits>(from, i) - less);
    std::memcpy(to + i * int64_t{sizeof(T)}, &offset, sizeof(T));
  }
}

}  // namespace

RecordWriter::RecordWriter(const Layout& layout) : layout_(layout) {}

Status RecordWriter::Plan(const ArrowArray& batch,
                          std::span<const SegmentView> segments) {
  segments_ = segments;
  segment_ = 0;
  plain_ = {};
  rows_ = batch.length;
  n_words_ = 0;
  named_.clear();
  pieces_.clear();
  used_.clear();
  copied_ = 0;
  overflow_ = false;
  fault_ = Status();
  // Only views need more than this.
  ReserveWords(layout_.nodes().size() * record::kMostWords);
  PlanNode(layout_.nodes().data(), batch, {0, batch.length});
  segments_ = {};
  if (!fault_.ok()) return std::move(fault_);
  if (overflow_) {
    return Fail(ALLOY_EXHAUSTED, "the buffers of a batch have more than 2^62 bytes");
  }
  return Status();
}

void RecordWriter::Write(ByteWriter& out) const {
  out.PutBytes(words_.data(), record_bytes());
}

// Writes a node and all nodes below it, so that row 0 of the record is row `rows.begin` of
// the array.
void RecordWriter::PlanNode(const Node* node, const ArrowArray& array, Rows rows) {
  PlanRows(node, array, rows);
  if (node->dictionary) {
    PlanNode(node + 1, *array.dictionary, {0, array.dictionary->length});
  }
}

void RecordWriter::PlanRows(const Node* node, const ArrowArray& array, Rows rows) {
  if (node->form == Form::kNull) {
    Begin(rows.count, rows.count, 0);
    return;
  }
  if (rows.count == 0) return PlanNoRows(node, array);
  if (node->form == Form::kFixed || node->form == Form::kOffsets) {
    if (!TryInPlace(node, array, rows)) PlanTrimmed(node, array, rows);
    return;
  }
  const int64_t begin = array.offset + rows.begin;
  if (IsPlaced(node, array, begin + rows.count)) {
    bool in_place = true;
    switch (RuleOf(node->form).child_rows) {
      case ChildRows::kEnd:
      case ChildRows::kEndTimes:
        // In place, the children have the rows before `begin` too. That is right if they
        // need not be copied.
        in_place = (HasBitmap(node->form) && array.buffers[0] == nullptr)
                       ? begin == 0
                       : begin == 0 || AreChildrenPlaced(node, array, begin + rows.count);
        break;
      case ChildRows::kLastOffset:
        in_place = AreChildrenPlaced(node, array, 0);
        break;
      case ChildRows::kAny:
        in_place = node->form != Form::kRunEnd && AreChildrenPlaced(node, array, 0);
        break;
    }
    if (in_place) return PlanInPlace(node, array, rows);
  }
  PlanTrimmed(node, array, rows);
}

// An array without rows needs no buffers and no offset.
void RecordWriter::PlanNoRows(const Node* node, const ArrowArray& array) {
  Begin(0, 0, 0);
  PlanChildren(node, array, {0, 0});
}

// The same as IsPlaced and PlanInPlace for the most frequent columns, in one pass. Returns
// false, and has written nothing, if a buffer does not lie in a segment.
inline bool RecordWriter::TryInPlace(const Node* node, const ArrowArray& array,
                                     Rows rows) {
  if (segments_.empty()) return false;
  const int64_t begin = array.offset + rows.begin;
  const int64_t end = begin + rows.count;
  Begin(rows.count, NullCount(*node, array, rows.count), begin);
  bool placed =
      array.buffers[0] == nullptr || TryPut(0, array.buffers[0], Bytes(BitmapBytes(end)));
  if (node->form == Form::kFixed) {
    placed = placed && TryPut(1, array.buffers[1], Bytes(ValueBytes(*node, end)));
  } else if (placed &&
             TryPut(1, array.buffers[1], Bytes((end + 1) * node->integer_bytes))) {
    int64_t first = 0, last = 0;
    // If the offsets are refused, so is the batch, and the record is not used.
    placed = !ReadOffsets(node, array, {begin, rows.count}, &first, &last) ||
             TryPut(2, array.buffers[2], Bytes(last));
  } else {
    placed = false;
  }
  if (!placed) n_words_ = flags_;
  return placed;
}

void RecordWriter::PlanInPlace(const Node* node, const ArrowArray& array, Rows rows) {
  const int64_t begin = array.offset + rows.begin;
  const int64_t end = begin + rows.count;
  Begin(rows.count, NullCount(*node, array, rows.count), begin);
  if (const void* bitmap = BitmapOf(*node, array))
    Put(0, bitmap, Bytes(BitmapBytes(end)));
  const int64_t wide = node->integer_bytes;
  switch (node->form) {
    case Form::kViews: {
      const int64_t n = array.n_buffers - 3;
      Put(1, array.buffers[1], Bytes(end * kViewBytes));
      words_[flags_] |= Bytes(n) << record::kVariadicShift;
      ReserveWords(n_words_ + static_cast<size_t>(n) * record::kPlaceWords +
                   layout_.nodes().size() * record::kMostWords);
      for (int64_t i = 0; i < n; ++i) {
        PutVariadic(array.buffers[2 + i],
                    Bytes(LoadValue<int64_t>(array.buffers[array.n_buffers - 1], i)));
      }
      return;
    }
    case Form::kList:
      Put(1, array.buffers[1], Bytes((end + 1) * wide));
      return PlanWholeChildren(node, array);
    case Form::kListView:
      Put(1, array.buffers[1], Bytes(end * wide));
      Put(2, array.buffers[2], Bytes(end * wide));
      return PlanWholeChildren(node, array);
    case Form::kFixedSizeList:
      return PlanChildren(node, array, {0, end * node->size});
    case Form::kStruct:
      return PlanChildren(node, array, {0, end});
    case Form::kSparseUnion:
      Put(0, array.buffers[0], Bytes(end));
      return PlanChildren(node, array, {0, end});
    case Form::kDenseUnion:
      Put(0, array.buffers[0], Bytes(end));
      Put(1, array.buffers[1], Bytes(end * wide));
      return PlanWholeChildren(node, array);
    case Form::kFixed:    // TryInPlace
    case Form::kOffsets:  // TryInPlace
    case Form::kRunEnd:
    case Form::kNull:
      return;
  }
}

// Only the rows that are used. Each buffer that need not change is named if it lies in a
// segment, and copied if not.
void RecordWriter::PlanTrimmed(const Node* node, const ArrowArray& array, Rows rows) {
  const Rows at{.begin = array.offset + rows.begin, .count = rows.count};
  if (node->form == Form::kRunEnd) return PlanRunEnds(node, array, at);
  const void* bitmap = BitmapOf(*node, array);
  // Bits are copied by bytes, so up to 7 rows come before the first one.
  const bool bits = bitmap != nullptr || (node->form == Form::kFixed && node->bits < 8);
  const auto lead = static_cast<int32_t>(bits ? at.begin % 8 : 0);
  const int64_t start = at.begin - lead;
  const int64_t n = lead + at.count;
  Begin(at.count, NullCount(*node, array, at.count), lead);
  if (bitmap != nullptr) Put(0, From(bitmap, start / 8), Bytes(BitmapBytes(n)));
  const Rows below{.begin = rows.begin + array.offset - lead, .count = n};
  switch (node->form) {
    case Form::kFixed:
      return Put(1, From(array.buffers[1], ValueBytes(*node, start)),
                 Bytes(ValueBytes(*node, n)));
    case Form::kOffsets:
      return PlanBytes(node, array, start, lead, at);
    case Form::kViews:
      return PlanViews(array, start, lead, at);
    case Form::kList:
      return PlanList(node, array, start, lead, at);
    case Form::kListView:
      return PlanListView(node, array, start, lead, at);
    case Form::kFixedSizeList:
      return PlanChildren(node, array,
                          {below.begin * node->size, below.count * node->size});
    case Form::kStruct:
      return PlanChildren(node, array, below);
    case Form::kSparseUnion:
      Put(0, From(array.buffers[0], at.begin), Bytes(at.count));
      return PlanChildren(node, array, below);
    case Form::kDenseUnion:
      return PlanDenseUnion(node, array, at);
    case Form::kRunEnd:
    case Form::kNull:
      return;
  }
}

void RecordWriter::PlanBytes(const Node* node, const ArrowArray& array, int64_t start,
                             int32_t lead, Rows at) {
  int64_t first = 0, last = 0;
  if (!ReadOffsets(node, array, at, &first, &last)) return;
  const int64_t wide = node->integer_bytes;
  const char* offsets = From(array.buffers[1], start * wide);
  const void* bytes = array.buffers[2];
  if (first == 0 || IsPlaced(bytes, Bytes(last))) {
    Put(1, offsets, Bytes((lead + at.count + 1) * wide));
    return Put(2, bytes, Bytes(last));
  }
  words_[flags_] |= record::HasBuffer(1);
  PutCopy({.kind = Piece::Kind::kOffsets,
           .integer_bytes = node->integer_bytes,
           .lead = lead,
           .from = offsets + lead * wide,
           .bytes = Bytes((lead + at.count + 1) * wide),
           .base = first,
           .rows = at.count + 1});
  Put(2, From(bytes, first), Bytes(last - first));
}

void RecordWriter::PlanViews(const ArrowArray& array, int64_t start, int32_t lead,
                             Rows at) {
  const int64_t n = array.n_buffers - 3;
  const size_t used = used_.size();
  used_.resize(used + static_cast<size_t>(n),
               {.begin = std::numeric_limits<int64_t>::max()});
  Used* const buffers = used_.data() + used;
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const auto view = LoadValue<View>(array.buffers[1], i);
    if (!view.IsLong() || !view.IsIn(array)) continue;
    if (array.buffers[0] != nullptr && !BitAt(array.buffers[0], i)) continue;
    Used& buffer = buffers[view.buffer];
    buffer.begin = std::min(buffer.begin, int64_t{view.offset});
    buffer.end = std::max(buffer.end, int64_t{view.offset} + view.length);
  }
  words_[flags_] |= record::HasBuffer(1);
  PutCopy({.kind = Piece::Kind::kViews,
           .lead = lead,
           .from = From(array.buffers[1], at.begin * kViewBytes),
           .bytes = Bytes((at.begin - start + at.count) * kViewBytes),
           .rows = at.count,
           .first = at.begin,
           .array = &array,
           .used = used});
  ReserveWords(n_words_ + static_cast<size_t>(n) * record::kPlaceWords +
               layout_.nodes().size() * record::kMostWords);
  int32_t number = 0;
  for (int64_t i = 0; i < n; ++i) {
    Used& buffer = buffers[i];
    if (buffer.end == 0) continue;
    buffer.number = number++;
    PutVariadic(From(array.buffers[2 + i], buffer.begin),
                Bytes(buffer.end - buffer.begin));
  }
  words_[flags_] |= static_cast<uint64_t>(number) << record::kVariadicShift;
}

void RecordWriter::PlanList(const Node* node, const ArrowArray& array, int64_t start,
                            int32_t lead, Rows at) {
  int64_t first = 0, last = 0;
  if (ReadOffsets(node, array, at, &first, &last)) {
    const int64_t wide = node->integer_bytes;
    const char* offsets = From(array.buffers[1], start * wide);
    const uint64_t bytes = Bytes((lead + at.count + 1) * wide);
    if (first == 0) {
      Put(1, offsets, bytes);
    } else {
      words_[flags_] |= record::HasBuffer(1);
      PutCopy({.kind = Piece::Kind::kOffsets,
               .integer_bytes = node->integer_bytes,
               .lead = lead,
               .from = offsets + lead * wide,
               .bytes = bytes,
               .base = first,
               .rows = at.count + 1});
    }
  }
  PlanChildren(node, array, {first, last - first});
}

void RecordWriter::PlanListView(const Node* node, const ArrowArray& array, int64_t start,
                                int32_t lead, Rows at) {
  const int64_t wide = node->integer_bytes;
  const int64_t rows = array.children[0]->length;
  Used used{.begin = std::numeric_limits<int64_t>::max()};
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const ListViewAt view = LoadListView(array, node->integer_bytes, i);
    if (view.size == 0 || !view.IsIn(rows)) continue;
    used.begin = std::min(used.begin, view.offset);
    used.end = std::max(used.end, view.offset + view.size);
  }
  if (used.end == 0) used.begin = 0;
  const uint64_t bytes = Bytes((lead + at.count) * wide);
  // The offsets of empty lists may be anywhere in the child.
  if (used.begin == 0 && used.end == rows) {
    Put(1, From(array.buffers[1], start * wide), bytes);
  } else {
    words_[flags_] |= record::HasBuffer(1);
    PutCopy({.kind = Piece::Kind::kListViewOffsets,
             .integer_bytes = node->integer_bytes,
             .lead = lead,
             .from = From(array.buffers[1], at.begin * wide),
             .bytes = bytes,
             .base = used.begin,
             .rows = at.count,
             .first = at.begin,
             .array = &array});
  }
  Put(2, From(array.buffers[2], start * wide), bytes);
  PlanChildren(node, array, {used.begin, used.end - used.begin});
}

// Of each child, the rows that the offsets of its type ids reach.
void RecordWriter::PlanDenseUnion(const Node* node, const ArrowArray& array, Rows at) {
  const auto n = static_cast<size_t>(node->n_children);
  const size_t used = used_.size();
  used_.resize(used + n, {.begin = std::numeric_limits<int64_t>::max()});
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const UnionRow row = LoadUnionRow(layout_, *node, array, i);
    if (row.child < 0) continue;
    Used& reached = used_[used + static_cast<size_t>(row.child)];
    reached.begin = std::min(reached.begin, row.offset);
    reached.end = std::max(reached.end, row.offset + 1);
  }
  bool moves = false;
  for (size_t i = 0; i < n; ++i) {
    Used& reached = used_[used + i];
    if (reached.end == 0) reached.begin = 0;
    moves = moves || reached.begin > 0;
  }
  Put(0, From(array.buffers[0], at.begin), Bytes(at.count));
  const int64_t wide = node->integer_bytes;
  const char* offsets = From(array.buffers[1], at.begin * wide);
  if (moves) {
    words_[flags_] |= record::HasBuffer(1);
    PutCopy({.kind = Piece::Kind::kUnionOffsets,
             .from = offsets,
             .bytes = Bytes(at.count * wide),
             .rows = at.count,
             .first = at.begin,
             .node = node,
             .array = &array,
             .used = used});
  } else {
    Put(1, offsets, Bytes(at.count * wide));
  }
  const Node* child = node + 1;
  for (size_t i = 0; i < n; ++i, child += child->subtree) {
    const Used reached = used_[used + i];
    PlanNode(child, *array.children[i], {reached.begin, reached.end - reached.begin});
  }
}

// The runs that contain the rows. Runs before them can go without a change of the run ends
// or of the offset: the first run that stays then contains their rows too.
void RecordWriter::PlanRunEnds(const Node* node, const ArrowArray& array, Rows at) {
  Begin(at.count, 0, at.begin);
  const Node* ends_node = node + 1;
  const ArrowArray& ends = *array.children[0];  // offset 0, and no nulls: level shape
  const uint8_t wide = ends_node->integer_bytes;
  const void* values = ends.buffers[1];
  const int64_t first = RunOf(values, wide, ends.length, at.begin);
  const int64_t last = RunOf(values, wide, ends.length, at.begin + at.count - 1);
  Rows runs{.begin = first, .count = last + 1 - first};
  // Malformed run ends all go, so that the reader finds what it would find without a copy.
  if (runs.count < ends.length && !RunEndsIncrease(values, wide, ends.length)) {
    runs = {.begin = 0, .count = ends.length};
  }
  Begin(runs.count, 0, 0);
  Put(1, From(values, runs.begin * wide), Bytes(runs.count * wide));
  PlanNode(ends_node + ends_node->subtree, *array.children[1], runs);
}

void RecordWriter::PlanChildren(const Node* node, const ArrowArray& array, Rows rows) {
  const Node* child = node + 1;
  const bool plain = rows.begin == 0 && rows.count == rows_ && rows_ > 0;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    if (!plain || !PlanPlain(child, below)) PlanNode(child, below, rows);
  }
}

// The most frequent column: of whole bytes, as long as the batch, without nulls, and in the
// segment of the column before it. Returns false, and has written nothing, for others.
inline bool RecordWriter::PlanPlain(const Node* node, const ArrowArray& array) {
  if (node->form != Form::kFixed || node->dictionary || node->bits < 8 ||
      array.buffers[0] != nullptr || array.offset != 0 || segments_.empty()) {
    return false;
  }
  const SegmentView& segment = segments_[segment_];
  const uint64_t size = Bytes(rows_ * (node->bits / 8));
  const uint64_t offset = reinterpret_cast<uintptr_t>(array.buffers[1]) -
                          reinterpret_cast<uintptr_t>(segment.bytes.data());
  if (offset > segment.bytes.size() || size > segment.bytes.size() - offset) return false;
  const auto* const bytes = static_cast<const std::byte*>(array.buffers[1]);
  if (plain_ == Plain{bytes, size, segment_}) {
    words_[n_words_++] = record::kFollows;
    SegmentView& named = named_.back();
    named.bytes = {named.bytes.data(), named.bytes.size() + size};
  } else {
    words_[n_words_++] = record::HasBuffer(1);
    PutPlaced(bytes, size);
  }
  plain_ = {bytes + size, size, segment_};
  return true;
}

void RecordWriter::PlanWholeChildren(const Node* node, const ArrowArray& array) {
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    PlanNode(child, *array.children[i], {0, array.children[i]->length});
  }
}

// True if the bytes lie in one segment; segment_ is then its index.
inline bool RecordWriter::IsPlaced(const void* bytes, uint64_t size) {
  if (size == 0) return true;
  const size_t n = segments_.size();
  for (size_t i = 0, at = segment_; i < n; ++i, at = at + 1 == n ? 0 : at + 1) {
    const std::span<const std::byte> segment = segments_[at].bytes;
    // Before the segment, the difference wraps to a large number.
    const uint64_t offset =
        reinterpret_cast<uintptr_t>(bytes) - reinterpret_cast<uintptr_t>(segment.data());
    if (offset <= segment.size() && size <= segment.size() - offset) {
      segment_ = at;
      return true;
    }
  }
  return false;
}

// True if all buffers of the node itself that have bytes up to row `end` lie in segments.
bool RecordWriter::IsPlaced(const Node* node, const ArrowArray& array, int64_t end) {
  if (segments_.empty()) return false;
  const void* bitmap = BitmapOf(*node, array);
  if (bitmap != nullptr && !IsPlaced(bitmap, Bytes(BitmapBytes(end)))) return false;
  const int64_t wide = node->integer_bytes;
  switch (node->form) {
    case Form::kFixed:
      return IsPlaced(array.buffers[1], Bytes(ValueBytes(*node, end)));
    case Form::kOffsets: {
      if (!IsPlaced(array.buffers[1], Bytes((end + 1) * wide))) return false;
      const int64_t last = LoadSigned(array.buffers[1], end, node->integer_bytes);
      return last >= 0 && IsPlaced(array.buffers[2], Bytes(last));
    }
    case Form::kViews: {
      if (!IsPlaced(array.buffers[1], Bytes(end * kViewBytes))) return false;
      const int64_t n = array.n_buffers - 3;
      for (int64_t i = 0; i < n; ++i) {
        const auto size = LoadValue<int64_t>(array.buffers[array.n_buffers - 1], i);
        if (!IsPlaced(array.buffers[2 + i], Bytes(size))) return false;
      }
      return true;
    }
    case Form::kList:
      return IsPlaced(array.buffers[1], Bytes((end + 1) * wide));
    case Form::kListView:
      return IsPlaced(array.buffers[1], Bytes(end * wide)) &&
             IsPlaced(array.buffers[2], Bytes(end * wide));
    case Form::kSparseUnion:
      return IsPlaced(array.buffers[0], Bytes(end));
    case Form::kDenseUnion:
      return IsPlaced(array.buffers[0], Bytes(end)) &&
             IsPlaced(array.buffers[1], Bytes(end * wide));
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return false;
}

// The same for the node and all below it that are named with it.
bool RecordWriter::IsTreePlaced(const Node* node, const ArrowArray& array, int64_t end) {
  return end == array.offset ||
         (IsPlaced(node, array, end) && AreChildrenPlaced(node, array, end));
}

bool RecordWriter::AreChildrenPlaced(const Node* node, const ArrowArray& array,
                                     int64_t end) {
  const ChildRows rows = RuleOf(node->form).child_rows;
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    const int64_t used = rows == ChildRows::kEnd        ? end
                         : rows == ChildRows::kEndTimes ? end * node->size
                                                        : below.length;
    if (!IsTreePlaced(child, below, below.offset + used)) return false;
  }
  return true;
}

// The offsets at both ends of the rows. Level shape has checked those of the whole array.
bool RecordWriter::ReadOffsets(const Node* node, const ArrowArray& array, Rows at,
                               int64_t* first, int64_t* last) {
  const uint8_t wide = node->integer_bytes;
  const void* offsets = array.buffers[1];
  const int64_t begin = LoadSigned(offsets, at.begin, wide);
  const int64_t end = LoadSigned(offsets, at.begin + at.count, wide);
  const int64_t limit = LoadSigned(offsets, array.offset + array.length, wide);
  if (begin < 0 || end < begin || end > limit) [[unlikely]] {
    Refuse(node, ALLOY_REASON_OFFSETS,
           "the offsets of rows " + std::to_string(at.begin - array.offset) + " to " +
               std::to_string(at.begin - array.offset + at.count) + " are " +
               std::to_string(begin) + " and " + std::to_string(end) +
               ", but the last one is " + std::to_string(limit));
    return false;
  }
  *first = begin;
  *last = end;
  return true;
}

inline void RecordWriter::Begin(int64_t length, int64_t null_count, int64_t offset) {
  flags_ = n_words_;
  uint64_t* to = words_.data() + n_words_;
  if (length == rows_ && null_count == 0 && offset == 0 && n_words_ > 0) {
    to[0] = 0;
    n_words_ += 1;
    return;
  }
  to[0] = record::kHasHead;
  to[1] = static_cast<uint64_t>(length);
  to[2] = static_cast<uint64_t>(null_count);
  to[3] = static_cast<uint64_t>(offset);
  n_words_ += 1 + record::kHeadWords;
}

inline void RecordWriter::Put(int buffer, const void* bytes, uint64_t size) {
  if (size == 0) return;
  words_[flags_] |= record::HasBuffer(buffer);
  PutPlaceOf(bytes, size);
}

// The same, only if the bytes lie in a segment.
inline bool RecordWriter::TryPut(int buffer, const void* bytes, uint64_t size) {
  if (size == 0) return true;
  if (!IsPlaced(bytes, size)) return false;
  words_[flags_] |= record::HasBuffer(buffer);
  PutPlaced(bytes, size);
  return true;
}

void RecordWriter::PutVariadic(const void* bytes, uint64_t size) {
  if (size > 0) return PutPlaceOf(bytes, size);
  plain_ = {};
  std::fill_n(words_.data() + n_words_, record::kPlaceWords, 0);
  n_words_ += record::kPlaceWords;
}

inline void RecordWriter::PutPlaceOf(const void* bytes, uint64_t size) {
  if (!IsPlaced(bytes, size)) return PutCopy({.from = bytes, .bytes = size});
  PutPlaced(bytes, size);
}

// After IsPlaced.
inline void RecordWriter::PutPlaced(const void* bytes, uint64_t size) {
  const SegmentView& segment = segments_[segment_];
  uint64_t* to = words_.data() + n_words_;
  to[0] = segment.number;
  to[1] = segment.begin + static_cast<uint64_t>(static_cast<const std::byte*>(bytes) -
                                                segment.bytes.data());
  to[2] = size;
  n_words_ += record::kPlaceWords;
  plain_ = {};
  named_.push_back({segment.number, {static_cast<const std::byte*>(bytes), size}, to[1]});
}

// Copy fills in segment and offset.
void RecordWriter::PutCopy(Piece piece) {
  plain_ = {};
  piece.word = n_words_;
  piece.at = copied_;
  words_[n_words_ + 2] = piece.bytes;
  n_words_ += record::kPlaceWords;
  if (piece.bytes > kMostCopied - copied_) {
    overflow_ = true;
    return;
  }
  copied_ += (piece.bytes + kAlignment - 1) / kAlignment * kAlignment;
  pieces_.push_back(piece);
}

void RecordWriter::ReserveWords(size_t words) {
  if (words_.size() < words) words_.resize(std::max(words, 2 * words_.size()));
}

void RecordWriter::Refuse(const Node* node, int32_t reason, std::string_view what) {
  if (!fault_.ok()) return;
  const auto column = static_cast<int32_t>(node - layout_.nodes().data()) - 1;
  fault_ = DataFault(reason, {.column = column, .path = layout_.Path(column)}, what);
}

void RecordWriter::CopyViews(std::byte* to, const Piece& piece) const {
  const ArrowArray& array = *piece.array;
  std::memset(to, 0, static_cast<size_t>(piece.lead * kViewBytes));
  to += piece.lead * kViewBytes;
  for (int64_t i = 0; i < piece.rows; ++i, to += kViewBytes) {
    auto view = LoadValue<View>(piece.from, i);
    if (view.IsLong()) {
      const bool null =
          array.buffers[0] != nullptr && !BitAt(array.buffers[0], piece.first + i);
      if (null) {
        view = {};
      } else if (!view.IsIn(array)) {
        view.buffer = -1;  // still wrong, whatever buffers are left
      } else {
        const Used& used = used_[piece.used + static_cast<size_t>(view.buffer)];
        view.buffer = used.number;
        view.offset -= static_cast<int32_t>(used.begin);
      }
    }
    std::memcpy(to, &view, sizeof(view));
  }
}

void RecordWriter::CopyListViewOffsets(std::byte* to, const Piece& piece) {
  const size_t wide = piece.integer_bytes;
  const int64_t rows = piece.array->children[0]->length;
  std::memset(to, 0, static_cast<size_t>(piece.lead) * wide);
  to += static_cast<size_t>(piece.lead) * wide;
  for (int64_t i = 0; i < piece.rows; ++i, to += wide) {
    const ListViewAt view =
        LoadListView(*piece.array, piece.integer_bytes, piece.first + i);
    // A wrong one stays wrong. What the others point to is in the part that is used.
    const int64_t offset = !view.IsIn(rows) ? -1
                           : view.size == 0 ? 0
                                            : view.offset - piece.base;
    std::memcpy(to, &offset, wide);  // little-endian
  }
}

void RecordWriter::CopyUnionOffsets(std::byte* to, const Piece& piece) const {
  for (int64_t i = 0; i < piece.rows; ++i, to += sizeof(int32_t)) {
    const UnionRow row =
        LoadUnionRow(layout_, *piece.node, *piece.array, piece.first + i);
    int32_t offset = -1;  // a wrong one stays wrong
    if (row.child >= 0) {
      const Used& reached = used_[piece.used + static_cast<size_t>(row.child)];
      offset = static_cast<int32_t>(row.offset - reached.begin);
    }
    std::memcpy(to, &offset, sizeof(offset));
  }
}

void RecordWriter::Copy(std::byte* to, uint32_t segment, uint64_t offset) {
  for (const Piece& piece : pieces_) {
    std::byte* at = to + piece.at;
    switch (piece.kind) {
      case Piece::Kind::kBytes:
        std::memcpy(at, piece.from, piece.bytes);
        break;
      case Piece::Kind::kOffsets:
        if (piece.integer_bytes == 4) {
          CopyOffsets<int32_t>(at, piece.from, piece.lead, piece.rows, piece.base);
        } else {
          CopyOffsets<int64_t>(at, piece.from, piece.lead, piece.rows, piece.base);
        }
        break;
      case Piece::Kind::kViews:
        CopyViews(at, piece);
        break;
      case Piece::Kind::kListViewOffsets:
        CopyListViewOffsets(at, piece);
        break;
      case Piece::Kind::kUnionOffsets:
        CopyUnionOffsets(at, piece);
        break;
    }
    words_[piece.word] = segment;
    words_[piece.word + 1] = offset + piece.at;
  }
}

}  // namespace alloy::core
