// SPDX-License-Identifier: MIT
#include "arrow/describe.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "arrow/fault.h"
#include "arrow/load_value.h"
#include "arrow/shortest.h"
#include "arrow/type_name.h"
#include "base/bits.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kMostValues = 16;

template <typename T>
void AppendInteger(T value, std::string* out) {
  *out += std::to_string(value);
}

// The shortest text that parses to the same number: 1.0, 0.1, 1e16, 1e-7. Very large and
// very small numbers have an exponent, all others do not.
template <typename T>
void AppendFloat(T value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    *out += value < 0 ? "-inf" : "inf";
    return;
  }
  if (std::signbit(value)) *out += '-';
  const T size = std::fabs(value);
  const bool plain = size == 0 || (size >= T(1e-5) && size < T(1e16));
  if (plain && size == std::floor(size)) {  // each digit is known, not only the shortest
    *out += std::to_string(static_cast<int64_t>(size)) + ".0";
    return;
  }
  auto [digits, point] = Shortest(size);
  if (plain) {
    if (point <= 0) digits.insert(0, static_cast<size_t>(1 - point), '0');
    const auto whole = static_cast<size_t>(std::max(point, 1));
    *out += digits.insert(whole, 1, '.');
    return;
  }
  *out += digits[0];
  if (digits.size() > 1) *out += '.' + digits.substr(1);
  *out += 'e' + std::to_string(point - 1);
}

// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const auto fraction = static_cast<float>(half & 1023);
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024.0F + fraction, exponent - 25);
}

// The bytes of one string, or nothing if it points outside its buffer. Level shape has
// checked only the first and the last offset.
template <typename Offset>
std::optional<std::string_view> StringAt(const ArrowArray& array, int64_t i) {
  const void* offsets = array.buffers[1];
  const auto begin = LoadValue<Offset>(offsets, i);
  const auto end = LoadValue<Offset>(offsets, i + 1);
  const auto last = LoadValue<Offset>(offsets, array.offset + array.length);
  if (begin < 0 || end < begin || last < end) return std::nullopt;
  if (begin == end) return std::string_view();
  return std::string_view(static_cast<const char*>(array.buffers[2]) + begin,
                          static_cast<size_t>(end - begin));
}

// The same for a view. It holds the length, then either the text itself, up to 12 bytes,
// or 4 bytes of the text, the number of a buffer, and the offset in that buffer.
std::optional<std::string_view> ViewAt(const ArrowArray& array, int64_t i) {
  const char* view = static_cast<const char*>(array.buffers[1]) + i * 16;
  const auto length = LoadValue<int32_t>(view, 0);
  if (length < 0) return std::nullopt;
  if (length <= 12) return std::string_view(view + 4, static_cast<size_t>(length));
  const auto buffer = LoadValue<int32_t>(view, 2);
  const auto begin = LoadValue<int32_t>(view, 3);
  if (buffer < 0 || buffer >= array.n_buffers - 3 || begin < 0) return std::nullopt;
  const auto size = LoadValue<int64_t>(array.buffers[array.n_buffers - 1], buffer);
  if (int64_t{begin} + length > size) return std::nullopt;
  return std::string_view(static_cast<const char*>(array.buffers[2 + buffer]) + begin,
                          static_cast<size_t>(length));
}

bool AppendString(std::optional<std::string_view> text, std::string* out) {
  if (!text) return false;
  *out += '"';
  AppendEscaped(*text, '"', out);
  *out += '"';
  return true;
}

bool ShowsValues(const Layout::Node& node) {
  if (node.dictionary) return false;
  return (node.type >= Type::kBoolean && node.type <= Type::kFloat64) ||
         node.type == Type::kUtf8 || node.type == Type::kLargeUtf8 ||
         node.type == Type::kUtf8View;
}

// Row i, counted from the start of the buffers; false if it points outside its buffer.
bool AppendValue(Type type, const ArrowArray& array, int64_t i, std::string* out) {
  const void* values = array.buffers[1];
  switch (type) {
    case Type::kBoolean:
      *out += BitAt(values, i) ? "true" : "false";
      return true;
    case Type::kInt8:
      return AppendInteger(int{LoadValue<int8_t>(values, i)}, out), true;
    case Type::kUInt8:
      return AppendInteger(int{LoadValue<uint8_t>(values, i)}, out), true;
    case Type::kInt16:
      return AppendInteger(LoadValue<int16_t>(values, i), out), true;
    case Type::kUInt16:
      return AppendInteger(LoadValue<uint16_t>(values, i), out), true;
    case Type::kInt32:
      return AppendInteger(LoadValue<int32_t>(values, i), out), true;
    case Type::kUInt32:
      return AppendInteger(LoadValue<uint32_t>(values, i), out), true;
    case Type::kInt64:
      return AppendInteger(LoadValue<int64_t>(values, i), out), true;
    case Type::kUInt64:
      return AppendInteger(LoadValue<uint64_t>(values, i), out), true;
    case Type::kFloat16:
      return AppendFloat(HalfToFloat(LoadValue<uint16_t>(values, i)), out), true;
    case Type::kFloat32:
      return AppendFloat(LoadValue<float>(values, i), out), true;
    case Type::kFloat64:
      return AppendFloat(LoadValue<double>(values, i), out), true;
    case Type::kUtf8:
      return AppendString(StringAt<int32_t>(array, i), out);
    case Type::kLargeUtf8:
      return AppendString(StringAt<int64_t>(array, i), out);
    case Type::kUtf8View:
      return AppendString(ViewAt(array, i), out);
    default:
      return false;
  }
}

}  // namespace

Result<std::string> DescribeRows(const ArrowSchema& schema, const Layout& layout,
                                 const ArrowArray& array) {
  const Layout::Node& node = layout.nodes()[0];
  std::string text = TypeName(schema) + "[";
  if (!ShowsValues(node)) return text + std::to_string(array.length) + " rows]";
  const int64_t shown = std::min(array.length, kMostValues);
  // With a null count of -1 only the bitmap shows whether a row is null.
  const void* bitmap = array.null_count == 0 ? nullptr : array.buffers[0];
  for (int64_t row = 0; row < shown; ++row) {
    const int64_t i = array.offset + row;
    if (row > 0) text += ", ";
    if (bitmap != nullptr && !BitAt(bitmap, i)) {
      text += "null";
    } else if (!AppendValue(node.type, array, i, &text)) {
      const bool is_view = node.type == Type::kUtf8View;
      return DataFault(is_view ? ALLOY_REASON_VIEW : ALLOY_REASON_OFFSETS, {.row = row},
                       "the string points outside its buffer");
    }
  }
  if (shown < array.length) {
    text += ", … " + std::to_string(array.length - shown) + " more";
  }
  return text + "]";
}

}  // namespace alloy::core
