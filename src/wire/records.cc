// SPDX-License-Identifier: MIT
#include "wire/records.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "alloy/block.hpp"
#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "arrow/load_value.h"

namespace alloy::core {
namespace {

constexpr uint64_t kAlign = 64;
constexpr uint64_t kMostBytes = uint64_t{1} << 46;

uint64_t Rounded(uint64_t size) { return (size + kAlign - 1) & ~(kAlign - 1); }

int64_t ReadInteger(const void* base, int64_t index, uint8_t bytes) {
  if (bytes == 1) return LoadValue<int8_t>(base, index);
  if (bytes == 2) return LoadValue<int16_t>(base, index);
  if (bytes == 4) return LoadValue<int32_t>(base, index);
  return LoadValue<int64_t>(base, index);
}

uint64_t BitmapBytes(int64_t bits) { return (static_cast<uint64_t>(bits) + 7) / 8; }

// How many bytes a buffer of an array has, as its struct implies; the gate has checked that
// none of this overflows. Views: the variadic buffers have their sizes elsewhere.
uint64_t ImpliedBytes(const Layout::Node& node, int64_t end, int64_t buffer) {
  const auto rows = static_cast<uint64_t>(end);
  if (buffer == 0 && HasBitmap(node.form)) return BitmapBytes(end);
  switch (node.form) {
    case Form::kFixed:
      return node.bits % 8 == 0 ? rows * static_cast<uint64_t>(node.bits / 8)
                                : BitmapBytes(end * node.bits);
    case Form::kOffsets:
    case Form::kList:
      return (rows + 1) * node.integer_bytes;  // the bytes of kOffsets are not asked
    case Form::kViews:
      return rows * 16;
    case Form::kListView:
      return rows * node.integer_bytes;
    case Form::kSparseUnion:
      return rows;
    case Form::kDenseUnion:
      return buffer == 0 ? rows : rows * 4;
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      break;
  }
  return 0;
}

}  // namespace

// ---- Writing

Status RecordWriter::Plan(const ArrowArray& batch,
                          std::span<const SegmentView> segments) {
  nodes_.clear();
  buffers_.clear();
  copied_ = 0;
  segments_ = segments;
  const Layout::Node* node = layout_.nodes().data();
  return PlanNode(&node, batch);
}

Status RecordWriter::PlanNode(const Layout::Node** at, const ArrowArray& array) {
  const Layout::Node& node = **at;
  ++*at;
  const int64_t end = array.offset + array.length;
  // An array of the null type may have one buffer, which holds nothing.
  const int64_t n = node.form == Form::kNull ? 0 : array.n_buffers;
  nodes_.push_back({array.length, array.null_count, array.offset, n});
  for (int64_t i = 0; i < n; ++i) {
    uint64_t size = ImpliedBytes(node, end, i);
    if (node.form == Form::kOffsets && i == 1 && array.buffers[1] == nullptr) size = 0;
    if (node.form == Form::kOffsets && i == 2) {
      size = array.buffers[1] == nullptr
                 ? 0
                 : static_cast<uint64_t>(
                       ReadInteger(array.buffers[1], end, node.integer_bytes));
    }
    if (node.form == Form::kViews && i >= 2) {
      const int64_t variadic = n - 3;
      size = i == n - 1
                 ? static_cast<uint64_t>(variadic) * 8
                 : static_cast<uint64_t>(LoadValue<int64_t>(array.buffers[n - 1], i - 2));
    }
    if (size > kMostBytes - copied_) {
      return Fail(ALLOY_EXHAUSTED, "a batch of more than " + std::to_string(kMostBytes) +
                                       " bytes cannot cross to a worker");
    }
    AddBuffer(array.buffers[i], size);
  }
  if (node.dictionary) ALLOY_TRY(PlanNode(at, *array.dictionary));
  for (int64_t i = 0; i < node.n_children; ++i) {
    ALLOY_TRY(PlanNode(at, *array.children[i]));
  }
  return Status();
}

void RecordWriter::AddBuffer(const void* data, uint64_t size) {
  Buffer buffer{
      .data = static_cast<const std::byte*>(data), .place = {}, .copied = false};
  buffer.place.length = data != nullptr ? size : 0;
  buffer.is_null = data == nullptr;
  if (buffer.place.length > 0) {
    for (const SegmentView& segment : segments_) {
      if (buffer.data < segment.bytes.data() ||
          buffer.data + size > segment.bytes.data() + segment.bytes.size()) {
        continue;
      }
      buffer.place.segment = segment.number;
      buffer.place.offset =
          segment.begin + static_cast<uint64_t>(buffer.data - segment.bytes.data());
      buffers_.push_back(buffer);
      return;
    }
    buffer.copied = true;
    buffer.place.offset = copied_;
    copied_ += Rounded(size);
  }
  buffers_.push_back(buffer);
}

uint64_t RecordWriter::copied_bytes() const { return copied_; }

void RecordWriter::Copy(std::byte* to, uint32_t segment, uint64_t offset) {
  for (Buffer& buffer : buffers_) {
    if (!buffer.copied) continue;
    std::memcpy(to + buffer.place.offset, buffer.data, buffer.place.length);
    buffer.place.segment = segment;
    buffer.place.offset += offset;
    buffer.copied = false;
  }
}

void RecordWriter::Write(ByteWriter& out) const {
  const Buffer* buffer = buffers_.data();
  for (const NodeHead& node : nodes_) {
    out.Put(node);
    for (int64_t i = 0; i < node.n_buffers; ++i, ++buffer) {
      out.Put(static_cast<uint8_t>(buffer->is_null));
      out.Put(buffer->place);
    }
  }
}

// ---- Reading

namespace {

struct ReadBuffer {
  const std::byte* data = nullptr;
  uint64_t length = 0;
};

struct CopiedOwner {
  std::shared_ptr<void> owner;
  std::unique_ptr<std::byte[]> copies;
};

bool IsFollowed(const Layout::Node& node, int64_t buffer) {
  if (node.dictionary) return buffer == 1;
  switch (node.form) {
    case Form::kOffsets:
    case Form::kList:
    case Form::kViews:
      return buffer == 1;
    case Form::kListView:
      return buffer == 1 || buffer == 2;
    case Form::kSparseUnion:
    case Form::kDenseUnion:
      return true;
    default:
      return node.points_elsewhere && node.form == Form::kFixed && buffer == 1;
  }
}

const std::byte kNothing[64] = {};

}  // namespace

Status RecordReader::Read(ByteReader& in, std::span<const SegmentView> segments,
                          TakeOver take_over, std::shared_ptr<void> owner,
                          ArrowArray* out) {
  *out = ArrowArray{};
  struct Head {
    int64_t length, null_count, offset, n_buffers;
  };
  struct Node {
    Head head;
    size_t first_buffer;
    bool copies;
  };
  std::vector<Node> nodes;
  std::vector<ReadBuffer> buffers;
  const auto bad = [&](size_t node, int32_t reason, const char* what) {
    return Status(Fault{.code = ALLOY_BAD_DATA,
                        .reason = reason,
                        .column = static_cast<int32_t>(node) - 1,
                        .text = what});
  };
  const std::span<const Layout::Node> layout = layout_.nodes();
  uint64_t to_copy = 0;
  // Run ends are followed too: they are the first child of their parent.
  std::vector<bool> is_run_ends(layout.size());
  for (size_t i = 0; i + 1 < layout.size(); ++i) {
    if (layout[i].form == Form::kRunEnd) is_run_ends[i + 1] = true;
  }
  for (size_t i = 0; i < layout.size(); ++i) {
    const Layout::Node& node = layout[i];
    Node read{.head = in.Get<Head>(), .first_buffer = buffers.size(), .copies = false};
    const Head& head = read.head;
    if (!in.ok()) return bad(i, ALLOY_REASON_NONE, "the record is cut");
    if (head.length < 0 || head.offset < 0 || head.offset > node.max_end - head.length) {
      return bad(i, ALLOY_REASON_OVERFLOW, "length or offset are impossible");
    }
    const bool is_views = node.form == Form::kViews;
    if (is_views ? head.n_buffers < 3 : head.n_buffers != node.n_buffers) {
      return bad(i, ALLOY_REASON_BUFFER_COUNT, "the number of buffers");
    }
    if (static_cast<uint64_t>(head.n_buffers) > in.left() / sizeof(BufferPlace)) {
      return bad(i, ALLOY_REASON_BUFFER_COUNT, "the number of buffers");
    }
    const int64_t end = head.offset + head.length;
    for (int64_t b = 0; b < head.n_buffers; ++b) {
      const bool is_null = in.Get<uint8_t>() != 0;
      const auto place = in.Get<BufferPlace>();
      if (!in.ok()) return bad(i, ALLOY_REASON_NONE, "the record is cut");
      ReadBuffer buffer;
      if (!is_null && place.length == 0) buffer.data = kNothing;
      if (!is_null && place.length > 0) {
        for (const SegmentView& segment : segments) {
          if (segment.number != place.segment || place.offset < segment.begin) continue;
          const uint64_t from = place.offset - segment.begin;
          if (from > segment.bytes.size() || place.length > segment.bytes.size() - from) {
            continue;
          }
          buffer.data = segment.bytes.data() + from;
          buffer.length = place.length;
          break;
        }
        if (buffer.data == nullptr) {
          return bad(i, ALLOY_REASON_NONE, "a buffer lies outside of its segment");
        }
      }
      const bool is_sizes = is_views && b == head.n_buffers - 1;
      const bool is_variadic = is_views && b >= 2 && !is_sizes;
      const bool is_data = node.form == Form::kOffsets && b == 2;
      if (!is_variadic && !is_data && !is_sizes && buffer.data != nullptr &&
          buffer.length < ImpliedBytes(node, end, b)) {
        return bad(i, ALLOY_REASON_OVERFLOW, "a buffer is too short for its rows");
      }
      const bool copy = take_over == TakeOver::kCopyAll ||
                        (take_over == TakeOver::kCopyFollowed &&
                         (IsFollowed(node, b) || (is_run_ends[i] && b == 1)));
      if (copy && buffer.length > 0) {
        read.copies = true;
        to_copy += Rounded(buffer.length);
        if (to_copy > kMostBytes) return bad(i, ALLOY_REASON_OVERFLOW, "sizes");
      }
      if (is_sizes) to_copy += Rounded(static_cast<uint64_t>(head.n_buffers) * 8);
      buffers.push_back(buffer);
    }
    nodes.push_back(read);
  }
  CopiedOwner keeps{std::move(owner), nullptr};
  if (to_copy > 0) {
    keeps.copies.reset(new (std::nothrow) std::byte[to_copy + kAlign]);
    if (keeps.copies == nullptr) return Fail(ALLOY_EXHAUSTED, "out of memory");
  }
  auto* copy_to = keeps.copies.get();
  copy_to += (kAlign - reinterpret_cast<uintptr_t>(copy_to) % kAlign) % kAlign;
  for (size_t i = 0; i < layout.size(); ++i) {
    const Layout::Node& node = layout[i];
    const Head& head = nodes[i].head;
    const int64_t end = head.offset + head.length;
    for (int64_t b = 0; b < head.n_buffers; ++b) {
      ReadBuffer& buffer = buffers[nodes[i].first_buffer + static_cast<size_t>(b)];
      const bool is_sizes = node.form == Form::kViews && b == head.n_buffers - 1;
      if (is_sizes) {
        for (int64_t v = 0; v < head.n_buffers - 3; ++v) {
          const auto size = static_cast<int64_t>(
              buffers[nodes[i].first_buffer + 2 + static_cast<size_t>(v)].length);
          std::memcpy(copy_to + v * 8, &size, 8);
        }
        buffer = {copy_to, static_cast<uint64_t>(head.n_buffers - 3) * 8};
        copy_to += Rounded(static_cast<uint64_t>(head.n_buffers) * 8);
        continue;
      }
      const bool copy = take_over == TakeOver::kCopyAll ||
                        (take_over == TakeOver::kCopyFollowed &&
                         (IsFollowed(node, b) || (is_run_ends[i] && b == 1)));
      if (copy && buffer.length > 0) {
        std::memcpy(copy_to, buffer.data, buffer.length);
        buffer.data = copy_to;
        copy_to += Rounded(buffer.length);
      }
      if (node.form == Form::kOffsets && b == 2) {
        const ReadBuffer& offsets = buffers[nodes[i].first_buffer + 1];
        if (offsets.data != nullptr && offsets.length > 0) {
          const int64_t last = ReadInteger(offsets.data, end, node.integer_bytes);
          if (last < 0 || static_cast<uint64_t>(last) > buffer.length) {
            return bad(i, ALLOY_REASON_OFFSETS, "offsets point behind the bytes");
          }
        }
      }
    }
  }
  auto block =
      Block<CopiedOwner>::Make(static_cast<int64_t>(layout.size()),
                               static_cast<int64_t>(buffers.size()), std::move(keeps));
  if (!block) return Fail(ALLOY_EXHAUSTED, "out of memory");
  size_t at = 0;
  const auto fill = [&](auto& self, ArrowArray* array) -> void {
    const Layout::Node& node = layout[at];
    const Node& read = nodes[at++];
    block.Init(array, {.length = read.head.length,
                       .null_count = read.head.null_count,
                       .offset = read.head.offset,
                       .n_buffers = read.head.n_buffers,
                       .n_children = node.n_children,
                       .dictionary = node.dictionary});
    for (int64_t b = 0; b < read.head.n_buffers; ++b) {
      array->buffers[b] = buffers[read.first_buffer + static_cast<size_t>(b)].data;
    }
    if (node.dictionary) self(self, array->dictionary);
    for (int64_t c = 0; c < node.n_children; ++c) self(self, array->children[c]);
  };
  fill(fill, out);
  block.Finish();
  return Status();
}

}  // namespace alloy::core
