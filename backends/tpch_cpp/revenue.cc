// SPDX-License-Identifier: MIT
#include "revenue.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "chunk.h"
#include "exact.h"

namespace tpch {
namespace {

using alloy::Column;
using alloy::Date32;
using alloy::Decimal128;

// 1994-01-01 to 1994-12-31, in days since 1970.
constexpr int32_t kFirstDay = 8'766;
constexpr int32_t kLastDay = 9'130;
// In hundredths.
constexpr int64_t kLeastDiscount = 5;
constexpr int64_t kMostDiscount = 7;
constexpr int64_t kQuantity = 2'400;

constexpr const char* kName = "revenue";

struct Rows {
  explicit Rows(const alloy::InputBatch& batch)
      : quantity(batch.Get<Column<Decimal128>>("l_quantity")),
        price(batch.Get<Column<Decimal128>>("l_extendedprice")),
        discount(batch.Get<Column<Decimal128>>("l_discount")),
        day(batch.Get<Column<Date32>>("l_shipdate")) {}

  bool HasNulls() const {
    return quantity.HasNulls() || price.HasNulls() || discount.HasNulls() ||
           day.HasNulls();
  }

  Column<Decimal128> quantity;
  Column<Decimal128> price;
  Column<Decimal128> discount;
  Column<Date32> day;
};

bool IsWanted(int32_t day, Decimal128 discount, Decimal128 quantity) {
  return day >= kFirstDay && day <= kLastDay && discount >= kLeastDiscount &&
         discount <= kMostDiscount && quantity < kQuantity;
}

void AddTo(Number* sum, Decimal128 part) {
  *sum = Checked(Add(sum->value_or(0), part, kName), kName);
}

// False, and nothing done, where a number is too great.
bool AddFast(const Rows& rows, int64_t first, int64_t end, Number* revenue) {
  uint64_t count = 0;
  uint64_t sum = 0;
  int64_t beyond = 0;
  for (int64_t row = first; row < end; ++row) {
    const Decimal128 quantity = rows.quantity[row];
    const Decimal128 price = rows.price[row];
    const Decimal128 discount = rows.discount[row];
    const int32_t day = rows.day[row].days;
    beyond |= BeyondMoney(quantity) | BeyondMoney(price) | BeyondRate(discount);
    const auto is_wanted =
        static_cast<uint64_t>((day >= kFirstDay) & (day <= kLastDay) &
                              (static_cast<int64_t>(discount) >= kLeastDiscount) &
                              (static_cast<int64_t>(discount) <= kMostDiscount) &
                              (static_cast<int64_t>(quantity) < kQuantity));
    count += is_wanted;
    sum += Low(price) * Low(discount) & -is_wanted;
  }
  if (beyond != 0) return false;
  if (count > 0) AddTo(revenue, static_cast<int64_t>(sum));
  return true;
}

void AddRowByRow(const Rows& rows, int64_t first, int64_t end, Number* revenue) {
  for (int64_t row = first; row < end; ++row) {
    const Number quantity = rows.quantity.Get(row);
    const Number discount = rows.discount.Get(row);
    const Number price = rows.price.Get(row);
    const auto day = rows.day.Get(row);
    // A condition on a null is not true.
    if (!quantity || !discount || !price || !day) continue;
    if (!IsWanted(day->days, *discount, *quantity)) continue;
    AddTo(revenue, *Multiply(price, discount, kName));
  }
}

}  // namespace

alloy::Schema Revenue::OutputSchema() {
  const alloy::DecimalType type{.precision = 38, .scale = 4};
  return alloy::Schema::Batch(
      std::vector<alloy::Field>{{.name = kName, .format = type.Format()}});
}

bool Revenue::Next(alloy::Scope& scope, std::span<alloy::Input> inputs,
                   ArrowArray* output) {
  if (std::exchange(done_, true)) return false;
  Number revenue;
  while (const auto batch = inputs[0].Next()) {
    scope.ThrowIfCancelled();
    const Rows rows(*batch);
    const bool has_nulls = rows.HasNulls();
    ForEachChunk(batch->rows(), [&](int64_t first, int64_t end) {
      if (has_nulls || !AddFast(rows, first, end, &revenue)) {
        AddRowByRow(rows, first, end, &revenue);
      }
    });
  }
  alloy::Output<Decimal128> column(scope.services().resize);
  column.Append(revenue);
  alloy::GiveBatch(output, std::move(column));
  return true;
}

}  // namespace tpch
