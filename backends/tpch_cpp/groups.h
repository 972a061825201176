// SPDX-License-Identifier: MIT
//
// The sums of each group of Q1.
#ifndef ALLOY_BACKENDS_TPCH_CPP_GROUPS_H_
#define ALLOY_BACKENDS_TPCH_CPP_GROUPS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alloy/backend.hpp"
#include "exact.h"

namespace tpch {

// The columns of a batch.
struct PricedRows {
  explicit PricedRows(const alloy::InputBatch& batch);
  bool HasNulls() const;

  alloy::Column<alloy::Decimal128> quantity;
  alloy::Column<alloy::Decimal128> price;
  alloy::Column<alloy::Decimal128> discount;
  alloy::Column<alloy::Decimal128> tax;
  alloy::Strings return_flag;
  alloy::Strings line_status;
  alloy::Column<alloy::Date32> day;
};

// What is summed. kDiscounted: price * (1 - discount); kCharge: that * (1 + tax).
enum Summed : size_t { kQuantity, kPrice, kDiscount, kDiscounted, kCharge, kSummed };

// The sums of a group, each with the number of its values.
struct Sums {
  std::array<alloy::Decimal128, kSummed> sums{};
  std::array<uint64_t, kSummed> counts{};
  uint64_t rows = 0;
};

// A flag and a status.
struct Key {
  std::optional<std::string> flag;
  std::optional<std::string> status;
  // Nulls last.
  bool operator<(const Key& other) const;
};

class Groups {
 public:
  Groups();

  // The rows that the query wants. Throws Failure when a sum overflows.
  void Add(const PricedRows& rows);

  // In the order of the keys: numbers for `of`.
  const std::map<Key, size_t>& numbers() const { return numbers_; }
  const Sums& of(size_t number) const { return sums_[number]; }

 private:
  bool AddFast(const PricedRows& rows, int64_t first, int64_t end);
  void AddRowByRow(const PricedRows& rows, int64_t first, int64_t end);
  bool NumberRows(const PricedRows& rows, int64_t first, int64_t end, uint8_t* numbers);
  uint8_t NewNumber(char flag, char status);
  size_t NumberOf(const Key& key);

  std::map<Key, size_t> numbers_;
  std::vector<Sums> sums_;
  std::vector<uint8_t> table_;  // the number of a group by the two bytes of its flags
};

}  // namespace tpch

#endif  // ALLOY_BACKENDS_TPCH_CPP_GROUPS_H_
