// SPDX-License-Identifier: MIT
//
// An ArrowArray that passed the gate, as a RecordBatch of Apache Arrow C++ over the same
// buffers. One owner releases the array when the last buffer is gone.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_ARROW_IMPORT_HPP_
#define ALLOY_DETAIL_ARROW_IMPORT_HPP_

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/detail/arrow_export.hpp"
#include "alloy/owned.hpp"
#include "alloy/status.hpp"

namespace alloy::arrow::detail {

// Import a schema that the engine has checked. Takes schema.
inline Result<std::shared_ptr<::arrow::Schema>> ImportSchema(ArrowSchema* schema) {
  auto imported = ::arrow::ImportSchema(schema);
  if (imported.ok()) return imported.MoveValueUnsafe();
  return Status::Of(ALLOY_UNSUPPORTED,
                    "Arrow C++ cannot hold the schema: " + imported.status().message(),
                    ALLOY_SIDE_BACKEND);
}

// The array, and every arrow::Buffer over it; shared pointers to a buffer share this.
struct ImportOwner {
  explicit ImportOwner(ArrowArray* source) : array(source) {}

  alloy::OwnedArray array;
  std::unique_ptr<std::optional<::arrow::Buffer>[]> buffers;
};

class Importer {
 public:
  // Takes `array`, which fits `schema`.
  static std::shared_ptr<::arrow::RecordBatch> Import(
      ArrowArray* array, const std::shared_ptr<::arrow::Schema>& schema) {
    Importer importer(array);
    const ArrowArray& batch = *importer.owner_->array;
    const auto n_columns = static_cast<size_t>(batch.n_children);
    // One allocation for the columns; each of them shares it.
    const auto columns = std::make_shared<std::vector<::arrow::ArrayData>>(n_columns);
    ::arrow::ArrayDataVector shared(n_columns);
    for (size_t i = 0; i < n_columns; ++i) {
      const auto column = static_cast<int>(i);
      importer.Fill(schema->field(column)->type(), *batch.children[i], &(*columns)[i]);
      shared[i] = std::shared_ptr<::arrow::ArrayData>(columns, &(*columns)[i]);
    }
    return ::arrow::RecordBatch::Make(schema, batch.length, std::move(shared));
  }

 private:
  using TypePtr = std::shared_ptr<::arrow::DataType>;

  explicit Importer(ArrowArray* array) : owner_(std::make_shared<ImportOwner>(array)) {
    owner_->buffers =
        std::make_unique<std::optional<::arrow::Buffer>[]>(Count(*owner_->array));
    next_ = owner_->buffers.get();
  }

  static size_t Count(const ArrowArray& array) {
    auto buffers = static_cast<size_t>(array.n_buffers);
    for (int64_t i = 0; i < array.n_children; ++i) buffers += Count(*array.children[i]);
    return array.dictionary == nullptr ? buffers : buffers + Count(*array.dictionary);
  }

  std::shared_ptr<::arrow::Buffer> Wrap(const void* data, int64_t bytes) {
    // Arrow C++ expects a pointer even for an empty buffer.
    alignas(64) static constexpr uint8_t kNothing[64] = {};
    const auto* at = data == nullptr ? kNothing : static_cast<const uint8_t*>(data);
    ::arrow::Buffer& buffer = (next_++)->emplace(at, data == nullptr ? 0 : bytes);
    return {owner_, &buffer};
  }
  std::shared_ptr<::arrow::Buffer> WrapValidity(const ArrowArray& array) {
    if (array.buffers[0] == nullptr || array.null_count == 0) return nullptr;
    return Wrap(array.buffers[0], (array.offset + array.length + 7) / 8);
  }

  std::shared_ptr<::arrow::ArrayData> Make(const TypePtr& type, const ArrowArray& array) {
    auto data = std::make_shared<::arrow::ArrayData>();
    Fill(type, array, data.get());
    return data;
  }

  void Fill(const TypePtr& type, const ArrowArray& array, ::arrow::ArrayData* data) {
    data->type = type;
    data->length = array.length;
    data->offset = array.offset;
    const ::arrow::DataType& storage = StorageOf(*type);
    const bool has_validity = PlanOf(storage.id()).skip == 0;
    data->buffers.reserve(3);
    data->buffers.push_back(has_validity ? WrapValidity(array) : nullptr);
    data->null_count = data->buffers[0] == nullptr ? 0 : array.null_count;
    FillBody(storage, array, data);
  }

  void FillBody(const ::arrow::DataType& type, const ArrowArray& array,
                ::arrow::ArrayData* data) {
    const int64_t end = array.offset + array.length;
    auto& buffers = data->buffers;
    switch (type.id()) {
      case ::arrow::Type::NA:
        data->null_count = array.length;
        return;
      case ::arrow::Type::STRING:
      case ::arrow::Type::BINARY:
        return FillOffsets<int32_t>(array, data, /*has_bytes=*/true);
      case ::arrow::Type::LARGE_STRING:
      case ::arrow::Type::LARGE_BINARY:
        return FillOffsets<int64_t>(array, data, /*has_bytes=*/true);
      case ::arrow::Type::STRING_VIEW:
      case ::arrow::Type::BINARY_VIEW:
        return FillViews(array, data);
      case ::arrow::Type::LIST:
      case ::arrow::Type::MAP:
        FillOffsets<int32_t>(array, data, /*has_bytes=*/false);
        break;
      case ::arrow::Type::LARGE_LIST:
        FillOffsets<int64_t>(array, data, /*has_bytes=*/false);
        break;
      case ::arrow::Type::LIST_VIEW:
      case ::arrow::Type::LARGE_LIST_VIEW: {
        const int64_t width = type.id() == ::arrow::Type::LIST_VIEW ? 4 : 8;
        buffers.push_back(Wrap(array.buffers[1], end * width));
        buffers.push_back(Wrap(array.buffers[2], end * width));
        break;
      }
      case ::arrow::Type::SPARSE_UNION:
        buffers.push_back(Wrap(array.buffers[0], end));
        break;
      case ::arrow::Type::DENSE_UNION:
        buffers.push_back(Wrap(array.buffers[0], end));
        buffers.push_back(Wrap(array.buffers[1], end * 4));
        break;
      case ::arrow::Type::STRUCT:
      case ::arrow::Type::FIXED_SIZE_LIST:
      case ::arrow::Type::RUN_END_ENCODED:
        break;
      case ::arrow::Type::DICTIONARY: {
        const auto& dictionary = static_cast<const ::arrow::DictionaryType&>(type);
        const int64_t bytes = end * (dictionary.bit_width() / 8);
        buffers.push_back(Wrap(array.buffers[1], bytes));
        data->dictionary = Make(dictionary.value_type(), *array.dictionary);
        return;
      }
      default: {  // all others have one buffer of fixed width
        const int64_t bits =
            static_cast<const ::arrow::FixedWidthType&>(type).bit_width();
        const int64_t bytes = bits % 8 == 0 ? end * (bits / 8) : (end * bits + 7) / 8;
        buffers.push_back(Wrap(array.buffers[1], bytes));
        return;
      }
    }
    data->child_data.reserve(static_cast<size_t>(array.n_children));
    for (int64_t i = 0; i < array.n_children; ++i) {
      data->child_data.push_back(
          Make(type.field(static_cast<int>(i))->type(), *array.children[i]));
    }
  }

  // Offsets, and for strings the bytes: the last offset says how many there are.
  template <typename T>
  void FillOffsets(const ArrowArray& array, ::arrow::ArrayData* data, bool has_bytes) {
    alignas(64) static constexpr T kNoRows[1] = {0};
    const int64_t end = array.offset + array.length;
    T last = 0;
    if (array.length == 0) {  // there may be no offsets at all
      data->offset = 0;
      data->buffers.push_back(Wrap(kNoRows, sizeof(T)));
    } else {
      const auto* offsets = static_cast<const T*>(array.buffers[1]);
      std::memcpy(&last, offsets + end, sizeof(T));
      data->buffers.push_back(Wrap(offsets, (end + 1) * int64_t{sizeof(T)}));
    }
    if (has_bytes) data->buffers.push_back(Wrap(array.buffers[2], last));
  }

  void FillViews(const ArrowArray& array, ::arrow::ArrayData* data) {
    constexpr int64_t kViewBytes = 16;
    const int64_t variadic = array.n_buffers - 3;
    const auto* sizes = static_cast<const char*>(array.buffers[array.n_buffers - 1]);
    data->buffers.push_back(
        Wrap(array.buffers[1], (array.offset + array.length) * kViewBytes));
    for (int64_t i = 0; i < variadic; ++i) {
      int64_t size = 0;
      std::memcpy(&size, sizes + i * int64_t{sizeof(size)}, sizeof(size));
      data->buffers.push_back(Wrap(array.buffers[2 + i], size));
    }
  }

  std::shared_ptr<ImportOwner> owner_;
  std::optional<::arrow::Buffer>* next_ = nullptr;
};

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_IMPORT_HPP_
