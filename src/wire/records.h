// SPDX-License-Identifier: MIT
//
// Arrays as records. A record says where each buffer lies: (segment, offset, length), never
// an address. So the two processes need not share addresses, and every buffer has a known
// size, which the C data interface does not carry.
//
// A record is written in preorder along the layout (a dictionary first, then the children),
// as the gate counts columns. Neither side tells the other the nesting.
#ifndef ALLOY_SRC_WIRE_RECORDS_H_
#define ALLOY_SRC_WIRE_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/result.h"
#include "wire/bytes.h"

namespace alloy::core {

// Where the bytes of a buffer lie. Segments count from 1; 0: the buffer has no bytes.
struct BufferPlace {
  uint32_t segment = 0;
  uint64_t offset = 0;
  uint64_t length = 0;  // in bytes
};

// A segment, or a part of one, as this process has mapped it. Several parts may have the
// same number.
struct SegmentView {
  uint32_t number = 0;
  std::span<const std::byte> bytes;
  uint64_t begin = 0;  // where the part begins in its segment
};

// Writes batches of one layout as records. What lies in one of the segments is only named;
// everything else is copied once, trimmed to what the rows of a slice use. Use: Plan, then
// Copy if copied_bytes() is not 0, then Write.
//
// Keeps its memory from batch to batch, so a batch allocates nothing once it is warm.
//
// Threads  serial.
class RecordWriter {
 public:
  // Borrows layout, as long as this lives.
  explicit RecordWriter(const Layout& layout) : layout_(layout) {}

  // Read what a batch consists of. It has passed the gate at level shape: its structs are
  // sound, and its values are not checked. Only the values that decide a size are read:
  // the first and the last offset, and the sizes of variadic buffers.
  //   Borrows  batch, until Copy has returned; segments, for this call.
  //   Fails    BAD_DATA with reason OFFSETS or the gate's own, and column: such a value is
  //            impossible. EXHAUSTED: sizes overflow.
  Status Plan(const ArrowArray& batch, std::span<const SegmentView> segments);

  // How many bytes Copy writes; each buffer begins at a multiple of 64.
  uint64_t copied_bytes() const;
  // Copy to `to`, which is aligned to 64 and lies at `offset` of segment `segment`.
  void Copy(std::byte* to, uint32_t segment, uint64_t offset);
  void Write(ByteWriter& out) const;

 private:
  struct NodeHead {
    int64_t length, null_count, offset, n_buffers;
  };
  struct Buffer {
    const std::byte* data = nullptr;
    BufferPlace place;
    bool copied = false;
    bool is_null = false;
  };
  Status PlanNode(const Layout::Node** at, const ArrowArray& array);
  void AddBuffer(const void* data, uint64_t size);

  const Layout& layout_;
  std::span<const SegmentView> segments_;
  std::vector<NodeHead> nodes_;
  std::vector<Buffer> buffers_;
  uint64_t copied_ = 0;
};

// What becomes of the bytes that a record names.
enum class TakeOver : uint8_t {
  // All of them are viewed in place: a worker trusts its host.
  kView,
  // What readers follow (offsets, views, indices, type ids, run ends, sizes of lists) is
  // copied, since the other side may change it at any time; the rest is viewed.
  kCopyFollowed,
  // All of them are copied. Nothing refers to a segment afterwards.
  kCopyAll,
};

// Makes batches of one layout from records that the other side may have made up.
//
// Threads  serial.
class RecordReader {
 public:
  // Borrows layout, as long as this lives.
  explicit RecordReader(const Layout& layout) : layout_(layout) {}

  // Make a batch. Every buffer lies inside its segment and is at least as long as the
  // struct implies, and what is copied agrees with the size of the buffer that it points
  // into: no offset is below 0, above the one after it, or above the bytes of the values.
  // All other rules are the gate's, which the caller lets it pass at level safe.
  //
  // `segments` are those that the other side may name for this batch. `owner` is kept by
  // the batch, and destroyed with its last struct, also if it refers to no segment.
  //   Gives  out; on failure it is empty, and owner is destroyed.
  //   Fails  BAD_DATA with reason and column: the record lies, or is cut.
  //          EXHAUSTED: without memory for the copy.
  Status Read(ByteReader& in, std::span<const SegmentView> segments, TakeOver take_over,
              std::shared_ptr<void> owner, ArrowArray* out);

 private:
  const Layout& layout_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_RECORDS_H_
