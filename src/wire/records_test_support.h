// SPDX-License-Identifier: MIT
//
// Segments, and the way of a batch from one process to the other, in one process.
#ifndef ALLOY_SRC_WIRE_RECORDS_TEST_SUPPORT_H_
#define ALLOY_SRC_WIRE_RECORDS_TEST_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "arrow/layout.h"
#include "arrow/owned.h"
#include "base/result.h"
#include "wire/records.h"

namespace alloy::core::wire_testing {

// Memory of exactly one size, so that AddressSanitizer sees each read behind it.
class Segment {
 public:
  Segment(uint32_t number, size_t bytes) : number_(number), size_(bytes) {
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, bytes == 0 ? 1 : bytes) != 0) std::abort();
    bytes_.reset(static_cast<std::byte*>(memory));
    std::memset(memory, 0xA5, bytes);
  }

  std::byte* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  SegmentView view() const { return {number_, {bytes_.get(), size_}}; }
  bool Has(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    return at >= bytes_.get() && at < bytes_.get() + size_;
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  uint32_t number_;
  size_t size_;
  std::unique_ptr<std::byte, Free> bytes_;
};

// A batch as a message: the record, and the segment with what was copied.
struct Message {
  std::vector<std::byte> record;
  std::unique_ptr<Segment> copies;  // NULL: nothing was copied
  std::vector<SegmentView> segments;

  std::span<const std::byte> bytes() const { return record; }
};

inline constexpr uint32_t kCopies = 7;

inline Result<Message> Send(const Layout& layout, const ArrowArray& batch,
                            std::vector<SegmentView> segments = {}) {
  RecordWriter writer(layout);
  ALLOY_TRY(writer.Plan(batch, segments));
  Message message;
  message.segments = std::move(segments);
  if (writer.copied_bytes() > 0) {
    // The copies do not begin at the begin of their segment.
    message.copies = std::make_unique<Segment>(kCopies, writer.copied_bytes() + 128);
    writer.Copy(message.copies->data() + 128, kCopies, 128);
    message.segments.push_back(message.copies->view());
  }
  std::vector<std::byte> record(writer.record_bytes());
  ByteWriter out(record);
  writer.Write(out);
  if (out.full() || out.used() != record.size()) {
    return Fail(ALLOY_INTERNAL, "the record has another size than record_bytes()");
  }
  message.record = std::move(record);
  return message;
}

inline Result<OwnedArray> Receive(const Layout& layout, std::span<const std::byte> record,
                                  std::span<const SegmentView> segments,
                                  TakeOver take_over,
                                  std::shared_ptr<void> owner = nullptr) {
  RecordReader reader(layout);
  ByteReader in(record);
  ArrowArray array;
  ALLOY_TRY(reader.Read(in, segments, take_over, std::move(owner), &array));
  OwnedArray batch(&array);
  if (!in.AtEnd()) return Fail(ALLOY_INTERNAL, "the record is not read to its end");
  return batch;
}

}  // namespace alloy::core::wire_testing

#endif  // ALLOY_SRC_WIRE_RECORDS_TEST_SUPPORT_H_
