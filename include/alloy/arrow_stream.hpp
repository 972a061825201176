// SPDX-License-Identifier: MIT
//
// Streams and chunks of Apache Arrow C++: readers and tables in and out, with Arrow's own
// Status. arrow.hpp includes it.
//
// Threads  shared; a reader that is returned is serial.
#ifndef ALLOY_ARROW_STREAM_HPP_
#define ALLOY_ARROW_STREAM_HPP_

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/arrow_status.hpp"
#include "alloy/column.hpp"
#include "alloy/detail/arrow_export.hpp"
#include "alloy/detail/arrow_import.hpp"
#include "alloy/detail/arrow_reader.hpp"
#include "alloy/owned.hpp"

namespace alloy::arrow {

// Run a function on readers, and return the results as a reader. A map function with one
// input is run on each batch. Nothing is read before a result is asked for. An error of a
// reader comes back as the same Status, with its message and detail.
inline ::arrow::Result<ReaderPtr> Stream(Bridge& bridge, const std::string& function,
                                         const std::vector<ReaderPtr>& readers,
                                         const OptionMap& options = {},
                                         const CallLimits& limits = {}) {
  std::vector<alloy::Stream> inputs;
  std::vector<std::shared_ptr<::arrow::Status>> told;
  for (const ReaderPtr& reader : readers) {
    const auto first = std::find(readers.begin(), readers.end(), reader);
    if (&*first != &reader) {
      return ::arrow::Status::Invalid(
          "the reader of input ", &reader - readers.data(), " is that of input ",
          first - readers.begin(),
          " as well, so each would get only a part of the batches; pass a reader for "
          "each input");
    }
    ARROW_RETURN_NOT_OK(ToArrow(detail::CheckNames(reader->schema()->fields())));
    auto source = std::make_unique<detail::ReaderSource>();
    source->reader = reader;
    source->told = std::make_shared<::arrow::Status>();
    told.push_back(source->told);
    ArrowArrayStream raw = detail::ExportReader(std::move(source));
    auto input = alloy::Stream::Import(&raw);
    if (!input.ok()) return ToArrow(input.status());
    inputs.push_back(std::move(*input));
  }
  auto stream = bridge.Stream(function, std::move(inputs), options, limits);
  if (!stream.ok()) return detail::ResultReader::OwnOr(stream.status(), told);
  ArrowSchema output;
  Schema::Copy(stream->schema()).MoveTo(&output);
  auto schema = detail::ImportSchema(&output);
  if (!schema.ok()) return ToArrow(schema.status());
  return std::make_shared<detail::ResultReader>(std::move(*stream), std::move(*schema),
                                                std::move(told));
}
inline ::arrow::Result<ReaderPtr> Stream(Bridge& bridge, const std::string& function,
                                         const ReaderPtr& reader,
                                         const OptionMap& options = {},
                                         const CallLimits& limits = {}) {
  return Stream(bridge, function, std::vector<ReaderPtr>{reader}, options, limits);
}

// The same on the batches of a table, with all results as a table.
inline ::arrow::Result<std::shared_ptr<::arrow::Table>> Stream(
    Bridge& bridge, const std::string& function,
    const std::shared_ptr<::arrow::Table>& table, const OptionMap& options = {},
    const CallLimits& limits = {}) {
  ARROW_ASSIGN_OR_RAISE(
      const ReaderPtr results,
      Stream(bridge, function, std::make_shared<::arrow::TableBatchReader>(table),
             options, limits));
  return results->ToTable();
}

// Send arrays of any types and lengths in one call to the function `from_chunks`. Returns
// the number of arrays that the backend counted.
inline ::arrow::Result<int64_t> FromChunks(Bridge& bridge,
                                           const ::arrow::ArrayVector& arrays) {
  std::vector<detail::OneColumn> columns;
  columns.reserve(arrays.size());
  std::vector<ArrowSchema> schemas;  // plain copies, borrowed from the columns
  for (const auto& array : arrays) {
    const auto schema = ::arrow::schema({::arrow::field("", array->type())});
    detail::OneColumn& column = columns.emplace_back();
    ARROW_RETURN_NOT_OK(::arrow::ExportSchema(*schema, column.schema.get()));
    ARROW_RETURN_NOT_OK(ToArrow(detail::Exporter().Export(
        ::arrow::RecordBatch::Make(schema, array->length(), {array}),
        column.array.get())));
    schemas.push_back(*column.schema);
  }
  auto call = bridge.Bind("from_chunks", schemas);
  if (!call.ok()) return ToArrow(call.status());
  std::vector<alloy::OwnedArray> inputs;
  inputs.reserve(columns.size());
  for (detail::OneColumn& column : columns) inputs.push_back(std::move(column.array));
  alloy::OwnedArray output;
  const Status status = call->RunRaw(inputs, output.get(), {});
  if (!status.ok()) return ToArrow(status);
  return *Column<int64_t>(*output->children[0]).Get(0);
}
// The same with each chunk as an array.
inline ::arrow::Result<int64_t> FromChunks(
    Bridge& bridge, const std::shared_ptr<::arrow::ChunkedArray>& chunks) {
  return FromChunks(bridge, chunks->chunks());
}

}  // namespace alloy::arrow

#endif  // ALLOY_ARROW_STREAM_HPP_
