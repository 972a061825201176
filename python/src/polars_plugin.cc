// SPDX-License-Identifier: MIT
//
// The plugin of Polars: expressions of Alloy. The module exports the plugin ABI 0.1, so
// Polars calls it on its own threads, without the GIL.
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bound_call.h"
#include "capsules.h"
#include "errors.h"
#include "expressions.h"
#include "foreign_schema.h"
#include "series.h"
#include "shared_calls.h"
#include "threads.h"

namespace alloy::python {
namespace {

// crates/polars-ffi/src/version_0.rs of Polars. Who gets a SeriesExport takes its arrays
// out one by one, and then calls release, which frees the rest.
struct SeriesExport {
  ArrowSchema* field;
  ArrowArray** arrays;
  size_t length;
  void (*release)(SeriesExport*);
  void* private_data;  // NULL: there is no series, but an error
};

// Polars asks for the text on the thread of the failure.
std::string& LastError() {
  static thread_local std::string text;
  return text;
}

alloy_code Fail(alloy_error* error, alloy_code code, const std::string& text) {
  return FillError(error, code, text);
}

alloy_code BatchSchemaOf(const Expression& expression,
                         const std::vector<const ArrowSchema*>& fields, Schema* batch,
                         alloy_error* error) {
  const auto& names = expression.names;
  if (!names.empty() && names.size() != fields.size()) {
    std::string wanted;
    for (const std::string& name : names) wanted += (wanted.empty() ? "" : ", ") + name;
    return Fail(error, ALLOY_INVALID,
                expression.function + " takes " + std::to_string(names.size()) +
                    " columns (" + wanted + "), but the expression has " +
                    std::to_string(fields.size()));
  }
  std::vector<Schema> columns;
  columns.reserve(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string key;
    if (!AppendKey(&key, *fields[i])) {
      return Fail(error, ALLOY_BAD_DATA,
                  "the type of argument " + std::to_string(i) + " is malformed");
    }
    const std::string name = !names.empty() ? names[i] : std::string(fields[i]->name);
    if (HasFixedBytes(*fields[i])) {
      return Fail(error, ALLOY_NO_MATCH,
                  expression.function + ": column " + name +
                      " has the type Object of Polars, whose values are pointers; cast "
                      "it to a type of Arrow first");
    }
    columns.push_back(Schema::Copy(*fields[i], name, true));
  }
  *batch = Schema::Batch(std::move(columns));
  return ALLOY_OK;
}

// The only column of the output, or all of them as one of structs.
Schema FieldOf(const Expression& expression, const ArrowSchema& output) {
  if (output.n_children == 1) {
    const ArrowSchema& only = *output.children[0];
    return Schema::Copy(only, only.name == nullptr ? "" : only.name, true);
  }
  return Schema::Copy(output, expression.function, true);
}

OwnedArray ColumnOf(OwnedArray output) {
  if (output->n_children != 1) return output;
  return OwnedArray(output->children[0]);
}

alloy_code PlanField(const ArrowSchema* fields, size_t n, std::string_view arguments,
                     ArrowSchema* out, alloy_error* error) {
  const auto expression = FindExpression(arguments);
  std::vector<const ArrowSchema*> types;
  types.reserve(n);
  for (size_t i = 0; i < n; ++i) types.push_back(&fields[i]);
  Schema batch;
  alloy_code code = BatchSchemaOf(*expression, types, &batch, error);
  if (code != ALLOY_OK) return code;
  std::unique_ptr<BoundCall> bound;
  code = expression->calls->Bind(*batch, &bound, error);
  if (code != ALLOY_OK) return code;
  FieldOf(*expression, **bound->output).MoveTo(out);
  expression->calls->GiveBack(std::move(bound));
  return ALLOY_OK;
}

// What Polars gave, until the end of the call.
class GivenSeries {
 public:
  GivenSeries(SeriesExport* series, size_t n) : series_(series), n_(n), columns_(n) {
    for (size_t i = 0; i < n; ++i) {
      columns_[i].schema = series[i].field;
      for (size_t k = 0; k < series[i].length; ++k) {
        columns_[i].Append(OwnedArray(series[i].arrays[k]));
      }
    }
  }
  GivenSeries(const GivenSeries&) = delete;
  GivenSeries& operator=(const GivenSeries&) = delete;
  ~GivenSeries() {
    for (size_t i = 0; i < n_; ++i) {
      if (series_[i].release != nullptr) series_[i].release(&series_[i]);
    }
  }

  std::vector<Series>& columns() { return columns_; }

 private:
  SeriesExport* const series_;
  const size_t n_;
  std::vector<Series> columns_;
};

// A literal is one row, which stands for as many rows as the other columns have.
alloy_code Align(std::vector<Series>& columns, alloy_error* error) {
  int64_t rows = 1;
  for (const Series& column : columns) {
    if (column.rows != 1) rows = column.rows;
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].rows == rows) continue;
    std::string wrong = "it has " + std::to_string(columns[i].rows) +
                        " rows, but another has " + std::to_string(rows);
    if (columns[i].rows == 1) wrong = RepeatRow(&columns[i], rows);
    if (!wrong.empty()) {
      return Fail(error, ALLOY_INVALID, "argument " + std::to_string(i) + ": " + wrong);
    }
  }
  return ALLOY_OK;
}

struct Result {
  Schema field;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowArray*> pointers;
};

void Give(Schema field, std::vector<OwnedArray> chunks, SeriesExport* out) {
  auto result = std::make_unique<Result>();
  result->field = std::move(field);
  result->arrays.reserve(chunks.size());
  result->pointers.reserve(chunks.size());
  for (OwnedArray& chunk : chunks) {
    result->arrays.push_back(chunk.Detach());
    result->pointers.push_back(&result->arrays.back());
  }
  out->field = result->field.get();
  out->arrays = result->pointers.data();
  out->length = result->pointers.size();
  // Polars has copied the arrays out before, so only their structs end here.
  out->release = [](SeriesExport* series) {
    delete static_cast<Result*>(series->private_data);
    series->release = nullptr;
  };
  out->private_data = result.release();
}

alloy_code RunExpression(GivenSeries& given, std::string_view arguments,
                         SeriesExport* out, alloy_error* error) {
  const auto expression = FindExpression(arguments);
  std::vector<Series>& columns = given.columns();
  std::vector<const ArrowSchema*> types;
  for (const Series& column : columns) {
    types.push_back(column.schema);
    if (column.chunks.empty())
      return Fail(error, ALLOY_BAD_DATA, "a column has no chunk");
  }
  Schema batch_schema;
  alloy_code code = BatchSchemaOf(*expression, types, &batch_schema, error);
  if (code != ALLOY_OK) return code;
  code = Align(columns, error);
  if (code != ALLOY_OK) return code;
  std::unique_ptr<BoundCall> bound;
  code = expression->calls->Bind(*batch_schema, &bound, error);
  if (code != ALLOY_OK) return code;
  BatchReader reader(columns);
  std::vector<OwnedArray> chunks;
  OwnedArray batch, output;
  while (reader.Next(&batch)) {
    code = expression->calls->Run(*bound, std::move(batch), &output, error);
    if (code != ALLOY_OK) return code;
    chunks.push_back(ColumnOf(std::move(output)));
  }
  Give(FieldOf(*expression, **bound->output), std::move(chunks), out);
  expression->calls->GiveBack(std::move(bound));
  return ALLOY_OK;
}

// Runs what Polars asked for; it leaves the text of a failure.
template <typename Body>
void Answer(Body body) {
  alloy_error error{};
  try {
    if (body(&error) != ALLOY_OK) LastError() = ErrorText(error);
  } catch (const PlanError& exception) {
    LastError() = exception.what();
  } catch (const std::exception& exception) {
    FillError(&error, ALLOY_EXHAUSTED, exception.what());
    LastError() = ErrorText(error);
  }
}

}  // namespace

}  // namespace alloy::python

using alloy::python::SeriesExport;

extern "C" {

// Major 0, minor 1: the function that plans gets the arguments too.
__attribute__((visibility("default"))) uint32_t _polars_plugin_get_version() { return 1; }

__attribute__((visibility("default"))) const char*
_polars_plugin_get_last_error_message() {
  return alloy::python::LastError().c_str();
}

__attribute__((visibility("default"))) void _polars_plugin_field_alloy(
    const ArrowSchema* fields, size_t n, ArrowSchema* out, const char* arguments,
    size_t size) {
  alloy::python::Answer([&](alloy_error* error) {
    return alloy::python::PlanField(fields, n, {arguments, size}, out, error);
  });
}

// Takes the series.
__attribute__((visibility("default"))) void _polars_plugin_alloy(
    SeriesExport* series, size_t n, const char* arguments, size_t size, SeriesExport* out,
    const void* /*context*/) {
  alloy::python::Answer([&](alloy_error* error) {
    alloy::python::GivenSeries given(series, n);
    return alloy::python::RunExpression(given, {arguments, size}, out, error);
  });
}

}  // extern "C"
