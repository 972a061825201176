// SPDX-License-Identifier: MIT
//
// Functions that backend.hpp refuses to compile, each with one error that says why. One
// of the cases is defined: see refused.cmake.
#include <cstdint>
#include <span>
#include <string_view>

#include "alloy/backend.hpp"

namespace {

struct Totals {
  using Outputs = alloy::Outputs<alloy::Member<"total", int64_t>>;
  Totals(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}
  static bool Next(alloy::Scope&, std::span<alloy::Input>, Outputs& outputs) {
#ifdef CASE_no_member
    outputs.get<"sum">();
#elif defined(CASE_other_type)
    outputs.get<"total">().Append("text");
#else
    outputs.get<"total">().Append(1);
#endif
    return false;
  }
};

}  // namespace

#ifdef CASE_auto_row
ALLOY_BACKEND("test.refused", "1", alloy::Rows("f", {"x"}, [](auto x) { return x; }))
#elif defined(CASE_auto_column)
ALLOY_BACKEND("test.refused", "1",
              alloy::Function("f", {"x"}, {"y"},
                              [](const auto& x, alloy::Output<double>& y) {
                                y.Append(x[0]);
                              }))
#elif defined(CASE_mutable_row)
ALLOY_BACKEND("test.refused", "1",
              alloy::Rows("f", {"x"}, [n = 0.0](double x) mutable { return n += x; }))
#else
ALLOY_BACKEND("test.refused", "1", alloy::Streams<Totals>("totals"))
#endif
