// SPDX-License-Identifier: MIT
//
// A step that takes its time, to see what `thund top` and the page show of it.
#include <chrono>
#include <thread>

#include "alloy/backend.hpp"

namespace {

void Wait(const alloy::Options& options, const alloy::Column<double>& distance,
          alloy::Output<double>& out) {
  const std::chrono::milliseconds time(options.Get<int64_t>("milliseconds"));
  std::this_thread::sleep_for(time);
  for (int64_t row = 0; row < distance.size(); ++row) out.Append(distance.Get(row));
}

}  // namespace

ALLOY_BACKEND("thund.slow", "0.1.0",
              alloy::Function("wait", {"distance"}, {"distance"}, &Wait)
                  .Summary("The same column, after a time for each batch.")
                  .Option("milliseconds", "100", "The time for one batch.")
                  .Flags(ALLOY_IDEMPOTENT | ALLOY_ROWWISE))
