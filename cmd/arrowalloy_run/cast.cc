// SPDX-License-Identifier: MIT
#include "cast.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "../arrowalloy/base/failure.h"

namespace arrowalloy::run {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

TypePtr FlatType(std::string_view name) {
  const std::pair<std::string_view, TypePtr> types[] = {
      {"bool", arrow::boolean()},
      {"int8", arrow::int8()},
      {"int16", arrow::int16()},
      {"int32", arrow::int32()},
      {"int64", arrow::int64()},
      {"uint8", arrow::uint8()},
      {"uint16", arrow::uint16()},
      {"uint32", arrow::uint32()},
      {"uint64", arrow::uint64()},
      {"halffloat", arrow::float16()},
      {"float16", arrow::float16()},
      {"float", arrow::float32()},
      {"float32", arrow::float32()},
      {"double", arrow::float64()},
      {"float64", arrow::float64()},
      {"string", arrow::utf8()},
      {"utf8", arrow::utf8()},
      {"large_string", arrow::large_utf8()},
      {"large_utf8", arrow::large_utf8()},
      {"string_view", arrow::utf8_view()},
      {"utf8_view", arrow::utf8_view()},
      {"binary", arrow::binary()},
      {"large_binary", arrow::large_binary()},
      {"binary_view", arrow::binary_view()},
      {"date32", arrow::date32()},
      {"date64", arrow::date64()}};
  for (const auto& [known, type] : types) {
    if (known == name) return type;
  }
  return nullptr;
}

std::optional<arrow::TimeUnit::type> UnitOf(std::string_view text) {
  if (text == "s") return arrow::TimeUnit::SECOND;
  if (text == "ms") return arrow::TimeUnit::MILLI;
  if (text == "us") return arrow::TimeUnit::MICRO;
  if (text == "ns") return arrow::TimeUnit::NANO;
  return std::nullopt;
}

// name[unit] and name[unit,zone].
TypePtr TimeType(std::string_view name, std::string_view parameters) {
  const size_t comma = parameters.find(',');
  const auto unit = UnitOf(parameters.substr(0, comma));
  if (!unit) return nullptr;
  if (name == "timestamp") {
    if (comma == std::string_view::npos) return arrow::timestamp(*unit);
    return arrow::timestamp(*unit, std::string(parameters.substr(comma + 1)));
  }
  if (comma != std::string_view::npos) return nullptr;
  if (name == "duration") return arrow::duration(*unit);
  if (name == "time32" && *unit <= arrow::TimeUnit::MILLI) return arrow::time32(*unit);
  if (name == "time64" && *unit >= arrow::TimeUnit::MICRO) return arrow::time64(*unit);
  return nullptr;
}

TypePtr DecimalType(std::string_view name, const std::string& parameters) {
  int32_t precision = 0, scale = 0;
  const char* end = parameters.c_str() + parameters.size();
  const auto first = std::from_chars(parameters.c_str(), end, precision);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ',') return nullptr;
  const auto second = std::from_chars(first.ptr + 1, end, scale);
  if (second.ec != std::errc() || second.ptr != end) return nullptr;
  const auto type = name == "decimal256" ? arrow::Decimal256Type::Make(precision, scale)
                    : name == "decimal128" || name == "decimal"
                        ? arrow::Decimal128Type::Make(precision, scale)
                        : arrow::Status::Invalid("no decimal");
  return type.ok() ? *type : nullptr;
}

}  // namespace

std::shared_ptr<arrow::DataType> TypeOf(const std::string& text,
                                        const std::string& column) {
  const std::string_view view = text;
  const size_t open = view.find_first_of("[(");
  TypePtr type;
  if (open == std::string_view::npos) {
    type = FlatType(view);
  } else if (view.back() == ']' || view.back() == ')') {
    const auto name = view.substr(0, open);
    const auto parameters = view.substr(open + 1, view.size() - open - 2);
    type = view[open] == '[' ? TimeType(name, parameters)
                             : DecimalType(name, std::string(parameters));
  }
  if (type != nullptr) return type;
  throw Failure(Exit::kUsage, kUsageCode,
                fmt::format("`{}` is not a type that --cast knows", text),
                fmt::format("--cast {}={}", column, text),
                "use the notation of Arrow: int64, float64, utf8, date32, timestamp[us], "
                "decimal128(15,2), ...");
}

}  // namespace arrowalloy::run
