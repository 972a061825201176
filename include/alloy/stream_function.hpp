// SPDX-License-Identifier: MIT
//
// A stream function of a backend: batches of its inputs in, batches of its own out.
//
// Threads  each open stream is serial.
#ifndef ALLOY_STREAM_FUNCTION_HPP_
#define ALLOY_STREAM_FUNCTION_HPP_

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "alloy/backend.h"
#include "alloy/detail/open_stream.hpp"
#include "alloy/function.hpp"
#include "alloy/input.hpp"
#include "alloy/outputs.hpp"
#include "alloy/schema.hpp"
#include "alloy/scope.hpp"

namespace alloy {

// The type that alloy::Streams takes. One object is made at bind, and one for each stream.
// Its constructor throws Failure with ALLOY_NO_MATCH to refuse the schemas. Next reads as
// many batches of the inputs as it needs and fills the columns of one batch; false is the
// end. The type declares its columns as `using Outputs = alloy::Outputs<...>`.
template <typename T>
concept StreamOfOutputs = requires(
    T state, Scope& scope, const Options& options, std::span<const ArrowSchema> schemas,
    std::span<Input> inputs, typename T::Outputs& outputs) {
  T(scope, options, schemas);
  { state.Next(scope, inputs, outputs) } -> std::same_as<bool>;
};

// The same if the types of the columns are known only at bind. OutputSchema describes the
// batches, and Next makes one in `output`, such as with GiveBatch. A batch of other types
// than the schema is an error of the function.
template <typename T>
concept StreamOfBatches = requires(
    T state, const T& bound, Scope& scope, const Options& options,
    std::span<const ArrowSchema> schemas, std::span<Input> inputs, ArrowArray* output) {
  T(scope, options, schemas);
  { bound.OutputSchema() } -> std::same_as<Schema>;
  { state.Next(scope, inputs, output) } -> std::same_as<bool>;
};

template <typename T>
concept StreamFunction = StreamOfOutputs<T> || StreamOfBatches<T>;

// A function on streams of batches. Declare the columns that it reads with Reads. The
// views of InputBatch::Get check what they follow. If the function passes whole batches
// to a library such as Arrow C++ instead, set Flags(ALLOY_TRUSTS_VALUES).
template <StreamFunction T>
Function Streams(std::string name, int32_t min_inputs = 1, int32_t max_inputs = 1) {
  return Function(std::move(name), min_inputs, max_inputs,
                  std::make_unique<detail::StreamBinder<T>>())
      .Flags(ALLOY_STREAM);
}

}  // namespace alloy

#endif  // ALLOY_STREAM_FUNCTION_HPP_
