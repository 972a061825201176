// SPDX-License-Identifier: MIT
#include "input.h"

#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "arrow_error.h"
#include "cast.h"
#include "file_reader.h"

namespace arrowalloy::run {
namespace {

// Selects and casts columns, cuts batches to size, stops at the limit, counts rows.
class ShapedReader final : public arrow::RecordBatchReader {
 public:
  ShapedReader(std::shared_ptr<arrow::RecordBatchReader> source,
               const InputOptions& options, std::shared_ptr<InputCount> count)
      : source_(std::move(source)),
        path_(options.path),
        batch_rows_(options.batch_rows),
        left_(options.limit),
        count_(std::move(count)) {
    const auto& there = *source_->schema();
    arrow::FieldVector fields;
    if (options.columns) {
      for (const auto& name : *options.columns)
        picks_.push_back(there.GetFieldIndex(name));
    } else {
      for (int i = 0; i < there.num_fields(); ++i) picks_.push_back(i);
    }
    for (const int pick : picks_) {
      auto field = there.field(pick);
      const auto cast = options.casts.find(field->name());
      if (cast != options.casts.end()) {
        field = field->WithType(TypeOf(cast->second, field->name()));
      }
      fields.push_back(std::move(field));
    }
    schema_ = arrow::schema(std::move(fields), there.metadata());
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    if (left_ == 0) return arrow::Status::OK();
    while (rest_ == nullptr || rest_->num_rows() == 0) {
      ARROW_RETURN_NOT_OK(ReadSource());
      if (rest_ == nullptr) return arrow::Status::OK();
    }
    int64_t rows = std::min(rest_->num_rows(), batch_rows_);
    if (left_ > 0) rows = std::min(rows, left_);
    *out = rest_->num_rows() == rows ? rest_ : rest_->Slice(0, rows);
    rest_ = rest_->num_rows() == rows ? nullptr : rest_->Slice(rows);
    if (left_ > 0) left_ -= rows;
    count_->rows += rows;
    return arrow::Status::OK();
  }

 private:
  arrow::Status ReadSource() {
    const auto begin = std::chrono::steady_clock::now();
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(OfInput(source_->ReadNext(&batch), path_, kReadHelp));
    rest_ = nullptr;
    if (batch != nullptr) {
      ARROW_ASSIGN_OR_RAISE(rest_, Shape(*batch));
    }
    count_->nanoseconds += (std::chrono::steady_clock::now() - begin).count();
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Shape(
      const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns;
    for (size_t i = 0; i < picks_.size(); ++i) {
      auto column = batch.column(picks_[i]);
      const auto& field = *schema_->field(static_cast<int>(i));
      if (!column->type()->Equals(*field.type())) {
        auto cast = arrow::compute::Cast(*column, field.type());
        if (!cast.ok()) {
          const auto status = cast.status().WithMessage(
              "column ", field.name(), " cannot be cast to ", field.type()->ToString(),
              ": ", cast.status().message());
          return OfInput(status, path_,
                         "choose a type with --cast that can hold every value");
        }
        column = cast.MoveValueUnsafe();
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
  }

  const std::shared_ptr<arrow::RecordBatchReader> source_;
  const std::string path_;
  const int64_t batch_rows_;
  int64_t left_;  // rows until the limit; -1: no limit
  const std::shared_ptr<InputCount> count_;
  std::vector<int> picks_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatch> rest_;
};

void CheckNames(const InputOptions& options, const arrow::Schema& schema) {
  std::vector<std::string> names;
  if (options.columns) names = *options.columns;
  for (const auto& [column, type] : options.casts) names.push_back(column);
  for (const auto& name : names) {
    const auto found = schema.GetAllFieldIndices(name);
    if (found.size() == 1) continue;
    throw Failure(Exit::kUsage, kUsageCode,
                  fmt::format("{} has {} column `{}`; its columns are {}", options.path,
                              found.empty() ? "no" : "more than one", name,
                              fmt::join(schema.field_names(), ", ")),
                  options.path, "use these names with --columns and --cast");
  }
}

}  // namespace

std::shared_ptr<arrow::Schema> SchemaOf(const InputOptions& options) {
  return OpenFile(options, nullptr).schema;
}

Input OpenInput(const InputOptions& options) {
  // A file is opened twice: first for its schema, then for the selected columns.
  FileReader file = OpenFile(options, nullptr);
  CheckNames(options, *file.schema);
  if (options.columns && options.path != "-") {
    file = OpenFile(options, &*options.columns);
  }
  Input input;
  input.count = std::make_shared<InputCount>();
  input.total_rows = file.total_rows;
  if (options.limit >= 0 && input.total_rows >= 0) {
    input.total_rows = std::min(input.total_rows, options.limit);
  }
  input.reader =
      std::make_shared<ShapedReader>(std::move(file.reader), options, input.count);
  return input;
}

}  // namespace arrowalloy::run
