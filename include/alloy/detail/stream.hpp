// SPDX-License-Identifier: MIT
//
// Streams of batches for C++ hosts: what goes into a stream function, and what comes out.
#ifndef ALLOY_DETAIL_STREAM_HPP_
#define ALLOY_DETAIL_STREAM_HPP_

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/detail/array.hpp"
#include "alloy/detail/call.hpp"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/status.hpp"

namespace alloy {
namespace detail {

// A C++ source behind the C struct. `told` is shared with the stream that reads it, so
// that an error of its own comes back as it was.
struct Source {
  Schema schema;
  std::function<Result<std::optional<Batch>>()> next;
  std::shared_ptr<Status> told = std::make_shared<Status>();
  std::string text;

  int GetNext(ArrowArray* out) {
    if (!told->ok()) return EIO;
    try {
      auto batch = next();
      *told = batch.status();
      if (told->ok() && batch->has_value()) {
        ShareArray((**batch).array(), (**batch).keeper(), /*as_batch=*/false).MoveTo(out);
      }
    } catch (const std::exception& error) {
      *told = Status::Of(ALLOY_FAILED, error.what(), ALLOY_SIDE_CALLER);
    } catch (...) {
      *told = Status::Of(ALLOY_FAILED, "an exception that is no std::exception",
                         ALLOY_SIDE_CALLER);
    }
    if (told->ok()) return 0;
    text = told->text();
    return EIO;
  }
};

inline Source& SourceOf(ArrowArrayStream* stream) {
  return *static_cast<Source*>(stream->private_data);
}

inline OwnedArrayStream ExportSource(std::unique_ptr<Source> source) {
  OwnedArrayStream stream;
  *stream = {.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) noexcept -> int {
               try {
                 Schema::Copy(*SourceOf(self).schema).MoveTo(out);
                 return 0;
               } catch (...) {
                 return ENOMEM;
               }
             },
             .get_next = [](ArrowArrayStream* self, ArrowArray* out) noexcept -> int {
               *out = ArrowArray{};
               try {
                 return SourceOf(self).GetNext(out);
               } catch (...) {
                 return ENOMEM;
               }
             },
             .get_last_error = [](ArrowArrayStream* self) noexcept -> const char* {
               return SourceOf(self).text.c_str();
             },
             .release =
                 [](ArrowArrayStream* self) noexcept {
                   const std::unique_ptr<Source> owner(&SourceOf(self));
                   self->release = nullptr;
                 },
             .private_data = source.release()};
  return stream;
}

}  // namespace detail

// A stream of batches, pulled one at a time: given to a bridge, or had from it.
//
// Threads  serial.
class Stream {
 public:
  // Of batches that `next` makes on demand, std::nullopt at the end. Its failure ends the
  // stream, and comes back from whatever reads it as the same Status.
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

  // Of batches at hand, which have one schema. There is at least one.
  static Stream Of(std::vector<Batch> batches) {
    Schema schema = Schema::Copy(batches.at(0).schema());
    return From(std::move(schema),
                [batches = std::make_shared<std::vector<Batch>>(std::move(batches)),
                 at = size_t{0}]() mutable -> Result<std::optional<Batch>> {
                  if (at == batches->size()) return std::optional<Batch>();
                  return std::optional<Batch>(std::move((*batches)[at++]));
                });
  }

  // Takes `stream`, whoever made it.
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

  // The next batch; none at the end. After a failure the same failure again.
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

  // The C struct, for what C++ has no word for. Borrowed: lives as long as this.
  ArrowArrayStream* get() { return state_->stream.get(); }

 private:
  friend class Bridge;

  struct FreeCallback {
    alloy_call* call;
    void operator()() const { alloy_call_cancel(call, 1); }
  };
  // In this order they end: the cancel, the stream, the call, the host.
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

  // An input's own error, as the input said it.
  Status AsOwn(Status status) const {
    const auto input = static_cast<size_t>(status.input());
    if (status.side() != ALLOY_SIDE_CALLER || input >= inputs_.size() ||
        inputs_[input] == nullptr || inputs_[input]->ok()) {
      return status;
    }
    return *inputs_[input];
  }

  // Open a stream function, or a map function on each batch of its one input.
  static Result<Stream> Open(const Host& host, alloy_bridge* bridge,
                             const std::string& function, std::vector<Stream> inputs,
                             const OptionMap& options, const CallLimits& limits) {
    Stream opened;
    opened.state_ = std::make_unique<State>();
    State& state = *opened.state_;
    std::vector<ArrowSchema> schemas;  // borrowed, in a row
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

  // The error of a source of this process, as it said it.
  std::shared_ptr<Status> own_;
  std::vector<std::shared_ptr<Status>> inputs_;
  std::vector<Stream> kept_;  // what the inputs need: their calls, their hosts
  std::unique_ptr<State> state_;
};

}  // namespace alloy

#endif  // ALLOY_DETAIL_STREAM_HPP_
