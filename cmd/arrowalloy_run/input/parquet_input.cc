// SPDX-License-Identifier: MIT
#include "parquet_input.h"

#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>
#include <arrow/util/base64.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include <new>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>

#include "../arrow_error.h"
#include "int96.h"
#include "memory.h"
#include "read_options.h"

namespace arrowalloy::run {
namespace {

using FilePtr = std::shared_ptr<parquet::arrow::FileReader>;
using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;

// Parquet throws, and lets std::bad_alloc pass.
template <typename F>
arrow::Status Caught(F&& read) {
  try {
    return std::forward<F>(read)();
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("no memory is left");
  } catch (const std::exception& error) {
    return arrow::Status::IOError(error.what());
  }
}

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

FilePtr OpenReader(const std::shared_ptr<arrow::io::RandomAccessFile>& bytes,
                   const parquet::ArrowReaderProperties& properties,
                   const std::shared_ptr<parquet::FileMetaData>& metadata,
                   const std::string& path) {
  std::unique_ptr<parquet::arrow::FileReader> file;
  const auto status = Caught([&]() -> arrow::Status {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(bytes, ParquetFileDecisions(InputPool()), metadata));
    return builder.memory_pool(InputPool())->properties(properties)->Build(&file);
  });
  if (!status.ok()) throw BrokenFile(status, path);
  return file;
}

// Batches of a file, which they keep open.
class ParquetBatches final : public arrow::RecordBatchReader {
 public:
  ParquetBatches(FilePtr file, ReaderPtr batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    return Caught([&]() -> arrow::Status {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      // Parquet does not look whether strings are UTF-8.
      if (batch != nullptr) ARROW_RETURN_NOT_OK(batch->ValidateFull());
      *out = std::move(batch);
      return {};
    });
  }

 private:
  const FilePtr file_;
  const ReaderPtr batches_;
};

// The type of a column before it was written, if Parquet has only a finer one: it has no
// seconds, and no days that are counted in milliseconds. Otherwise NULL.
std::shared_ptr<arrow::DataType> CoarserType(const std::shared_ptr<arrow::DataType>& was,
                                             const std::shared_ptr<arrow::DataType>& is) {
  using arrow::TimeUnit;
  const auto is_same = [&](const std::shared_ptr<arrow::DataType>& type) {
    return is->Equals(*type);
  };
  switch (was->id()) {
    case arrow::Type::DATE64:
      return is_same(arrow::date32()) ? was : nullptr;
    case arrow::Type::TIME32:
      return is_same(arrow::time32(TimeUnit::MILLI)) && !was->Equals(*is) ? was : nullptr;
    case arrow::Type::TIMESTAMP: {
      const auto& time = static_cast<const arrow::TimestampType&>(*was);
      const bool finer = is_same(arrow::timestamp(TimeUnit::MILLI, time.timezone()));
      return time.unit() == TimeUnit::SECOND && finer ? was : nullptr;
    }
    default:
      return nullptr;
  }
}

// Older versions of Arrow return the text, newer ones a Result.
template <typename T>
std::string TextOf(const T& decoded) {
  if constexpr (std::is_same_v<T, std::string>) {
    return decoded;
  } else {
    return decoded.ValueOr("");
  }
}

// The schema that the writer has stored in the file; NULL without one.
std::shared_ptr<arrow::Schema> StoredSchema(const parquet::FileMetaData& metadata) {
  const auto& pairs = metadata.key_value_metadata();
  if (pairs == nullptr) return nullptr;
  const auto stored = pairs->Get("ARROW:schema");
  if (!stored.ok()) return nullptr;
  arrow::io::BufferReader bytes(
      arrow::Buffer::FromString(TextOf(arrow::util::base64_decode(*stored))));
  arrow::ipc::DictionaryMemo memo;
  // Arrow has read it before, and has refused a broken one.
  return arrow::ipc::ReadSchema(&bytes, &memo).ValueOr(nullptr);
}

// The columns as they were before they were written, as far as that loses nothing.
std::shared_ptr<arrow::Schema> Restored(const std::shared_ptr<arrow::Schema>& schema,
                                        const parquet::FileMetaData& metadata) {
  const auto stored = StoredSchema(metadata);
  if (stored == nullptr || stored->num_fields() != schema->num_fields()) return schema;
  arrow::FieldVector fields = schema->fields();
  for (int i = 0; i < stored->num_fields(); ++i) {
    auto& field = fields[static_cast<size_t>(i)];
    const auto was = CoarserType(stored->field(i)->type(), field->type());
    if (was != nullptr && stored->field(i)->name() == field->name()) {
      field = field->WithType(was);
    }
  }
  return arrow::schema(std::move(fields), schema->metadata());
}

class ParquetInput final : public OpenedFile {
 public:
  ParquetInput(Source source, int64_t batch_rows,
               const std::function<bool(const std::string&)>& in_nanoseconds)
      : path_(source.path()),
        batch_rows_(batch_rows),
        bytes_(source.ToFile()),
        file_(OpenReader(bytes_, Properties(arrow::TimeUnit::MICRO), nullptr, path_)) {
    std::shared_ptr<arrow::Schema> schema;
    const auto status = Caught([&] { return file_->GetSchema(&schema); });
    if (!status.ok()) throw BrokenFile(status, path_);
    total_rows_ = file_->parquet_reader()->metadata()->num_rows();
    const auto& descriptor = *file_->parquet_reader()->metadata()->schema();
    for (int i = 0; i < descriptor.num_columns(); ++i) {
      has_int96_ =
          has_int96_ || descriptor.Column(i)->physical_type() == parquet::Type::INT96;
    }
    schema_ = Restored(schema, *file_->parquet_reader()->metadata());
    if (!has_int96_) return;
    in_nanoseconds_ = OpenReader(bytes_, Properties(arrow::TimeUnit::NANO),
                                 file_->parquet_reader()->metadata(), path_);
    std::shared_ptr<arrow::Schema> nanoseconds;
    const auto again = Caught([&] { return in_nanoseconds_->GetSchema(&nanoseconds); });
    if (!again.ok()) throw BrokenFile(again, path_);
    arrow::FieldVector fields = schema_->fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto& other = nanoseconds->field(static_cast<int>(i));
      if (in_nanoseconds(fields[i]->name())) fields[i] = other;
    }
    schema_ = arrow::schema(std::move(fields), schema_->metadata());
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t total_rows() const override { return total_rows_; }

  ReaderPtr Read(const std::vector<int>& columns) override {
    std::vector<int> chosen = columns;
    if (chosen.empty()) {
      chosen.resize(static_cast<size_t>(schema_->num_fields()));
      std::iota(chosen.begin(), chosen.end(), 0);
    }
    std::vector<int> leaves;
    arrow::FieldVector fields;
    for (const int column : chosen) {
      AddLeaves(file_->manifest().schema_fields[static_cast<size_t>(column)], &leaves);
      fields.push_back(schema_->field(column));
    }
    auto batches = Batches(file_, leaves);
    if (!has_int96_) return batches;
    return CheckInt96(std::move(batches), Batches(in_nanoseconds_, leaves),
                      arrow::schema(std::move(fields), schema_->metadata()));
  }

 private:
  parquet::ArrowReaderProperties Properties(arrow::TimeUnit::type unit) const {
    auto properties = ParquetArrowDecisions(batch_rows_);
    properties.set_coerce_int96_timestamp_unit(unit);
    return properties;
  }

  ReaderPtr Batches(const FilePtr& file, const std::vector<int>& leaves) const {
    std::vector<int> groups(static_cast<size_t>(file->num_row_groups()));
    std::iota(groups.begin(), groups.end(), 0);
    std::unique_ptr<arrow::RecordBatchReader> batches;
    const auto status = Caught([&]() -> arrow::Status {
      return file->GetRecordBatchReader(groups, leaves).Value(&batches);
    });
    if (!status.ok()) throw BrokenFile(status, path_);
    return std::make_shared<ParquetBatches>(file, std::move(batches));
  }

  const std::string path_;
  const int64_t batch_rows_;
  const std::shared_ptr<arrow::io::RandomAccessFile> bytes_;
  const FilePtr file_;
  FilePtr in_nanoseconds_;  // NULL without columns of INT96
  std::shared_ptr<arrow::Schema> schema_;
  int64_t total_rows_ = -1;
  bool has_int96_ = false;
};

}  // namespace

std::unique_ptr<OpenedFile> OpenParquet(
    Source source, int64_t batch_rows,
    const std::function<bool(const std::string&)>& in_nanoseconds) {
  return std::make_unique<ParquetInput>(std::move(source), batch_rows, in_nanoseconds);
}

}  // namespace arrowalloy::run
