// SPDX-License-Identifier: MIT
#include "types.h"

#include <iterator>
#include <string_view>

namespace aggregate {
namespace {

struct Known {
  std::string_view format;
  std::string_view name;
  Storage storage = Storage::kOther;
  Meaning meaning = Meaning::kOther;
};

constexpr Known kKnown[] = {
    {"c", "Int8", Storage::kInt8, Meaning::kInteger},
    {"C", "UInt8", Storage::kUInt8, Meaning::kInteger},
    {"s", "Int16", Storage::kInt16, Meaning::kInteger},
    {"S", "UInt16", Storage::kUInt16, Meaning::kInteger},
    {"i", "Int32", Storage::kInt32, Meaning::kInteger},
    {"I", "UInt32", Storage::kUInt32, Meaning::kInteger},
    {"l", "Int64", Storage::kInt64, Meaning::kInteger},
    {"L", "UInt64", Storage::kUInt64, Meaning::kInteger},
    {"f", "Float32", Storage::kFloat, Meaning::kFloat},
    {"g", "Float64", Storage::kDouble, Meaning::kFloat},
    {"b", "Boolean", Storage::kBool, Meaning::kBoolean},
    {"u", "Utf8", Storage::kText, Meaning::kText},
    {"U", "LargeUtf8", Storage::kText, Meaning::kText},
    {"vu", "Utf8View", Storage::kText, Meaning::kText},
    {"tdD", "Date32", Storage::kInt32, Meaning::kDate},
    {"tdm", "Date64", Storage::kInt64, Meaning::kDate},
    {"tts", "Time32(s)", Storage::kInt32, Meaning::kTime},
    {"ttm", "Time32(ms)", Storage::kInt32, Meaning::kTime},
    {"ttu", "Time64(µs)", Storage::kInt64, Meaning::kTime},
    {"ttn", "Time64(ns)", Storage::kInt64, Meaning::kTime},
    {"n", "Null"},
    {"e", "Float16"},
    {"z", "Binary"},
    {"Z", "LargeBinary"},
    {"vz", "BinaryView"},
    {"+l", "List"},
    {"+L", "LargeList"},
    {"+vl", "ListView"},
    {"+vL", "LargeListView"},
    {"+s", "Struct"},
    {"+m", "Map"},
    {"+r", "RunEndEncoded"},
};

// Formats that go on after these letters.
constexpr Known kPrefixes[] = {
    {"tss:", "Timestamp(s", Storage::kInt64, Meaning::kTime},
    {"tsm:", "Timestamp(ms", Storage::kInt64, Meaning::kTime},
    {"tsu:", "Timestamp(µs", Storage::kInt64, Meaning::kTime},
    {"tsn:", "Timestamp(ns", Storage::kInt64, Meaning::kTime},
    {"tD", "Duration("},
    {"ti", "Interval("},
    {"w:", "FixedSizeBinary("},
    {"+w:", "FixedSizeList("},
    {"+u", "Union("},
    {"d:", "Decimal("},
};

Type Named(const Known& known, std::string_view format, std::string name) {
  return {.storage = known.storage,
          .meaning = known.meaning,
          .name = std::move(name),
          .format = std::string(format)};
}

}  // namespace

Type TypeOf(const ArrowSchema& column) {
  if (column.dictionary == nullptr) return TypeOf(std::string_view(column.format));
  return {.name = "Dictionary(" + TypeOf(std::string_view(column.format)).name + ", " +
                  TypeOf(*column.dictionary).name + ")",
          .format = column.format};
}

Type TypeOf(std::string_view format) {
  if (const auto digits = alloy::DecimalType::Parse(format)) return DecimalOf(*digits);
  for (const Known& known : kKnown) {
    if (format == known.format) return Named(known, format, std::string(known.name));
  }
  for (const Known& known : kPrefixes) {
    if (!format.starts_with(known.format)) continue;
    const std::string_view rest = format.substr(known.format.size());
    std::string name(known.name);
    if (known.meaning == Meaning::kTime && !rest.empty()) name += ", ";
    return Named(known, format, name + std::string(rest) + ")");
  }
  return Named({}, format, "of the format '" + std::string(format) + "'");
}

Type ValueTypeOf(const ArrowSchema& column) {
  return TypeOf(column.dictionary != nullptr ? *column.dictionary : column);
}

Type DecimalOf(alloy::DecimalType digits) {
  return {.storage = Storage::kDecimal,
          .meaning = Meaning::kDecimal,
          .name = "Decimal128(" + std::to_string(digits.precision) + ", " +
                  std::to_string(digits.scale) + ")",
          .format = digits.Format(),
          .decimal = digits};
}

}  // namespace aggregate
