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

// The columns of a batch.
struct PricedRows {
  explicit PricedRows(const alloy::InputBatch& batch)
      : quantity(batch.Get<alloy::Column<Decimal128>>("l_quantity")),
        price(batch.Get<alloy::Column<Decimal128>>("l_extendedprice")),
        discount(batch.Get<alloy::Column<Decimal128>>("l_discount")),
        tax(batch.Get<alloy::Column<Decimal128>>("l_tax")),
        flag(batch.Get<alloy::Strings>("l_returnflag")),
        status(batch.Get<alloy::Strings>("l_linestatus")),
        day(batch.Get<alloy::Column<alloy::Date32>>("l_shipdate")) {}
  bool HasNulls() const {
    return quantity.HasNulls() || price.HasNulls() || discount.HasNulls() ||
           tax.HasNulls() || flag.HasNulls() || status.HasNulls() || day.HasNulls();
  }
  alloy::Column<Decimal128> quantity, price, discount, tax;
  alloy::Strings flag, status;
  alloy::Column<alloy::Date32> day;
};

class Pricing {
 public:
  Pricing(alloy::Scope&, const alloy::Options&, std::span<const ArrowSchema>) {}
  static alloy::Schema OutputSchema();
  bool Next(alloy::Scope& scope, std::span<alloy::Input> inputs, ArrowArray* output);

 private:
  // kDiscounted: price * (1 - discount). kCharge: that * (1 + tax).
  enum Summed : size_t { kQuantity, kPrice, kDiscount, kDiscounted, kCharge, kSummed };
  // The sums of a group, each with the number of its values.
  struct Sums {
    std::array<Decimal128, kSummed> sums{};
    std::array<uint64_t, kSummed> counts{};
    uint64_t rows = 0;
    void Add(Number value, Summed what);
    Number Of(Summed what, const char* name) const;
  };
  // Of a flag and a status: whether each is null, so that nulls are last, and its text.
  using Key = std::array<std::pair<bool, std::string>, 2>;

  bool AddFast(const PricedRows& rows, int64_t first, int64_t end);
  void AddRowByRow(const PricedRows& rows, int64_t first, int64_t end);
  bool NumberRows(const PricedRows& rows, int64_t first, int64_t end, uint8_t* numbers);
  size_t NumberOf(const Key& key);
  void Report(alloy::detail::Resize resize, ArrowArray* output) const;

  bool done_ = false;
  std::map<Key, size_t> numbers_;
  std::vector<Sums> sums_ = std::vector<Sums>(1);
  std::vector<uint8_t> table_;  // the number of a group by the two bytes of its key
};

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_PRICING_H_
