// SPDX-License-Identifier: MIT
//
// The cost of the gate. At level shape: batches of int64 columns; the argument is the
// number of columns, and the number of rows does not matter. At the levels safe and full:
// one column; the argument is the number of rows. The result is in ns for each row, next
// to a plain read of the same bytes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "alloy/block.hpp"
#include "alloy/testing/raw.hpp"
#include "arrow/layout.h"
#include "arrow/load_value.h"
#include "arrow/project.h"
#include "arrow/schema.h"
#include "base/block_scan.h"
#include "gate/batch.h"
#include "gate/rows.h"

namespace alloy::core {
namespace {

constexpr int64_t kRows = 1024;
// Not testing::Zeros: the time of that call is not a cost of an export.
constexpr int64_t kValues[kRows] = {};

OwnedSchema MakeSchema(int64_t columns) {
  std::vector<testing::Spec> children;
  children.reserve(static_cast<size_t>(columns));
  for (int64_t i = 0; i < columns; ++i) {
    children.push_back({.format = "l", .name = "column" + std::to_string(i)});
  }
  return testing::Make(testing::BatchOf(std::move(children)));
}

struct Nothing {};

void Export(int64_t columns, ArrowArray* out) {
  auto block = Block<Nothing>::Make(columns + 1, 2 * columns + 1, Nothing());
  block.Init(out, {.length = kRows, .n_buffers = 1, .n_children = columns});
  for (int64_t i = 0; i < columns; ++i) {
    block.Init(out->children[i], {.length = kRows, .n_buffers = 2});
    out->children[i]->buffers[1] = kValues;
  }
  block.Finish();
}

void AdmitAs(benchmark::State& state, Checks checks) {
  const auto layout = Layout::OfBatch(*MakeSchema(state.range(0)));
  ArrowArray array;
  Export(state.range(0), &array);
  OwnedArray batch(&array);
  for (auto _ : state) {
    benchmark::DoNotOptimize(AdmitBatch(*layout, checks, batch.get()).ok());
    benchmark::ClobberMemory();
  }
}
void Admit(benchmark::State& state) { AdmitAs(state, Level::kShape); }
BENCHMARK(Admit)->Arg(1)->Arg(10)->Arg(100);
// For a function that trusts its values.
void AdmitTrusted(benchmark::State& state) { AdmitAs(state, {Level::kShape, true}); }
BENCHMARK(AdmitTrusted)->Arg(1)->Arg(10)->Arg(100);

void ExportAndRelease(benchmark::State& state) {
  for (auto _ : state) {
    ArrowArray array;
    Export(state.range(0), &array);
    benchmark::DoNotOptimize(array);
    array.release(&array);
  }
}
BENCHMARK(ExportAndRelease)->Arg(1)->Arg(10)->Arg(100);

void ExportRepairAndRelease(benchmark::State& state) {
  const auto layout = Layout::OfBatch(*MakeSchema(state.range(0)));
  for (auto _ : state) {
    ArrowArray array;
    Export(state.range(0), &array);
    array.offset = 1;
    array.length = kRows - 1;
    benchmark::DoNotOptimize(AdmitBatch(*layout, Level::kShape, &array).ok());
    array.release(&array);
  }
}
BENCHMARK(ExportRepairAndRelease)->Arg(1)->Arg(10)->Arg(100);

void ExportProjectAndRelease(benchmark::State& state) {
  Projection projection{.columns = {}, .identity = false};
  for (int64_t i = state.range(0); i > 0; --i) {
    projection.columns.push_back(static_cast<int32_t>(i - 1));
  }
  for (auto _ : state) {
    ArrowArray array;
    Export(state.range(0), &array);
    benchmark::DoNotOptimize(ProjectBatch(projection, &array).ok());
    array.release(&array);
  }
}
BENCHMARK(ExportProjectAndRelease)->Arg(1)->Arg(10)->Arg(100);

void Fingerprint(benchmark::State& state) {
  const OwnedSchema schema = MakeSchema(state.range(0));
  std::string key;
  for (auto _ : state) {
    key.clear();
    benchmark::DoNotOptimize(AppendFingerprint(*schema, &key).ok());
  }
}
BENCHMARK(Fingerprint)->Arg(1)->Arg(10)->Arg(100);

void ReadLayout(benchmark::State& state) {
  const OwnedSchema schema = MakeSchema(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Layout::OfBatch(*schema).ok());
}
BENCHMARK(ReadLayout)->Arg(1)->Arg(10)->Arg(100);

// Reads each value once, with vector instructions: no check can be faster.
template <typename T>
int64_t ReadAll(const void* values, int64_t rows) {
  return FirstWrong(rows, [values](int64_t i) { return LoadValue<T>(values, i); });
}

void ReportRows(benchmark::State& state) {
  const auto rows = static_cast<double>(state.range(0));
  state.counters["ns/row"] =
      benchmark::Counter(rows * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                          benchmark::Counter::kInvert);
}

template <typename T>
void PlainRead(benchmark::State& state) {
  const std::vector<T> values(static_cast<size_t>(state.range(0)), 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ReadAll<T>(values.data(), state.range(0)));
    benchmark::ClobberMemory();
  }
  ReportRows(state);
}

void CheckColumn(benchmark::State& state, Level level, const testing::Spec& schema,
                 const testing::RawArray& column) {
  const auto layout = Layout::Of(*testing::Make(schema));
  const OwnedArray array = testing::Make(column);
  for (auto _ : state) {
    const bool ok = CheckRows(*layout, level, *array).ok();
    if (!ok) state.SkipWithError("refused");
    benchmark::DoNotOptimize(ok);
    benchmark::ClobberMemory();
  }
  ReportRows(state);
}

template <typename T>
std::vector<T> Counted(int64_t n) {
  std::vector<T> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i);
  return values;
}

template <typename T>
void Offsets(benchmark::State& state) {
  const auto offsets = Counted<T>(state.range(0) + 1);
  CheckColumn(
      state, Level::kSafe, {.format = sizeof(T) == 4 ? "z" : "Z"},
      {.length = state.range(0), .buffers = {nullptr, offsets.data(), testing::Zeros()}});
}

template <typename T>
void Indices(benchmark::State& state) {
  std::vector<T> indices(static_cast<size_t>(state.range(0)));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<T>(i * 7 % 100);
  const char* format = sizeof(T) == 1 ? "c" : sizeof(T) == 2 ? "s" : "i";
  testing::RawArray column{.length = state.range(0),
                           .buffers = {nullptr, indices.data()}};
  column.dictionary = {testing::RawFixed(100)};
  CheckColumn(state, Level::kSafe, {.format = format, .dictionary = {{.format = "l"}}},
              column);
}

void ListViews(benchmark::State& state) {
  const auto offsets = Counted<int32_t>(state.range(0));
  const std::vector<int32_t> sizes(offsets.size(), 1);
  CheckColumn(state, Level::kSafe, {.format = "+vl", .children = {{.format = "i"}}},
              {.length = state.range(0),
               .buffers = {nullptr, offsets.data(), sizes.data()},
               .children = {testing::RawFixed(state.range(0))}});
}

void RunEnds(benchmark::State& state) {
  std::vector<int32_t> ends = Counted<int32_t>(state.range(0) + 1);
  const testing::RawArray runs{.length = state.range(0),
                               .buffers = {nullptr, ends.data() + 1}};
  CheckColumn(
      state, Level::kSafe,
      {.format = "+r", .children = {{.format = "i"}, {.format = "l"}}},
      {.length = state.range(0), .children = {runs, testing::RawFixed(state.range(0))}});
}

void DenseUnion(benchmark::State& state) {
  const std::vector<int8_t> ids(static_cast<size_t>(state.range(0)));
  const auto offsets = Counted<int32_t>(state.range(0));
  CheckColumn(state, Level::kSafe, {.format = "+ud:0", .children = {{.format = "i"}}},
              {.length = state.range(0),
               .buffers = {ids.data(), offsets.data()},
               .children = {testing::RawFixed(state.range(0))}});
}

// Half of the views hold their text, half point to a buffer.
void StringViews(benchmark::State& state) {
  std::vector<int32_t> views;
  for (int64_t i = 0; i < state.range(0); ++i) {
    views.insert(views.end(), {i % 2 == 0 ? 12 : 20, 0, 0, 0});
  }
  const int64_t sizes[] = {64};
  CheckColumn(state, Level::kSafe, {.format = "vz"},
              {.length = state.range(0),
               .buffers = {nullptr, views.data(), testing::Zeros(), sizes}});
}

// 16 bytes for each row. go/bench compares with the check of Go.
void TextOf(benchmark::State& state, const std::string& text) {
  const auto rows = static_cast<size_t>(state.range(0));
  std::vector<int32_t> offsets = Counted<int32_t>(state.range(0) + 1);
  for (int32_t& offset : offsets) offset *= static_cast<int32_t>(text.size());
  std::string bytes;
  bytes.reserve(rows * text.size());
  for (size_t row = 0; row < rows; ++row) bytes += text;
  CheckColumn(
      state, Level::kFull, {.format = "u"},
      {.length = state.range(0), .buffers = {nullptr, offsets.data(), bytes.data()}});
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
void Text(benchmark::State& state) { TextOf(state, "sixteen letters."); }
void MixedText(benchmark::State& state) { TextOf(state, "Gr\u00fc\u00dfe, 12 \u20ac!"); }

// The same text in views, which hold 12 bytes each, or point to 16.
void TextViews(benchmark::State& state) {
  std::vector<int32_t> views;
  for (int64_t i = 0; i < state.range(0); ++i) {
    if (i % 2 == 0) {
      views.insert(views.end(), {12, 0x61616161, 0x61616161, 0x61616161});
    } else {
      views.insert(views.end(), {16, 0x61616161, 0, 0});
    }
  }
  const std::string bytes(64, 'a');
  const int64_t sizes[] = {64};
  CheckColumn(state, Level::kFull, {.format = "vu"},
              {.length = state.range(0),
               .buffers = {nullptr, views.data(), bytes.data(), sizes}});
}

// Rows that fit into a cache, and rows that do not.
constexpr int64_t kCached = 1 << 12;
constexpr int64_t kMany = 1 << 22;
BENCHMARK(PlainRead<int8_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(Indices<int8_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(PlainRead<int16_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(Indices<int16_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(PlainRead<int32_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(Indices<int32_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(Offsets<int32_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(RunEnds)->Arg(kCached)->Arg(kMany);
BENCHMARK(DenseUnion)->Arg(kCached)->Arg(kMany);
BENCHMARK(PlainRead<int64_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(Offsets<int64_t>)->Arg(kCached)->Arg(kMany);
BENCHMARK(ListViews)->Arg(kCached)->Arg(kMany);
BENCHMARK(StringViews)->Arg(kCached)->Arg(kMany);
BENCHMARK(Text)->Arg(kCached)->Arg(kMany);
BENCHMARK(MixedText)->Arg(kCached)->Arg(kMany);
BENCHMARK(TextViews)->Arg(kCached)->Arg(kMany);

}  // namespace
}  // namespace alloy::core

BENCHMARK_MAIN();
