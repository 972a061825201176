// SPDX-License-Identifier: MIT
//
// RecordBatchReaders of Apache Arrow C++ as streams of the C data interface, and back.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_ARROW_READER_HPP_
#define ALLOY_DETAIL_ARROW_READER_HPP_

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <cerrno>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow_status.hpp"
#include "alloy/detail/arrow_export.hpp"
#include "alloy/detail/arrow_import.hpp"
#include "alloy/owned.hpp"
#include "alloy/status.hpp"
#include "alloy/stream.hpp"

namespace alloy::arrow {

using ReaderPtr = std::shared_ptr<::arrow::RecordBatchReader>;

}  // namespace alloy::arrow

namespace alloy::arrow::detail {

// An array as the one column of a batch.
struct OneColumn {
  alloy::Owned<ArrowSchema> schema;
  alloy::OwnedArray array;
};

// A reader behind the C struct. Its error stays in `told`.
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
      // Next returns the same error again, and the whole of it.
      return OwnOr(stream_->Next().status(), told_);
    }
    if (array.release != nullptr) *batch = Importer::Import(&array, schema_);
    return ::arrow::Status::OK();
  }

  ::arrow::Status Close() override {
    stream_.reset();
    return ::arrow::Status::OK();
  }

  // The Status of the input that failed, if an input did.
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

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_READER_HPP_
