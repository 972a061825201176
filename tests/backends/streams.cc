// SPDX-License-Identifier: MIT
//
// Stream functions for the tests of streams.
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::Column;
using alloy::Input;
using alloy::Options;
using alloy::Output;
using alloy::Schema;
using alloy::Scope;
using Schemas = std::span<const ArrowSchema>;

Schema OneColumn() {
  return Schema::Batch(std::vector<alloy::Field>{{.name = "x", .format = "l"}});
}

// Batches go through as they are.
struct Pass {
  Pass(Scope&, const Options&, Schemas schemas) : schema_(Schema::Copy(schemas[0])) {}
  Schema OutputSchema() const { return Schema::Copy(*schema_); }
  static bool Next(Scope&, std::span<Input> inputs, ArrowArray* output) {
    auto batch = inputs[0].Next();
    if (batch) batch->Move().MoveTo(output);
    return batch.has_value();
  }

 private:
  Schema schema_;
};

// The sum of x over one batch of each input, until the first of them ends.
struct Zip {
  Zip(Scope&, const Options&, Schemas) {}
  static Schema OutputSchema() { return OneColumn(); }
  static bool Next(Scope& scope, std::span<Input> inputs, ArrowArray* output) {
    int64_t sum = 0;
    for (Input& input : inputs) {
      const auto batch = input.Next();
      if (!batch) return false;
      for (const auto x : batch->Get<Column<int64_t>>("x")) sum += x.value_or(0);
    }
    Output<int64_t> column(scope.services().resize);
    column.Append(sum);
    alloy::GiveBatch(output, std::move(column));
    return true;
  }
};

// One row for all: reads its input to the end.
struct Count {
  Count(Scope&, const Options&, Schemas) {}
  static Schema OutputSchema() { return OneColumn(); }
  bool Next(Scope& scope, std::span<Input> inputs, ArrowArray* output) {
    if (std::exchange(done_, true)) return false;
    int64_t rows = 0;
    try {
      while (auto batch = inputs[0].Next()) rows += batch->rows();
    } catch (const std::exception&) {
      // An author who takes an error for an end.
    }
    Output<int64_t> column(scope.services().resize);
    column.Append(rows);
    alloy::GiveBatch(output, std::move(column));
    return true;
  }

 private:
  bool done_ = false;
};

// A batch, and then what the option says.
struct Then {
  Then(Scope&, const Options& options, Schemas) : what_(options["what"]) {}
  static Schema OutputSchema() { return OneColumn(); }
  bool Next(Scope& scope, std::span<Input>, ArrowArray* output) {
    if (batches_++ > 0) {
      if (what_ == "throw") throw std::runtime_error("boom");
      if (what_ == "int") throw 42;  // NOLINT: that it is no exception is the point
      if (what_ == "retry") scope.Fail(ALLOY_RETRY, "not now");
      if (what_ == "nothing") return true;
      while (!scope.Cancelled()) {
      }
      scope.ThrowIfCancelled();
    }
    Output<int64_t> column(scope.services().resize);
    column.Append(1);
    alloy::GiveBatch(output, std::move(column));
    return true;
  }

 private:
  std::string what_;
  int batches_ = 0;
};

}  // namespace

ALLOY_BACKEND("test.streams", "1.0.0", alloy::Streams<Pass>("pass"),
              alloy::Streams<Zip>("zip", 1, -1), alloy::Streams<Count>("count"),
              alloy::Streams<Then>("then", 0, 0).RequiredOption("what"),
              alloy::Function("double", {"x"}, {"x"},
                              [](Column<int64_t> x, Output<int64_t>& out) {
                                for (const auto v : x) out.Append(2 * v.value_or(0));
                              }))
