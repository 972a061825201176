// SPDX-License-Identifier: MIT
//
// The cost of a batch as a record: write it, and read it, without a worker. The argument is
// the number of columns, of 1,024 rows each. The result is in ns for each column, next to a
// memcpy of the same bytes.
//
//   WriteInPlace          the batch lies in a segment: nothing is copied
//   WriteCopied           all of it is copied into a segment, as inputs of a call are
//   ReadAs copy_followed  what a result of a worker costs: what readers follow is copied and
//                         checked. The release of the batch is included.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "alloy/testing/raw.hpp"
#include "arrow/layout.h"
#include "arrow/owned.h"
#include "wire/records.h"

namespace alloy::core {
namespace {

constexpr int64_t kRows = 1024;
constexpr int64_t kTextBytes = 8;  // of one text
constexpr uint32_t kNumber = 1;

// A segment of a fixed size, warm.
class Segment {
 public:
  explicit Segment(size_t bytes)
      : bytes_(bytes + kAlignment),
        begin_((kAlignment - reinterpret_cast<uintptr_t>(bytes_.data()) % kAlignment) %
               kAlignment) {}
  std::byte* data() { return bytes_.data() + begin_; }
  SegmentView view() { return {kNumber, {data(), bytes_.size() - kAlignment}}; }

 private:
  static constexpr size_t kAlignment = 64;
  std::vector<std::byte> bytes_;
  size_t begin_;
};

// A batch of columns of one format, all of whose buffers lie in one segment.
struct Batch {
  Batch(const char* format, int64_t columns) : text(*format == 'u') {
    std::vector<testing::Spec> specs;
    specs.reserve(static_cast<size_t>(columns));
    for (int64_t i = 0; i < columns; ++i) {
      specs.push_back({.format = format, .name = "column" + std::to_string(i)});
    }
    layout = std::make_unique<Layout>(
        *Layout::OfBatch(*testing::Make(testing::BatchOf(std::move(specs)))));
    const size_t values = kRows * 8;
    const size_t offsets = text ? (kRows + 1) * 4 + 60 : 0;
    bytes = static_cast<size_t>(columns) * (values + offsets);
    segment = std::make_unique<Segment>(bytes);
    std::vector<testing::RawArray> arrays;
    std::byte* at = segment->data();
    for (int64_t i = 0; i < columns; ++i) {
      testing::RawArray column{.length = kRows, .buffers = {nullptr, at}};
      if (text) {
        for (int32_t row = 0; row <= kRows; ++row) {
          const int32_t offset = row * static_cast<int32_t>(kTextBytes);
          std::memcpy(at + row * int64_t{4}, &offset, 4);
        }
        column.buffers.push_back(at + offsets);
      }
      at += values + offsets;
      arrays.push_back(std::move(column));
    }
    array = testing::Make(testing::RawRows(kRows, std::move(arrays)));
  }

  bool text;
  std::unique_ptr<Layout> layout;
  size_t bytes = 0;
  std::unique_ptr<Segment> segment;
  OwnedArray array;
};

void Report(benchmark::State& state, const Batch& batch, bool moves_bytes) {
  state.counters["ns/column"] = benchmark::Counter(
      static_cast<double>(state.range(0)) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  if (moves_bytes) {
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.bytes));
  }
}

void WriteInPlace(benchmark::State& state, const char* format) {
  const Batch batch(format, state.range(0));
  const SegmentView segments[] = {batch.segment->view()};
  RecordWriter writer(*batch.layout);
  std::vector<std::byte> message(1 << 16);
  for (auto _ : state) {
    if (!writer.Plan(*batch.array, segments).ok() || writer.copied_bytes() > 0) {
      state.SkipWithError("not in place");
    }
    ByteWriter out(message);
    writer.Write(out);
    benchmark::DoNotOptimize(message.data());
    benchmark::ClobberMemory();
  }
  Report(state, batch, false);
}

void WriteCopied(benchmark::State& state, const char* format) {
  const Batch batch(format, state.range(0));
  Segment to(batch.bytes);
  RecordWriter writer(*batch.layout);
  std::vector<std::byte> message(1 << 16);
  for (auto _ : state) {
    if (!writer.Plan(*batch.array, {}).ok()) state.SkipWithError("refused");
    writer.Copy(to.data(), kNumber, 0);
    ByteWriter out(message);
    writer.Write(out);
    benchmark::DoNotOptimize(message.data());
    benchmark::ClobberMemory();
  }
  Report(state, batch, true);
}

void PlainCopy(benchmark::State& state, const char* format) {
  const Batch batch(format, state.range(0));
  Segment to(batch.bytes);
  for (auto _ : state) {
    std::memcpy(to.data(), batch.segment->data(), batch.bytes);
    benchmark::ClobberMemory();
  }
  Report(state, batch, true);
}

void ReadAs(benchmark::State& state, const char* format, TakeOver take_over) {
  const Batch batch(format, state.range(0));
  const SegmentView segments[] = {batch.segment->view()};
  RecordWriter writer(*batch.layout);
  std::vector<std::byte> message(1 << 16);
  ByteWriter out(message);
  if (!writer.Plan(*batch.array, segments).ok()) state.SkipWithError("refused");
  writer.Write(out);
  RecordReader reader(*batch.layout);
  const auto owner = std::make_shared<int>();
  for (auto _ : state) {
    ByteReader in({message.data(), out.used()});
    ArrowArray array;
    if (!reader.Read(in, segments, take_over, owner, &array).ok()) {
      state.SkipWithError("refused");
      break;
    }
    benchmark::DoNotOptimize(array);
    array.release(&array);
  }
  Report(state, batch, take_over == TakeOver::kCopyAll);
}

#define ALLOY_BENCH_FORMAT(name, format)                                           \
  BENCHMARK_CAPTURE(WriteInPlace, name, format)->Arg(1)->Arg(10)->Arg(100);        \
  BENCHMARK_CAPTURE(ReadAs, name##_view, format, TakeOver::kView)                  \
      ->Arg(1)                                                                     \
      ->Arg(10)                                                                    \
      ->Arg(100);                                                                  \
  BENCHMARK_CAPTURE(ReadAs, name##_copy_followed, format, TakeOver::kCopyFollowed) \
      ->Arg(1)                                                                     \
      ->Arg(10)                                                                    \
      ->Arg(100);                                                                  \
  BENCHMARK_CAPTURE(ReadAs, name##_copy_all, format, TakeOver::kCopyAll)           \
      ->Arg(1)                                                                     \
      ->Arg(10)                                                                    \
      ->Arg(100);                                                                  \
  BENCHMARK_CAPTURE(WriteCopied, name, format)->Arg(1)->Arg(10)->Arg(100);         \
  BENCHMARK_CAPTURE(PlainCopy, name, format)->Arg(1)->Arg(10)->Arg(100)
ALLOY_BENCH_FORMAT(int64, "l");
ALLOY_BENCH_FORMAT(utf8, "u");

}  // namespace
}  // namespace alloy::core

BENCHMARK_MAIN();
