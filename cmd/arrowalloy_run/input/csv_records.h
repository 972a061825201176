// SPDX-License-Identifier: MIT
//
// Where the records and fields of a CSV text end. It reads the text exactly as the parser
// of Arrow C++ does, so that both agree: a quote counts only at the beginning of a field,
// and two quotes in a quoted field are one.
//
// Threads  serial.
#ifndef ARROWALLOY_RUN_INPUT_CSV_RECORDS_H_
#define ARROWALLOY_RUN_INPUT_CSV_RECORDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "csv_dialect.h"

namespace arrowalloy::run {

// Scans a text that comes in pieces.
class CsvScanner {
 public:
  explicit CsvScanner(const CsvDialect& dialect);

  // Scan from `from` up to the end of the present record. Return the place after its line
  // break, or nothing if the piece ends before. A carriage return at the end of the piece
  // ends no record, because a line feed may follow.
  std::optional<size_t> EndOfRecord(std::string_view piece, size_t from);

  // Scan the whole piece from `from`, and return the place after its last record.
  std::optional<size_t> LastEnd(std::string_view piece, size_t from);

  // Whether the text so far ends inside quotes.
  bool in_quotes() const { return state_ == State::kQuoted || state_ == State::kEscaped; }
  // Whether the piece ended in a carriage return that may belong to a line break. Scan the
  // next piece from this character on.
  bool waits_for_line_feed() const { return waits_for_line_feed_; }

 private:
  enum class State : uint8_t {
    kStart,        // of a field
    kField,        // in a field without quotes, or after the closing quote
    kQuoted,       // between quotes
    kClosing,      // after a quote between quotes: the closing one, or the first of two
    kEscaped,      // after the escape character between quotes
    kEscapedField  // after the escape character elsewhere
  };

  const CsvDialect dialect_;
  std::array<bool, 256> ends_run_{};  // the characters at which a field may end
  State state_ = State::kStart;
  bool waits_for_line_feed_ = false;
};

struct CsvField {
  std::string text;
  bool quoted = false;
};

// The fields of one record; its line break is left out.
std::vector<CsvField> FieldsOf(std::string_view record, const CsvDialect& dialect);

// Whether the record has no character but its line break.
bool IsEmptyLine(std::string_view record);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_RECORDS_H_
