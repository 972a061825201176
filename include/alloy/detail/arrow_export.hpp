// SPDX-License-Identifier: MIT
//
// A RecordBatch of Apache Arrow C++ as an ArrowArray, in one block over its buffers.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_ARROW_EXPORT_HPP_
#define ALLOY_DETAIL_ARROW_EXPORT_HPP_

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/block.hpp"
#include "alloy/owned.hpp"
#include "alloy/status.hpp"

namespace alloy::arrow::detail {

// The type whose layout an array has.
inline const ::arrow::DataType& StorageOf(const ::arrow::DataType& type) {
  const ::arrow::DataType* storage = &type;
  while (storage->id() == ::arrow::Type::EXTENSION) {
    storage = static_cast<const ::arrow::ExtensionType*>(storage)->storage_type().get();
  }
  return *storage;
}

// Arrow C++ would cut a name at a NUL.
inline Status CheckNames(const ::arrow::FieldVector& fields) {
  for (const auto& field : fields) {
    const size_t nul = field->name().find('\0');
    if (nul != std::string::npos) {
      return Status::Invalid("the name of a column contains a NUL: \"" +
                             field->name().substr(0, nul) + "...\"");
    }
    const ::arrow::DataType* type = &StorageOf(*field->type());
    while (type->id() == ::arrow::Type::DICTIONARY) {
      type = &StorageOf(*static_cast<const ::arrow::DictionaryType*>(type)->value_type());
    }
    Status status = CheckNames(type->fields());
    if (!status.ok()) return status;
  }
  return {};
}

// How Arrow C++'s buffers become those of the C data interface.
struct BufferPlan {
  size_t skip;    // buffers that only Arrow C++ has: the validity of types without one
  bool variadic;  // a buffer of sizes comes after them
};

inline BufferPlan PlanOf(::arrow::Type::type id) {
  switch (id) {
    case ::arrow::Type::NA:
    case ::arrow::Type::RUN_END_ENCODED:
    case ::arrow::Type::SPARSE_UNION:
    case ::arrow::Type::DENSE_UNION:
      return {1, false};
    case ::arrow::Type::STRING_VIEW:
    case ::arrow::Type::BINARY_VIEW:
      return {0, true};
    default:
      return {0, false};
  }
}

class Exporter {
 public:
  // Count what `columns` and their dictionaries need. Returns NULL, or why they cannot be
  // exported.
  const char* Add(const ::arrow::ArrayDataVector& columns) {
    for (const auto& column : columns) {
      for (const auto* data = column.get(); data; data = data->dictionary.get()) {
        ++nodes_;
        const BufferPlan plan = PlanOf(StorageOf(*data->type).id());
        for (size_t i = plan.skip; i < data->buffers.size(); ++i) {
          ++buffers_;
          if (data->buffers[i] != nullptr && !data->buffers[i]->is_cpu()) {
            return "a buffer that is not in the memory of the CPU";
          }
        }
        if (plan.variadic) {
          ++buffers_;
          sizes_ += data->buffers.size() - 2;
        }
        if (data->child_data.empty()) continue;
        if (const char* fault = Add(data->child_data)) return fault;
      }
    }
    return nullptr;
  }

  Status Export(const std::shared_ptr<::arrow::RecordBatch>& batch, ArrowArray* out) {
    const ::arrow::ArrayDataVector& columns = batch->column_data();
    if (const char* fault = Add(columns)) return Status::Invalid(fault);
    Owner owner{batch, std::vector<int64_t>(sizes_)};
    int64_t* sizes = owner.sizes.data();
    auto block = Block<Owner>::Make(nodes_ + 1, buffers_ + 1, std::move(owner));
    if (!block) return OutOfMemory();
    block.Init(out, {.length = batch->num_rows(),
                     .n_buffers = 1,
                     .n_children = static_cast<int64_t>(columns.size())});
    for (size_t i = 0; i < columns.size(); ++i) {
      Fill(block, out->children[i], *columns[i], &sizes);
    }
    block.Finish();
    return {};
  }

 private:
  struct Owner {
    std::shared_ptr<::arrow::RecordBatch> batch;
    std::vector<int64_t> sizes;  // of the variadic buffers of all views
  };

  static Status OutOfMemory() {
    alloy_error error{};
    error.code = ALLOY_EXHAUSTED;
    error.input = -1;
    error.column = -1;
    return Status(error);
  }

  static void Fill(Block<Owner>& block, ArrowArray* slot, const ::arrow::ArrayData& data,
                   int64_t** sizes) {
    const ::arrow::Type::type id = StorageOf(*data.type).id();
    const BufferPlan plan = PlanOf(id);
    const size_t n_buffers = data.buffers.size();
    const auto exported = static_cast<int64_t>(
        n_buffers < plan.skip ? 0 : n_buffers - plan.skip + (plan.variadic ? 1 : 0));
    block.Init(slot, {.length = data.length,
                      .null_count = NullCount(id, data),
                      .offset = data.offset,
                      .n_buffers = exported,
                      .n_children = static_cast<int64_t>(data.child_data.size()),
                      .dictionary = data.dictionary != nullptr});
    for (size_t i = plan.skip; i < n_buffers; ++i) {
      const auto& buffer = data.buffers[i];
      slot->buffers[i - plan.skip] = buffer == nullptr ? nullptr : buffer->data();
    }
    if (plan.variadic) {
      slot->buffers[exported - 1] = *sizes;
      for (size_t i = 2; i < n_buffers; ++i) *(*sizes)++ = data.buffers[i]->size();
    }
    for (size_t i = 0; i < data.child_data.size(); ++i) {
      Fill(block, slot->children[i], *data.child_data[i], sizes);
    }
    if (data.dictionary != nullptr) {
      Fill(block, slot->dictionary, *data.dictionary, sizes);
    }
  }

  static int64_t NullCount(::arrow::Type::type id, const ::arrow::ArrayData& data) {
    if (id == ::arrow::Type::NA) return data.length;
    if (data.buffers.empty() || data.buffers[0] == nullptr) return 0;
    return data.null_count.load(std::memory_order_relaxed);  // -1: not counted yet
  }

  int64_t nodes_ = 0;
  int64_t buffers_ = 0;
  size_t sizes_ = 0;
};

}  // namespace alloy::arrow::detail

#endif  // ALLOY_DETAIL_ARROW_EXPORT_HPP_
