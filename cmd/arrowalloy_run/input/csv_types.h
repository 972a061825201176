// SPDX-License-Identifier: MIT
//
// The types of the columns of a CSV file. A CSV says nothing of types: they come from
// --cast, then from what the function declares, and otherwise from the first records.
#ifndef ARROWALLOY_RUN_INPUT_CSV_TYPES_H_
#define ARROWALLOY_RUN_INPUT_CSV_TYPES_H_

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "csv_records.h"

namespace arrowalloy::run {

// Collects the values of a column, and guesses a type that loses none of them. It never
// guesses that quoted text, or a number with leading zeros, is a number.
class CsvGuess {
 public:
  void Add(const CsvField& field);

  bool has_values() const { return any_; }
  // Most digits behind the point of a number.
  int scale() const { return scale_; }
  // A column without values is text, which holds whatever comes later.
  std::shared_ptr<arrow::DataType> type() const;

 private:
  void AddNumber(std::string_view text);
  void AddTime(std::string_view text);

  bool any_ = false;
  int scale_ = 0;
  bool integers_ = true;           // of 64 bits with sign
  bool unsigned_integers_ = true;  // of 64 bits without
  bool floats_ = true;
  bool booleans_ = true;
  bool dates_ = true;
  bool timestamps_ = true;
  bool zoned_ = false;             // all with an offset to UTC, or none
  size_t counted_timestamps_ = 0;  // timestamps so far
  size_t fraction_ = 0;            // most digits of a second
  bool times_ = true;
};

// The type to read for a column that a function declares to accept `accepts`, see
// alloy_column. `guess` if the function accepts it; otherwise the first accepted type that
// a CSV can have; NULL if it accepts no such type.
std::shared_ptr<arrow::DataType> AcceptedType(const std::string& accepts,
                                              const CsvGuess& guess);

// The type that Arrow's parser makes of a column that shall become `type`; NULL for types
// that a CSV cannot have. The rest is a cast.
std::shared_ptr<arrow::DataType> ParsedType(const std::shared_ptr<arrow::DataType>& type);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_TYPES_H_
