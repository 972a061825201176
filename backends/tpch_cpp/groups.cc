// SPDX-License-Identifier: MIT
//
// The fast way takes a chunk of rows: the two bytes of the flags are the place of the
// group's number in a table, and the sums of the chunk fit 64 bits. Whatever does not fit
// this (nulls, longer flags, more groups, great numbers) goes row by row, in 128 bits.
#include "groups.h"

#include <span>
#include <string_view>
#include <tuple>

#include "chunk.h"

namespace tpch {
namespace {

using alloy::Column;
using alloy::Date32;
using alloy::Decimal128;
using alloy::Strings;

// 1998-09-02 in days since 1970.
constexpr int32_t kLastDay = 10'471;

constexpr const char* kSum = "a sum";

// Groups that the fast way knows. Number 0 takes the rows that nobody wants.
constexpr size_t kFastGroups = 32;
constexpr uint8_t kUnknown = 255;

// The sums of a chunk, then how many rows; the rest makes it a round size.
using Part = std::array<uint64_t, 8>;
constexpr size_t kCount = kSummed;

size_t PlaceOf(char flag, char status) {
  return static_cast<size_t>(static_cast<uint8_t>(flag)) << 8 |
         static_cast<uint8_t>(status);
}

void AddPart(const Part& part, Sums* sums) {
  for (size_t what = 0; what < kSummed; ++what) {
    sums->sums[what] = Add(sums->sums[what], static_cast<int64_t>(part[what]), kSum);
    sums->counts[what] += part[kCount];
  }
  sums->rows += part[kCount];
}

void AddNumber(Number value, Summed what, Sums* sums) {
  if (!value) return;
  sums->sums[what] = Add(sums->sums[what], *value, kSum);
  ++sums->counts[what];
}

// 1 - rate or 1 + rate, in hundredths.
Number OneMinus(Number rate) {
  if (!rate) return std::nullopt;
  Decimal128 result = 0;
  if (__builtin_sub_overflow(Decimal128{100}, *rate, &result)) Overflow(kSum);
  return result;
}
Number OnePlus(Number rate) {
  if (!rate) return std::nullopt;
  return Add(100, *rate, kSum);
}

void AddRow(const PricedRows& rows, int64_t row, Sums* sums) {
  const Number price = rows.price.Get(row);
  const Number discount = rows.discount.Get(row);
  const Number discounted = Multiply(price, OneMinus(discount), kSum);
  AddNumber(rows.quantity.Get(row), kQuantity, sums);
  AddNumber(price, kPrice, sums);
  AddNumber(discount, kDiscount, sums);
  AddNumber(discounted, kDiscounted, sums);
  AddNumber(Multiply(discounted, OnePlus(rows.tax.Get(row)), kSum), kCharge, sums);
  ++sums->rows;
}

std::optional<std::string> TextOf(std::optional<std::string_view> text) {
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

}  // namespace

PricedRows::PricedRows(const alloy::InputBatch& batch)
    : quantity(batch.Get<Column<Decimal128>>("l_quantity")),
      price(batch.Get<Column<Decimal128>>("l_extendedprice")),
      discount(batch.Get<Column<Decimal128>>("l_discount")),
      tax(batch.Get<Column<Decimal128>>("l_tax")),
      return_flag(batch.Get<Strings>("l_returnflag")),
      line_status(batch.Get<Strings>("l_linestatus")),
      day(batch.Get<Column<Date32>>("l_shipdate")) {}

bool PricedRows::HasNulls() const {
  return quantity.HasNulls() || price.HasNulls() || discount.HasNulls() ||
         tax.HasNulls() || return_flag.HasNulls() || line_status.HasNulls() ||
         day.HasNulls();
}

bool Key::operator<(const Key& other) const {
  using Text = const std::optional<std::string>&;
  const auto order = [](const Key& key) {
    return std::tuple<bool, Text, bool, Text>(!key.flag, key.flag, !key.status,
                                              key.status);
  };
  return order(*this) < order(other);
}

Groups::Groups() : sums_(1), table_(1 << 16, kUnknown) {}

void Groups::Add(const PricedRows& rows) {
  const bool has_nulls = rows.HasNulls();
  ForEachChunk(rows.day.size(), [&](int64_t first, int64_t end) {
    if (has_nulls || !AddFast(rows, first, end)) AddRowByRow(rows, first, end);
  });
}

// False, and nothing done, where the chunk is not what the fast way is for.
bool Groups::AddFast(const PricedRows& rows, int64_t first, int64_t end) {
  uint8_t numbers[kChunkRows];
  if (!NumberRows(rows, first, end, numbers)) return false;
  // Two sums for each group, since one had to wait for itself from row to row.
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
    ++part[kCount];
  }
  if (beyond != 0) return false;
  for (size_t number = 1; number < std::min(kFastGroups, sums_.size()); ++number) {
    for (const auto& half : parts) AddPart(half[number], &sums_[number]);
  }
  return true;
}

// The number of the group of each row, 0 where the row is not wanted. False where there
// is none.
bool Groups::NumberRows(const PricedRows& rows, int64_t first, int64_t end,
                        uint8_t* numbers) {
  char flags[kChunkRows];
  char statuses[kChunkRows];
  const auto count = static_cast<size_t>(end - first);
  if (!rows.return_flag.ReadBytes(first, std::span(flags, count)) ||
      !rows.line_status.ReadBytes(first, std::span(statuses, count))) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    const bool is_wanted = rows.day[first + static_cast<int64_t>(i)].days <= kLastDay;
    uint8_t number = table_[PlaceOf(flags[i], statuses[i])];
    if (is_wanted && number == kUnknown) [[unlikely]] {
      number = NewNumber(flags[i], statuses[i]);
      if (number == kUnknown) return false;
    }
    numbers[i] = is_wanted ? number : 0;
  }
  return true;
}

uint8_t Groups::NewNumber(char flag, char status) {
  const size_t number = NumberOf({std::string(1, flag), std::string(1, status)});
  if (number >= kFastGroups) return kUnknown;
  return table_[PlaceOf(flag, status)] = static_cast<uint8_t>(number);
}

size_t Groups::NumberOf(const Key& key) {
  const auto [found, is_new] = numbers_.try_emplace(key, sums_.size());
  if (is_new) sums_.emplace_back();
  return found->second;
}

void Groups::AddRowByRow(const PricedRows& rows, int64_t first, int64_t end) {
  for (int64_t row = first; row < end; ++row) {
    const auto day = rows.day.Get(row);
    if (!day || day->days > kLastDay) continue;
    const Key key{TextOf(rows.return_flag.Get(row)), TextOf(rows.line_status.Get(row))};
    AddRow(rows, row, &sums_[NumberOf(key)]);
  }
}

}  // namespace tpch
