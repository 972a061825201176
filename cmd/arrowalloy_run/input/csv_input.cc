// SPDX-License-Identifier: MIT
#include "csv_input.h"

#include <arrow/compute/cast.h>
#include <arrow/csv/reader.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "../../arrowalloy/base/report.h"
#include "../arrow_error.h"
#include "csv_blocks.h"
#include "csv_fault.h"
#include "memory.h"
#include "read_options.h"

namespace arrowalloy::run {
namespace {

using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

constexpr int64_t kBlock = 1 << 20;
// The types are guessed from as much of a file, or of a pipe, which may be slow.
constexpr int64_t kSample = 4 << 20;
// Enough to see whether the first record is a header.
constexpr int64_t kFewRecords = 1000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view TextOf(const arrow::Buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(bytes.size())};
}

std::vector<std::string> TextsOf(const std::vector<CsvField>& fields) {
  std::vector<std::string> texts;
  texts.reserve(fields.size());
  for (const CsvField& field : fields) texts.push_back(field.text);
  return texts;
}

// The batches of a file, with its names and types. An error has its row and column.
class CsvBatches final : public arrow::RecordBatchReader {
 public:
  CsvBatches(std::shared_ptr<CsvBlocks> blocks, CsvLayout layout, std::string path,
             std::shared_ptr<arrow::Schema> schema)
      : blocks_(std::move(blocks)),
        layout_(std::move(layout)),
        path_(std::move(path)),
        schema_(std::move(schema)) {
    auto reader = arrow::csv::StreamingReader::Make(
        arrow::io::IOContext(InputPool()), blocks_, CsvReadDecisions(layout_, kBlock),
        CsvParseDecisions(layout_), CsvConvertDecisions(layout_));
    if (reader.ok()) {
      reader_ = std::move(reader).ValueUnsafe();
    } else {
      failure_ = Explained(reader.status());
    }
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    ARROW_RETURN_NOT_OK(failure_);
    std::shared_ptr<arrow::RecordBatch> batch;
    auto status = reader_->ReadNext(&batch);
    if (!status.ok()) return failure_ = Explained(status);
    if (batch == nullptr) return {};
    arrow::ArrayVector columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      const auto& field = *schema_->field(i);
      auto column = batch->column(i);
      if (!column->type()->Equals(*field.type())) {
        auto cast = arrow::compute::Cast(*column, field.type());
        if (!cast.ok()) {
          return failure_ = OfInput(
                     cast.status().WithMessage("column ", field.name(), " cannot become ",
                                               field.type()->ToString(), ": ",
                                               cast.status().message()),
                     path_, "choose a type with --cast that can hold every value");
        }
        column = std::move(cast).ValueUnsafe();
      }
      columns.push_back(std::move(column));
    }
    rows_ += batch->num_rows();
    blocks_->ForgetOldest();
    *out = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
    return {};
  }

 private:
  arrow::Status Explained(const arrow::Status& status) const {
    const auto fault = FindCsvFault(layout_, blocks_->Kept(), rows_);
    if (!fault) return status;
    return OfInput(status.WithMessage(fault->text), path_, fault->help);
  }

  const std::shared_ptr<CsvBlocks> blocks_;
  const CsvLayout layout_;
  const std::string path_;
  const std::shared_ptr<arrow::Schema> schema_;
  ReaderPtr reader_;
  arrow::Status failure_;
  int64_t rows_ = 0;
};

class CsvInput final : public OpenedFile {
 public:
  CsvInput(Source source, CsvRequest request)
      : path_(source.path()), request_(std::move(request)) {
    const int64_t sample = source.can_seek() ? kSample : kBlock;
    blocks_ = std::make_shared<CsvBlocks>(source.ToStream(), request_.dialect,
                                          /*keep_empty_lines=*/false);
    CsvBlocks::Block block = run::Read(blocks_->First(sample), path_);
    size_t begin = TextOf(*block.bytes).starts_with(kByteOrderMark) ? 3 : 0;
    begin = ReadNames(TextOf(*block.bytes), begin);
    const auto skipped = TextOf(*block.bytes).substr(0, begin);
    block.line += std::ranges::count(skipped, '\n');
    block.bytes = arrow::SliceBuffer(block.bytes, static_cast<int64_t>(begin));
    // The first row may be longer than the sample.
    if (block.bytes->size() == 0) block = run::Read(blocks_->First(sample), path_);
    // In a file with one column an empty line is a null.
    layout_.one_column = layout_.names.size() == 1;
    blocks_->KeepEmptyLines(layout_.one_column);
    ReadSample(TextOf(*block.bytes));
    blocks_->PutBack(std::move(block));
    arrow::FieldVector fields;
    for (size_t i = 0; i < layout_.names.size(); ++i) {
      fields.push_back(arrow::field(layout_.names[i], layout_.types[i].type));
    }
    schema_ = arrow::schema(std::move(fields));
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t total_rows() const override { return -1; }

  ReaderPtr Read(const std::vector<int>& columns) override {
    layout_.chosen = columns;
    if (columns.empty()) {
      layout_.chosen.resize(layout_.names.size());
      std::iota(layout_.chosen.begin(), layout_.chosen.end(), 0);
    }
    arrow::FieldVector fields;
    for (const int column : layout_.chosen) fields.push_back(schema_->field(column));
    auto schema = arrow::schema(std::move(fields));
    // Arrow refuses a text without records.
    if (!run::Read(blocks_->HasRecords(), path_)) {
      return run::Read(arrow::RecordBatchReader::Make({}, schema), path_);
    }
    return std::make_shared<CsvBatches>(blocks_, layout_, path_, std::move(schema));
  }

 private:
  // Returns where the first row begins.
  size_t ReadNames(std::string_view text, size_t begin) {
    layout_.dialect = request_.dialect;
    CsvScanner scanner(request_.dialect);
    std::string_view record;
    size_t end = begin;
    do {
      begin = end;
      end = scanner.EndOfRecord(text, begin).value_or(text.size());
      record = text.substr(begin, end - begin);
    } while (IsEmptyLine(record) && end < text.size());
    header_ = FieldsOf(record, request_.dialect);
    if (IsEmptyLine(record)) {
      throw Failure(Exit::kMachine, kReadCode,
                    "the CSV file has no record, not even a header", path_,
                    "check whether its writer has failed");
    }
    if (request_.dialect.header) {
      layout_.names = TextsOf(header_);
    } else if (request_.names.size() == header_.size()) {
      layout_.names = request_.names;
    } else {
      for (size_t i = 0; i < header_.size(); ++i) {
        layout_.names.push_back("f" + std::to_string(i));
      }
    }
    for (const auto& name : layout_.names) {
      if (arrow::util::ValidateUTF8(name)) continue;
      throw Failure(Exit::kMachine, kReadCode,
                    "the name of a column is not UTF-8: " + Harmless(name), path_,
                    "convert the file: iconv -f LATIN1 -t UTF-8");
    }
    CheckDelimiter();
    return request_.dialect.header ? end : begin;
  }

  void CheckDelimiter() const {
    if (header_.size() != 1) return;
    const size_t at = header_[0].text.find_first_of(";\t|,");
    if (at == std::string::npos || header_[0].quoted) return;
    const char c = header_[0].text[at];
    request_.warn(
        fmt::format("{} has one column, but its first record contains `{}`: if this is "
                    "the delimiter, "
                    "pass --delimiter {}",
                    path_, c == '\t' ? "\\t" : std::string(1, c),
                    c == '\t' ? "tab" : fmt::format("'{}'", c)));
  }

  void ReadSample(std::string_view text) {
    const size_t n = layout_.names.size();
    std::vector<CsvGuess> guesses(n);
    std::vector<bool> again(n);  // whether the name of a column is also a value of it
    bool guessing = true;
    CsvScanner scanner(request_.dialect);
    int64_t records = 0;
    for (size_t begin = 0; begin < text.size() && (guessing || records < kFewRecords);
         ++records) {
      const size_t end = scanner.EndOfRecord(text, begin).value_or(text.size());
      const auto record = text.substr(begin, end - begin);
      begin = end;
      if (IsEmptyLine(record)) continue;
      const auto fields = FieldsOf(record, request_.dialect);
      if (fields.size() != n) break;  // an error that the parser will report
      for (size_t i = 0; i < n; ++i) {
        if (!layout_.IsNull(fields[i])) guesses[i].Add(fields[i]);
        again[i] = again[i] || fields[i].text == header_[i].text;
      }
      if (records == kFewRecords) guessing = NeedsGuesses(guesses);
    }
    for (size_t i = 0; i < n; ++i) {
      layout_.types.push_back(request_.type_of(layout_.names[i], guesses[i]));
      layout_.parsed.push_back(ParsedType(layout_.types[i].type));
      if (layout_.parsed[i] != nullptr) continue;
      throw Failure(
          Exit::kUsage, kUsageCode,
          fmt::format("column {} cannot be {}: a CSV has no such values",
                      Harmless(layout_.names[i]), layout_.types[i].type->ToString()),
          path_, "choose another type with --cast, or pass Parquet or Arrow IPC");
    }
    if (request_.dialect.header) CheckHeader(again);
  }

  bool NeedsGuesses(const std::vector<CsvGuess>& guesses) const {
    for (size_t i = 0; i < guesses.size(); ++i) {
      if (request_.type_of(layout_.names[i], guesses[i]).guessed) return true;
    }
    return false;
  }

  // A file without a header would lose its first row without a word.
  void CheckHeader(const std::vector<bool>& again) const {
    for (size_t i = 0; i < header_.size(); ++i) {
      CsvGuess guess;
      guess.Add(header_[i]);
      const bool number_or_time = guess.type()->id() != arrow::Type::STRING;
      if (header_[i].text.empty() || (!number_or_time && !again[i])) continue;
      request_.warn(
          fmt::format("{}: the first record was taken for the names of the columns, but "
                      "`{}` looks like "
                      "a value: if the file has no header, pass --no-header",
                      path_, Harmless(header_[i].text)));
      return;
    }
  }

  const std::string path_;
  const CsvRequest request_;
  std::shared_ptr<CsvBlocks> blocks_;
  std::vector<CsvField> header_;  // the first record
  CsvLayout layout_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

std::unique_ptr<OpenedFile> OpenCsv(Source source, CsvRequest request) {
  return std::make_unique<CsvInput>(std::move(source), std::move(request));
}

}  // namespace arrowalloy::run
