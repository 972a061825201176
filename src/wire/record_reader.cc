// SPDX-License-Identifier: MIT
#include "wire/record_reader.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/block.hpp"
#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "arrow/view.h"
#include "wire/record_copies.h"

namespace alloy::core {
namespace {

constexpr uint64_t kAlignment = 64;

// Takes the place of buffers without bytes, which must not be NULL. It is not empty,
// because a buffer of offsets without rows may be read as one offset, a 0.
alignas(kAlignment) constexpr std::byte kNoBytes[kAlignment] = {};

struct Free {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};

// What keeps the buffers of a batch.
struct Kept {
  std::shared_ptr<void> owner;
  std::unique_ptr<std::byte, Free> copies;
};

// As a record has them.
struct PlaceWords {
  uint64_t segment, offset, length;
};
static_assert(sizeof(PlaceWords) == record::kPlaceWords * sizeof(uint64_t));

// The bytes of a buffer in a segment.
using ByteSpan = std::span<const std::byte>;

uint64_t Aligned(uint64_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

}  // namespace

// Reads one record. The block is made first, so that each node is filled as it is read.
class RecordBuilder {
 public:
  RecordBuilder(RecordReader* reader, ByteReader* in,
                std::span<const SegmentView> segments, TakeOver take_over)
      : reader_(*reader),
        layout_(reader->layout_),
        in_(*in),
        segments_(segments),
        take_over_(take_over) {
    reader_.copies_.clear();
  }

  Status Build(std::shared_ptr<void> owner, ArrowArray* out) {
    int64_t buffers = reader_.n_buffers_;
    if (reader_.has_views_ && !CountVariadic(&buffers)) return std::move(fault_);
    auto block = Block<Kept>::Make(static_cast<int64_t>(layout_.nodes().size()), buffers,
                                   {.owner = std::move(owner), .copies = nullptr});
    if (!block) return Fail(ALLOY_EXHAUSTED, "out of memory for the structs of a batch");
    block_ = &block;
    if (!ReadNode(layout_.nodes().data(), out, false)) return std::move(fault_);
    ALLOY_TRY(MakeCopies());
    block.Finish();
    return Status();
  }

 private:
  using Node = Layout::Node;
  using Copy = RecordReader::Copy;

  // A node as its record describes it.
  struct Found {
    const Node* node = nullptr;
    int64_t length = 0;
    int64_t null_count = 0;
    int64_t offset = 0;
    int64_t n_variadic = 0;
    ByteSpan buffers[record::kMostBuffers];  // without bytes: empty

    int64_t end() const { return offset + length; }
  };

  bool CountVariadic(int64_t* buffers);
  bool ReadNode(const Node* node, ArrowArray* to, bool run_ends);
  bool ReadFound(const Node* node, uint64_t flags, Found* found);
  bool ReadPlace(const Node* node, ByteSpan* bytes);
  bool ReadPlace(const Node* node, bool follows, ByteSpan* bytes);
  bool FindPlace(const Node* node, const PlaceWords& place, ByteSpan* bytes);
  bool Back(const SegmentView& segment, ByteSpan bytes);
  bool CheckHead(const Found& found);
  bool CheckSizes(const Found& found);
  bool CheckSize(const Found& found, int buffer, int64_t bytes);
  bool FillVariadic(const Found& found, ArrowArray* to);
  bool FillBuffers(Found& found, ArrowArray* to, bool run_ends);
  bool FillBytes(const Found& found, ArrowArray* to, int64_t skip);
  void Fill(const Found& found, int buffer, int64_t skip, int64_t bytes, bool copy,
            ArrowArray* to);
  Status MakeCopies();
  Status MakeCopy(const Copy& copy, std::byte* to);

  bool Refuse(const Node* node, int32_t reason, std::string_view what, int64_t row = -1);
  bool RefuseCut(const Node* node) {
    return Refuse(node, ALLOY_REASON_BUFFER_PLACE, "the record ends here");
  }

  RecordReader& reader_;
  const Layout& layout_;
  ByteReader& in_;
  const std::span<const SegmentView> segments_;
  const TakeOver take_over_;
  Block<Kept>* block_ = nullptr;
  size_t segment_ = 0;  // where the last buffer was
  PlaceWords last_{};
  int64_t rows_ = 0;  // of the batch
  Status fault_;
};

// Adds the variadic buffers of the whole record, as ReadNode is going to find them.
bool RecordBuilder::CountVariadic(int64_t* buffers) {
  ByteReader in = in_;  // of private memory: it is read again
  for (const Node& node : layout_.nodes()) {
    const auto flags = in.Get<uint64_t>();
    const uint64_t variadic =
        node.form == Form::kViews ? flags >> record::kVariadicShift : 0;
    const auto fixed = static_cast<uint64_t>(
        std::popcount(flags & (record::HasBuffer(record::kMostBuffers) - 2)));
    const uint64_t words = ((flags & record::kHasHead) != 0 ? record::kHeadWords : 0) +
                           (fixed + variadic) * record::kPlaceWords;
    in.GetBytes(words * sizeof(uint64_t));
    if (!in.ok()) return RefuseCut(&node);
    *buffers += static_cast<int64_t>(variadic);
  }
  return true;
}

bool RecordBuilder::ReadNode(const Node* node, ArrowArray* to, bool run_ends) {
  const auto flags = in_.Get<uint64_t>();
  // The most frequent column: as long as the batch, without nulls, of values that are not
  // followed.
  const bool follows = flags == record::kFollows;
  if ((follows || flags == record::HasBuffer(1)) && node->form == Form::kFixed &&
      !node->dictionary && !run_ends && take_over_ != TakeOver::kCopyAll && rows_ > 0 &&
      rows_ <= node->max_end) {
    ByteSpan values;
    if (!ReadPlace(node, follows, &values)) [[unlikely]]
      return false;
    if (static_cast<uint64_t>(ValueBytes(*node, rows_)) <= values.size() &&
        !values.empty()) [[likely]] {
      block_->Init(to, {.length = rows_, .n_buffers = 2});
      to->buffers[1] = values.data();
      return true;
    }
    return Refuse(node, ALLOY_REASON_BUFFER_PLACE,
                  "the rows need " + std::to_string(ValueBytes(*node, rows_)) +
                      " bytes of buffer 1, which has " + std::to_string(values.size()));
  }
  Found found;
  if (!ReadFound(node, flags, &found) || !CheckHead(found)) [[unlikely]]
    return false;
  if (node == layout_.nodes().data()) rows_ = found.length;
  if (found.length == 0) {
    // Without rows no buffer needs bytes, and with an offset a reader would leave kNoBytes.
    found.offset = 0;
    found.null_count = 0;
    for (ByteSpan& bytes : found.buffers) bytes = {};
  } else if (!CheckSizes(found)) [[unlikely]] {
    return false;
  }
  const bool views = node->form == Form::kViews;
  block_->Init(to, {.length = found.length,
                    .null_count = found.null_count,
                    .offset = found.offset,
                    .n_buffers = node->n_buffers + (views ? found.n_variadic : 0),
                    .n_children = node->n_children,
                    .dictionary = node->dictionary});
  if (views && !FillVariadic(found, to)) return false;
  if (!FillBuffers(found, to, run_ends)) [[unlikely]]
    return false;
  if (node->dictionary && !ReadNode(node + 1, to->dictionary, false)) return false;
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const bool ends = i == 0 && node->form == Form::kRunEnd;
    if (!ReadNode(child, to->children[i], ends)) [[unlikely]]
      return false;
  }
  return true;
}

bool RecordBuilder::ReadFound(const Node* node, uint64_t flags, Found* found) {
  const bool views = node->form == Form::kViews;
  const int n = views ? 2 : node->n_buffers;
  const bool follows = flags == record::kFollows;
  if (follows) flags = record::HasBuffer(1);
  found->node = node;
  found->length = rows_;
  if ((flags & record::kHasHead) != 0) {
    found->length = in_.Get<int64_t>();
    found->null_count = in_.Get<int64_t>();
    found->offset = in_.Get<int64_t>();
  }
  if (!in_.ok()) [[unlikely]]
    return RefuseCut(node);
  uint64_t known = record::HasBuffer(n) - 1;
  if (views) {
    known |= ~uint64_t{0} << record::kVariadicShift;
    found->n_variadic = static_cast<int64_t>(flags >> record::kVariadicShift);
  }
  if ((flags & ~known) != 0) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_BUFFER_COUNT,
                  "the record has buffers that the type does not have");
  }
  for (int i = 0; i < n; ++i) {
    if ((flags & record::HasBuffer(i)) == 0) continue;
    if (!ReadPlace(node, follows, &found->buffers[i])) [[unlikely]]
      return false;
  }
  return true;
}

inline bool RecordBuilder::ReadPlace(const Node* node, ByteSpan* bytes) {
  const auto place = in_.Get<PlaceWords>();
  if (!in_.ok()) [[unlikely]]
    return RefuseCut(node);
  return FindPlace(node, place, bytes);
}

// The place behind the last one needs no words, and is checked as any other.
inline bool RecordBuilder::ReadPlace(const Node* node, bool follows, ByteSpan* bytes) {
  if (!follows) return ReadPlace(node, bytes);
  return FindPlace(node, {last_.segment, last_.offset + last_.length, last_.length},
                   bytes);
}

inline bool RecordBuilder::FindPlace(const Node* node, const PlaceWords& place,
                                     ByteSpan* bytes) {
  last_ = place;
  const auto [number, offset, length] = place;
  if (number == 0 && length == 0) return true;
  for (size_t i = 0, at = segment_; i < segments_.size();
       ++i, at = at + 1 == segments_.size() ? 0 : at + 1) {
    const SegmentView& segment = segments_[at];
    const uint64_t from =
        offset - segment.begin;  // before the part it wraps, and is large
    const size_t size = segment.bytes.size();
    if (segment.number == number && from <= size && length <= size - from) [[likely]] {
      segment_ = at;
      *bytes = segment.bytes.subspan(from, length);
      return segment.backing == nullptr || Back(segment, *bytes);
    }
  }
  return Refuse(node, ALLOY_REASON_BUFFER_PLACE,
                "a buffer of " + std::to_string(length) + " bytes at " +
                    std::to_string(offset) + " of segment " + std::to_string(number) +
                    " is not in the memory of this call");
}

// A worker may name what it has never written.
bool RecordBuilder::Back(const SegmentView& segment, ByteSpan bytes) {
  Status status = segment.backing->Back(bytes.data(), bytes.size());
  if (status.ok()) [[likely]]
    return true;
  fault_ = std::move(status);
  return false;
}

// The numbers, as level shape checks them: what they imply is computed from here on.
bool RecordBuilder::CheckHead(const Found& found) {
  const Node* node = found.node;
  if (found.length < 0) [[unlikely]] {
    return Refuse(
        node, ALLOY_REASON_LENGTH,
        "expected a length of at least 0, found " + std::to_string(found.length));
  }
  if (found.offset < 0) [[unlikely]] {
    return Refuse(
        node, ALLOY_REASON_OFFSET,
        "expected an offset of at least 0, found " + std::to_string(found.offset));
  }
  if (found.length > node->max_end || found.offset > node->max_end - found.length)
      [[unlikely]] {
    return Refuse(node, ALLOY_REASON_OVERFLOW,
                  "offset " + std::to_string(found.offset) + " and length " +
                      std::to_string(found.length) + " add up to more than " +
                      std::to_string(node->max_end));
  }
  if (found.null_count < -1 || found.null_count > found.length) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_NULL_COUNT,
                  "expected a null count from -1 to " + std::to_string(found.length) +
                      ", found " + std::to_string(found.null_count));
  }
  return true;
}

// Each buffer is at least as long as the rows imply.
bool RecordBuilder::CheckSizes(const Found& found) {
  const Node* node = found.node;
  const int64_t end = found.end();
  const int64_t wide = node->integer_bytes;
  if (HasBitmap(node->form)) {
    if (!found.buffers[0].empty()) {
      if (!CheckSize(found, 0, BitmapBytes(end))) return false;
    } else if (found.null_count > 0) {
      return Refuse(node, ALLOY_REASON_NULLS_WITHOUT_BITMAP,
                    "the null count is " + std::to_string(found.null_count) +
                        ", but there is no validity bitmap");
    }
  }
  switch (node->form) {
    case Form::kFixed:
      return CheckSize(found, 1, ValueBytes(*node, end));
    case Form::kOffsets:
    case Form::kList:
      return CheckSize(found, 1, (end + 1) * wide);
    case Form::kViews:
      return CheckSize(found, 1, end * kViewBytes);
    case Form::kListView:
      return CheckSize(found, 1, end * wide) && CheckSize(found, 2, end * wide);
    case Form::kSparseUnion:
      return CheckSize(found, 0, end);
    case Form::kDenseUnion:
      return CheckSize(found, 0, end) && CheckSize(found, 1, end * wide);
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return true;
}

inline bool RecordBuilder::CheckSize(const Found& found, int buffer, int64_t bytes) {
  const auto needed = static_cast<uint64_t>(bytes);
  const size_t size = found.buffers[buffer].size();
  if (needed <= size) [[likely]]
    return true;
  return Refuse(found.node,
                size == 0 ? ALLOY_REASON_BUFFER_NULL : ALLOY_REASON_BUFFER_PLACE,
                "the rows need " + std::to_string(needed) + " bytes of buffer " +
                    std::to_string(buffer) + ", which has " + std::to_string(size));
}

// The variadic buffers, whose places come next, and the buffer of their sizes.
bool RecordBuilder::FillVariadic(const Found& found, ArrowArray* to) {
  const int64_t sizes = to->n_buffers - 1;
  to->buffers[sizes] = kNoBytes;
  if (found.n_variadic == 0) return true;
  const size_t words = static_cast<size_t>(found.n_variadic) * record::kPlaceWords;
  // CountVariadic has seen that they are there.
  const std::string_view places = ByteReader(in_).GetBytes(words * sizeof(uint64_t));
  reader_.copies_.push_back({.kind = Copy::Kind::kViewSizes,
                             .from = reinterpret_cast<const std::byte*>(places.data()),
                             .bytes = static_cast<uint64_t>(found.n_variadic) * 8,
                             .node = found.node,
                             .array = to,
                             .buffer = sizes});
  for (int64_t i = 0; i < found.n_variadic; ++i) {
    ByteSpan bytes;
    if (!ReadPlace(found.node, &bytes)) return false;
    to->buffers[2 + i] = bytes.empty() ? kNoBytes : bytes.data();
    if (bytes.empty() || take_over_ != TakeOver::kCopyAll) continue;
    reader_.copies_.push_back({.from = bytes.data(),
                               .bytes = bytes.size(),
                               .node = found.node,
                               .array = to,
                               .buffer = 2 + i});
  }
  return true;
}

// Points to a buffer, from the byte `skip` on, or notes the copy of it.
inline void RecordBuilder::Fill(const Found& found, int buffer, int64_t skip,
                                int64_t bytes, bool copy, ArrowArray* to) {
  const std::byte* from = found.buffers[buffer].data();
  if (from == nullptr || bytes == skip) {
    to->buffers[buffer] = kNoBytes;
  } else if (!copy) {
    to->buffers[buffer] = from + skip;
  } else {
    reader_.copies_.push_back({.from = from + skip,
                               .bytes = static_cast<uint64_t>(bytes - skip),
                               .node = found.node,
                               .array = to,
                               .buffer = buffer});
  }
}

bool RecordBuilder::FillBuffers(Found& found, ArrowArray* to, bool run_ends) {
  const Node* node = found.node;
  const bool copy = take_over_ != TakeOver::kView;
  const bool copy_all = take_over_ == TakeOver::kCopyAll;
  const bool bitmap = HasBitmap(node->form) && !found.buffers[0].empty();
  const bool copy_values = copy_all || (copy && (node->dictionary || run_ends));
  const int64_t end = found.end();
  const int64_t wide = node->integer_bytes;
  // Rows before the first one are not copied, unless children have them too.
  int64_t skip = 0;
  switch (node->form) {
    case Form::kFixed:
      skip = copy_values || (copy && bitmap) ? found.offset & ~int64_t{7} : 0;
      break;
    case Form::kOffsets:
    case Form::kViews:
    case Form::kList:
    case Form::kListView:
    case Form::kDenseUnion:
      skip = copy ? found.offset & ~int64_t{7} : 0;
      break;
    default:
      break;
  }
  to->offset = found.offset - skip;
  if (bitmap) Fill(found, 0, skip / 8, BitmapBytes(end), copy, to);
  switch (node->form) {
    case Form::kFixed:
      Fill(found, 1, ValueBytes(*node, skip), ValueBytes(*node, end), copy_values, to);
      return true;
    case Form::kOffsets:
      return FillBytes(found, to, skip);
    case Form::kList:
      if (found.length > 0 && copy) {
        reader_.copies_.push_back(
            {.kind = Copy::Kind::kOffsets,
             .lead = static_cast<int32_t>(to->offset),
             .from = found.buffers[1].data() + found.offset * wide,
             .bytes = static_cast<uint64_t>((to->offset + found.length + 1) * wide),
             .node = node,
             .array = to,
             .buffer = 1,
             .rows = found.length});
        return true;
      }
      Fill(found, 1, 0, 1, false, to);
      return true;
    case Form::kViews:
      if (found.length > 0 && copy) {
        reader_.copies_.push_back(
            {.kind = Copy::Kind::kViews,
             .lead = static_cast<int32_t>(to->offset),
             .from = found.buffers[1].data() + found.offset * kViewBytes,
             .bytes = static_cast<uint64_t>((to->offset + found.length) * kViewBytes),
             .node = node,
             .array = to,
             .buffer = 1,
             .rows = found.length});
        return true;
      }
      Fill(found, 1, 0, 1, false, to);
      return true;
    case Form::kListView:
      Fill(found, 1, skip * wide, end * wide, copy, to);
      Fill(found, 2, skip * wide, end * wide, copy, to);
      return true;
    case Form::kSparseUnion:
      Fill(found, 0, 0, end, copy, to);
      return true;
    case Form::kDenseUnion:
      Fill(found, 0, skip, end, copy, to);
      Fill(found, 1, skip * wide, end * wide, copy, to);
      return true;
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return true;
}

// Offsets, and the bytes that they point into.
bool RecordBuilder::FillBytes(const Found& found, ArrowArray* to, int64_t skip) {
  const Node* node = found.node;
  const uint8_t wide = node->integer_bytes;
  const auto size = static_cast<int64_t>(found.buffers[2].size());
  if (found.length == 0) {
    to->buffers[1] = to->buffers[2] = kNoBytes;
    return true;
  }
  // Each is read once. With kCopyAll the copy must find the same numbers again.
  const std::byte* offsets = found.buffers[1].data();
  const int64_t first = LoadSigned(offsets, found.offset, wide);
  const int64_t last = LoadSigned(offsets, found.end(), wide);
  EndOfSharedRead();
  if (first < 0 || last < first || last > size) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_OFFSETS,
                  "the first and the last offset are " + std::to_string(first) + " and " +
                      std::to_string(last) + ", in " + std::to_string(size) + " bytes");
  }
  to->buffers[2] = size == 0 ? kNoBytes : found.buffers[2].data();
  if (take_over_ == TakeOver::kView) {
    to->buffers[1] = offsets;
    return true;
  }
  const bool all = take_over_ == TakeOver::kCopyAll;
  reader_.copies_.push_back(
      {.kind = Copy::Kind::kOffsets,
       .lead = static_cast<int32_t>(found.offset - skip),
       .from = offsets + found.offset * wide,
       .bytes = static_cast<uint64_t>((found.offset - skip + found.length + 1) * wide),
       .node = node,
       .array = to,
       .buffer = 1,
       .rows = found.length,
       .base = all ? first : -1,
       .limit = all ? last : size});
  if (!all) return true;
  to->buffers[2] = kNoBytes;
  if (last == first) return true;
  reader_.copies_.push_back({.from = found.buffers[2].data() + first,
                             .bytes = static_cast<uint64_t>(last - first),
                             .node = node,
                             .array = to,
                             .buffer = 2});
  return true;
}

Status RecordBuilder::MakeCopies() {
  if (reader_.copies_.empty()) return Status();
  uint64_t bytes = 0;
  for (const Copy& copy : reader_.copies_) {
    // No copy has more bytes than a segment, except sizes, which have fewer than the
    // record: the sum of two cannot overflow.
    bytes += Aligned(copy.bytes);
    if (bytes > reader_.most_copied_) {
      return Fail(ALLOY_EXHAUSTED, "the copies of a batch have more than " +
                                       std::to_string(reader_.most_copied_) + " bytes");
    }
  }
  auto* to = static_cast<std::byte*>(std::aligned_alloc(kAlignment, bytes));
  if (to == nullptr) {
    return Fail(ALLOY_EXHAUSTED, "out of memory for the copies of a batch, which have " +
                                     std::to_string(bytes) + " bytes");
  }
  block_->owner().copies.reset(to);
  for (const Copy& copy : reader_.copies_) {
    ALLOY_TRY(MakeCopy(copy, to));
    to += Aligned(copy.bytes);
  }
  return Status();
}

Status RecordBuilder::MakeCopy(const Copy& copy, std::byte* to) {
  copy.array->buffers[copy.buffer] = to;
  switch (copy.kind) {
    case Copy::Kind::kBytes:
      std::memcpy(to, copy.from, copy.bytes);
      return Status();
    case Copy::Kind::kViewSizes:
      for (uint64_t i = 0; i < copy.bytes / sizeof(uint64_t); ++i) {
        std::memcpy(to + i * sizeof(uint64_t),
                    copy.from + (i * record::kPlaceWords + 2) * sizeof(uint64_t),
                    sizeof(uint64_t));
      }
      return Status();
    case Copy::Kind::kOffsets: {
      const uint8_t wide = copy.node->integer_bytes;
      const size_t lead = static_cast<size_t>(copy.lead) * wide;
      std::memset(to, 0, lead);
      const int64_t row = CopyCheckedOffsets(to + lead, copy.from, wide, copy.rows,
                                             copy.base, copy.limit);
      if (row < 0) return Status();
      Refuse(copy.node, ALLOY_REASON_OFFSETS,
             "an offset is negative, below the one before it, or beyond the bytes", row);
      return std::move(fault_);
    }
    case Copy::Kind::kViews: {
      const size_t lead = static_cast<size_t>(copy.lead * kViewBytes);
      std::memset(to, 0, lead);
      const int64_t row =
          CopyCheckedViews(to + lead, copy.from, copy.rows, *copy.array, copy.lead);
      if (row < 0) return Status();
      Refuse(copy.node, ALLOY_REASON_VIEW,
             "the view has a negative length, or points outside its buffers", row);
      return std::move(fault_);
    }
  }
  return Status();
}

bool RecordBuilder::Refuse(const Node* node, int32_t reason, std::string_view what,
                           int64_t row) {
  const auto column = static_cast<int32_t>(node - layout_.nodes().data()) - 1;
  fault_ = DataFault(reason, {.column = column, .path = layout_.Path(column), .row = row},
                     what);
  return false;
}

RecordReader::RecordReader(const Layout& layout) : layout_(layout) {
  for (const Layout::Node& node : layout.nodes()) {
    n_buffers_ += node.n_buffers;
    has_views_ = has_views_ || node.form == Form::kViews;
  }
}

Status RecordReader::Read(ByteReader& in, std::span<const SegmentView> segments,
                          TakeOver take_over, std::shared_ptr<void> owner,
                          ArrowArray* out) {
  Status status =
      RecordBuilder(this, &in, segments, take_over).Build(std::move(owner), out);
  if (!status.ok()) *out = {};
  return status;
}

}  // namespace alloy::core
