// SPDX-License-Identifier: MIT
//
// The columns of a batch that a stream function makes: names, types and builders in one
// declaration, so that they cannot differ. From examples/cpp/totals_backend.cpp:
//
//   using Outputs = alloy::Outputs<alloy::Member<"total", int64_t>>;
//
// Threads  serial.
#ifndef ALLOY_OUTPUTS_HPP_
#define ALLOY_OUTPUTS_HPP_

#include <cstddef>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/failure.hpp"
#include "alloy/made_type.hpp"
#include "alloy/nested_output.hpp"
#include "alloy/output.hpp"
#include "alloy/schema.hpp"
#include "alloy/types.hpp"

namespace alloy {

template <typename... Members>
class Outputs {
 public:
  static_assert(sizeof...(Members) > 0, "a result has at least one column");

  explicit Outputs(detail::Resize resize)
      : columns_(detail::OutputFor<typename Members::Type>(resize)...) {}

  // The schema of the batches, for these inputs.
  static Schema MakeSchema(std::span<const ArrowSchema> inputs) {
    std::vector<Schema> columns;
    (columns.push_back(
         SchemaOf<typename Members::Type>(std::string(Members::kName.view()), inputs)),
     ...);
    return Schema::Batch(std::move(columns));
  }

  // The column of this name: outputs.get<"total">().
  template <Name name>
  auto& get() {
    constexpr size_t kAt = detail::MemberAt<name, Members...>();
    static_assert(kAt < sizeof...(Members), "the Outputs have no Member of this name");
    // Otherwise any column, so that one error remains.
    return std::get<(kAt < sizeof...(Members) ? kAt : 0)>(columns_);
  }

  // Make the batch. Throws Failure if the columns differ in length.
  //
  //   Gives  output.
  void Give(ArrowArray* output) && {
    const bool differ = std::apply(
        [](const auto& first, const auto&... rest) {
          return ((rest.size() != first.size()) || ...);
        },
        columns_);
    if (differ) {
      throw Failure(ALLOY_INTERNAL, "the function made columns of different lengths");
    }
    GiveBatch(output, std::move(columns_));
  }

 private:
  std::tuple<detail::OutputFor<typename Members::Type>...> columns_;
};

}  // namespace alloy

#endif  // ALLOY_OUTPUTS_HPP_
