// SPDX-License-Identifier: MIT
//
// scale: one column of numbers, multiplied; what overflows names its row. The other
// columns are moved into the result.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_SCALE_H_
#define AGGREGATE_CPP_SCALE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "alloy/backend.hpp"

namespace aggregate {

// What alloy::Raw takes.
class Scale {
 public:
  Scale(alloy::Scope& scope, const alloy::Options& options,
        std::span<const ArrowSchema> inputs);

  alloy::Schema OutputSchema() const { return alloy::Schema::Copy(*schema_); }
  void Run(alloy::Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) const;

  // What multiplies columns of one type.
  class Product {
   public:
    virtual ~Product() = default;
    // Make `output` the batch with the column `index` multiplied.
    virtual void Give(const alloy::Scope& scope, const ArrowSchema& schema,
                      ArrowArray* batch, int64_t index, ArrowArray* output) const = 0;
  };

 private:
  int64_t index_;
  std::unique_ptr<const Product> product_;
  alloy::Schema schema_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_SCALE_H_
