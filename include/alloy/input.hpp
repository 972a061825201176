// SPDX-License-Identifier: MIT
//
// The inputs of a stream function, batch by batch.
//
// Threads  serial.
#ifndef ALLOY_INPUT_HPP_
#define ALLOY_INPUT_HPP_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/column.hpp"
#include "alloy/failure.hpp"
#include "alloy/owned.hpp"

namespace alloy {

// A batch of an input. It owns the batch until Move.
class InputBatch {
 public:
  InputBatch(const ArrowSchema& schema, OwnedArray array)
      : schema_(&schema), array_(std::move(array)) {}

  int64_t rows() const { return array_->length; }
  const ArrowSchema& schema() const { return *schema_; }
  const ArrowArray& array() const { return *array_; }
  // Move the batch out.
  OwnedArray Move() { return std::move(array_); }

  // A view of the column with this name, such as Column<int64_t>, Strings or AnyColumn.
  // Throws Failure if there is no such column, or if it has another type.
  template <typename View>
  View Get(std::string_view name) const {
    for (int64_t i = 0; i < schema_->n_children; ++i) {
      const ArrowSchema& column = *schema_->children[i];
      if (column.name == nullptr || name != column.name) continue;
      return AnyColumn{column, *array_->children[i]}.As<View>();
    }
    throw Failure(ALLOY_INVALID, "there is no column '" + std::string(name) + "'");
  }

 private:
  const ArrowSchema* schema_;
  OwnedArray array_;
};

// An input of a stream function. Batches are read when they are asked for.
class Input {
 public:
  // Borrows schema, as long as this lives. Takes stream.
  Input(const ArrowSchema& schema, ArrowArrayStream* stream)
      : schema_(&schema), stream_(stream) {}

  const ArrowSchema& schema() const { return *schema_; }

  // The next batch; std::nullopt at the end. Throws Failure if the input fails. Do not
  // catch it: then the caller gets the input's own error.
  std::optional<InputBatch> Next() {
    ArrowArray array{};
    if (stream_->get_next(stream_.get(), &array) != 0) {
      const char* text = stream_->get_last_error(stream_.get());
      throw Failure(text == nullptr ? "an input has failed" : text);
    }
    if (array.release == nullptr) return std::nullopt;
    return InputBatch(*schema_, OwnedArray(&array));
  }

 private:
  const ArrowSchema* schema_;
  Owned<ArrowArrayStream> stream_;
};

}  // namespace alloy

#endif  // ALLOY_INPUT_HPP_
