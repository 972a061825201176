// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using Moment = alloy::Timestamp<alloy::Unit::kSecond>;
using Took = alloy::Duration<alloy::Unit::kSecond>;
using Trip = alloy::Struct<alloy::Member<"took", Took>,
                           alloy::Member<"stops", alloy::List<std::string>>>;

// The end of each trip, in the time zone of its begin; what it was; its city.
void Trips(alloy::Scope& scope, const alloy::Options& options,
           const alloy::Column<Moment>& left, const alloy::Column<int32_t>& minutes,
           const alloy::Column<alloy::List<std::string_view>>& stops,
           const alloy::Strings& city, alloy::Output<Moment>& arrived,
           alloy::Output<Trip>& trip,
           alloy::Output<alloy::Dictionary<std::string>>& town) {
  const auto most = options.Get<int64_t>("most");
  for (int64_t row = 0; row < left.size(); ++row) {
    if (row % 1024 == 0) scope.ThrowIfCancelled();
    town.Append(city[row]);
    const auto begin = left.Get(row);
    const auto length = minutes.Get(row);
    const auto list = stops.Get(row);
    // A moment that is out of range becomes a null.
    int64_t end = 0;
    if (begin && length &&
        !__builtin_add_overflow(begin->count, int64_t{*length} * 60, &end)) {
      arrived.Append(Moment{end});
    } else {
      arrived.AppendNull();
    }
    if (!length || !list) {
      trip.AppendNull();
      continue;
    }
    if (list->size() > most) scope.Fail(ALLOY_INVALID, "a trip has too many stops");
    trip.field<"took">().Append(Took{int64_t{*length} * 60});
    trip.field<"stops">().Append(*list);
    trip.Close();
  }
}

}  // namespace

ALLOY_BACKEND("acme.trips", "0.1.0",
              alloy::Function("trips", {"left", "minutes", "stops", "city"},
                              {"arrived", "trip", "city"}, &Trips)
                  .Option("most", "100", "how many stops a trip may have")
                  .Flags(ALLOY_ROWWISE))
