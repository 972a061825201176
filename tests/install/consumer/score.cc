// SPDX-License-Identifier: MIT
#include "alloy/backend.hpp"

// The version script keeps this name inside.
__attribute__((visibility("default"))) int another_symbol() { return 1; }

ALLOY_BACKEND("consumer.score", "0.1.0",
              alloy::Rows("score", {"x", "y"},
                          [](double x, int64_t y) { return x * static_cast<double>(y); }))
