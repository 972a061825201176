// SPDX-License-Identifier: MIT
#include "arrow/type_name.h"

#include <array>
#include <utility>

#include "arrow/format.h"
#include "arrow/schema_walk.h"
#include "base/text.h"
#include "base/utf8.h"

namespace alloy::core {
namespace {

constexpr size_t kLongestName = 512;

std::string_view BaseName(Type type) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"Null",       "Boolean",       "Int8",          "UInt8",      "Int16",
       "UInt16",     "Int32",         "UInt32",        "Int64",      "UInt64",
       "Float16",    "Float32",       "Float64",       "Binary",     "LargeBinary",
       "BinaryView", "Utf8",          "LargeUtf8",     "Utf8View",   "FixedSizeBinary",
       "Decimal32",  "Decimal64",     "Decimal128",    "Decimal256", "Date32",
       "Date64",     "Time32",        "Time64",        "Timestamp",  "Duration",
       "Interval",   "Interval",      "Interval",      "List",       "LargeList",
       "ListView",   "LargeListView", "FixedSizeList", "Struct",     "Map",
       "Union",      "Union",         "RunEndEncoded"});
  static_assert(kNames.size() == static_cast<size_t>(Type::kRunEndEncoded) + 1);
  return kNames[static_cast<size_t>(type)];
}

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

// What stands in the parentheses before any children.
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

class TypeNamer {
 public:
  std::string Finish() {
    if (out_.size() > kLongestName) {
      out_ = std::string(CutText(out_, kLongestName)) + "…";
    }
    return std::move(out_);
  }

  // Nothing is checked yet but what is checked here; depth and length bound the walk.
  void Add(const ArrowSchema* schema, int depth) {
    if (out_.size() > kLongestName) return;
    Format format;
    if (schema == nullptr || schema->release == nullptr || schema->format == nullptr ||
        depth > kDeepest) {
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
    const bool nested = format.form >= Form::kList && format.form <= Form::kRunEnd;
    out_ += BaseName(format.type);
    if (parameters.empty() && !nested) return;
    out_.append("(").append(parameters);
    if (nested) AddChildren(schema, format, parameters, depth);
    out_ += ')';
  }

  void AddChildren(const ArrowSchema& schema, const Format& format,
                   const std::string& parameters, int depth) {
    // A map shows its key and its value, not the struct between.
    const ArrowSchema* from = &schema;
    if (format.type == Type::kMap && schema.n_children == 1 &&
        schema.children != nullptr && schema.children[0] != nullptr &&
        schema.children[0]->release != nullptr) {
      from = schema.children[0];
    }
    // More than any schema may have are not there either.
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
