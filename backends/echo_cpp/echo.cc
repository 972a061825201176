// SPDX-License-Identifier: MIT
//
// The echo: counts the arrays it is sent, or gives its batch back, and writes what it saw
// to the host's log.
#include <span>
#include <string>
#include <vector>

#include "alloy/backend.hpp"

namespace {

void LogHello(const alloy::Scope& scope) {
  scope.Info("Hello! Reading the ffi pointers now.");
}

void LogArray(const alloy::Scope& scope, size_t number, const ArrowSchema& schema,
              const ArrowArray& array) {
  scope.Info("array" + std::to_string(number) + ": " + scope.Describe(schema, array));
}

// n batches of one column each in, one row of one int64 column out: n.
class FromChunks {
 public:
  FromChunks(alloy::Scope& scope, const alloy::Options&,
             std::span<const ArrowSchema> inputs) {
    for (const ArrowSchema& input : inputs) {
      if (input.n_children != 1) {
        scope.Fail(ALLOY_NO_MATCH, "from_chunks takes batches of one column");
      }
      schemas_.push_back(alloy::Schema::Copy(input));
    }
  }

  alloy::Schema OutputSchema() const {
    return alloy::Schema::Batch(
        std::vector<alloy::Field>{{.name = "count", .format = "l", .nullable = false}});
  }

  void Run(alloy::Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) const {
    if (scope.Logging()) {
      LogHello(scope);
      for (size_t i = 0; i < inputs.size(); ++i) {
        LogArray(scope, i + 1, *schemas_[i]->children[0], *inputs[i].children[0]);
      }
    }
    alloy::Output<int64_t> count(scope.services().resize);
    count.Append(static_cast<int64_t>(inputs.size()));
    alloy::GiveBatch(output, std::move(count));
  }

 private:
  std::vector<alloy::Schema> schemas_;
};

// One batch in, the same batch out: its buffers are moved, not copied.
class Echo {
 public:
  Echo(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema> inputs)
      : schema_(alloy::Schema::Copy(inputs[0])) {}

  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*schema_); }

  void Run(alloy::Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) const {
    if (scope.Logging()) {
      LogHello(scope);
      LogArray(scope, 1, *schema_, inputs[0]);
    }
    alloy::Move(&inputs[0], output);
  }

 private:
  alloy::Schema schema_;
};

}  // namespace

ALLOY_BACKEND("alloy.echo", "0.1.0",
              alloy::Raw<FromChunks>("from_chunks", 0, -1)
                  .TrustsNoValues()
                  .Summary("Counts the arrays it is sent."),
              alloy::Raw<Echo>("echo").TrustsNoValues().Summary("Gives its batch back."))
