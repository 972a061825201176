// SPDX-License-Identifier: MIT
#include "arrow/format.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <optional>

#include "alloy/reason.h"

namespace alloy::core {
namespace {

// The formats without parameters, by their whole text.
struct Simple {
  std::string_view text;
  Type type;
  Form form;
  int64_t bits;
  uint8_t offset_bytes;
  char unit;
};

constexpr auto kSimple = std::to_array<Simple>({
    {"n", Type::kNull, Form::kNull, 0, 0, 0},
    {"b", Type::kBoolean, Form::kFixed, 1, 0, 0},
    {"c", Type::kInt8, Form::kFixed, 8, 0, 0},
    {"C", Type::kUInt8, Form::kFixed, 8, 0, 0},
    {"s", Type::kInt16, Form::kFixed, 16, 0, 0},
    {"S", Type::kUInt16, Form::kFixed, 16, 0, 0},
    {"i", Type::kInt32, Form::kFixed, 32, 0, 0},
    {"I", Type::kUInt32, Form::kFixed, 32, 0, 0},
    {"l", Type::kInt64, Form::kFixed, 64, 0, 0},
    {"L", Type::kUInt64, Form::kFixed, 64, 0, 0},
    {"e", Type::kFloat16, Form::kFixed, 16, 0, 0},
    {"f", Type::kFloat32, Form::kFixed, 32, 0, 0},
    {"g", Type::kFloat64, Form::kFixed, 64, 0, 0},
    {"z", Type::kBinary, Form::kOffsets, 0, 4, 0},
    {"Z", Type::kLargeBinary, Form::kOffsets, 0, 8, 0},
    {"vz", Type::kBinaryView, Form::kViews, 128, 0, 0},
    {"u", Type::kUtf8, Form::kOffsets, 0, 4, 0},
    {"U", Type::kLargeUtf8, Form::kOffsets, 0, 8, 0},
    {"vu", Type::kUtf8View, Form::kViews, 128, 0, 0},
    {"tdD", Type::kDate32, Form::kFixed, 32, 0, 0},
    {"tdm", Type::kDate64, Form::kFixed, 64, 0, 'm'},
    {"tts", Type::kTime32, Form::kFixed, 32, 0, 's'},
    {"ttm", Type::kTime32, Form::kFixed, 32, 0, 'm'},
    {"ttu", Type::kTime64, Form::kFixed, 64, 0, 'u'},
    {"ttn", Type::kTime64, Form::kFixed, 64, 0, 'n'},
    {"tDs", Type::kDuration, Form::kFixed, 64, 0, 's'},
    {"tDm", Type::kDuration, Form::kFixed, 64, 0, 'm'},
    {"tDu", Type::kDuration, Form::kFixed, 64, 0, 'u'},
    {"tDn", Type::kDuration, Form::kFixed, 64, 0, 'n'},
    {"tiM", Type::kIntervalYearMonth, Form::kFixed, 32, 0, 0},
    {"tiD", Type::kIntervalDayTime, Form::kFixed, 64, 0, 0},
    {"tin", Type::kIntervalMonthDayNano, Form::kFixed, 128, 0, 0},
    {"+l", Type::kList, Form::kList, 0, 4, 0},
    {"+L", Type::kLargeList, Form::kList, 0, 8, 0},
    {"+vl", Type::kListView, Form::kListView, 0, 4, 0},
    {"+vL", Type::kLargeListView, Form::kListView, 0, 8, 0},
    {"+s", Type::kStruct, Form::kStruct, 0, 0, 0},
    {"+m", Type::kMap, Form::kList, 0, 4, 0},
    {"+r", Type::kRunEndEncoded, Form::kRunEnd, 0, 0, 0},
});

constexpr FormatFault kUnknown = {ALLOY_REASON_FORMAT_UNKNOWN};

FormatFault BadParameter(const char* expected) {
  return {ALLOY_REASON_FORMAT_PARAMETER, expected};
}

// `text` as a decimal number; nothing if any other character is in it.
std::optional<int32_t> Number(std::string_view text) {
  int32_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Remove the part before the first comma, and the comma, from `text`.
std::string_view NextPart(std::string_view* text) {
  const size_t comma = text->find(',');
  const std::string_view part = text->substr(0, comma);
  text->remove_prefix(comma == std::string_view::npos ? text->size() : comma + 1);
  return part;
}

// `10,2` or `10,2,256`: precision, scale, and bits if they are not 128.
FormatFault ParseDecimal(std::string_view text, Format* format) {
  const char* const expected =
      "d:precision,scale or d:precision,scale,bits (32, 64, 128, 256)";
  // Count the commas: `d:1,2,` has a third part, which is empty and thus not a number.
  const bool three = std::count(text.begin(), text.end(), ',') == 2;
  const auto precision = Number(NextPart(&text));
  const auto scale = Number(NextPart(&text));
  const auto bits = three ? Number(text) : std::optional<int32_t>(128);
  if (!precision || !scale || !bits || (!three && !text.empty())) {
    return BadParameter(expected);
  }
  int32_t most = 0;
  switch (*bits) {
    case 32:
      format->type = Type::kDecimal32;
      most = 9;
      break;
    case 64:
      format->type = Type::kDecimal64;
      most = 18;
      break;
    case 128:
      format->type = Type::kDecimal128;
      most = 38;
      break;
    case 256:
      format->type = Type::kDecimal256;
      most = 76;
      break;
    default:
      return BadParameter(expected);
  }
  if (*precision < 1 || *precision > most) {
    return BadParameter(
        "a precision from 1 to 9, 18, 38 or 76 for 32, 64, 128 or 256 bits");
  }
  format->form = Form::kFixed;
  format->bits = *bits;
  format->precision = *precision;
  format->scale = *scale;
  return {};
}

// `3,5,0`, or nothing: a union without children has no type ids.
FormatFault ParseTypeIds(std::string_view text, Format* format) {
  format->parameters = text;
  std::bitset<128> seen;
  while (!text.empty()) {
    const bool comma_last = text.back() == ',';
    const auto id = Number(NextPart(&text));
    if (!id || *id < 0 || *id > 127 || seen[static_cast<size_t>(*id)] ||
        (comma_last && text.empty())) {
      return BadParameter("different type ids from 0 to 127");
    }
    seen.set(static_cast<size_t>(*id));
    ++format->n_type_ids;
  }
  return {};
}

FormatFault ParseSize(std::string_view text, int64_t* size) {
  const auto number = Number(text);
  if (!number || *number < 0) return BadParameter("a size of at least 0");
  *size = *number;
  return {};
}

// `tsu:UTC`: the unit, then a time zone, which may be empty.
FormatFault ParseTimestamp(std::string_view text, Format* format) {
  if (text.size() < 4 || text[3] != ':') return BadParameter("tss:, tsm:, tsu: or tsn:");
  if (std::string_view("smun").find(text[2]) == std::string_view::npos) return kUnknown;
  format->type = Type::kTimestamp;
  format->form = Form::kFixed;
  format->bits = 64;
  format->unit = text[2];
  format->parameters = text.substr(4);  // the time zone, which may contain colons
  return {};
}

// `+ud:3,5` (dense) or `+us:3,5` (sparse).
FormatFault ParseUnion(std::string_view text, Format* format) {
  if (text.size() < 4 || text[3] != ':') return BadParameter("+ud: or +us:");
  if (text[2] != 'd' && text[2] != 's') return kUnknown;
  const bool dense = text[2] == 'd';
  format->type = dense ? Type::kDenseUnion : Type::kSparseUnion;
  format->form = dense ? Form::kDenseUnion : Form::kSparseUnion;
  format->offset_bytes = dense ? 4 : 0;
  return ParseTypeIds(text.substr(4), format);
}

}  // namespace

FormatFault ParseFormat(std::string_view text, Format* format) {
  *format = Format();
  for (const Simple& simple : kSimple) {
    if (simple.text != text) continue;
    format->type = simple.type;
    format->form = simple.form;
    format->bits = simple.bits;
    format->offset_bytes = simple.offset_bytes;
    format->unit = simple.unit;
    return {};
  }
  if (text.starts_with("ts")) return ParseTimestamp(text, format);
  if (text.starts_with("+u")) return ParseUnion(text, format);
  if (text.starts_with("d:")) return ParseDecimal(text.substr(2), format);
  if (text.starts_with("w:")) {
    format->type = Type::kFixedSizeBinary;
    format->form = Form::kFixed;
    int64_t bytes = 0;
    const FormatFault fault = ParseSize(text.substr(2), &bytes);
    format->bits = bytes * 8;
    return fault;
  }
  if (text.starts_with("+w:")) {
    format->type = Type::kFixedSizeList;
    format->form = Form::kFixedSizeList;
    return ParseSize(text.substr(3), &format->size);
  }
  return kUnknown;
}

std::array<int8_t, 128> ChildrenByTypeId(const Format& format) {
  std::array<int8_t, 128> children;
  children.fill(-1);
  std::string_view ids = format.parameters;
  for (int32_t child = 0; child < format.n_type_ids; ++child) {
    // ParseTypeIds has accepted each of them.
    const auto id = static_cast<size_t>(*Number(NextPart(&ids)));
    children[id] = static_cast<int8_t>(child);
  }
  return children;
}

}  // namespace alloy::core
