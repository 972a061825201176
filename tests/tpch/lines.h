// SPDX-License-Identifier: MIT
//
// Rows of TPC-H's lineitem for tests, and what comes out for them.
#ifndef ALLOY_TESTS_TPCH_LINES_H_
#define ALLOY_TESTS_TPCH_LINES_H_

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/support/decimals.h"
#include "tests/support/text_layouts.h"

namespace tpch_test {

using alloy::Decimal128;

// In hundredths and in days since 1970.
struct Line {
  std::optional<Decimal128> quantity, price, discount, tax;
  std::optional<std::string> flag, status;
  std::optional<alloy::Date32> day;
};
using Lines = std::vector<Line>;

inline Line MakeLine(std::array<Decimal128, 4> numbers, const std::string& flag,
                     const std::string& status, int32_t day) {
  return {numbers[0], numbers[1], numbers[2],        numbers[3],
          flag,       status,     alloy::Date32{day}};
}

template <typename T>
std::vector<std::optional<T>> Each(const Lines& lines, std::optional<T> Line::* column) {
  std::vector<std::optional<T>> values;
  values.reserve(lines.size());
  for (const Line& line : lines) values.push_back(line.*column);
  return values;
}

// A batch with more columns than are read, in an order of its own. The rows are a slice
// of longer columns, so that offsets are at work. `layout`: u, U or vu.
inline alloy::Batch BatchOf(const std::string& layout, const Lines& lines) {
  Lines more(3, lines.empty() ? Line() : lines.back());
  more.insert(more.end(), lines.begin(), lines.end());
  const auto rows = static_cast<int64_t>(lines.size());
  const auto part = [rows](const alloy::Array& all) {
    return support::Slice(all, 3, rows);
  };
  const auto decimals = [&](std::optional<Decimal128> Line::* column) {
    return part(support::MakeDecimals("d:15,2", Each(more, column)));
  };
  const auto texts = [&](std::optional<std::string> Line::* column) {
    const auto values = Each(more, column);
    return part(layout == "u" ? alloy::MakeArray(values)
                              : support::MakeTexts(layout, values));
  };
  const std::vector<int64_t> keys(lines.size(), 7);
  std::vector<alloy::Named> columns;
  columns.push_back({"l_orderkey", alloy::MakeArray(keys)});
  columns.push_back({"l_shipdate", part(alloy::MakeArray(Each(more, &Line::day)))});
  columns.push_back({"l_quantity", decimals(&Line::quantity)});
  columns.push_back({"l_tax", decimals(&Line::tax)});
  columns.push_back({"l_returnflag", texts(&Line::flag)});
  columns.push_back({"l_discount", decimals(&Line::discount)});
  columns.push_back({"l_linestatus", texts(&Line::status)});
  columns.push_back({"l_extendedprice", decimals(&Line::price)});
  return *alloy::MakeBatch(columns);
}

inline std::string TextOf(std::string_view text) { return std::string(text); }
inline std::string TextOf(int64_t value) { return std::to_string(value); }
inline std::string TextOf(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", value);  // its every bit
  return text;
}
inline std::string TextOf(Decimal128 value) {
  std::string digits;
  for (Decimal128 rest = value; rest != 0 || digits.empty(); rest /= 10) {
    const auto digit = static_cast<int>(rest % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  return (value < 0 ? "-" : "") + digits;
}
template <typename T>
std::string TextOf(const std::optional<T>& value) {
  return value ? TextOf(*value) : "null";
}

template <typename T>
void AppendColumn(const alloy::Batch& batch, int64_t column,
                  std::vector<std::string>* rows) {
  const auto values = batch.column(column).values<T>();
  rows->resize(static_cast<size_t>(batch.rows()));
  if (!values.ok()) return rows->push_back(values.status().ToString());
  size_t row = 0;
  for (const auto value : *values) (*rows)[row++] += TextOf(value) + " ";
}

// What a function says of the batches: a line for each row, decimals unscaled, or the one
// line of an error.
inline std::vector<std::string> Answer(alloy::Bridge& bridge, const std::string& function,
                                       const std::vector<Lines>& batches,
                                       const std::string& layout = "vu") {
  std::vector<alloy::Batch> inputs;
  inputs.reserve(batches.size());
  for (const Lines& lines : batches) inputs.push_back(BatchOf(layout, lines));
  if (inputs.empty()) inputs.push_back(BatchOf(layout, {}));
  auto stream = bridge.Stream(function, alloy::Stream::Of(std::move(inputs)));
  if (!stream.ok()) return {stream.status().ToString()};
  const auto batch = stream->Next();
  if (!batch.ok()) return {batch.status().ToString()};
  if (!batch->has_value()) return {"no batch"};
  std::vector<std::string> rows;
  for (int64_t i = 0; i < (*batch)->columns(); ++i) {
    const std::string_view format = (*batch)->schema().children[i]->format;
    if (format == "u") AppendColumn<std::string_view>(**batch, i, &rows);
    if (format == "l") AppendColumn<int64_t>(**batch, i, &rows);
    if (format == "g") AppendColumn<double>(**batch, i, &rows);
    if (format.starts_with("d:38,")) AppendColumn<Decimal128>(**batch, i, &rows);
  }
  const auto end = stream->Next();
  if (!end.ok() || end->has_value()) rows.emplace_back("more than one batch");
  return rows;
}

}  // namespace tpch_test

#endif  // ALLOY_TESTS_TPCH_LINES_H_
