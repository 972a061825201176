// SPDX-License-Identifier: MIT
//
// Batches of int64 columns whose memory is written in full before each round.
#ifndef ALLOY_BENCH_ISOLATED_DATA_H_
#define ALLOY_BENCH_ISOLATED_DATA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "alloy/block.hpp"
#include "alloy/owned.hpp"
#include "bench/isolated/measure.h"

namespace alloy::bench {

struct Size {
  int64_t columns;
  int64_t rows;
  int64_t bytes() const { return columns * rows * int64_t{sizeof(int64_t)}; }
};

class Data {
 public:
  // As alloy_services.resize.
  using Resize = std::function<void*(void* memory, int64_t old_size, int64_t new_size)>;

  Data(Size size, Resize resize) : size_(size), resize_(std::move(resize)) {
    const int64_t bytes = size_.rows * int64_t{sizeof(int64_t)};
    for (int64_t i = 0; i < size_.columns; ++i) {
      auto* const column = static_cast<int64_t*>(resize_(nullptr, 0, bytes));
      if (column == nullptr) Die("no memory for a batch");
      columns_.push_back(column);
    }
    Fill();
  }
  ~Data() {
    for (int64_t* column : columns_) {
      resize_(column, size_.rows * int64_t{sizeof(int64_t)}, 0);
    }
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  const Size& size() const { return size_; }
  const std::vector<int64_t*>& columns() const { return columns_; }

  // Write every value, other ones than before.
  void Fill() {
    ++turn_;
    for (int64_t* column : columns_) {
      for (int64_t row = 0; row < size_.rows; ++row) column[row] = turn_ + row;
    }
  }
  // Read every value of a result: each is what Fill has written, and `more`.
  void Check(const ArrowArray& result, int64_t more = 0) const {
    int64_t wanted = 0, sum = 0;
    for (int64_t i = 0; i < size_.columns; ++i) {
      const ArrowArray& column = *result.children[i];
      const auto* const values = static_cast<const int64_t*>(column.buffers[1]);
      for (int64_t row = 0; row < size_.rows; ++row) {
        sum += values[column.offset + row];
        wanted += turn_ + row + more;
      }
    }
    if (sum != wanted) Die("a result has other values than its input");
  }

  // The structs of a batch, made anew as hosts do. The values are borrowed.
  void Export(ArrowArray* out) const {
    auto block = Block<char>::Make(size_.columns + 1, 1 + 2 * size_.columns, 0);
    block.Init(out, {.length = size_.rows, .n_buffers = 1, .n_children = size_.columns});
    for (int64_t i = 0; i < size_.columns; ++i) {
      block.Init(out->children[i], {.length = size_.rows, .n_buffers = 2});
      out->children[i]->buffers[1] = columns_[static_cast<size_t>(i)];
    }
    block.Finish();
  }

 private:
  const Size size_;
  const Resize resize_;
  std::vector<int64_t*> columns_;
  int64_t turn_ = 0;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_DATA_H_
