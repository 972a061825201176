// SPDX-License-Identifier: MIT
//
// A table that cannot be made: the function names a column that it does not take.
#include "alloy/backend.hpp"

ALLOY_BACKEND("test.init_throws", "1.0.0",
              alloy::Function("f", {"x", "y"}, {"z"},
                              [](alloy::Column<double>, alloy::Output<double>&) {}))
