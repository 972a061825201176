// SPDX-License-Identifier: MIT
//
// TPC-H Q1 and Q6 over a stream of lineitem, with the types and the digits of DuckDB.
// Each function declares the columns that it reads, so that hosts read only these from a
// file.
#include <span>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"
#include "decimals.h"
#include "pricing.h"

namespace tpch {
namespace {

// select sum(l_extendedprice * l_discount) as revenue from lineitem where l_shipdate >=
// date '1994-01-01' and l_shipdate < date '1995-01-01' and l_discount between 0.05 and
// 0.07 and l_quantity < 24
class Revenue {
 public:
  using Rows = CommonRows;

  Revenue(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}

  static alloy::Schema OutputSchema() {
    return alloy::Schema::Batch(
        std::vector<alloy::Field>{{.name = kName, .format = "d:38,4"}});
  }

  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output) {
    if (std::exchange(done_, true)) return false;
    AddAll(*this, scope, inputs[0]);
    alloy::Output<Decimal128> column(scope.services().resize);
    column.Append(revenue_.Get(kName));
    alloy::GiveBatch(output, std::move(column));
    return true;
  }

  // False for great numbers. Out of line and on copies of the views, the loop is faster.
  [[gnu::noinline]] bool AddFast(const Rows& rows, int64_t first, int64_t end) {
    const Numbers quantity = rows.quantity, price = rows.price, discount = rows.discount;
    const auto day = rows.day;
    uint64_t count = 0;
    uint64_t sum = 0;
    int64_t beyond = 0;
    for (int64_t row = first; row < end; ++row) {
      const Decimal128 q = quantity[row];
      const Decimal128 p = price[row];
      const Decimal128 d = discount[row];
      beyond |= BeyondMoney(q) | BeyondMoney(p) | BeyondRate(d);
      const auto is_wanted = static_cast<uint64_t>(
          IsWanted(day[row].days, static_cast<int64_t>(d), static_cast<int64_t>(q)));
      count += is_wanted;
      sum += Low(p) * Low(d) & -is_wanted;
    }
    if (beyond == 0) revenue_.Add(static_cast<int64_t>(sum), count, kName);
    return beyond == 0;
  }

  void AddRow(const Rows& rows, int64_t row) {
    const Number q = rows.quantity.Get(row);
    const Number d = rows.discount.Get(row);
    const auto day = rows.day.Get(row);
    // A condition on a null is not true.
    if (!q || !d || !day || !IsWanted(day->days, *d, *q)) return;
    revenue_.Add(Multiply(rows.price.Get(row), d, kName), 1, kName);
  }

 private:
  static constexpr const char* kName = "revenue";

  // Days since 1970, and hundredths. Without branches, for the fast way.
  template <typename T>
  static bool IsWanted(int32_t day, T discount, T quantity) {
    return (day >= 8'766) & (day <= 9'130) & (discount >= 5) & (discount <= 7) &
           (quantity < 2'400);
  }

  bool done_ = false;
  Sum revenue_;
};

constexpr const char* kMoney = "d:15,2";
constexpr const char* kFlag = "u U vu";
constexpr const char* kDay = "tdD";

}  // namespace
}  // namespace tpch

ALLOY_BACKEND(
    "alloy.tpch", "0.1.0",
    alloy::Streams<tpch::Pricing>("q1")
        .Summary("The pricing summary report: sums and averages by return flag and line "
                 "status.")
        .Flags(ALLOY_IDEMPOTENT)
        .Reads({{"l_quantity", tpch::kMoney},
                {"l_extendedprice", tpch::kMoney},
                {"l_discount", tpch::kMoney},
                {"l_tax", tpch::kMoney},
                {"l_returnflag", tpch::kFlag},
                {"l_linestatus", tpch::kFlag},
                {"l_shipdate", tpch::kDay}}),
    alloy::Streams<tpch::Revenue>("q6")
        .Summary("The forecast of revenue change: what the discounts of a year cost.")
        .Flags(ALLOY_IDEMPOTENT)
        .Reads({{"l_quantity", tpch::kMoney},
                {"l_extendedprice", tpch::kMoney},
                {"l_discount", tpch::kMoney},
                {"l_shipdate", tpch::kDay}}))
