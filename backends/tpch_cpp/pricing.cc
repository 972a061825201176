// SPDX-License-Identifier: MIT
#include "pricing.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "average.h"
#include "exact.h"
#include "groups.h"

namespace tpch {
namespace {

using alloy::Decimal128;
using alloy::Output;

Number SumOf(const Sums& sums, Summed what, const char* name) {
  if (sums.counts[what] == 0) return std::nullopt;
  return Checked(sums.sums[what], name);
}

void Report(const Groups& groups, alloy::detail::Resize resize, ArrowArray* output) {
  Output<std::string> flag(resize), status(resize);
  Output<Decimal128> quantity(resize), price(resize), discounted(resize), charge(resize);
  Output<double> mean_quantity(resize), mean_price(resize), mean_discount(resize);
  Output<int64_t> rows(resize);
  for (const auto& [key, number] : groups.numbers()) {
    const Sums& sums = groups.of(number);
    flag.Append(key.flag);
    status.Append(key.status);
    quantity.Append(SumOf(sums, kQuantity, "sum_qty"));
    price.Append(SumOf(sums, kPrice, "sum_base_price"));
    discounted.Append(SumOf(sums, kDiscounted, "sum_disc_price"));
    charge.Append(SumOf(sums, kCharge, "sum_charge"));
    mean_quantity.Append(AverageOfSum(sums.sums[kQuantity], sums.counts[kQuantity]));
    mean_price.Append(AverageOfSum(sums.sums[kPrice], sums.counts[kPrice]));
    mean_discount.Append(Average(sums.sums[kDiscount], sums.counts[kDiscount]));
    rows.Append(static_cast<int64_t>(sums.rows));
  }
  alloy::GiveBatch(output, std::move(flag), std::move(status), std::move(quantity),
                   std::move(price), std::move(discounted), std::move(charge),
                   std::move(mean_quantity), std::move(mean_price),
                   std::move(mean_discount), std::move(rows));
}

}  // namespace

alloy::Schema Pricing::OutputSchema() {
  const auto sum = [](int32_t scale) {
    return alloy::DecimalType{.precision = 38, .scale = scale}.Format();
  };
  return alloy::Schema::Batch(
      {{.name = "l_returnflag", .format = "u"},
       {.name = "l_linestatus", .format = "u"},
       {.name = "sum_qty", .format = sum(2)},
       {.name = "sum_base_price", .format = sum(2)},
       {.name = "sum_disc_price", .format = sum(4)},
       {.name = "sum_charge", .format = sum(6)},
       {.name = "avg_qty", .format = "g"},
       {.name = "avg_price", .format = "g"},
       {.name = "avg_disc", .format = "g"},
       {.name = "count_order", .format = "l", .nullable = false}});
}

bool Pricing::Next(alloy::Scope& scope, std::span<alloy::Input> inputs,
                   ArrowArray* output) {
  if (std::exchange(done_, true)) return false;
  Groups groups;
  while (const auto batch = inputs[0].Next()) {
    scope.ThrowIfCancelled();
    groups.Add(PricedRows(*batch));
  }
  Report(groups, scope.services().resize, output);
  return true;
}

}  // namespace tpch
