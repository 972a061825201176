// SPDX-License-Identifier: MIT
#include "alloy/backend.hpp"

ALLOY_BACKEND("acme.score", "0.1.0",
              alloy::Rows("score", {"x", "y"},
                          [](double x, int64_t y) { return x * static_cast<double>(y); }))
