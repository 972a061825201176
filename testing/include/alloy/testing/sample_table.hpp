// SPDX-License-Identifier: MIT
//
// Values that the author of a backend gives to the kit, for functions that cannot work with
// random ones: a table of texts with a header, as a CSV file has it.
//
// Threads  immutable: shared.
#ifndef ALLOY_TESTING_SAMPLE_TABLE_HPP_
#define ALLOY_TESTING_SAMPLE_TABLE_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/status.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

class SampleTable {
 public:
  // The text of a value; std::nullopt: null.
  using Text = std::optional<std::string>;

  // Parse CSV: commas, double quotes, a first line with the names of the columns. An empty
  // field without quotes is null.
  //
  //   Fails  INVALID; the text names the line.
  static Result<SampleTable> ParseCsv(std::string_view csv);

  // The texts of a column; NULL if no column has that name. Never empty.
  const std::vector<Text>* Find(std::string_view column) const;

  // A batch with the columns of the table: int64, float64 or utf8, as the texts allow.
  Spec Guess() const;

  // Whether each text can be read as the type of its column in a batch.
  //
  //   Fails  INVALID; the text names the column and the row.
  Status CheckAgainst(const Spec& batch) const;

 private:
  struct Column {
    std::string name;
    std::vector<Text> texts;
  };
  std::vector<Column> columns_;
};

// Write the value of a type of fixed width as it lies in memory. Numbers, booleans (true or
// false, as one byte), dates and times as ISO 8601 or as their number, decimals.
//
//   Fails  if the text is not of that type.
bool WriteText(std::string_view format, std::string_view text, int64_t width,
               uint8_t* out);

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SAMPLE_TABLE_HPP_
