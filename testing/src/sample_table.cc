// SPDX-License-Identifier: MIT
#include "alloy/testing/sample_table.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "form.h"

namespace alloy::testing {
namespace {

// One record of a CSV file, which may have line feeds inside quotes.
class CsvReader {
 public:
  explicit CsvReader(std::string_view csv) : left_(csv) {}

  bool AtEnd() const { return left_.empty(); }
  int64_t line() const { return line_; }

  // False: a quote is not closed.
  bool Read(std::vector<SampleTable::Text>* record) {
    record->clear();
    ++line_;
    for (;;) {
      if (!ReadField(record)) return false;
      if (left_.empty()) return true;
      const char end = left_[0];
      left_.remove_prefix(1);
      if (end == ',') continue;
      if (end == '\r' && !left_.empty() && left_[0] == '\n') left_.remove_prefix(1);
      return true;
    }
  }

 private:
  bool ReadField(std::vector<SampleTable::Text>* record) {
    if (left_.empty() || left_[0] != '"') {
      const size_t end = std::min(left_.find_first_of(",\r\n"), left_.size());
      record->push_back(end == 0 ? SampleTable::Text()
                                 : SampleTable::Text(left_.substr(0, end)));
      left_.remove_prefix(end);
      return true;
    }
    std::string text;
    left_.remove_prefix(1);
    for (;;) {
      const size_t quote = left_.find('"');
      if (quote == std::string_view::npos) return false;
      text += left_.substr(0, quote);
      left_.remove_prefix(quote + 1);
      if (left_.empty() || left_[0] != '"') break;
      text += '"';
      left_.remove_prefix(1);
    }
    line_ += std::ranges::count(text, '\n');
    record->push_back(std::move(text));
    return true;
  }

  std::string_view left_;
  int64_t line_ = 0;
};

template <typename T>
bool ParseAll(std::string_view text, T* value) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && at == end;
}

template <typename T>
bool WriteAs(std::string_view text, uint8_t* out) {
  T value{};
  if (!ParseAll(text, &value)) return false;
  std::memcpy(out, &value, sizeof(value));
  return true;
}

bool WriteInteger(int64_t value, int64_t width, uint8_t* out) {
  if (width == 4 && (value < INT32_MIN || value > INT32_MAX)) return false;
  std::memcpy(out, &value, static_cast<size_t>(width));
  return true;
}

// Microseconds since 1970 of `2024-02-29`, `2024-02-29T12:30:00.5`, or of a time alone.
bool ParseMoment(std::string_view text, int64_t* micros) {
  const std::string copy(text);
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, used = 0;
  double second = 0;
  const char* at = copy.c_str();
  bool any = false;
  int y = 0, m = 0, d = 0;
  if (std::sscanf(at, "%4d-%2d-%2d%n", &y, &m, &d, &used) == 3) {
    year = y;
    month = m;
    day = d;
    at += used;
    any = true;
    if (*at == 'T' || *at == ' ') ++at;
  }
  if (std::sscanf(at, "%2d:%2d:%lf%n", &hour, &minute, &second, &used) == 3) {
    at += used;
    any = true;
  }
  if (*at == 'Z') ++at;
  if (!any || *at != '\0') return false;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *micros =
      ((days * 24 + hour) * 60 + minute) * 60'000'000 + std::llround(second * 1'000'000);
  return true;
}

// Of a unit `s`, `m`, `u` or `n`.
int64_t InUnit(int64_t micros, char unit) {
  switch (unit) {
    case 's':
      return micros / 1'000'000;
    case 'm':
      return micros / 1'000;
    case 'n':
      return micros * 1'000;
    default:
      return micros;
  }
}

bool WriteDecimal(std::string_view format, std::string_view text, int64_t width,
                  uint8_t* out) {
  int precision = 0, scale = 0;
  if (std::sscanf(std::string(format).c_str(), "d:%d,%d", &precision, &scale) != 2) {
    return false;
  }
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  int decimals = -1;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || decimals == scale) return false;
    value = value * 10 + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  for (int i = std::max(decimals, 0); i < scale; ++i) value *= 10;
  if (negative) value = -value;
  std::memset(out, value < 0 ? 0xff : 0, static_cast<size_t>(width));
  std::memcpy(out, &value, std::min<size_t>(static_cast<size_t>(width), sizeof(value)));
  return !text.empty();
}

bool IsWritable(const Form& form) {
  return form.kind == Kind::kBool || form.kind == Kind::kFixed ||
         form.kind == Kind::kBytes || form.kind == Kind::kView;
}

}  // namespace

bool WriteText(std::string_view format, std::string_view text, int64_t width,
               uint8_t* out) {
  switch (format[0]) {
    case 'b':
      *out = text == "true" ? 1 : 0;
      return text == "true" || text == "false";
    case 'c':
      return WriteAs<int8_t>(text, out);
    case 'C':
      return WriteAs<uint8_t>(text, out);
    case 's':
      return WriteAs<int16_t>(text, out);
    case 'S':
      return WriteAs<uint16_t>(text, out);
    case 'i':
      return WriteAs<int32_t>(text, out);
    case 'I':
      return WriteAs<uint32_t>(text, out);
    case 'l':
      return WriteAs<int64_t>(text, out);
    case 'L':
      return WriteAs<uint64_t>(text, out);
    case 'f':
      return WriteAs<float>(text, out);
    case 'g':
      return WriteAs<double>(text, out);
    case 'd':
      return WriteDecimal(format, text, width, out);
    case 'w':
      std::memset(out, 0, static_cast<size_t>(width));
      std::memcpy(out, text.data(), std::min(text.size(), static_cast<size_t>(width)));
      return text.size() <= static_cast<size_t>(width);
    case 't':
      break;
    default:
      return false;
  }
  int64_t number = 0;
  if (ParseAll(text, &number)) return WriteInteger(number, width, out);
  if (format.starts_with("tD") || format.starts_with("ti")) return false;
  int64_t micros = 0;
  if (!ParseMoment(text, &micros)) return false;
  if (format == "tdD") return WriteInteger(micros / 86'400'000'000, width, out);
  if (format == "tdm") return WriteInteger(micros / 1'000, width, out);
  return WriteInteger(InUnit(micros, format[2]), width, out);
}

Result<SampleTable> SampleTable::ParseCsv(std::string_view csv) {
  if (csv.starts_with("\xef\xbb\xbf")) csv.remove_prefix(3);
  CsvReader reader(csv);
  SampleTable table;
  std::vector<Text> record;
  while (!reader.AtEnd()) {
    if (!reader.Read(&record)) return Status::Invalid("a quote is not closed");
    if (table.columns_.empty()) {
      for (Text& name : record) table.columns_.push_back({name.value_or(""), {}});
      continue;
    }
    if (record.size() != table.columns_.size()) {
      return Status::Invalid("line " + std::to_string(reader.line()) + " has " +
                             std::to_string(record.size()) + " fields, the header has " +
                             std::to_string(table.columns_.size()));
    }
    for (size_t i = 0; i < record.size(); ++i) {
      table.columns_[i].texts.push_back(std::move(record[i]));
    }
  }
  if (table.columns_.empty() || table.columns_[0].texts.empty()) {
    return Status::Invalid("there is no row below the header");
  }
  return table;
}

const std::vector<SampleTable::Text>* SampleTable::Find(std::string_view column) const {
  const auto found = std::ranges::find(columns_, column, &Column::name);
  return found == columns_.end() ? nullptr : &found->texts;
}

Spec SampleTable::Guess() const {
  std::vector<Spec> columns;
  for (const Column& column : columns_) {
    const auto all_are = [&](std::string_view format) {
      uint8_t value[8];
      return std::ranges::all_of(column.texts, [&](const Text& text) {
        return !text.has_value() || WriteText(format, *text, 8, value);
      });
    };
    columns.push_back({.format = all_are("l")   ? "l"
                                 : all_are("g") ? "g"
                                                : "u",
                       .name = column.name});
  }
  return BatchOf(std::move(columns));
}

Status SampleTable::CheckAgainst(const Spec& batch) const {
  for (const Spec& column : batch.children) {
    const std::vector<Text>* texts = Find(column.name);
    const Form form = FormOf(column.format);
    if (texts == nullptr || !column.dictionary.empty() || !IsWritable(form)) continue;
    if (form.kind == Kind::kBytes || form.kind == Kind::kView) continue;
    std::vector<uint8_t> value(static_cast<size_t>(std::max<int64_t>(form.width, 16)));
    for (size_t row = 0; row < texts->size(); ++row) {
      const Text& text = (*texts)[row];
      if (!text.has_value() ||
          WriteText(column.format, *text, form.width, value.data())) {
        continue;
      }
      return Status::Invalid("the sample has `" + *text + "` in row " +
                             std::to_string(row + 1) + " of column " + column.name +
                             ", which is not a value of format " + column.format);
    }
  }
  return Status();
}

}  // namespace alloy::testing
