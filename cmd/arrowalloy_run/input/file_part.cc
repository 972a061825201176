// SPDX-License-Identifier: MIT
#include "file_part.h"

#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "../../arrowalloy/base/report.h"
#include "../arrow_error.h"
#include "../cast.h"

namespace arrowalloy::run {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

Failure WrongColumn(const std::string& what, const std::string& name,
                    const std::string& path, const arrow::Schema& schema) {
  return Failure(
      Exit::kUsage, kUsageCode,
      fmt::format("{} has {} column `{}`; its columns are {}", path, what, Harmless(name),
                  Harmless(fmt::format("{}", fmt::join(schema.field_names(), ", ")))),
      path, "use these names with --columns and --cast");
}

// The places of the wanted columns in the file, in the order of the input.
std::vector<int> Picks(const arrow::Schema& schema, const std::string& path,
                       const InputOptions& options) {
  std::vector<int> picks;
  if (options.columns) {
    for (const auto& name : *options.columns) {
      const auto found = schema.GetAllFieldIndices(name);
      if (found.size() != 1) {
        throw WrongColumn(found.empty() ? "no" : "more than one", name, path, schema);
      }
      picks.push_back(found[0]);
    }
    return picks;
  }
  if (options.declared) {
    // One that is missing, or there twice, is the engine's to report.
    for (const auto& column : *options.declared) {
      for (const int found : schema.GetAllFieldIndices(column.name))
        picks.push_back(found);
    }
  }
  if (!picks.empty()) return picks;
  // Without a column a batch would lose its number of rows.
  for (int i = 0; i < schema.num_fields(); ++i) picks.push_back(i);
  return picks;
}

class FilePart final : public arrow::RecordBatchReader {
 public:
  // `places`: of each column of `schema` in the batches of `source`.
  FilePart(ReaderPtr source, std::vector<int> places,
           std::shared_ptr<arrow::Schema> schema, std::string path, int64_t batch_rows)
      : source_(std::move(source)),
        places_(std::move(places)),
        schema_(std::move(schema)),
        path_(std::move(path)),
        batch_rows_(batch_rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* out) override {
    *out = nullptr;
    while (rest_ == nullptr || rest_->num_rows() == 0) {
      const auto status = source_->ReadNext(&rest_);
      if (!status.ok()) return OfInput(status, path_, BrokenHelp(status));
      if (rest_ == nullptr) return {};
    }
    // Cut first: a cast needs memory for each row, and a column of nulls may claim many.
    const int64_t rows = std::min(rest_->num_rows(), batch_rows_);
    const BatchPtr slice = rest_->num_rows() == rows ? rest_ : rest_->Slice(0, rows);
    rest_ = rest_->num_rows() == rows ? nullptr : rest_->Slice(rows);
    return Shape(*slice).Value(out);
  }

 private:
  arrow::Result<BatchPtr> Shape(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns;
    for (size_t i = 0; i < places_.size(); ++i) {
      auto column = batch.column(places_[i]);
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

  const ReaderPtr source_;
  const std::vector<int> places_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::string path_;
  const int64_t batch_rows_;
  BatchPtr rest_;
};

}  // namespace

ReaderPtr ReadPart(OpenedFile& file, const std::string& path,
                   const InputOptions& options) {
  const auto whole = file.schema();
  for (const auto& [column, type] : options.casts) {
    const auto found = whole->GetAllFieldIndices(column);
    if (found.size() != 1) {
      throw WrongColumn(found.empty() ? "no" : "more than one", column, path, *whole);
    }
  }
  const std::vector<int> picks = Picks(*whole, path, options);
  arrow::FieldVector fields;
  for (const int pick : picks) {
    auto field = whole->field(pick);
    const auto cast = options.casts.find(field->name());
    if (cast != options.casts.end()) {
      field = field->WithType(TypeOf(cast->second, field->name()));
    }
    fields.push_back(std::move(field));
  }
  std::vector<int> needed = picks;
  std::ranges::sort(needed);
  needed.erase(std::ranges::unique(needed).begin(), needed.end());
  std::vector<int> places;
  places.reserve(picks.size());
  for (const int pick : picks) {
    places.push_back(static_cast<int>(std::ranges::find(needed, pick) - needed.begin()));
  }
  // Without a choice, batches that have no columns keep their number of rows.
  if (static_cast<int>(needed.size()) == whole->num_fields()) needed.clear();
  return std::make_shared<FilePart>(file.Read(needed), std::move(places),
                                    arrow::schema(std::move(fields), whole->metadata()),
                                    path, options.batch_rows);
}

}  // namespace arrowalloy::run
