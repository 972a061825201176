// SPDX-License-Identifier: MIT
//
// Columns that are being made, of types that are known only at run time.
//
// Append to an Output<T>, and move it in here when it is complete. From
// tests/cpp/columns_test.cc:
//
//   std::vector<alloy::AnyOutput> columns;
//   columns.push_back(std::move(two));
//
// Threads  serial.
#ifndef ALLOY_ANY_OUTPUT_HPP_
#define ALLOY_ANY_OUTPUT_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/block.hpp"
#include "alloy/failure.hpp"
#include "alloy/output.hpp"

namespace alloy {

// An Output<T> of any T.
class AnyOutput {
 public:
  template <typename T>
  AnyOutput(Output<T> column)  // NOLINT: an Output converts implicitly
      : column_(std::make_unique<Model<T>>(std::move(column))) {}

  int64_t size() const { return column_->size(); }

 private:
  using Columns = std::vector<AnyOutput>;
  friend void GiveBatch(ArrowArray* output, Columns columns);

  class Concept {
   public:
    virtual ~Concept() = default;
    virtual int64_t size() const = 0;
    virtual int64_t nodes() const = 0;
    virtual int64_t buffers() const = 0;
    virtual detail::TypeCheck check() const = 0;
    virtual void Init(Block<Columns>& block, ArrowArray* array) = 0;
  };
  template <typename T>
  class Model final : public Concept {
   public:
    explicit Model(Output<T> column) : column_(std::move(column)) {}
    int64_t size() const override { return column_.size(); }
    int64_t nodes() const override { return Output<T>::kNodes; }
    int64_t buffers() const override { return Output<T>::kBuffers; }
    detail::TypeCheck check() const override { return &detail::CheckType<T>; }
    void Init(Block<Columns>& block, ArrowArray* array) override {
      column_.Init(block, array);
    }

   private:
    Output<T> column_;
  };

  std::unique_ptr<Concept> column_;
};

// Make a batch of these columns, in one block. Throws Failure if their lengths differ.
//
//   Gives  output.
inline void GiveBatch(ArrowArray* output, std::vector<AnyOutput> columns) {
  const int64_t rows = columns.empty() ? 0 : columns[0].size();
  int64_t nodes = 1;
  int64_t buffers = 1;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].size() != rows) {
      throw Failure(ALLOY_INTERNAL,
                    "column " + std::to_string(i) + " of the result has " +
                        std::to_string(columns[i].size()) + " rows, and the first one " +
                        std::to_string(rows));
    }
    nodes += columns[i].column_->nodes();
    buffers += columns[i].column_->buffers();
  }
  const auto n_columns = static_cast<int64_t>(columns.size());
  using Columns = std::vector<AnyOutput>;
  auto block = Block<Columns>::Make(nodes, buffers, std::move(columns));
  if (!block) throw std::bad_alloc();
  block.Describe([](const Columns& given, const ArrowSchema& declared) -> std::string {
    std::vector<detail::TypeCheck> checks;
    checks.reserve(given.size());
    for (const AnyOutput& column : given) checks.push_back(column.column_->check());
    return detail::CheckTypes(declared, checks);
  });
  ArrowArray root{};
  block.Init(&root, {.length = rows, .n_buffers = 1, .n_children = n_columns});
  ArrowArray** child = root.children;
  for (const AnyOutput& column : block.owner()) column.column_->Init(block, *child++);
  block.Finish();
  *output = root;
}

}  // namespace alloy

#endif  // ALLOY_ANY_OUTPUT_HPP_
