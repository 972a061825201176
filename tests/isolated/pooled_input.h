// SPDX-License-Identifier: MIT
//
// An input whose values lie in a pool, and how often it was released.
#ifndef ALLOY_TESTS_ISOLATED_POOLED_INPUT_H_
#define ALLOY_TESTS_ISOLATED_POOLED_INPUT_H_

#include <atomic>
#include <cstdint>

#include "alloy/pool.hpp"

namespace isolated {

// A batch as Input makes it, whose values lie in a pool.
class PooledInput {
 public:
  PooledInput(alloy::Pool& pool, int64_t way, int64_t rows) : pool_(pool), rows_(rows) {
    values_ = static_cast<int64_t*>(pool.Resize(nullptr, 0, Bytes()));
    for (int64_t row = 0; row < rows; ++row) values_[row] = row;
    values_[0] = way;
  }
  ~PooledInput() { pool_.Resize(values_, Bytes(), 0); }
  PooledInput(const PooledInput&) = delete;
  PooledInput& operator=(const PooledInput&) = delete;

  alloy::Batch Give() {
    ++given_;
    ArrowSchema schema{};
    column_.format = "l";
    column_.name = "x";
    column_.release = [](ArrowSchema* one) { one->release = nullptr; };
    schema.format = "+s";
    schema.name = "";
    schema.n_children = 1;
    schema.children = columns_;
    schema.release = column_.release;
    buffers_[1] = values_;
    child_.length = batch_.length = rows_;
    child_.n_buffers = 2;
    child_.buffers = buffers_;
    child_.release = [](ArrowArray* one) { one->release = nullptr; };
    batch_.n_buffers = 1;
    batch_.buffers = none_;
    batch_.n_children = 1;
    batch_.children = children_;
    batch_.private_data = this;
    batch_.release = [](ArrowArray* one) {
      ++static_cast<PooledInput*>(one->private_data)->released_;
      one->children[0]->release = nullptr;
      one->release = nullptr;
    };
    ArrowArray batch = batch_;
    return *alloy::Batch::Import(&schema, &batch);
  }
  int given() const { return given_; }
  int released() const { return released_.load(); }

 private:
  int64_t Bytes() const { return rows_ * static_cast<int64_t>(sizeof(int64_t)); }

  alloy::Pool& pool_;
  const int64_t rows_;
  int64_t* values_ = nullptr;
  ArrowSchema column_{};
  ArrowSchema* columns_[1] = {&column_};
  ArrowArray child_{}, batch_{};
  ArrowArray* children_[1] = {&child_};
  const void* buffers_[2] = {};
  const void* none_[1] = {};
  int given_ = 0;
  std::atomic<int> released_{0};
};

}  // namespace isolated

#endif  // ALLOY_TESTS_ISOLATED_POOLED_INPUT_H_
