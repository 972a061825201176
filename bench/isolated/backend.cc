// SPDX-License-Identifier: MIT
//
// The backend of the benchmark of the isolated mode.
//
//   identity  returns its batch: what a call costs besides the work
//   plus_one  reads every value and writes a new one
//   pass      identity for streams
//   crash     ends its process by SIGSEGV
#include "alloy/backend.hpp"

#include <csignal>
#include <cstdint>
#include <span>

namespace {

using Schemas = std::span<const ArrowSchema>;

// What all but plus_one return: batches of the type of the input.
class SameSchema {
 public:
  SameSchema(alloy::Scope&, const alloy::Options&, Schemas inputs)
      : schema_(alloy::Schema::Copy(inputs[0])) {}
  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*schema_); }

 private:
  alloy::Schema schema_;
};

struct Identity : SameSchema {
  using SameSchema::SameSchema;
  static void Run(alloy::Scope&, std::span<ArrowArray> inputs, ArrowArray* output) {
    alloy::Move(&inputs[0], output);
  }
};

struct Crash : SameSchema {
  using SameSchema::SameSchema;
  static void Run(alloy::Scope&, std::span<ArrowArray>, ArrowArray*) {
    (void)std::raise(SIGSEGV);
  }
};

struct Pass : SameSchema {
  using SameSchema::SameSchema;
  static bool Next(alloy::Scope&, std::span<alloy::Input> inputs, ArrowArray* output) {
    auto batch = inputs[0].Next();
    if (batch) batch->Move().MoveTo(output);
    return batch.has_value();
  }
};

}  // namespace

ALLOY_BACKEND("bench.isolated", "1.0.0",
              alloy::Raw<Identity>("identity").TrustsNoValues(),
              alloy::Rows("plus_one", {"column0"}, [](int64_t x) { return x + 1; }),
              alloy::Streams<Pass>("pass"), alloy::Raw<Crash>("crash").TrustsNoValues())
