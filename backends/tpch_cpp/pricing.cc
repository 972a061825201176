// SPDX-License-Identifier: MIT
#include "pricing.h"

namespace tpch {
namespace {

constexpr int32_t kLastDay = 10'471;  // 1998-09-02 in days since 1970
constexpr const char* kSum = "a sum";

// Groups that the fast way knows. Number 0 takes the rows outside the query.
constexpr size_t kFastGroups = 32;
constexpr uint8_t kUnknown = 255;

Number HundredPlus(Number rate, int sign) {
  return rate ? Number(Add(100, *Multiply(rate, sign, kSum), kSum)) : std::nullopt;
}

}  // namespace

void Pricing::Sums::Add(Number value, Summed what) {
  if (!value) return;
  sums[what] = tpch::Add(sums[what], *value, kSum);
  ++counts[what];
}

Number Pricing::Sums::Of(Summed what, const char* name) const {
  return counts[what] == 0 ? std::nullopt : Number(Checked(sums[what], name));
}

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
  table_.assign(1 << 16, kUnknown);
  while (const auto batch = inputs[0].Next()) {
    scope.ThrowIfCancelled();
    const PricedRows rows(*batch);
    ForEachChunk(
        rows.day.size(), rows.HasNulls(),
        [&](int64_t first, int64_t end) { return AddFast(rows, first, end); },
        [&](int64_t first, int64_t end) { AddRowByRow(rows, first, end); });
  }
  Report(scope.services().resize, output);
  return true;
}

// False, and nothing is added, if the chunk needs the other way: longer flags, more
// groups, or great numbers.
bool Pricing::AddFast(const PricedRows& rows, int64_t first, int64_t end) {
  uint8_t numbers[kChunkRows];
  if (!NumberRows(rows, first, end, numbers)) return false;
  // The sums of a chunk, then how many rows; the rest makes it a round size. Two for each
  // group, since one would have to wait for itself from row to row.
  using Part = std::array<uint64_t, 8>;
  std::array<std::array<Part, kFastGroups>, 2> parts{};
  int64_t beyond = 0;
  for (int64_t row = first; row < end; ++row) {
    const Decimal128 quantity = rows.quantity[row];
    const Decimal128 price = rows.price[row];
    const Decimal128 discount = rows.discount[row];
    const Decimal128 tax = rows.tax[row];
    beyond |= BeyondMoney(quantity) | BeyondMoney(price) | BeyondRate(discount) |
              BeyondRate(tax);
    const uint64_t discounted = Low(price) * (100 - Low(discount));
    const uint64_t charge = discounted * (100 + Low(tax));
    Part& part = parts[static_cast<size_t>(row & 1)][numbers[row - first] % kFastGroups];
    part[kQuantity] += Low(quantity);
    part[kPrice] += Low(price);
    part[kDiscount] += Low(discount);
    part[kDiscounted] += discounted;
    part[kCharge] += charge;
    ++part[kSummed];
  }
  if (beyond != 0) return false;
  for (size_t number = 1; number < std::min(kFastGroups, sums_.size()); ++number) {
    Sums& sums = sums_[number];
    for (const auto& half : parts) {
      const Part& part = half[number];
      for (size_t what = 0; what < kSummed; ++what) {
        sums.sums[what] = Add(sums.sums[what], static_cast<int64_t>(part[what]), kSum);
        sums.counts[what] += part[kSummed];
      }
      sums.rows += part[kSummed];
    }
  }
  return true;
}

// The number of the group of each row, or 0 outside the query. False if one has no number.
bool Pricing::NumberRows(const PricedRows& rows, int64_t first, int64_t end,
                         uint8_t* numbers) {
  char flags[kChunkRows];
  char statuses[kChunkRows];
  const auto count = static_cast<size_t>(end - first);
  if (!rows.flag.ReadBytes(first, std::span(flags, count)) ||
      !rows.status.ReadBytes(first, std::span(statuses, count))) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    const bool is_wanted = rows.day[first + static_cast<int64_t>(i)].days <= kLastDay;
    uint8_t& known = table_[static_cast<size_t>(static_cast<uint8_t>(flags[i])) << 8 |
                            static_cast<uint8_t>(statuses[i])];
    if (is_wanted && known == kUnknown) [[unlikely]] {
      const size_t number = NumberOf(
          {{{false, std::string(1, flags[i])}, {false, std::string(1, statuses[i])}}});
      if (number >= kFastGroups) return false;
      known = static_cast<uint8_t>(number);
    }
    numbers[i] = is_wanted ? known : 0;
  }
  return true;
}

size_t Pricing::NumberOf(const Key& key) {
  const auto [found, is_new] = numbers_.try_emplace(key, sums_.size());
  if (is_new) sums_.emplace_back();
  return found->second;
}

void Pricing::AddRowByRow(const PricedRows& rows, int64_t first, int64_t end) {
  const auto part = [](const auto& text) {
    return std::pair(!text.has_value(), std::string(text.value_or("")));
  };
  for (int64_t row = first; row < end; ++row) {
    const auto day = rows.day.Get(row);
    if (!day || day->days > kLastDay) continue;
    Sums& sums =
        sums_[NumberOf({{part(rows.flag.Get(row)), part(rows.status.Get(row))}})];
    const Number price = rows.price.Get(row);
    const Number discount = rows.discount.Get(row);
    const Number discounted = Multiply(price, HundredPlus(discount, -1), kSum);
    sums.Add(rows.quantity.Get(row), kQuantity);
    sums.Add(price, kPrice);
    sums.Add(discount, kDiscount);
    sums.Add(discounted, kDiscounted);
    sums.Add(Multiply(discounted, HundredPlus(rows.tax.Get(row), 1), kSum), kCharge);
    ++sums.rows;
  }
}

void Pricing::Report(alloy::detail::Resize resize, ArrowArray* output) const {
  alloy::Output<std::string> keys[] = {alloy::Output<std::string>(resize),
                                       alloy::Output<std::string>(resize)};
  alloy::Output<Decimal128> quantity(resize), price(resize), discounted(resize),
      charge(resize);
  alloy::Output<double> mean_quantity(resize), mean_price(resize), mean_discount(resize);
  alloy::Output<int64_t> rows(resize);
  for (const auto& [key, number] : numbers_) {
    const Sums& group = sums_[number];
    for (size_t i = 0; i < 2; ++i) {
      const auto& [is_null, text] = key[i];
      is_null ? keys[i].AppendNull() : keys[i].Append(text);
    }
    quantity.Append(group.Of(kQuantity, "sum_qty"));
    price.Append(group.Of(kPrice, "sum_base_price"));
    discounted.Append(group.Of(kDiscounted, "sum_disc_price"));
    charge.Append(group.Of(kCharge, "sum_charge"));
    mean_quantity.Append(AverageOfSum(group.sums[kQuantity], group.counts[kQuantity]));
    mean_price.Append(AverageOfSum(group.sums[kPrice], group.counts[kPrice]));
    mean_discount.Append(Average(group.sums[kDiscount], group.counts[kDiscount]));
    rows.Append(static_cast<int64_t>(group.rows));
  }
  alloy::GiveBatch(output, std::move(keys[0]), std::move(keys[1]), std::move(quantity),
                   std::move(price), std::move(discounted), std::move(charge),
                   std::move(mean_quantity), std::move(mean_price),
                   std::move(mean_discount), std::move(rows));
}

}  // namespace tpch
