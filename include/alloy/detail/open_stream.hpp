// SPDX-License-Identifier: MIT
//
// A stream function of a backend, bound and open.
#ifndef ALLOY_DETAIL_OPEN_STREAM_HPP_
#define ALLOY_DETAIL_OPEN_STREAM_HPP_

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "alloy/backend.h"
#include "alloy/detail/check_type.hpp"
#include "alloy/detail/fail.hpp"
#include "alloy/detail/state.hpp"
#include "alloy/failure.hpp"
#include "alloy/input.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/scope.hpp"

namespace alloy::detail {

// Whether a stream function declares its outputs with their types.
template <typename T>
concept HasOutputs = requires { typename T::Outputs; };

// An open stream, behind the C struct.
template <typename T>
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
                 return ENOSYS;  // never called: bind gave the schema
               },
               .get_next = [](ArrowArrayStream* stream, ArrowArray* out) noexcept -> int {
                 return Of(stream).GetNext(out);
               },
               .get_last_error = [](ArrowArrayStream*) noexcept -> const char* {
                 return nullptr;  // the scope has the whole error
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
      if (!Next(batch.get())) return 0;
      if (!batch) throw Failure(ALLOY_INTERNAL, "the function made no batch");
      batch.MoveTo(out);
      return 0;
    } catch (...) {
      ReportException(scope_.get());
      return EIO;
    }
  }

  bool Next(ArrowArray* batch) {
    const std::span<Input> inputs(inputs_);
    if constexpr (HasOutputs<T>) {
      typename T::Outputs outputs(scope_.services().resize);
      if (!function_.Next(scope_, inputs, outputs)) return false;
      std::move(outputs).Give(batch);
    } else {
      if (!function_.Next(scope_, inputs, batch)) return false;
      types_.Check(function_, *batch);
    }
    return true;
  }

  Scope scope_;
  std::vector<Input> inputs_;
  T function_;
  GivenTypes types_;
};

template <typename T>
class StreamState final : public State {
 public:
  StreamState(Scope& scope, const Options& options, std::span<const ArrowSchema> inputs)
      : options_(options), bound_(scope, options, inputs) {
    for (const ArrowSchema& input : inputs) schemas_.push_back(Schema::Copy(input));
  }
  Schema OutputSchema() const override {
    if constexpr (HasOutputs<T>) {
      return T::Outputs::MakeSchema(Raw());
    } else {
      return bound_.OutputSchema();
    }
  }
  void Run(Scope& scope, std::span<ArrowArray>, ArrowArray*) override {
    scope.Fail(ALLOY_INTERNAL, "a stream function is not run");
  }
  void Open(Scope& scope, std::span<ArrowArrayStream> inputs,
            ArrowArrayStream* output) override {
    const std::vector<ArrowSchema> raw = Raw();
    auto open = std::make_unique<OpenStream<T>>(
        scope.get(), options_, schemas_, std::span<const ArrowSchema>(raw), inputs);
    OpenStream<T>::Give(std::move(open), output);
  }

 private:
  // Plain copies, borrowed.
  std::vector<ArrowSchema> Raw() const {
    std::vector<ArrowSchema> raw;
    raw.reserve(schemas_.size());
    for (const Schema& schema : schemas_) raw.push_back(*schema);
    return raw;
  }

  Options options_;
  std::vector<Schema> schemas_;  // outlive every open stream
  T bound_;
};

template <typename T>
class StreamBinder final : public Binder {
 public:
  std::unique_ptr<State> Bind(Scope& scope, const Options& options,
                              std::span<const ArrowSchema> inputs) const override {
    return std::make_unique<StreamState<T>>(scope, options, inputs);
  }
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_OPEN_STREAM_HPP_
