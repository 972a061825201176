// SPDX-License-Identifier: MIT
//
// What crossing costs: a whole call, Arrow C++ objects in to Arrow C++ objects out and
// everything released, of 1, 10 and 100 int64 columns of 1,024 rows. Beside Alloy, in the
// same run, the way people do it today: Arrow C++'s ExportRecordBatch, arrow-rs's
// from_ffi and to_ffi, Arrow C++'s ImportRecordBatch.
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow.hpp"
#include "bench/median_reporter.h"

namespace {

using alloy::arrow::RecordBatchPtr;
using alloy::bench::MedianReporter;

constexpr int64_t kRows = 1024;
constexpr int kRepetitions = 9;

std::string BackendPath(const char* name) {
  return std::string(ALLOY_BENCH_BUILD "/backends/") + name + ".so";
}

RecordBatchPtr MakeNumbers(int64_t columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (int64_t c = 0; c < columns; ++c) {
    arrow::Int64Builder builder;
    for (int64_t row = 0; row < kRows; ++row) {
      if (!builder.Append(row).ok()) std::abort();
    }
    fields.push_back(arrow::field("column" + std::to_string(c), arrow::int64()));
    arrays.push_back(builder.Finish().MoveValueUnsafe());
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), kRows, arrays);
}

bool SetLibrary(benchmark::State& state, alloy::Bridge& bridge, const char* name) {
  const auto status = bridge.SetImplLib(BackendPath(name));
  if (!status.ok()) state.SkipWithError(status.ToString().c_str());
  return status.ok();
}

// Alloy, bound once and run often: what arrow.hpp offers.
void Bound(benchmark::State& state, const char* library) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}));
  if (!SetLibrary(state, bridge, library)) return;
  const auto batch = MakeNumbers(state.range(0));
  auto call = alloy::arrow::BoundCall::Bind(bridge, "identity", {batch->schema()});
  if (!call.ok()) return state.SkipWithError(call.status().ToString().c_str());
  for (auto _ : state) {
    auto result = call->Run(batch);
    if (!result.ok()) return state.SkipWithError(result.status().ToString().c_str());
    benchmark::DoNotOptimize(result);
  }
}

// Alloy with a bind for each call: what a host pays that keeps nothing.
void BindEachTime(benchmark::State& state, const char* library) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}));
  if (!SetLibrary(state, bridge, library)) return;
  const auto batch = MakeNumbers(state.range(0));
  for (auto _ : state) {
    auto result = alloy::arrow::Call(bridge, "identity", {batch});
    if (!result.ok()) return state.SkipWithError(result.status().ToString().c_str());
    benchmark::DoNotOptimize(result);
  }
}

using PeerIdentity = int32_t (*)(const ArrowSchema*, ArrowArray*, ArrowSchema*,
                                 ArrowArray*);

// Without Alloy: schema and array exported, imported, exported and imported each time.
void Today(benchmark::State& state) {
  void* library = dlopen(BackendPath("bench/peer_rust").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return state.SkipWithError(dlerror());
  const auto identity = reinterpret_cast<PeerIdentity>(dlsym(library, "peer_identity"));
  if (identity == nullptr) return state.SkipWithError("no peer_identity");
  const auto batch = MakeNumbers(state.range(0));
  for (auto _ : state) {
    ArrowArray array{};
    ArrowSchema schema{};
    ArrowArray out_array{};
    ArrowSchema out_schema{};
    if (!arrow::ExportRecordBatch(*batch, &array, &schema).ok() ||
        identity(&schema, &array, &out_schema, &out_array) != 0) {
      return state.SkipWithError("the peer failed");
    }
    schema.release(&schema);
    auto result = arrow::ImportRecordBatch(&out_array, &out_schema);
    if (!result.ok()) return state.SkipWithError(result.status().ToString().c_str());
    benchmark::DoNotOptimize(result);
  }
}

void PrintTable(const MedianReporter& medians) {
  struct Row {
    int64_t columns;
    double target;
  };
  std::printf("\nC++ to Rust, whole call, median of %d, microseconds of processor time\n",
              kRepetitions);
  std::printf("%8s %10s %10s %10s %10s %8s %8s\n", "columns", "today", "bound",
              "bind each", "only moves", "ratio", "to reach");
  for (const Row row : {Row{1, 3}, Row{10, 5}, Row{100, 5}}) {
    const double today = medians.Median("today_rust", row.columns);
    const double bound = medians.Median("alloy_rust", row.columns);
    if (today == 0 || bound == 0) continue;
    std::printf("%8ld %10.2f %10.2f %10.2f %10.2f %7.1fx %7.0fx\n",
                static_cast<long>(row.columns), today, bound,
                medians.Median("alloy_rust_bind_each_time", row.columns),
                medians.Median("alloy_cpp_only_moves", row.columns), today / bound,
                row.target);
  }
}

void Register(const char* name, auto function) {
  benchmark::RegisterBenchmark(name, function)
      ->Arg(1)
      ->Arg(10)
      ->Arg(100)
      ->Unit(benchmark::kMicrosecond)
      ->MinTime(0.1)
      ->Repetitions(kRepetitions)
      ->ReportAggregatesOnly(true);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  Register("today_rust", &Today);
  Register("alloy_rust", [](benchmark::State& state) { Bound(state, "identity_rust"); });
  Register("alloy_rust_bind_each_time",
           [](benchmark::State& state) { BindEachTime(state, "identity_rust"); });
  Register("alloy_cpp_only_moves",
           [](benchmark::State& state) { Bound(state, "tests/identity"); });
  MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  PrintTable(reporter);
}
