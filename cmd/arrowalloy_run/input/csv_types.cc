// SPDX-License-Identifier: MIT
#include "csv_types.h"

#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/type.h>
#include <arrow/util/value_parsing.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace arrowalloy::run {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;
using arrow::internal::ParseValue;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// 007 is not 7.
bool HasLeadingZeros(std::string_view digits) {
  return digits.size() > 1 && digits[0] == '0' && IsDigit(digits[1]);
}

// Whether a float of 64 bits holds all digits of the text.
bool FloatHolds(std::string_view text) {
  double value = 0;
  if (!ParseValue<arrow::DoubleType>(text.data(), text.size(), &value)) return false;
  const auto mantissa = text.substr(0, text.find_first_of("eE"));
  size_t digits = 0;
  bool leading = true, whole = true;
  for (const char c : mantissa) {
    whole = whole && c != '.';
    if (!IsDigit(c)) continue;
    leading = leading && c == '0';
    digits += leading ? 0 : 1;
  }
  // Every double is written with at most 17 digits.
  if (digits > 17 || (std::isinf(value) && digits > 0)) return false;
  if (digits == 0) return true;  // zero, nan or inf
  if (!whole || mantissa.size() < text.size() || std::abs(value) < 9007199254740992.0) {
    return true;
  }
  // A whole number beyond 2^53 must be one that a double can be.
  int64_t integer = 0;
  return ParseValue<arrow::Int64Type>(text.data(), text.size(), &integer) &&
         std::abs(value) < 9e18 && static_cast<int64_t>(value) == integer;
}

// The format string of a type in the C data interface; empty if it has none.
std::string FormatOf(const arrow::DataType& type) {
  ArrowSchema schema{};
  if (!arrow::ExportType(type, &schema).ok()) return "";
  std::string format = schema.dictionary == nullptr
                           ? schema.format
                           : std::string("?:") + schema.dictionary->format;
  schema.release(&schema);
  return format;
}

TypePtr TypeOfFormat(const std::string& format) {
  if (format.starts_with("?:")) {
    const auto values = TypeOfFormat(format.substr(2));
    return values == nullptr ? nullptr : arrow::dictionary(arrow::int32(), values);
  }
  ArrowSchema schema{};
  schema.format = format.c_str();
  schema.name = "";
  schema.flags = ARROW_FLAG_NULLABLE;
  schema.release = [](ArrowSchema* self) { self->release = nullptr; };
  const auto type = arrow::ImportType(&schema);
  return type.ok() ? *type : nullptr;
}

bool Accepts(std::string_view accepted, std::string_view format) {
  if (!accepted.ends_with('*')) return accepted == format;
  accepted.remove_suffix(1);
  return format.starts_with(accepted);
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string::npos) {
    const size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

void CsvGuess::Add(const CsvField& field) {
  any_ = true;
  if (field.quoted) {  // whoever quotes a value says that it is text
    integers_ = unsigned_integers_ = floats_ = booleans_ = false;
    dates_ = timestamps_ = times_ = false;
    return;
  }
  AddNumber(field.text);
  AddTime(field.text);
  static constexpr std::string_view kBooleans[] = {"true",  "True",  "TRUE",
                                                   "false", "False", "FALSE"};
  booleans_ =
      booleans_ && std::ranges::find(kBooleans, field.text) != std::end(kBooleans);
}

void CsvGuess::AddNumber(std::string_view text) {
  const size_t point = text.find('.');
  if (point != std::string_view::npos) {
    scale_ =
        std::max(scale_, static_cast<int>(std::min<size_t>(text.size() - point - 1, 38)));
  }
  if (!integers_ && !unsigned_integers_ && !floats_) return;
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  const bool written_as_number = !HasLeadingZeros(digits) && text != "-0";
  int64_t integer = 0;
  uint64_t natural = 0;
  integers_ = integers_ && written_as_number &&
              ParseValue<arrow::Int64Type>(text.data(), text.size(), &integer);
  unsigned_integers_ = unsigned_integers_ && written_as_number &&
                       ParseValue<arrow::UInt64Type>(text.data(), text.size(), &natural);
  floats_ = floats_ && (text == "-0" || (written_as_number && FloatHolds(text)));
}

void CsvGuess::AddTime(std::string_view text) {
  if (dates_) {
    int32_t days = 0;
    dates_ = text.size() == 10 &&
             ParseValue<arrow::Date32Type>(text.data(), text.size(), &days);
  }
  if (times_) {
    int32_t seconds = 0;
    times_ = text.size() == 8 && ParseValue(arrow::Time32Type(arrow::TimeUnit::SECOND),
                                            text.data(), text.size(), &seconds);
  }
  if (!timestamps_) return;
  const size_t point = text.find('.');
  size_t fraction = 0;
  if (point != std::string_view::npos) {
    while (point + 1 + fraction < text.size() && IsDigit(text[point + 1 + fraction])) {
      ++fraction;
    }
  }
  fraction_ = std::max(fraction_, fraction);
  int64_t value = 0;
  bool zone = false;
  timestamps_ =
      text.size() > 10 && fraction <= 9 &&
      arrow::internal::ParseTimestampISO8601(
          text.data(), text.size(),
          fraction > 6 ? arrow::TimeUnit::NANO : arrow::TimeUnit::MICRO, &value, &zone);
  // In one column all values have an offset to UTC, or none has.
  if (timestamps_ && counted_timestamps_++ == 0) zoned_ = zone;
  timestamps_ = timestamps_ && zone == zoned_;
}

TypePtr CsvGuess::type() const {
  if (!any_) return arrow::utf8();
  if (integers_) return arrow::int64();
  if (unsigned_integers_) return arrow::uint64();
  if (floats_) return arrow::float64();
  if (booleans_) return arrow::boolean();
  if (dates_) return arrow::date32();
  if (times_) return arrow::time32(arrow::TimeUnit::SECOND);
  if (!timestamps_) return arrow::utf8();
  const auto unit = fraction_ == 0   ? arrow::TimeUnit::SECOND
                    : fraction_ <= 3 ? arrow::TimeUnit::MILLI
                    : fraction_ <= 6 ? arrow::TimeUnit::MICRO
                                     : arrow::TimeUnit::NANO;
  return zoned_ ? arrow::timestamp(unit, "UTC") : arrow::timestamp(unit);
}

TypePtr AcceptedType(const std::string& accepts, const CsvGuess& guess) {
  const auto words = WordsOf(accepts);
  if (words.empty()) return guess.type();
  auto guessed = guess.type();
  const std::string format = FormatOf(*guessed);
  if (guess.has_values()) {
    for (const auto& word : words) {
      if (Accepts(word, format)) return guessed;
    }
  }
  for (const auto& word : words) {
    std::string exact = word;
    // `ts*`, `tsn:*`: any unit, any zone. `d:*`: any decimal.
    if (exact.ends_with('*')) {
      exact.pop_back();
      if (exact == "d:") return arrow::decimal128(38, guess.scale());
      if (exact == "ts") exact = "tsu:";
      if (!exact.starts_with("ts") || !exact.ends_with(':')) continue;
      if (format.starts_with("ts") && format.ends_with("UTC")) exact += "UTC";
    }
    const auto type = TypeOfFormat(exact);
    if (type != nullptr && ParsedType(type) != nullptr) return type;
  }
  return nullptr;
}

TypePtr ParsedType(const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return type;
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::DURATION:
      return arrow::int64();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      return arrow::decimal128(decimal.precision(), decimal.scale());
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      return ParsedType(dictionary.value_type());
    }
    default:
      return nullptr;
  }
}

}  // namespace arrowalloy::run
