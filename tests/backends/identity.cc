// SPDX-License-Identifier: MIT
//
// Returns its batch, of any type, and logs nothing. `trusting` is the same, but declares
// that it trusts the values of its input.
#include <span>

#include "alloy/backend.hpp"

namespace {

class Identity {
 public:
  Identity(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema> inputs)
      : schema_(alloy::Schema::Copy(inputs[0])) {}
  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*schema_); }
  void Run(alloy::Scope&, std::span<ArrowArray> inputs, ArrowArray* output) const {
    alloy::Move(&inputs[0], output);
  }

 private:
  alloy::Schema schema_;
};

}  // namespace

ALLOY_BACKEND("test.identity", "1.0.0", alloy::Raw<Identity>("identity").TrustsNoValues(),
              alloy::Raw<Identity>("trusting"))
