// SPDX-License-Identifier: MIT
//
// A stream of batches for C++ hosts: what goes into a stream function, and what comes
// out.
//
// Threads  serial.
#ifndef ALLOY_STREAM_HPP_
#define ALLOY_STREAM_HPP_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/batch.hpp"
#include "alloy/call_options.hpp"
#include "alloy/detail/bind.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/detail/source.hpp"
#include "alloy/host.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy {

// Batches that are read one at a time.
class Stream {
 public:
  // A stream of the batches that `next` makes on demand; std::nullopt is the end. An
  // error of `next` ends the stream, and its reader gets the same Status.
  static Stream From(Schema schema, std::function<Result<std::optional<Batch>>()> next) {
    auto source = std::make_unique<detail::Source>();
    source->schema = std::move(schema);
    source->next = std::move(next);
    Stream stream;
    stream.own_ = source->told;
    stream.state_ = std::make_unique<State>();
    stream.state_->schema = std::make_shared<const Schema>(Schema::Copy(*source->schema));
    stream.state_->stream = detail::ExportSource(std::move(source));
    return stream;
  }

  // A stream of batches that are in memory: at least one, all with one schema.
  static Stream Of(std::vector<Batch> batches) {
    Schema schema = Schema::Copy(batches.at(0).schema());
    return From(std::move(schema),
                [batches = std::make_shared<std::vector<Batch>>(std::move(batches)),
                 at = size_t{0}]() mutable -> Result<std::optional<Batch>> {
                  if (at == batches->size()) return std::optional<Batch>();
                  return std::optional<Batch>(std::move((*batches)[at++]));
                });
  }

  // Takes stream, of any origin.
  static Result<Stream> Import(ArrowArrayStream* stream) {
    Stream imported;
    imported.state_ = std::make_unique<State>();
    imported.state_->stream = OwnedArrayStream(stream);
    Status status = imported.ReadSchema();
    if (!status.ok()) return status;
    return imported;
  }

  // The schema of the batches.
  const ArrowSchema& schema() const { return **state_->schema; }

  // The next batch; std::nullopt at the end. An error repeats.
  Result<std::optional<Batch>> Next() {
    auto held = std::make_shared<detail::Imported>();
    held->shared_schema = state_->schema;
    ArrowArrayStream* stream = state_->stream.get();
    if (const int number = stream->get_next(stream, held->array.get()); number != 0) {
      return Failure(number);
    }
    if (!held->array) return std::optional<Batch>();
    const auto* raw = held.get();
    return std::optional<Batch>(
        Batch(Array(raw->shared_schema->get(), raw->array.get(), std::move(held))));
  }

  // The C struct, which lives as long as this.
  ArrowArrayStream* get() { return state_->stream.get(); }

 private:
  friend class Bridge;

  struct FreeCallback {
    alloy_call* call;
    void operator()() const { alloy_call_cancel(call, 1); }
  };
  // Members are destroyed from the last to the first: the host outlives the call, and so
  // on.
  struct State {
    std::optional<Host> host;
    std::unique_ptr<alloy_call, detail::FreeCall> call;
    std::shared_ptr<const Schema> schema;
    OwnedArrayStream stream;
    std::optional<std::stop_callback<FreeCallback>> cancel;
  };

  Stream() = default;

  Status ReadSchema() {
    ArrowArrayStream* stream = state_->stream.get();
    if (stream->release == nullptr) return Status::Invalid("the stream is released");
    ArrowSchema raw{};
    if (const int number = stream->get_schema(stream, &raw); number != 0) {
      return Failure(number);
    }
    state_->schema = std::make_shared<const Schema>(&raw);
    return {};
  }

  Status Failure(int number) {
    if (own_ != nullptr && !own_->ok()) return *own_;
    ArrowArrayStream* stream = state_->stream.get();
    alloy_error error;
    if (alloy_stream_error(stream, &error) != ALLOY_OK && error.code != ALLOY_INVALID) {
      return AsOwn(Status(error));
    }
    const char* text =
        stream->get_last_error == nullptr ? nullptr : stream->get_last_error(stream);
    const std::string plain =
        text == nullptr ? "the stream failed with errno " + std::to_string(number) : text;
    return Status::Of(ALLOY_FAILED, plain, ALLOY_SIDE_CALLER);
  }

  // The Status of the input that failed, if an input did.
  Status AsOwn(Status status) const {
    const auto input = static_cast<size_t>(status.input());
    if (status.side() != ALLOY_SIDE_CALLER || input >= inputs_.size() ||
        inputs_[input] == nullptr || inputs_[input]->ok()) {
      return status;
    }
    return *inputs_[input];
  }

  // See Bridge::Stream.
  static Result<Stream> Open(const Host& host, alloy_bridge* bridge,
                             const std::string& function, std::vector<Stream> inputs,
                             const OptionMap& options, const CallLimits& limits) {
    Stream opened;
    opened.state_ = std::make_unique<State>();
    State& state = *opened.state_;
    std::vector<ArrowSchema> schemas;  // plain copies, borrowed
    for (Stream& input : inputs) {
      schemas.push_back(input.schema());
      opened.inputs_.push_back(input.own_);
    }
    const auto n = static_cast<int32_t>(inputs.size());
    alloy_error error;
    alloy_call* call = nullptr;
    if (alloy_call_bind(bridge, function.c_str(), schemas.data(), n,
                        detail::FlattenOptions(options).data(), &call,
                        &error) != ALLOY_OK) {
      return Status(error);
    }
    state.host = host;
    state.call.reset(call);
    state.schema = std::make_shared<const Schema>(Schema::Copy(*alloy_call_schema(call)));
    opened.kept_ = std::move(inputs);
    std::vector<ArrowArrayStream> raw(opened.kept_.size());
    for (size_t i = 0; i < raw.size(); ++i) {
      opened.kept_[i].state_->stream.MoveTo(&raw[i]);
    }
    const bool stops = limits.stop.stop_possible();
    if (stops) state.cancel.emplace(limits.stop, FreeCallback{call});
    if (alloy_call_stream(call, raw.data(), n, state.stream.get(), limits.timeout.count(),
                          stops ? 1 : 0, &error) != ALLOY_OK) {
      return opened.AsOwn(Status(error));
    }
    return opened;
  }

  // The error of a stream made by From, and of the inputs made so.
  std::shared_ptr<Status> own_;
  std::vector<std::shared_ptr<Status>> inputs_;
  std::vector<Stream> kept_;  // keep the calls and the hosts of the inputs alive
  std::unique_ptr<State> state_;
};

}  // namespace alloy

#endif  // ALLOY_STREAM_HPP_
