// SPDX-License-Identifier: MIT
#include "arrow/type_name.h"

#include <array>
#include <utility>

#include "arrow/format.h"
#include "arrow/layout_rules.h"
#include "arrow/schema_walk.h"
#include "base/text.h"
#include "base/utf8.h"

namespace alloy::core {
namespace {

constexpr size_t kLongestName = 512;

struct NamedType {
  Type type;
  std::string_view name;
};

constexpr auto kNames = std::to_array<NamedType>({
    {Type::kNull, "Null"},
    {Type::kBoolean, "Boolean"},
    {Type::kInt8, "Int8"},
    {Type::kUInt8, "UInt8"},
    {Type::kInt16, "Int16"},
    {Type::kUInt16, "UInt16"},
    {Type::kInt32, "Int32"},
    {Type::kUInt32, "UInt32"},
    {Type::kInt64, "Int64"},
    {Type::kUInt64, "UInt64"},
    {Type::kFloat16, "Float16"},
    {Type::kFloat32, "Float32"},
    {Type::kFloat64, "Float64"},
    {Type::kBinary, "Binary"},
    {Type::kLargeBinary, "LargeBinary"},
    {Type::kBinaryView, "BinaryView"},
    {Type::kUtf8, "Utf8"},
    {Type::kLargeUtf8, "LargeUtf8"},
    {Type::kUtf8View, "Utf8View"},
    {Type::kFixedSizeBinary, "FixedSizeBinary"},
    {Type::kDecimal32, "Decimal32"},
    {Type::kDecimal64, "Decimal64"},
    {Type::kDecimal128, "Decimal128"},
    {Type::kDecimal256, "Decimal256"},
    {Type::kDate32, "Date32"},
    {Type::kDate64, "Date64"},
    {Type::kTime32, "Time32"},
    {Type::kTime64, "Time64"},
    {Type::kTimestamp, "Timestamp"},
    {Type::kDuration, "Duration"},
    {Type::kIntervalYearMonth, "Interval"},
    {Type::kIntervalDayTime, "Interval"},
    {Type::kIntervalMonthDayNano, "Interval"},
    {Type::kList, "List"},
    {Type::kLargeList, "LargeList"},
    {Type::kListView, "ListView"},
    {Type::kLargeListView, "LargeListView"},
    {Type::kFixedSizeList, "FixedSizeList"},
    {Type::kStruct, "Struct"},
    {Type::kMap, "Map"},
    {Type::kSparseUnion, "Union"},
    {Type::kDenseUnion, "Union"},
    {Type::kRunEndEncoded, "RunEndEncoded"},
});

// Each name stands at the place of its type, and no type lacks its name.
static_assert([] {
  size_t type = 0;
  for (const NamedType& named : kNames) {
    if (named.type != static_cast<Type>(type++)) return false;
  }
  return type == static_cast<size_t>(kLastType) + 1;
}());

std::string_view BaseName(Type type) { return kNames[static_cast<size_t>(type)].name; }

std::string_view UnitName(char unit) {
  switch (unit) {
    case 'm':
      return "ms";
    case 'u':
      return "us";
    case 'n':
      return "ns";
    default:
      return "s";
  }
}

// The text in parentheses, before any children.
std::string Parameters(const Format& format) {
  std::string text;
  switch (format.type) {
    case Type::kFixedSizeBinary:
      return std::to_string(format.bits / 8);
    case Type::kFixedSizeList:
      return std::to_string(format.size);
    case Type::kDecimal32:
    case Type::kDecimal64:
    case Type::kDecimal128:
    case Type::kDecimal256:
      return std::to_string(format.precision) + ", " + std::to_string(format.scale);
    case Type::kTime32:
    case Type::kTime64:
    case Type::kDuration:
      return std::string(UnitName(format.unit));
    case Type::kTimestamp:
      text = UnitName(format.unit);
      if (!format.parameters.empty()) text += ", ";
      AppendEscaped(CutText(format.parameters, 64), '\0', &text);
      return text;
    case Type::kIntervalYearMonth:
      return "YearMonth";
    case Type::kIntervalDayTime:
      return "DayTime";
    case Type::kIntervalMonthDayNano:
      return "MonthDayNano";
    case Type::kSparseUnion:
      return "sparse";
    case Type::kDenseUnion:
      return "dense";
    default:
      return "";
  }
}

bool NamesItsChildren(Type type) {
  return type == Type::kStruct || type == Type::kSparseUnion || type == Type::kDenseUnion;
}

// Builds one name. It stops early when the name is long enough to be cut.
class TypeNamer {
 public:
  std::string Finish() {
    if (out_.size() > kLongestName) {
      out_ = std::string(CutText(out_, kLongestName)) + "…";
    }
    return std::move(out_);
  }

  // The schema is not checked, so each pointer is checked here before it is used. The
  // limits on depth and on the length of the name end the walk.
  void Add(const ArrowSchema* schema, int depth) {
    if (out_.size() > kLongestName) return;
    Format format;
    if (schema == nullptr || schema->release == nullptr || schema->format == nullptr ||
        depth > kMostLevels) {
      out_ += "Unknown";
    } else if (ParseFormat(schema->format, &format).reason != 0) {
      out_ += "Unknown(";
      AppendEscaped(CutText(schema->format, 64), '\0', &out_);
      out_ += ')';
    } else if (schema->dictionary != nullptr) {
      out_.append("Dictionary(").append(BaseName(format.type)).append(", ");
      Add(schema->dictionary, depth + 1);
      out_ += ')';
    } else {
      AddPlain(*schema, format, depth);
    }
  }

 private:
  void AddPlain(const ArrowSchema& schema, const Format& format, int depth) {
    const std::string parameters = Parameters(format);
    const bool nested = RuleOf(format.form).children != ChildCount::kZero;
    out_ += BaseName(format.type);
    if (parameters.empty() && !nested) return;
    out_.append("(").append(parameters);
    if (nested) AddChildren(schema, format, parameters, depth);
    out_ += ')';
  }

  void AddChildren(const ArrowSchema& schema, const Format& format,
                   const std::string& parameters, int depth) {
    // A map shows its key and its value, not the struct between them.
    const ArrowSchema* from = &schema;
    if (format.type == Type::kMap && schema.n_children == 1 &&
        schema.children != nullptr && schema.children[0] != nullptr &&
        schema.children[0]->release != nullptr) {
      from = schema.children[0];
    }
    // A count above the limit is false: the children cannot all be there.
    if (from->n_children > kMostColumns ||
        (from->n_children > 0 && from->children == nullptr)) {
      out_ += "Unknown";
      return;
    }
    const bool named = NamesItsChildren(format.type);
    std::string_view separator = named ? "; " : ", ";
    if (parameters.empty()) separator = "";
    for (int64_t i = 0; i < from->n_children && out_.size() <= kLongestName; ++i) {
      out_ += separator;
      separator = ", ";
      const ArrowSchema* child = from->children[i];
      if (named && child != nullptr && child->release != nullptr) {
        AppendEscaped(CutText(child->name == nullptr ? "" : child->name, 64), '\0',
                      &out_);
        out_ += ": ";
      }
      Add(child, depth + 1);
    }
  }

  std::string out_;
};

// The name of all formats that begin with a prefix.
std::string PrefixName(std::string_view prefix) {
  constexpr auto kPrefixes = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"", "any type"},
       {"ts", "Timestamp"},
       {"tss:", "Timestamp(s, *)"},
       {"tsm:", "Timestamp(ms, *)"},
       {"tsu:", "Timestamp(us, *)"},
       {"tsn:", "Timestamp(ns, *)"},
       {"td", "Date"},
       {"tt", "Time"},
       {"tD", "Duration"},
       {"ti", "Interval"},
       {"d:", "Decimal"},
       {"w:", "FixedSizeBinary"},
       {"+w:", "FixedSizeList"},
       {"+u", "Union"},
       {"+us:", "Union(sparse)"},
       {"+ud:", "Union(dense)"}});
  for (const auto& [text, name] : kPrefixes) {
    if (text == prefix) return std::string(name);
  }
  return Quoted(std::string(prefix) + "*");
}

}  // namespace

std::string TypeName(const ArrowSchema& schema) {
  TypeNamer namer;
  namer.Add(&schema, 0);
  return namer.Finish();
}

std::string AcceptedName(std::string_view pattern) {
  if (pattern.starts_with("?:")) {
    return "Dictionary(*, " + AcceptedName(pattern.substr(2)) + ")";
  }
  if (pattern.ends_with('*')) return PrefixName(pattern.substr(0, pattern.size() - 1));
  Format format;
  if (ParseFormat(pattern, &format).reason != 0) return Quoted(pattern);
  const std::string parameters = Parameters(format);
  std::string name(BaseName(format.type));
  return parameters.empty() ? name : name + "(" + parameters + ")";
}

}  // namespace alloy::core
