// SPDX-License-Identifier: MIT
#include "csv_records.h"

#include <algorithm>
#include <cstring>

namespace arrowalloy::run {

CsvScanner::CsvScanner(const CsvDialect& dialect) : dialect_(dialect) {
  for (const char c : {'\n', '\r', dialect.delimiter, dialect.escape}) {
    ends_run_[static_cast<unsigned char>(c)] = true;
  }
}

std::optional<size_t> CsvScanner::EndOfRecord(std::string_view piece, size_t from) {
  const char delimiter = dialect_.delimiter, quote = dialect_.quote,
             escape = dialect_.escape;
  const bool has_quote = quote != '\0', has_escape = escape != '\0';
  const char* const begin = piece.data();
  const char* const end = begin + piece.size();
  const char* at = begin + from;
  State state = state_;
  waits_for_line_feed_ = false;
  while (at != end) {
    const char c = *at;
    if (state == State::kClosing) {
      state = State::kField;
      if (c == quote) {  // two quotes are one
        state = State::kQuoted;
        ++at;
        continue;
      }
    }
    switch (state) {
      case State::kQuoted:
        if (!has_escape) {
          at = static_cast<const char*>(
              std::memchr(at, quote, static_cast<size_t>(end - at)));
          if (at == nullptr) {
            state_ = state;
            return std::nullopt;
          }
          state = State::kClosing;
        } else if (c == escape) {
          state = State::kEscaped;
        } else if (c == quote) {
          state = State::kClosing;
        }
        break;
      case State::kEscaped:
        state = State::kQuoted;
        break;
      case State::kEscapedField:
        state = State::kField;
        break;
      default:  // kStart, kField
        if (c == '\n' || c == '\r') {
          if (c == '\r') {
            if (at + 1 == end) {
              state_ = state;
              waits_for_line_feed_ = true;
              return std::nullopt;
            }
            if (at[1] == '\n') ++at;
          }
          state_ = State::kStart;
          return static_cast<size_t>(at + 1 - begin);
        }
        if (has_escape && c == escape) {
          state = State::kEscapedField;
        } else if (c == delimiter) {
          state = State::kStart;
        } else if (has_quote && c == quote && state == State::kStart) {
          state = State::kQuoted;
        } else {
          state = State::kField;
          while (at + 1 != end && !ends_run_[static_cast<unsigned char>(at[1])]) ++at;
        }
    }
    ++at;
  }
  state_ = state;
  return std::nullopt;
}

std::optional<size_t> CsvScanner::LastEnd(std::string_view piece, size_t from) {
  // Without quotes every line break ends a record.
  const auto has = [&](char c) {
    return c != '\0' &&
           std::memchr(piece.data() + from, c, piece.size() - from) != nullptr;
  };
  if (!in_quotes() && state_ != State::kClosing && state_ != State::kEscapedField &&
      from < piece.size() && !has(dialect_.quote) && !has(dialect_.escape)) {
    size_t last = piece.find_last_of("\r\n");
    // Its line feed may follow.
    if (last == piece.size() - 1 && piece[last] == '\r') {
      last = last == 0 ? std::string_view::npos : piece.find_last_of("\r\n", last - 1);
    }
    if (last != std::string_view::npos && last >= from) {
      // What follows is scanned again from its beginning.
      state_ = State::kStart;
      EndOfRecord(piece, last + 1);
      return last + 1;
    }
  }
  std::optional<size_t> last;
  size_t at = from;
  while (const auto end = EndOfRecord(piece, at)) {
    last = end;
    at = *end;
  }
  return last;
}

std::vector<CsvField> FieldsOf(std::string_view record, const CsvDialect& dialect) {
  while (!record.empty() && (record.back() == '\n' || record.back() == '\r')) {
    record.remove_suffix(1);
  }
  std::vector<CsvField> fields(1);
  bool at_start = true, in_quotes = false;
  for (size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (dialect.escape != '\0' && c == dialect.escape) {
      if (++i < record.size()) fields.back().text += record[i];
    } else if (in_quotes) {
      if (c != dialect.quote) {
        fields.back().text += c;
      } else if (i + 1 < record.size() && record[i + 1] == dialect.quote) {
        fields.back().text += c;
        ++i;
      } else {
        in_quotes = false;
      }
    } else if (c == dialect.delimiter) {
      fields.emplace_back();
      at_start = true;
      continue;
    } else if (at_start && dialect.quote != '\0' && c == dialect.quote) {
      in_quotes = fields.back().quoted = true;
    } else {
      fields.back().text += c;
    }
    at_start = false;
  }
  return fields;
}

bool IsEmptyLine(std::string_view record) {
  return std::ranges::all_of(record, [](char c) { return c == '\n' || c == '\r'; });
}

}  // namespace arrowalloy::run
