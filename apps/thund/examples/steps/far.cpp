// SPDX-License-Identifier: MIT
//
// A step in C++: the flights that are at least, or at most, so far.
#include <stdexcept>
#include <string>

#include "alloy/backend.hpp"

namespace {

void Filter(const alloy::Options& options, const alloy::Strings& carrier,
            const alloy::Strings& dest, const alloy::Column<double>& distance,
            alloy::Output<std::string>& out_carrier, alloy::Output<std::string>& out_dest,
            alloy::Output<double>& out_distance) {
  const auto value = options.Get<double>("value");
  const std::string& op = options["op"];
  if (op != ">=" && op != "<=") throw std::runtime_error("option op is >= or <=");
  for (int64_t row = 0; row < distance.size(); ++row) {
    const auto far = distance.Get(row);
    if (!far || (op == ">=" ? *far < value : *far > value)) continue;
    out_carrier.Append(carrier[row]);
    out_dest.Append(dest[row]);
    out_distance.Append(*far);
  }
}

}  // namespace

ALLOY_BACKEND("thund.far", "0.1.0",
              alloy::Function("filter", {"carrier", "dest", "distance"},
                              {"carrier", "dest", "distance"}, &Filter)
                  .Summary("The flights that are so far.")
                  .Option("op", ">=", ">= or <=")
                  .RequiredOption("value", "The distance to compare with.")
                  .Flags(ALLOY_IDEMPOTENT))
