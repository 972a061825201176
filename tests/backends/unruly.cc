// SPDX-License-Identifier: MIT
//
// Functions that do what backends should not, or do seldom.
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::Options;
using alloy::Output;
using alloy::Schema;
using alloy::Scope;
using Inputs = std::span<ArrowArray>;
using Schemas = std::span<const ArrowSchema>;

void Throw(const std::string& what) {
  if (what == "int") throw 42;  // NOLINT: that it is no exception is the point
  if (what == "bad_alloc") throw std::bad_alloc();
  if (what == "long") throw std::runtime_error(std::string(100'000, 'x'));
  throw std::runtime_error(what);
}

void GiveCount(const Scope& scope, int64_t count, ArrowArray* output) {
  Output<int64_t> column(scope.services().resize);
  column.Append(count);
  alloy::GiveBatch(output, std::move(column));
}

// A base for functions with one int64 column out.
struct OneColumn {
  OneColumn(Scope&, const Options&, Schemas) {}
  static Schema OutputSchema() {
    return Schema::Batch(std::vector<alloy::Field>{{.name = "count", .format = "l"}});
  }
};

struct BindThrows : OneColumn {
  BindThrows(Scope& scope, const Options& options, Schemas schemas)
      : OneColumn(scope, options, schemas) {
    Throw(options["what"]);
  }
  void Run(Scope&, Inputs, ArrowArray*) {}
};

struct NoColumns {
  NoColumns(Scope&, const Options&, Schemas) {}
  static Schema OutputSchema() { return Schema::Batch(std::vector<alloy::Field>{}); }
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    auto block = alloy::Block<int>::Make(1, 1, 0);
    if (!block) throw std::bad_alloc();
    block.Init(output, {.length = inputs[0].length, .n_buffers = 1});
    block.Finish();
  }
};

struct Nothing : OneColumn {
  using OneColumn::OneColumn;
  void Run(Scope&, Inputs, ArrowArray*) {}
};

struct OutputAndError : OneColumn {
  using OneColumn::OneColumn;
  static void Run(Scope& scope, Inputs, ArrowArray* output) {
    GiveCount(scope, 1, output);
    throw std::runtime_error("too late");
  }
};

struct ReleasesItsInput : OneColumn {
  using OneColumn::OneColumn;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    inputs[0].release(&inputs[0]);
    GiveCount(scope, 1, output);
  }
};

// Moves the first column out of its input, and gives it alone.
struct FirstColumn {
  FirstColumn(Scope& scope, const Options&, Schemas schemas) {
    if (schemas[0].n_children == 0) scope.Fail(ALLOY_NO_MATCH, "no column to take");
    column_ = Schema::Copy(*schemas[0].children[0]);
  }
  Schema OutputSchema() const {
    std::vector<Schema> columns;
    columns.push_back(Schema::Copy(*column_));
    return Schema::Batch(std::move(columns));
  }
  static void Run(Scope&, Inputs inputs, ArrowArray* output) {
    auto block = alloy::Block<int>::Make(2, 1, 0);
    if (!block) throw std::bad_alloc();
    block.Init(output, {.length = inputs[0].length, .n_buffers = 1, .n_children = 1});
    block.Adopt(output->children[0], inputs[0].children[0]);
    block.Finish();
  }

 private:
  Schema column_;
};

// Promises a row for each row, and gives one.
struct WrongRows : OneColumn {
  using OneColumn::OneColumn;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    GiveCount(scope, inputs[0].length, output);
  }
};

// Counts the arrays in two rows.
struct WrongChunks {
  WrongChunks(Scope&, const Options&, Schemas) {}
  static Schema OutputSchema() {
    return Schema::Batch(
        std::vector<alloy::Field>{{.name = "count", .format = "l", .nullable = false}});
  }
  static void Run(Scope& scope, Inputs, ArrowArray* output) {
    Output<int64_t> column(scope.services().resize);
    column.Append(1);
    column.Append(2);
    alloy::GiveBatch(output, std::move(column));
  }
};

// Batches that outlive the call they came with. A test backend may have globals.
struct Hoard {
  std::mutex mutex;
  std::deque<alloy::OwnedArray> batches;
  static Hoard& Instance() {
    static Hoard& hoard = *std::make_unique<Hoard>().release();
    return hoard;
  }
};

struct Keep : OneColumn {
  using OneColumn::OneColumn;
  static void Run(Scope& scope, Inputs inputs, ArrowArray* output) {
    Hoard& hoard = Hoard::Instance();
    const std::lock_guard lock(hoard.mutex);
    hoard.batches.emplace_back(&inputs[0]);
    GiveCount(scope, static_cast<int64_t>(hoard.batches.size()), output);
  }
};

// Gives the oldest batch that was kept; binds with the schema of that one.
struct GiveBack {
  GiveBack(Scope&, const Options&, Schemas schemas) : schema_(Schema::Copy(schemas[0])) {}
  Schema OutputSchema() const { return Schema::Copy(*schema_); }
  static void Run(Scope& scope, Inputs, ArrowArray* output) {
    Hoard& hoard = Hoard::Instance();
    const std::lock_guard lock(hoard.mutex);
    if (hoard.batches.empty()) scope.Fail("nothing was kept");
    hoard.batches.front().MoveTo(output);
    hoard.batches.pop_front();
  }

 private:
  Schema schema_;
};

struct LetGo : OneColumn {
  using OneColumn::OneColumn;
  static void Run(Scope& scope, Inputs, ArrowArray* output) {
    Hoard& hoard = Hoard::Instance();
    const std::lock_guard lock(hoard.mutex);
    const auto count = static_cast<int64_t>(hoard.batches.size());
    hoard.batches.clear();
    GiveCount(scope, count, output);
  }
};

// Works until it is cancelled, and says how far it is.
void Slow(Scope& scope, const Options& options, Output<int64_t>& steps) {
  const auto limit = options.Get<int64_t>("steps");
  int64_t step = 0;
  for (; step < limit; ++step) {
    scope.Progress(step + 1, limit);
    scope.ThrowIfCancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  steps.Append(step);
}

// Notices that it is cancelled, and answers all the same.
void SlowButSure(Scope& scope, Output<bool>& cancelled) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!scope.Cancelled() && std::chrono::steady_clock::now() < give_up) {
    scope.Progress(1, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  cancelled.Append(scope.Cancelled());
}

}  // namespace

ALLOY_BACKEND("test.unruly", "1.0.0",
              alloy::Function("fails", {}, {"never"},
                              [](Scope& scope, const Options& options, Output<int64_t>&) {
                                scope.Fail(options.Get<alloy_code>("code"),
                                           options["text"]);
                              })
                  .Option("code", "6")
                  .Option("text", "it failed"),
              alloy::Function("throws", {}, {"never"},
                              [](const Options& options, Output<int64_t>&) {
                                Throw(options["what"]);
                              })
                  .Option("what", "an exception"),
              alloy::Raw<BindThrows>("bind_throws").Option("what", "an exception"),
              alloy::Function("empty", {}, {"number", "text", "flag"},
                              [](Output<int64_t>&, Output<std::string>&, Output<bool>&) {
                              }),
              alloy::Raw<NoColumns>("no_columns"), alloy::Raw<Nothing>("nothing"),
              alloy::Raw<OutputAndError>("output_and_error"),
              alloy::Raw<ReleasesItsInput>("releases_its_input"),
              alloy::Raw<FirstColumn>("first_column"),
              alloy::Raw<WrongRows>("wrong_rows").Flags(ALLOY_ROWWISE),
              alloy::Raw<WrongChunks>("from_chunks", 0, -1), alloy::Raw<Keep>("keep"),
              alloy::Raw<GiveBack>("give_back"), alloy::Raw<LetGo>("let_go"),
              alloy::Function("slow", {}, {"steps"}, &Slow).Option("steps", "20000"),
              alloy::Function("slow_but_sure", {}, {"cancelled"}, &SlowButSure))
