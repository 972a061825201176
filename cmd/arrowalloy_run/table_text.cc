// SPDX-License-Identifier: MIT
#include "table_text.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "../arrowalloy/base/report.h"

namespace arrowalloy::run {
namespace {

constexpr size_t kRows = 40;
constexpr size_t kWidth = 40;

// The number of characters: UTF-8 continuation bytes are not counted. Good enough for
// alignment.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Shortened(std::string text) {
  if (WidthOf(text) <= kWidth) return text;
  size_t bytes = 0;
  for (size_t width = 0; bytes < text.size(); ++bytes) {
    if ((text[bytes] & 0xc0) == 0x80) continue;
    if (++width == kWidth) break;
  }
  return text.substr(0, bytes) + "…";
}

// At least kWidth characters, cut between two of them: the rest is not shown anyway.
std::string_view Beginning(std::string_view text) {
  constexpr size_t kBytes = 4 * (kWidth + 1);
  if (text.size() <= kBytes) return text;
  size_t end = kBytes;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// One line, whatever the text contains.
// One line, whatever the text contains.
std::string OneLine(std::string_view text) {
  return Shortened(Harmless(Beginning(text)));
}

std::string CellOf(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return "null";
  // Without a copy: a value may have gigabytes.
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return OneLine(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::LARGE_STRING:
      return OneLine(static_cast<const arrow::LargeStringArray&>(column).GetView(row));
    case arrow::Type::STRING_VIEW:
      return OneLine(static_cast<const arrow::StringViewArray&>(column).GetView(row));
    default:
      break;
  }
  const auto value = column.GetScalar(row);
  if (!value.ok()) return "?";
  return OneLine((*value)->ToString());
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id());
}

std::string Padded(const std::string& text, size_t width, bool right) {
  const std::string blanks(width - std::min(width, WidthOf(text)), ' ');
  return right ? blanks + text : text + blanks;
}

}  // namespace

void TableText::Add(const arrow::RecordBatch& batch) {
  total_ += batch.num_rows();
  for (int64_t row = 0; row < batch.num_rows() && rows_.size() < kRows; ++row) {
    auto& cells = rows_.emplace_back();
    for (const auto& column : batch.columns()) cells.push_back(CellOf(*column, row));
  }
}

std::string TableText::ToText() const {
  std::vector<std::string> names, types;
  std::vector<size_t> widths;
  for (const auto& field : schema_->fields()) {
    names.push_back(OneLine(field->name()));
    types.push_back(OneLine(field->type()->ToString()));
    widths.push_back(std::max(WidthOf(names.back()), WidthOf(types.back())));
  }
  for (const auto& cells : rows_) {
    for (size_t c = 0; c < cells.size(); ++c) {
      widths[c] = std::max(widths[c], WidthOf(cells[c]));
    }
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string row;
    for (size_t c = 0; c < cells.size(); ++c) {
      const bool right = IsNumber(*schema_->field(static_cast<int>(c))->type());
      row += (c > 0 ? "  " : "") + Padded(cells[c], widths[c], right);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  };
  line(names);
  line(types);
  std::vector<std::string> rules;
  rules.reserve(widths.size());
  for (const size_t width : widths) rules.emplace_back(width, '-');
  line(rules);
  for (const auto& cells : rows_) line(cells);
  const int64_t more = total_ - static_cast<int64_t>(rows_.size());
  if (more > 0) text += fmt::format("… {} more rows\n", more);
  return text;
}

}  // namespace arrowalloy::run
