// SPDX-License-Identifier: MIT
#include "input.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "../../arrowalloy/base/os_error.h"
#include "../../arrowalloy/base/report.h"
#include "../arrow_error.h"
#include "../cast.h"
#include "csv_input.h"
#include "file_part.h"
#include "open_file.h"
#include "paths.h"
#include "source.h"

namespace arrowalloy::run {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

struct Part {
  ReaderPtr reader;
  int64_t rows = -1;
  std::vector<std::string> columns;  // all of the file
};

// How the types of a CSV are decided: by --cast, then as in the first file of the input,
// then as the function declares, and otherwise by the first records.
CsvType TypeOfColumn(const InputOptions& options, const SchemaPtr& first,
                     const std::string& column, const CsvGuess& guess) {
  const auto cast = options.casts.find(column);
  if (cast != options.casts.end()) {
    return {.type = TypeOf(cast->second, column), .guessed = false};
  }
  const auto field = first == nullptr ? nullptr : first->GetFieldByName(column);
  if (field != nullptr) return {.type = field->type(), .guessed = false};
  if (options.declared) {
    const auto declared =
        std::ranges::find(*options.declared, column, &alloy::ColumnInfo::name);
    if (declared != options.declared->end() && !declared->accepts.empty()) {
      const auto type = AcceptedType(declared->accepts, guess);
      if (type != nullptr) return {.type = type, .guessed = false};
    }
  }
  return {.type = guess.type(), .guessed = true};
}

// `first`: the schema of the first file; NULL for it itself.
Part OpenPart(const std::string& path, const InputOptions& options,
              const SchemaPtr& first) {
  CsvRequest csv{
      .dialect = options.csv,
      .names = {},
      .type_of =
          [&options, &first](const std::string& column, const CsvGuess& guess) {
            return TypeOfColumn(options, first, column, guess);
          },
      .warn = options.warn};
  if (options.declared) {
    for (const auto& column : *options.declared) csv.names.push_back(column.name);
  }
  const auto file = OpenFile(Source::Open(path), options, std::move(csv));
  // Before the reader takes over what the file holds.
  auto columns = file->schema()->field_names();
  const int64_t rows = file->total_rows();
  return {.reader = ReadPart(*file, InputName(path), options),
          .rows = rows,
          .columns = std::move(columns)};
}

// The columns of `other` that `first` has, in its order.
//   Throws  E0002, with the first difference.
std::vector<int> Match(const arrow::Schema& first, const arrow::Schema& other,
                       const std::string& path, const std::string& first_path) {
  const auto differs = [&](const std::string& what) {
    return Failure(Exit::kUsage, kUsageCode,
                   fmt::format("{} differs from {}: {}", path, first_path, what), path,
                   "the files of one input have the same columns and types: choose them "
                   "with --columns, or their types with --cast");
  };
  std::vector<int> places;
  for (int i = 0; i < first.num_fields(); ++i) {
    const auto& field = *first.field(i);
    const auto same = first.GetAllFieldIndices(field.name());
    const auto found = other.GetAllFieldIndices(field.name());
    const auto name = Harmless(field.name());
    if (found.size() != same.size()) {
      throw differs(fmt::format("it has {} column `{}`",
                                found.empty() ? "no" : "another number of", name));
    }
    const auto at = found[static_cast<size_t>(std::ranges::find(same, i) - same.begin())];
    const auto& there = *other.field(at);
    if (!there.type()->Equals(*field.type())) {
      throw differs(fmt::format("its column `{}` is {}, not {}", name,
                                there.type()->ToString(), field.type()->ToString()));
    }
    if (there.nullable() && !field.nullable()) {
      throw differs(fmt::format("its column `{}` may have nulls", name));
    }
    places.push_back(at);
  }
  for (const auto& field : other.fields()) {
    if (first.GetAllFieldIndices(field->name()).empty()) {
      throw differs(fmt::format("it has one more column, `{}`", Harmless(field->name())));
    }
  }
  return places;
}

bool CanOpenAgain(const std::string& path) {
  std::error_code error;
  return path != "-" && std::filesystem::is_regular_file(path, error);
}

// Files one after another.
class Parts final : public arrow::RecordBatchReader {
 public:
  Parts(std::vector<std::string> paths, const InputOptions& options)
      : paths_(std::move(paths)), options_(options) {
    Part first = OpenPart(paths_[0], options_, nullptr);
    schema_ = first.reader->schema();
    total_rows_ = first.rows;
    columns_ = std::move(first.columns);
    parts_.push_back(std::move(first.reader));
    places_.push_back(Match(*schema_, *schema_, paths_[0], paths_[0]));
    // All files are looked at before the work begins. A pipe stays open, because it can be
    // opened only once; a file does not, because there may be thousands.
    for (size_t i = 1; i < paths_.size(); ++i) {
      Part part = OpenPart(paths_[i], options_, schema_);
      places_.push_back(Match(*schema_, *part.reader->schema(), paths_[i], paths_[0]));
      total_rows_ = total_rows_ < 0 || part.rows < 0 ? -1 : total_rows_ + part.rows;
      parts_.push_back(CanOpenAgain(paths_[i]) ? nullptr : std::move(part.reader));
    }
    options_.warn = [](const std::string&) {};  // each file has had its warnings
  }

  SchemaPtr schema() const override { return schema_; }
  const std::vector<std::string>& columns() const { return columns_; }
  int64_t total_rows() const { return total_rows_; }

  arrow::Status ReadNext(BatchPtr* out) override {
    for (; at_ < parts_.size(); parts_[at_++] = nullptr) {
      if (parts_[at_] == nullptr) ARROW_RETURN_NOT_OK(OpenAgain());
      BatchPtr batch;
      ARROW_RETURN_NOT_OK(parts_[at_]->ReadNext(&batch));
      if (batch == nullptr) continue;
      arrow::ArrayVector columns;
      for (const int place : places_[at_]) columns.push_back(batch->column(place));
      *out = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
      return {};
    }
    *out = nullptr;
    return {};
  }

 private:
  // No exception may cross the engine.
  arrow::Status OpenAgain() {
    try {
      parts_[at_] = OpenPart(paths_[at_], options_, schema_).reader;
      places_[at_] = Match(*schema_, *parts_[at_]->schema(), paths_[at_], paths_[0]);
      return {};
    } catch (const Failure& failure) {
      return OfInput(arrow::Status::IOError(failure.text), failure.at, failure.help);
    }
  }

  const std::vector<std::string> paths_;
  InputOptions options_;
  SchemaPtr schema_;
  std::vector<std::string> columns_;
  std::vector<ReaderPtr> parts_;          // NULL: not open
  std::vector<std::vector<int>> places_;  // of the columns in each part
  int64_t total_rows_ = -1;
  size_t at_ = 0;
};

// Stops at the limit, and counts rows.
class CountedReader final : public arrow::RecordBatchReader {
 public:
  CountedReader(ReaderPtr source, int64_t limit, std::shared_ptr<InputCount> count)
      : source_(std::move(source)), left_(limit), count_(std::move(count)) {}

  SchemaPtr schema() const override { return source_->schema(); }

  arrow::Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    if (left_ == 0) return {};
    const auto begin = std::chrono::steady_clock::now();
    try {
      ARROW_RETURN_NOT_OK(source_->ReadNext(out));
    } catch (const std::bad_alloc&) {  // no exception may cross the engine
      return arrow::Status::OutOfMemory("no memory is left to read the input");
    } catch (const std::exception& error) {
      return arrow::Status::UnknownError("cannot read the input: ", error.what());
    }
    count_->nanoseconds += (std::chrono::steady_clock::now() - begin).count();
    if (*out == nullptr) return {};
    if (left_ > 0) {
      if ((*out)->num_rows() > left_) *out = (*out)->Slice(0, left_);
      left_ -= (*out)->num_rows();
    }
    count_->rows += (*out)->num_rows();
    return {};
  }

 private:
  const ReaderPtr source_;
  int64_t left_;  // rows until the limit; -1: no limit
  const std::shared_ptr<InputCount> count_;
};

}  // namespace

Input OpenInput(const InputOptions& options) {
  std::vector<std::string> files;
  for (const auto& path : options.paths) {
    for (auto& file : FilesOf(path)) files.push_back(std::move(file));
  }
  auto parts = std::make_shared<Parts>(std::move(files), options);
  Input input;
  input.count = std::make_shared<InputCount>();
  input.total_rows = parts->total_rows();
  input.columns = parts->columns();
  if (options.limit >= 0 && input.total_rows >= 0) {
    input.total_rows = std::min(input.total_rows, options.limit);
  }
  input.reader =
      std::make_shared<CountedReader>(std::move(parts), options.limit, input.count);
  return input;
}

}  // namespace arrowalloy::run
