// SPDX-License-Identifier: MIT
//
// A stream function of a backend: batches of its inputs in, batches of its own out.
#ifndef ALLOY_DETAIL_STREAM_FUNCTION_HPP_
#define ALLOY_DETAIL_STREAM_FUNCTION_HPP_

#include <cerrno>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/detail/columns.hpp"
#include "alloy/detail/function.hpp"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/parameters.hpp"
#include "alloy/detail/say.hpp"
#include "alloy/detail/scope.hpp"

namespace alloy {

// A batch of an input, which lives until the end of this or until it is moved out.
class InputBatch {
 public:
  InputBatch(const ArrowSchema& schema, OwnedArray array)
      : schema_(&schema), array_(std::move(array)) {}

  int64_t rows() const { return array_->length; }
  const ArrowSchema& schema() const { return *schema_; }
  const ArrowArray& array() const { return *array_; }
  // The batch itself, to keep or to give on.
  OwnedArray Move() { return std::move(array_); }

  // A view of the column of that name: Column<int64_t>, Column<Decimal128>, Strings,
  // AnyColumn. Throws Failure when there is none, or it has another type.
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
  // Borrows schema. Takes stream.
  Input(const ArrowSchema& schema, ArrowArrayStream* stream)
      : schema_(&schema), stream_(stream) {}

  const ArrowSchema& schema() const { return *schema_; }

  // The next batch; none at the end. Throws Failure when the input has failed: let it
  // pass, the caller gets the input's own error.
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

// What alloy::Streams takes. One is made at bind, to be asked for the schema, and one for
// each stream; its constructor throws Failure with ALLOY_NO_MATCH to decline the schemas.
// Next makes the next batch in `output` from as many batches of the inputs as it likes;
// false: the end.
template <typename T>
concept StreamFunction = requires(
    T state, const T& bound, Scope& scope, const Options& options,
    std::span<const ArrowSchema> schemas, std::span<Input> inputs, ArrowArray* output) {
  T(scope, options, schemas);
  { bound.OutputSchema() } -> std::same_as<Schema>;
  { state.Next(scope, inputs, output) } -> std::same_as<bool>;
};

namespace detail {

// An open stream, behind the C struct.
template <StreamFunction T>
class OpenStream {
 public:
  OpenStream(alloy_scope* scope, const Options& options,
             const std::vector<Schema>& schemas, std::span<const ArrowSchema> raw,
             std::span<ArrowArrayStream> inputs)
      : scope_(scope), function_(scope_, options, raw) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs_.emplace_back(*schemas[i], &inputs[i]);
    }
  }

  static void Give(std::unique_ptr<OpenStream> self, ArrowArrayStream* output) {
    *output = {.get_schema = [](ArrowArrayStream*, ArrowSchema*) noexcept -> int {
                 return ENOSYS;  // nobody asks: bind has said it
               },
               .get_next = [](ArrowArrayStream* stream, ArrowArray* out) noexcept -> int {
                 return Of(stream).GetNext(out);
               },
               .get_last_error = [](ArrowArrayStream*) noexcept -> const char* {
                 return nullptr;  // the scope has been told more
               },
               .release =
                   [](ArrowArrayStream* stream) noexcept {
                     const std::unique_ptr<OpenStream> owner(&Of(stream));
                     stream->release = nullptr;
                   },
               .private_data = self.release()};
  }

 private:
  static OpenStream& Of(ArrowArrayStream* stream) {
    return *static_cast<OpenStream*>(stream->private_data);
  }

  int GetNext(ArrowArray* out) noexcept {
    *out = ArrowArray{};
    try {
      OwnedArray batch;
      if (function_.Next(scope_, std::span<Input>(inputs_), batch.get())) {
        if (!batch) throw Failure(ALLOY_INTERNAL, "the function made no batch");
        batch.MoveTo(out);
      }
      return 0;
    } catch (...) {
      SayException(scope_.get());
      return EIO;
    }
  }

  Scope scope_;
  std::vector<Input> inputs_;
  T function_;
};

template <StreamFunction T>
class StreamState final : public State {
 public:
  StreamState(Scope& scope, const Options& options, std::span<const ArrowSchema> inputs)
      : options_(options), bound_(scope, options, inputs) {
    for (const ArrowSchema& input : inputs) schemas_.push_back(Schema::Copy(input));
  }
  Schema OutputSchema() const override { return bound_.OutputSchema(); }
  void Run(Scope& scope, std::span<ArrowArray>, ArrowArray*) override {
    scope.Fail(ALLOY_INTERNAL, "a stream function is not run");
  }
  void Open(Scope& scope, std::span<ArrowArrayStream> inputs,
            ArrowArrayStream* output) override {
    std::vector<ArrowSchema> raw;  // in a row, borrowed
    raw.reserve(schemas_.size());
    for (const Schema& schema : schemas_) raw.push_back(*schema);
    auto open = std::make_unique<OpenStream<T>>(
        scope.get(), options_, schemas_, std::span<const ArrowSchema>(raw), inputs);
    OpenStream<T>::Give(std::move(open), output);
  }

 private:
  Options options_;
  std::vector<Schema> schemas_;  // outlive every open stream
  T bound_;
};

template <StreamFunction T>
class StreamBinder final : public Binder {
 public:
  std::unique_ptr<State> Bind(Scope& scope, const Options& options,
                              std::span<const ArrowSchema> inputs) const override {
    return std::make_unique<StreamState<T>>(scope, options, inputs);
  }
};

}  // namespace detail

// A function on streams of batches. What it reads of each is declared with Reads.
template <StreamFunction T>
Function Streams(std::string name, int32_t min_inputs = 1, int32_t max_inputs = 1) {
  return Function(std::move(name), min_inputs, max_inputs,
                  std::make_unique<detail::StreamBinder<T>>())
      .Flags(ALLOY_STREAM);
}

}  // namespace alloy

#endif  // ALLOY_DETAIL_STREAM_FUNCTION_HPP_
