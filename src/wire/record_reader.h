// SPDX-License-Identifier: MIT
//
// Makes batches from records (records.h).
#ifndef ALLOY_SRC_WIRE_RECORD_READER_H_
#define ALLOY_SRC_WIRE_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "wire/bytes.h"
#include "wire/places.h"

namespace alloy::core {

// What becomes of the bytes that a record names.
enum class TakeOver : uint8_t {
  // All of them are viewed in place: a worker trusts its host.
  kView,
  // What readers follow (validity, offsets, views, indices, type ids, run ends, sizes of
  // lists) is copied, since the other side may change it at any time; the rest is viewed.
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
  explicit RecordReader(const Layout& layout);

  // The most bytes that one batch may copy. A record may name the same bytes many times,
  // so the sizes of the segments are no limit.
  void LimitCopies(uint64_t bytes) { most_copied_ = bytes; }

  // Make a batch. Every buffer lies inside its segment and is at least as long as the
  // struct implies, and what is copied agrees with the size of the buffer that it points
  // into: no offset is below 0, above the one after it, or above the bytes of the values,
  // and no view leaves its buffer. (A view of a null row that does becomes empty.)
  // All other rules are the gate's, which the caller lets it pass at level safe.
  //
  // `segments` are those that the other side may name for this batch. `owner` is kept by
  // the batch, and destroyed with its last struct, also if it refers to no segment.
  //   Gives  out; on failure it is empty, and owner is destroyed.
  //   Fails  BAD_DATA with reason and column: the record lies, or is cut.
  //          EXHAUSTED: without memory for the copy, or above LimitCopies.
  Status Read(ByteReader& in, std::span<const SegmentView> segments, TakeOver take_over,
              std::shared_ptr<void> owner, ArrowArray* out);

 private:
  friend class RecordBuilder;

  // Bytes that are copied when the whole record has been read.
  struct Copy {
    enum class Kind : uint8_t { kBytes, kOffsets, kViews, kViewSizes };
    Kind kind = Kind::kBytes;
    int32_t lead = 0;                 // rows that come first and that nobody reads
    const std::byte* from = nullptr;  // of offsets and views: the row after the lead
    uint64_t bytes = 0;               // of the copy
    const Layout::Node* node = nullptr;
    ArrowArray* array = nullptr;
    int64_t buffer = 0;
    int64_t rows = 0;   // after the lead
    int64_t base = -1;  // the first offset, which becomes 0; -1: offsets do not change
    int64_t limit = std::numeric_limits<int64_t>::max();  // of the last offset
  };

  const Layout& layout_;
  int64_t n_buffers_ = 0;  // of all nodes, without variadic ones
  bool has_views_ = false;
  uint64_t most_copied_ = std::numeric_limits<uint64_t>::max();
  std::vector<Copy> copies_;  // kept for its memory
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_RECORD_READER_H_
