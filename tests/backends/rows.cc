// SPDX-License-Identifier: MIT
//
// Functions on rows that fail, or run until somebody cancels them, for data engines that
// run them as expressions.
#include <cstdint>
#include <stdexcept>

#include "alloy/backend.hpp"

namespace {

using alloy::Column;
using alloy::Output;
using alloy::Scope;

int64_t Fail(int64_t x) {
  if (x < 0) throw std::runtime_error("x is below 0");
  return x;
}

void Spin(Scope& scope, const Column<int64_t>& x, Output<int64_t>& out) {
  while (x.size() > 0 && !scope.Cancelled()) {
  }
  scope.ThrowIfCancelled();
  for (const auto value : x) out.Append(value);
}

void Scale(const alloy::Options& options, const Column<double>& x, Output<double>& out) {
  const auto by = options.Get<double>("by");
  for (const auto value : x) {
    if (value) {
      out.Append(*value * by);
    } else {
      out.AppendNull();
    }
  }
}

}  // namespace

ALLOY_BACKEND(
    "test.rows", "1.0.0", alloy::Rows("fail", {"x"}, &Fail),
    alloy::Function("spin", {"x"}, {"x"}, &Spin).Flags(ALLOY_ROWWISE),
    alloy::Function("scale", {"x"}, {"x"}, &Scale).Flags(ALLOY_ROWWISE).Option("by", "1"))
