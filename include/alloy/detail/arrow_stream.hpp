// SPDX-License-Identifier: MIT
//
// Streams and chunks of Apache Arrow C++: readers and tables in and out, with Arrow's own
// Status. Included by arrow.hpp.
#ifndef ALLOY_DETAIL_ARROW_STREAM_HPP_
#define ALLOY_DETAIL_ARROW_STREAM_HPP_

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/detail/arrow_export.hpp"
#include "alloy/detail/arrow_import.hpp"

namespace alloy::arrow {

using ReaderPtr = std::shared_ptr<::arrow::RecordBatchReader>;

// What hangs on an Arrow Status that came from Alloy: the whole of the error.
class Detail final : public ::arrow::StatusDetail {
 public:
  explicit Detail(Status status) : status_(std::move(status)) {}
  const char* type_id() const override { return "alloy::Status"; }
  std::string ToString() const override { return status_.ToString(); }
  const Status& status() const { return status_; }

 private:
  Status status_;
};

// The same error in Arrow's words.
inline ::arrow::Status ToArrow(const Status& status) {
  if (status.ok()) return ::arrow::Status::OK();
  const auto code = [&] {
    switch (status.code()) {
      case ALLOY_INVALID:
      case ALLOY_BAD_DATA:
      case ALLOY_NO_MATCH:
        return ::arrow::StatusCode::Invalid;
      case ALLOY_NOT_FOUND:
        return ::arrow::StatusCode::KeyError;
      case ALLOY_EXHAUSTED:
        return ::arrow::StatusCode::OutOfMemory;
      case ALLOY_CANCELLED:
        return ::arrow::StatusCode::Cancelled;
      case ALLOY_UNSUPPORTED:
        return ::arrow::StatusCode::NotImplemented;
      case ALLOY_INTERNAL:
        return ::arrow::StatusCode::UnknownError;
      default:
        return ::arrow::StatusCode::IOError;
    }
  }();
  return {code, std::string(status.text()), std::make_shared<Detail>(status)};
}

namespace detail {

// An array as the one column of a batch.
struct OneColumn {
  alloy::Owned<ArrowSchema> schema;
  alloy::OwnedArray array;
};

// A reader behind the C struct. What it says when it fails stays in `told`.
struct ReaderSource {
  ReaderPtr reader;
  std::shared_ptr<::arrow::Status> told;
  std::string text;

  ::arrow::Status Read(ArrowArray* out) const {
    std::shared_ptr<::arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    return batch == nullptr ? ::arrow::Status::OK()
                            : ToArrow(Exporter().Export(batch, out));
  }

  int GetNext(ArrowArray* out) {
    if (!told->ok()) return EIO;
    try {
      *told = Read(out);
    } catch (const std::exception& error) {
      *told = ::arrow::Status::UnknownError(error.what());
    }
    if (told->ok()) return 0;
    text = told->message();
    return EIO;
  }
};

inline ReaderSource& ReaderOf(ArrowArrayStream* stream) {
  return *static_cast<ReaderSource*>(stream->private_data);
}

inline ArrowArrayStream ExportReader(std::unique_ptr<ReaderSource> source) {
  return {.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) noexcept -> int {
            ReaderSource& source_of = ReaderOf(self);
            const auto status = ::arrow::ExportSchema(*source_of.reader->schema(), out);
            if (status.ok()) return 0;
            *source_of.told = status;
            source_of.text = status.message();
            return EINVAL;
          },
          .get_next = [](ArrowArrayStream* self, ArrowArray* out) noexcept -> int {
            *out = ArrowArray{};
            try {
              return ReaderOf(self).GetNext(out);
            } catch (...) {
              return ENOMEM;
            }
          },
          .get_last_error = [](ArrowArrayStream* self) noexcept -> const char* {
            return ReaderOf(self).text.c_str();
          },
          .release =
              [](ArrowArrayStream* self) noexcept {
                const std::unique_ptr<ReaderSource> owner(&ReaderOf(self));
                self->release = nullptr;
              },
          .private_data = source.release()};
}

// A stream of results as Arrow reads it.
class ResultReader final : public ::arrow::RecordBatchReader {
 public:
  ResultReader(alloy::Stream stream, std::shared_ptr<::arrow::Schema> schema,
               std::vector<std::shared_ptr<::arrow::Status>> told)
      : stream_(std::make_unique<alloy::Stream>(std::move(stream))),
        schema_(std::move(schema)),
        told_(std::move(told)) {}

  std::shared_ptr<::arrow::Schema> schema() const override { return schema_; }

  ::arrow::Status ReadNext(std::shared_ptr<::arrow::RecordBatch>* batch) override {
    batch->reset();
    if (stream_ == nullptr) return ::arrow::Status::Invalid("the reader is closed");
    ArrowArray array{};
    ArrowArrayStream* raw = stream_->get();
    if (raw->get_next(raw, &array) != 0) {
      // It answers the same again, and the whole of it.
      return OwnOr(stream_->Next().status(), told_);
    }
    if (array.release != nullptr) *batch = Importer::Import(&array, schema_);
    return ::arrow::Status::OK();
  }

  ::arrow::Status Close() override {
    stream_.reset();
    return ::arrow::Status::OK();
  }

  // An input's own Status, if that is what failed.
  static ::arrow::Status OwnOr(
      const Status& status, const std::vector<std::shared_ptr<::arrow::Status>>& told) {
    const auto input = static_cast<size_t>(status.input());
    if (status.side() == ALLOY_SIDE_CALLER && input < told.size() && !told[input]->ok()) {
      return *told[input];
    }
    return ToArrow(status);
  }

 private:
  std::unique_ptr<alloy::Stream> stream_;  // NULL once it is closed
  std::shared_ptr<::arrow::Schema> schema_;
  std::vector<std::shared_ptr<::arrow::Status>> told_;
};

}  // namespace detail

// Open a stream of results over readers: of a stream function, or of a map function,
// which is run on each batch of its one reader. Nothing is read before it is asked for.
// What a reader fails with comes back as the same Status, message and detail with it.
inline ::arrow::Result<ReaderPtr> Stream(Bridge& bridge, const std::string& function,
                                         const std::vector<ReaderPtr>& readers,
                                         const OptionMap& options = {},
                                         const CallLimits& limits = {}) {
  std::vector<alloy::Stream> inputs;
  std::vector<std::shared_ptr<::arrow::Status>> told;
  for (const ReaderPtr& reader : readers) {
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

// The same over the batches of a table, and all results as a table.
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

// Send the arrays, of any types and lengths, in one call to the function `from_chunks`;
// the number of arrays that the backend counted.
inline ::arrow::Result<int64_t> FromChunks(Bridge& bridge,
                                           const ::arrow::ArrayVector& arrays) {
  std::vector<detail::OneColumn> columns;
  columns.reserve(arrays.size());
  std::vector<ArrowSchema> schemas;  // in a row, borrowed from the columns
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
// The chunks, each as an array.
inline ::arrow::Result<int64_t> FromChunks(
    Bridge& bridge, const std::shared_ptr<::arrow::ChunkedArray>& chunks) {
  return FromChunks(bridge, chunks->chunks());
}

}  // namespace alloy::arrow

#endif  // ALLOY_DETAIL_ARROW_STREAM_HPP_
