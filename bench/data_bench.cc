// SPDX-License-Identifier: MIT
//
// What the gate costs: int64 columns of 1,024 rows, as many as the argument says. The
// number of rows does not matter to anything here.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "alloy/block.hpp"
#include "data/batch.h"
#include "data/check.h"
#include "data/fake_arrow.h"
#include "data/layout.h"
#include "data/project.h"
#include "data/schema.h"

namespace alloy::core {
namespace {

constexpr int64_t kRows = 1024;

OwnedSchema MakeSchema(int64_t columns) {
  std::vector<fake::Schema> children;
  for (int64_t i = 0; i < columns; ++i) {
    children.push_back({.format = "l", .name = "column" + std::to_string(i)});
  }
  return fake::Make(fake::BatchOf(std::move(children)));
}

struct Nothing {};

void Export(int64_t columns, ArrowArray* out) {
  auto block = Block<Nothing>::Make(columns + 1, 2 * columns + 1, Nothing());
  block.Init(out, {.length = kRows, .n_buffers = 1, .n_children = columns});
  for (int64_t i = 0; i < columns; ++i) {
    block.Init(out->children[i], {.length = kRows, .n_buffers = 2});
    out->children[i]->buffers[1] = fake::Zeros();
  }
  block.Finish();
}

void Admit(benchmark::State& state) {
  const auto layout = Layout::OfBatch(*MakeSchema(state.range(0)));
  ArrowArray array;
  Export(state.range(0), &array);
  OwnedArray batch(&array);
  for (auto _ : state) {
    benchmark::DoNotOptimize(AdmitBatch(*layout, batch.get()).ok());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Admit)->Arg(1)->Arg(10)->Arg(100);

void ExportAndRelease(benchmark::State& state) {
  for (auto _ : state) {
    ArrowArray array;
    Export(state.range(0), &array);
    benchmark::DoNotOptimize(array);
    array.release(&array);
  }
}
BENCHMARK(ExportAndRelease)->Arg(1)->Arg(10)->Arg(100);

void ExportMendAndRelease(benchmark::State& state) {
  const auto layout = Layout::OfBatch(*MakeSchema(state.range(0)));
  for (auto _ : state) {
    ArrowArray array;
    Export(state.range(0), &array);
    array.offset = 1;
    array.length = kRows - 1;
    benchmark::DoNotOptimize(AdmitBatch(*layout, &array).ok());
    array.release(&array);
  }
}
BENCHMARK(ExportMendAndRelease)->Arg(1)->Arg(10)->Arg(100);

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

}  // namespace
}  // namespace alloy::core

BENCHMARK_MAIN();
