// SPDX-License-Identifier: MIT
#include "csv_fault.h"

#include <arrow/csv/reader.h>
#include <arrow/io/memory.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "../../arrowalloy/base/report.h"
#include "csv_types.h"
#include "read_options.h"

namespace arrowalloy::run {
namespace {

constexpr size_t kShown = 60;  // bytes of a value in an error

bool CanRead(const CsvLayout& layout, std::string_view text) {
  if (text.empty()) return true;
  const auto bytes = std::make_shared<arrow::Buffer>(
      reinterpret_cast<const uint8_t*>(text.data()), static_cast<int64_t>(text.size()));
  auto options = CsvReadDecisions(layout, static_cast<int64_t>(text.size()));
  options.use_threads = false;
  auto reader = arrow::csv::StreamingReader::Make(
      arrow::io::default_io_context(), std::make_shared<arrow::io::BufferReader>(bytes),
      options, CsvParseDecisions(layout), CsvConvertDecisions(layout));
  return reader.ok() && (*reader)->ToRecordBatches().ok();
}

// Where each record begins; last, where the text ends.
std::vector<size_t> BeginsIn(std::string_view text, const CsvLayout& layout) {
  CsvScanner scanner(layout.dialect);
  std::vector<size_t> begins;
  for (size_t at = 0; at < text.size();) {
    const size_t end = scanner.EndOfRecord(text, at).value_or(text.size());
    if (layout.one_column || !IsEmptyLine(text.substr(at, end - at)))
      begins.push_back(at);
    at = end;
  }
  begins.push_back(text.size());
  return begins;
}

std::string Shown(const std::string& value) {
  if (!arrow::util::ValidateUTF8(value)) return "bytes that are not UTF-8";
  return "`" + Harmless(value.substr(0, kShown)) + (value.size() > kShown ? "…" : "") +
         "`";
}

std::string HelpFor(const CsvLayout& layout, size_t column, const CsvField& field) {
  static constexpr std::string_view kNulls[] = {
      "NA", "N/A", "n/a", "NULL", "null", "nan", "None", "nil", "\\N", "-", "?", "."};
  const std::string name = Harmless(layout.names[column]);
  if (std::ranges::find(kNulls, field.text) != std::end(kNulls)) {
    return fmt::format("if it stands for null, pass --null '{}'", field.text);
  }
  const auto& type = layout.types[column];
  if (!arrow::util::ValidateUTF8(field.text)) {
    return fmt::format(
        "convert the file: iconv -f LATIN1 -t UTF-8; or pass --cast {}=binary", name);
  }
  if (!type.guessed) {
    return "correct the record; the function or --cast wants this type of the column";
  }
  CsvGuess guess;
  guess.Add(field);
  const bool number =
      arrow::is_numeric(type.type->id()) && arrow::is_numeric(guess.type()->id());
  return fmt::format("the type was guessed from the first records: pass --cast {}={}",
                     name, number ? "float64" : "utf8");
}

CsvFault Describe(const CsvLayout& layout, const std::string& where,
                  std::string_view record) {
  const auto fields = FieldsOf(record, layout.dialect);
  if (fields.size() != layout.names.size()) {
    return {
        fmt::format("{} has {} field{}, but the file has {} columns", where,
                    fields.size(), fields.size() == 1 ? "" : "s", layout.names.size()),
        "correct the record; perhaps a quote or a delimiter is missing, or "
        "--delimiter is wrong"};
  }
  CsvLayout one = layout;
  for (const int column : layout.chosen) {
    one.chosen = {column};
    if (CanRead(one, record)) continue;
    const auto at = static_cast<size_t>(column);
    return {fmt::format("{}, column {}: {} is not {}", where, Harmless(layout.names[at]),
                        Shown(fields[at].text), layout.types[at].type->ToString()),
            HelpFor(layout, at, fields[at])};
  }
  return {where + " is malformed", "correct the record"};
}

}  // namespace

std::optional<CsvFault> FindCsvFault(const CsvLayout& layout,
                                     const std::deque<CsvBlocks::Block>& blocks,
                                     int64_t rows) {
  for (const CsvBlocks::Block& block : blocks) {
    const std::string_view text(reinterpret_cast<const char*>(block.bytes->data()),
                                static_cast<size_t>(block.bytes->size()));
    const auto begins = BeginsIn(text, layout);
    if (CanRead(layout, text)) {
      rows += std::ssize(begins) - 1;
      continue;
    }
    // Records before `good` can be read, those before `bad` cannot.
    size_t good = 0, bad = begins.size() - 1;
    while (bad - good > 1) {
      const size_t middle = good + (bad - good) / 2;
      const bool can =
          CanRead(layout, text.substr(begins[good], begins[middle] - begins[good]));
      (can ? good : bad) = middle;
    }
    if (bad == 0) return std::nullopt;
    const auto record = text.substr(begins[good], begins[bad] - begins[good]);
    const int64_t line =
        block.line + std::ranges::count(text.substr(0, begins[good]), '\n');
    return Describe(
        layout,
        fmt::format("row {} (line {})", rows + static_cast<int64_t>(good) + 1, line),
        record);
  }
  return std::nullopt;
}

}  // namespace arrowalloy::run
