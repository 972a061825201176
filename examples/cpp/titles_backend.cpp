// SPDX-License-Identifier: MIT
//
// A function that uses the kernels of Apache Arrow C++. The library needs libarrow.so and
// libarrow_compute.so: its signature names them, and its host allows the files (may_need).
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>

#include "alloy/backend.hpp"

namespace {

void Check(const arrow::Status& status) {
  if (!status.ok()) throw alloy::Failure(status.message());
}
template <typename T>
T Get(arrow::Result<T> result) {
  Check(result.status());
  return std::move(result).ValueUnsafe();
}

// Trims one column of strings and starts its words with capitals.
class Titles {
 public:
  Titles(alloy::Scope&, const alloy::Options& options,
         std::span<const ArrowSchema> inputs)
      : batch_(alloy::Schema::Copy(inputs[0])),
        schema_(Get(arrow::ImportSchema(alloy::Schema::Copy(inputs[0]).get()))),
        column_(schema_->GetFieldIndex(options["column"])) {
    Check(arrow::compute::Initialize());
    if (column_ < 0) {
      throw alloy::Failure(ALLOY_INVALID, "option column: there is no column '" +
                                              options["column"] +
                                              "', or there are several");
    }
    const auto& type = *schema_->field(column_)->type();
    if (!arrow::is_string(type.id())) {
      throw alloy::Failure(ALLOY_NO_MATCH, "option column: '" + options["column"] +
                                               "' is " + type.ToString() +
                                               "; titles are string or large_string");
    }
  }

  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*batch_); }

  void Run(alloy::Scope&, std::span<ArrowArray> inputs, ArrowArray* output) const {
    auto batch = Get(arrow::ImportRecordBatch(inputs.data(), schema_));
    const auto texts = batch->column(column_);
    Check(texts->ValidateFull());  // the kernels follow every offset
    const auto trimmed =
        Get(arrow::compute::CallFunction("utf8_trim_whitespace", {texts}));
    const auto titles = Get(arrow::compute::CallFunction("utf8_title", {trimmed}));
    batch = Get(batch->SetColumn(column_, schema_->field(column_), titles.make_array()));
    Check(arrow::ExportRecordBatch(*batch, output));
  }

 private:
  alloy::Schema batch_;
  std::shared_ptr<arrow::Schema> schema_;
  int column_;
};

}  // namespace

ALLOY_BACKEND("acme.titles", "0.1.0",
              alloy::Raw<Titles>("titles")
                  .Summary("One column of strings, trimmed, its words with capitals.")
                  .RequiredOption("column", "Which one.")
                  .Flags(ALLOY_ROWWISE))
