// SPDX-License-Identifier: MIT
//
// Sends a batch to another process, in which some of it already lies, and lets that process
// lie: words of the record and bytes of the segments are changed. The engine then reads the
// record and passes the batch through the gate. If both accept it, every value is read. A
// record that was not changed must be accepted.
//
// The batch may be damaged before it is written, as far as level shape does not notice.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "arrow/layout.h"
#include "engine/isolated/records_test_reader.h"
#include "gate/batch.h"
#include "gate/fuzz_array.h"
#include "wire/records_test_support.h"

namespace alloy::core {
namespace {

using isolated_testing::BatchReader;
using wire_testing::Message;
using wire_testing::Receive;
using wire_testing::Send;

void Require(bool condition) {
  if (!condition) std::abort();
}

void Lie(fuzz::Bytes* bytes, Message* message) {
  const size_t words = message->record.size() / sizeof(uint64_t);
  const size_t word = bytes->Number<uint16_t>() % words;
  std::byte* const at = message->record.data() + word * sizeof(uint64_t);
  uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  switch (bytes->Below(5)) {
    case 0:
      value = bytes->Number<uint64_t>();
      break;
    case 1:
      value += static_cast<uint64_t>(int64_t{bytes->Number<int8_t>()});
      break;
    case 2:
      value ^= uint64_t{1} << bytes->Below(64);
      break;
    case 3:
      value = static_cast<uint64_t>(int64_t{bytes->Number<int16_t>()});
      break;
    default:
      message->record.resize(word * sizeof(uint64_t) + bytes->Below(8));
      message->record.shrink_to_fit();
      return;
  }
  std::memcpy(at, &value, sizeof(value));
}

void Scribble(fuzz::Bytes* bytes, wire_testing::Segment* segment) {
  if (segment == nullptr || segment->size() == 0) return;
  const size_t at = bytes->Number<uint16_t>() % segment->size();
  const size_t n = 1 + bytes->Below(8);
  for (size_t i = at; i < std::min(at + n, segment->size()); ++i) {
    segment->data()[i] = static_cast<std::byte>(bytes->Byte());
  }
}

// Gives away a part of the rows.
void Slice(fuzz::Bytes* bytes, ArrowArray* batch) {
  const int64_t skip =
      std::min<int64_t>(static_cast<int64_t>(bytes->Below(10)), batch->length);
  batch->offset += skip;
  batch->length -= skip;
  batch->length -=
      std::min<int64_t>(static_cast<int64_t>(bytes->Below(3)), batch->length);
}

// Reads a record as the engine does. Returns whether it was accepted.
bool Take(const Layout& layout, const Message& message, TakeOver take_over) {
  RecordReader reader(layout);
  reader.LimitCopies(1 << 20);
  ByteReader in(message.record);
  bool gone = false;
  std::shared_ptr<void> owner(&gone, [](void* at) { *static_cast<bool*>(at) = true; });
  ArrowArray array;
  const Status read =
      reader.Read(in, message.segments, take_over, std::move(owner), &array);
  Require(read.ok() != gone && read.ok() == (array.release != nullptr));
  if (!read.ok()) {
    Require(read.code() == ALLOY_EXHAUSTED || read.reason() != 0);
    return false;
  }
  OwnedArray batch(&array);
  if (!AdmitBatch(layout, {Level::kSafe}, batch.get()).ok()) return false;
  BatchReader(layout, 20'000).Read(*batch);
  return true;
}

void Fuzz(fuzz::Bytes bytes) {
  const auto take_over = static_cast<TakeOver>(bytes.Below(3));
  const size_t way = bytes.Byte();
  fuzz::Tree tree(&bytes);
  const auto layout = Layout::OfBatch(tree.schema());
  Require(layout.ok());
  const bool damaged = (way & 1) != 0 && tree.Damage();
  ArrowArray batch = tree.array();
  OwnedArray owned(&batch);
  if (!AdmitBatch(*layout, {Level::kShape}, owned.get()).ok()) return;
  if ((way & 2) != 0) Slice(&bytes, owned.get());
  auto first = Send(*layout, *owned);
  if (!first.ok()) {
    Require(damaged);
    return;
  }
  // The other side sends it on. A part of it is in a segment that it may name.
  auto seen = Receive(*layout, first->record, first->segments, TakeOver::kView);
  if (!seen.ok()) {
    Require(damaged);
    return;
  }
  std::vector<SegmentView> parts;
  if (first->copies != nullptr && (way & 4) != 0) {
    const SegmentView whole = first->copies->view();
    const size_t begin = bytes.Number<uint16_t>() % (whole.bytes.size() + 1);
    const size_t size = (way & 8) != 0
                            ? whole.bytes.size() - begin
                            : bytes.Number<uint16_t>() % (whole.bytes.size() - begin + 1);
    parts.push_back({.number = 3, .bytes = whole.bytes.subspan(begin, size), .begin = 5});
  }
  if ((way & 16) != 0) Slice(&bytes, seen->get());
  auto second = Send(*layout, **seen, parts);
  if (!second.ok()) {
    Require(damaged);
    return;
  }
  if (!damaged) Require(Take(*layout, *second, take_over));
  const size_t lies = bytes.Below(4);
  for (size_t i = 0; i < lies && second->record.size() >= 8; ++i) Lie(&bytes, &*second);
  const size_t scribbles = bytes.Below(4);
  for (size_t i = 0; i < scribbles; ++i) {
    Scribble(&bytes, second->copies.get());
    if ((way & 4) != 0) Scribble(&bytes, first->copies.get());
  }
  (void)Take(*layout, *second, take_over);
}

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  alloy::core::Fuzz(alloy::core::fuzz::Bytes({data, size}));
  return 0;
}
