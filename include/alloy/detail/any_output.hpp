// SPDX-License-Identifier: MIT
//
// Columns that are being made, of types that are known at run time only.
//
// Append to an Output<T>, and move it in here when it is done:
//
//   std::vector<alloy::AnyOutput> columns;
//   columns.push_back(std::move(keys));    // Output<std::string>
//   columns.push_back(std::move(totals));  // Output<alloy::Decimal128>
//   alloy::GiveBatch(output, std::move(columns));
//
// Threads  serial.
#ifndef ALLOY_DETAIL_ANY_OUTPUT_HPP_
#define ALLOY_DETAIL_ANY_OUTPUT_HPP_

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/block.hpp"
#include "alloy/detail/columns.hpp"
#include "alloy/detail/output.hpp"

namespace alloy {

// An Output<T> of whatever T.
class AnyOutput {
 public:
  template <typename T>
  AnyOutput(Output<T> column)  // NOLINT: wherever one is wanted, the column will do
      : column_(std::make_unique<Model<T>>(std::move(column))) {}

  int64_t size() const { return column_->size(); }

 private:
  using Columns = std::vector<AnyOutput>;
  friend void GiveBatch(ArrowArray* output, Columns columns);

  class Concept {
   public:
    virtual ~Concept() = default;
    virtual int64_t size() const = 0;
    virtual int64_t buffers() const = 0;
    virtual void Init(Block<Columns>& block, ArrowArray* array) = 0;
  };
  template <typename T>
  class Model final : public Concept {
   public:
    explicit Model(Output<T> column) : column_(std::move(column)) {}
    int64_t size() const override { return column_.size(); }
    int64_t buffers() const override { return Output<T>::kBuffers; }
    void Init(Block<Columns>& block, ArrowArray* array) override {
      column_.Init(block, array);
    }

   private:
    Output<T> column_;
  };

  std::unique_ptr<Concept> column_;
};

// Make `output` a batch of these columns, in one block. Throws Failure when they are not
// as long as each other.
inline void GiveBatch(ArrowArray* output, std::vector<AnyOutput> columns) {
  const int64_t rows = columns.empty() ? 0 : columns[0].size();
  int64_t buffers = 1;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].size() != rows) {
      throw Failure(ALLOY_INTERNAL,
                    "column " + std::to_string(i) + " of the result has " +
                        std::to_string(columns[i].size()) + " rows, and the first one " +
                        std::to_string(rows));
    }
    buffers += columns[i].column_->buffers();
  }
  const auto n_columns = static_cast<int64_t>(columns.size());
  auto block =
      Block<std::vector<AnyOutput>>::Make(1 + n_columns, buffers, std::move(columns));
  if (!block) throw std::bad_alloc();
  ArrowArray root{};
  block.Init(&root, {.length = rows, .n_buffers = 1, .n_children = n_columns});
  ArrowArray** child = root.children;
  for (const AnyOutput& column : block.owner()) column.column_->Init(block, *child++);
  block.Finish();
  *output = root;
}

}  // namespace alloy

#endif  // ALLOY_DETAIL_ANY_OUTPUT_HPP_
