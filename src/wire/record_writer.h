// SPDX-License-Identifier: MIT
//
// Writes batches as records (records.h).
#ifndef ALLOY_SRC_WIRE_RECORD_WRITER_H_
#define ALLOY_SRC_WIRE_RECORD_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "base/status.h"
#include "wire/bytes.h"
#include "wire/places.h"

namespace alloy::core {

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
  explicit RecordWriter(const Layout& layout);

  // Read what a batch consists of. It has passed the gate at level shape: its structs are
  // sound, and its values are not checked. Only the values that decide a size are read:
  // the first and the last offset, and the sizes of variadic buffers. If an array whose
  // rows point into a child or into variadic buffers is copied, its rows are read too, to
  // find the part that they use.
  //   Borrows  batch, until Copy has returned; segments, for this call.
  //   Fails    BAD_DATA with reason OFFSETS or the gate's own, and column: such a value is
  //            impossible. EXHAUSTED: sizes overflow.
  Status Plan(const ArrowArray& batch, std::span<const SegmentView> segments);

  // What Write only names: where it is in this process.
  std::span<const SegmentView> named() const { return named_; }
  // How many bytes Copy writes; each buffer begins at a multiple of 64.
  uint64_t copied_bytes() const { return copied_; }
  // Copy to `to`, which is aligned to 64 and lies at `offset` of segment `segment`.
  void Copy(std::byte* to, uint32_t segment, uint64_t offset);
  // How many bytes Write writes.
  size_t record_bytes() const { return n_words_ * sizeof(uint64_t); }
  void Write(ByteWriter& out) const;

 private:
  using Node = Layout::Node;

  // Rows of an array as its parent counts them, without the offset of the array.
  struct Rows {
    int64_t begin = 0;
    int64_t count = 0;
  };

  // The part of a child or of a variadic buffer that rows use.
  struct Used {
    int64_t begin = 0;
    int64_t end = 0;     // 0: nothing is used
    int32_t number = 0;  // of a variadic buffer in the record
  };

  // Bytes that Copy writes.
  struct Piece {
    enum class Kind : uint8_t {
      kBytes,
      kOffsets,
      kViews,
      kListViewOffsets,
      kUnionOffsets
    };
    Kind kind = Kind::kBytes;
    uint8_t integer_bytes = 0;
    int32_t lead = 0;  // rows that come first and that nobody reads
    size_t word = 0;   // of its place in the record
    uint64_t at = 0;   // from the begin of the copies
    const void* from = nullptr;
    uint64_t bytes = 0;
    // Of other kinds than kBytes. `from` is the row after the lead.
    int64_t base = 0;   // what the offsets become smaller by
    int64_t rows = 0;   // after the lead; of offsets: one more
    int64_t first = 0;  // the row after the lead, from the begin of the buffers
    const Node* node = nullptr;
    const ArrowArray* array = nullptr;
    size_t used = 0;  // of views and unions: the first variadic buffer or child in used_
  };

  void PlanNode(const Node* node, const ArrowArray& array, Rows rows);
  void PlanRows(const Node* node, const ArrowArray& array, Rows rows);
  void PlanNoRows(const Node* node, const ArrowArray& array);
  bool TryInPlace(const Node* node, const ArrowArray& array, Rows rows);
  void PlanInPlace(const Node* node, const ArrowArray& array, Rows rows);
  void PlanTrimmed(const Node* node, const ArrowArray& array, Rows rows);
  void PlanBytes(const Node* node, const ArrowArray& array, int64_t start, int32_t lead,
                 Rows at);
  void PlanViews(const ArrowArray& array, int64_t start, int32_t lead, Rows at);
  void PlanList(const Node* node, const ArrowArray& array, int64_t start, int32_t lead,
                Rows at);
  void PlanListView(const Node* node, const ArrowArray& array, int64_t start,
                    int32_t lead, Rows at);
  void PlanDenseUnion(const Node* node, const ArrowArray& array, Rows at);
  void PlanRunEnds(const Node* node, const ArrowArray& array, Rows at);
  void PlanChildren(const Node* node, const ArrowArray& array, Rows rows);
  bool PlanPlain(const Node* node, const ArrowArray& array);
  void PlanWholeChildren(const Node* node, const ArrowArray& array);

  bool IsPlaced(const void* bytes, uint64_t size);
  bool IsPlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool IsTreePlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool AreChildrenPlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool ReadOffsets(const Node* node, const ArrowArray& array, Rows at, int64_t* first,
                   int64_t* last);

  void Begin(int64_t length, int64_t null_count, int64_t offset);
  void Put(int buffer, const void* bytes, uint64_t size);
  bool TryPut(int buffer, const void* bytes, uint64_t size);
  void PutPlaced(const void* bytes, uint64_t size);
  void PutVariadic(const void* bytes, uint64_t size);
  void PutPlaceOf(const void* bytes, uint64_t size);
  void PutCopy(Piece piece);
  void CopyViews(std::byte* to, const Piece& piece) const;
  void CopyUnionOffsets(std::byte* to, const Piece& piece) const;
  static void CopyListViewOffsets(std::byte* to, const Piece& piece);
  void ReserveWords(size_t words);
  void Refuse(const Node* node, int32_t reason, std::string_view what);

  const Layout& layout_;
  std::span<const SegmentView> segments_;
  size_t segment_ = 0;  // where the last buffer was
  // The place that was named last, if it is of a plain column: its end, its length, its
  // segment.
  struct Plain {
    const std::byte* end = nullptr;
    uint64_t size = 0;
    size_t segment = 0;
    bool operator==(const Plain&) const = default;
  };
  Plain plain_;
  int64_t rows_ = 0;  // of the batch

  std::vector<uint64_t> words_;
  size_t n_words_ = 0;
  size_t flags_ = 0;  // the word of the node that is written
  std::vector<SegmentView> named_;
  std::vector<Piece> pieces_;
  std::vector<Used> used_;
  uint64_t copied_ = 0;
  bool overflow_ = false;
  Status fault_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_RECORD_WRITER_H_
