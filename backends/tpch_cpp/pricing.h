// SPDX-License-Identifier: MIT
//
// select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as
// sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price,
// sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as
// avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as
// count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day
// group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus
#ifndef ALLOY_BACKENDS_TPCH_CPP_PRICING_H_
#define ALLOY_BACKENDS_TPCH_CPP_PRICING_H_

#include <array>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"
#include "decimals.h"

namespace tpch {

class Pricing {
 public:
  struct Rows : CommonRows {
    explicit Rows(const alloy::InputBatch& batch)
        : CommonRows(batch),
          tax(batch.Get<Numbers>("l_tax")),
          flag(batch.Get<alloy::Strings>("l_returnflag")),
          status(batch.Get<alloy::Strings>("l_linestatus")) {
      has_nulls = has_nulls || tax.HasNulls() || flag.HasNulls() || status.HasNulls();
    }
    Numbers tax;
    alloy::Strings flag, status;
  };

  Pricing(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}

  static alloy::Schema OutputSchema() {
    return alloy::Schema::Batch(
        {{.name = "l_returnflag", .format = "u"},
         {.name = "l_linestatus", .format = "u"},
         {.name = "sum_qty", .format = "d:38,2"},
         {.name = "sum_base_price", .format = "d:38,2"},
         {.name = "sum_disc_price", .format = "d:38,4"},
         {.name = "sum_charge", .format = "d:38,6"},
         {.name = "avg_qty", .format = "g"},
         {.name = "avg_price", .format = "g"},
         {.name = "avg_disc", .format = "g"},
         {.name = "count_order", .format = "l", .nullable = false}});
  }

  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output) {
    if (std::exchange(done_, true)) return false;
    AddAll(*this, scope, inputs[0]);
    Report(scope.services().resize, output);
    return true;
  }

  // False for longer flags, more groups, or great numbers.
  bool AddFast(const Rows& rows, int64_t first, int64_t end) {
    uint8_t numbers[kChunkRows];
    if (!NumberRows(rows, first, end, numbers)) return false;
    // The sums of a chunk; the rest makes it a round size. Two for each group, since one
    // would have to wait for itself from row to row.
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
      Part& part =
          parts[static_cast<size_t>(row & 1)][numbers[row - first] % kFastGroups];
      part[kQuantity] += Low(quantity);
      part[kPrice] += Low(price);
      part[kDiscount] += Low(discount);
      part[kDiscounted] += discounted;
      part[kCharge] += charge;
      ++part[kRows];
    }
    if (beyond != 0) return false;
    for (size_t number = 1; number < std::min(kFastGroups, sums_.size()); ++number) {
      for (const auto& half : parts) {
        const Part& part = half[number];
        for (size_t what = 0; what < kSummed; ++what) {
          sums_[number][what].Add(static_cast<int64_t>(part[what]), part[kRows], kSum);
        }
      }
    }
    return true;
  }

  // A call for each row would make rows with nulls slower.
  [[gnu::always_inline]] void AddRow(const Rows& rows, int64_t row) {
    const auto day = rows.day.Get(row);
    if (!day || day->days > kLastDay) return;
    const auto part = [](const auto& text) {
      return std::pair(!text.has_value(), std::string(text.value_or("")));
    };
    const auto hundred_plus = [](Number rate, int sign) {
      return rate ? Number(Add(100, *Multiply(rate, sign, kSum), kSum)) : std::nullopt;
    };
    Sums& sums =
        sums_[NumberOf({{part(rows.flag.Get(row)), part(rows.status.Get(row))}})];
    const Number price = rows.price.Get(row);
    const Number discount = rows.discount.Get(row);
    const Number discounted = Multiply(price, hundred_plus(discount, -1), kSum);
    sums[kQuantity].Add(rows.quantity.Get(row), 1, kSum);
    sums[kPrice].Add(price, 1, kSum);
    sums[kDiscount].Add(discount, 1, kSum);
    sums[kDiscounted].Add(discounted, 1, kSum);
    const Number tax = hundred_plus(rows.tax.Get(row), 1);
    sums[kCharge].Add(Multiply(discounted, tax, kSum), 1, kSum);
    ++sums[kRows].sum;
  }

 private:
  static constexpr int32_t kLastDay = 10'471;  // 1998-09-02 in days since 1970
  static constexpr const char* kSum = "a sum";
  // Groups that the fast way knows. Number 0 takes the rows outside the query.
  static constexpr size_t kFastGroups = 32;

  // kDiscounted: price * (1 - discount). kCharge: that * (1 + tax).
  enum : size_t { kQuantity, kPrice, kDiscount, kDiscounted, kCharge, kRows, kSummed };
  using Sums = std::array<Sum, kSummed>;
  // Of a flag and a status: whether each is null, so that nulls are last, and its text.
  using Key = std::array<std::pair<bool, std::string>, 2>;

  // The number of the group of each row, or 0 outside the query. False if one has no number.
  bool NumberRows(const Rows& rows, int64_t first, int64_t end, uint8_t* numbers) {
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
      if (is_wanted && known == 0) [[unlikely]] {
        const size_t number = NumberOf(
            {{{false, std::string(1, flags[i])}, {false, std::string(1, statuses[i])}}});
        if (number >= kFastGroups) return false;
        known = static_cast<uint8_t>(number);
      }
      numbers[i] = is_wanted ? known : 0;
    }
    return true;
  }

  size_t NumberOf(const Key& key) {
    const auto [found, is_new] = numbers_.try_emplace(key, sums_.size());
    if (is_new) sums_.emplace_back();
    return found->second;
  }

  void Report(alloy::detail::Resize resize, ArrowArray* output) const {
    alloy::Output<std::string> keys[] = {alloy::Output<std::string>(resize),
                                         alloy::Output<std::string>(resize)};
    alloy::Output<Decimal128> quantity(resize), price(resize), discounted(resize),
        charge(resize);
    alloy::Output<double> mean_quantity(resize), mean_price(resize),
        mean_discount(resize);
    alloy::Output<int64_t> rows(resize);
    for (const auto& [key, number] : numbers_) {
      const Sums& group = sums_[number];
      for (size_t i = 0; i < 2; ++i) {
        const auto& [is_null, text] = key[i];
        is_null ? keys[i].AppendNull() : keys[i].Append(text);
      }
      quantity.Append(group[kQuantity].Get("sum_qty"));
      price.Append(group[kPrice].Get("sum_base_price"));
      discounted.Append(group[kDiscounted].Get("sum_disc_price"));
      charge.Append(group[kCharge].Get("sum_charge"));
      mean_quantity.Append(group[kQuantity].AverageOfSum());
      mean_price.Append(group[kPrice].AverageOfSum());
      mean_discount.Append(group[kDiscount].Average());
      rows.Append(static_cast<int64_t>(group[kRows].sum));
    }
    alloy::GiveBatch(output, std::move(keys[0]), std::move(keys[1]), std::move(quantity),
                     std::move(price), std::move(discounted), std::move(charge),
                     std::move(mean_quantity), std::move(mean_price),
                     std::move(mean_discount), std::move(rows));
  }

  bool done_ = false;
  std::map<Key, size_t> numbers_;
  std::vector<Sums> sums_ = std::vector<Sums>(1);
  // The number of a group by the two bytes of its key. Zero: unknown.
  std::vector<uint8_t> table_ = std::vector<uint8_t>(1 << 16);
};

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_PRICING_H_
