// SPDX-License-Identifier: MIT
#include "engine/stream/call_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arrow/schema.h"
#include "base/guard.h"
#include "base/utf8.h"
#include "engine/stream/host_stream.h"
#include "engine/stream/input_port.h"
#include "engine/stream/stream.h"
#include "engine/stream/stream_state.h"
#include "gate/copied.h"

namespace alloy::core {
namespace {

// The code for a backend that failed with an errno and reported nothing.
alloy_code CodeOf(int number) {
  switch (number) {
    case ENOMEM:
      return ALLOY_EXHAUSTED;
    case EAGAIN:
      return ALLOY_RETRY;
    case ENOSYS:
    case ENOTSUP:
      return ALLOY_UNSUPPORTED;
    default:
      return ALLOY_FAILED;
  }
}

// A map function, run on each batch of its one input.
class MapStream final : public Stream {
 public:
  MapStream(CallUse use, HostStream host, int64_t timeout_ns, uint64_t ticket)
      : use_(std::move(use)),
        host_(std::move(host)),
        timeout_ns_(timeout_ns),
        ticket_(ticket) {}

  Result<OwnedSchema> Schema() override {
    return CopySchema(use_.core().binding().output());
  }

  StreamFault Next(ArrowArray* out) override {
    // Run checks this too, but only after the batch was taken out of the input.
    if (Status status = use_.core().CheckStart(ticket_); !status.ok()) {
      return StreamFault(std::move(status));
    }
    OwnedArray batch;
    if (StreamFault fault = host_.Pull(batch.get()); !fault.ok()) return fault;
    if (!batch) return {};
    return StreamFault(use_.core().Run(batch.get(), out, timeout_ns_, ticket_));
  }

 private:
  // In this order: the input is released before the call is free for others.
  const CallUse use_;
  HostStream host_;
  const int64_t timeout_ns_;
  const uint64_t ticket_;
};

// The output of a stream function.
class FunctionStream final : public Stream {
 public:
  FunctionStream(std::shared_ptr<StreamState> state, CallUse use)
      : state_(std::move(state)), use_(std::move(use)) {}
  ~FunctionStream() override {
    if (const std::string thrown = ReleaseForeign(&backend_); !thrown.empty()) {
      call().WarnOf("the release of its stream: " + thrown);
    }
    // A backend that has kept an input must not keep the host's stream as well.
    for (const auto& port : ports_) port->Close();
  }
  FunctionStream(const FunctionStream&) = delete;
  FunctionStream& operator=(const FunctionStream&) = delete;

  Status Open(std::vector<HostStream> inputs);

  Result<OwnedSchema> Schema() override { return CopySchema(call().binding().output()); }
  StreamFault Next(ArrowArray* out) override;

 private:
  CallCore& call() const { return state_->call(); }
  // The failure of the backend's get_next, with its own errno and text.
  StreamFault Failure(int number, std::string thrown);
  // An end after a cancel or a deadline is an error: the backend may have stopped early.
  Status CheckEnd(bool late) const;
  // Whose a fault of a batch is; see CallCore::CheckOutput.
  Status CheckBatch(ArrowArray* batch) const;

  const std::shared_ptr<StreamState> state_;
  const CallUse use_;
  std::vector<std::shared_ptr<InputPort>> ports_;
  OwnedArrayStream backend_;
};

Status FunctionStream::Open(std::vector<HostStream> inputs) {
  std::vector<ArrowArrayStream> given(inputs.size());
  const ReleaseRest<ArrowArrayStream> rest(given.data(), given.size());
  ports_.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    ports_.push_back(std::make_shared<InputPort>(state_, std::move(inputs[i]),
                                                 static_cast<int32_t>(i)));
    InputPort::Export(ports_.back(), &given[i]);
  }
  ArrowArrayStream output{};
  alloy_code code = ALLOY_INTERNAL;
  {
    // A backend may already pull from its inputs here, so this counts as a run.
    const StreamState::Wait wait(*state_);
    ALLOY_TRY(wait.status());
    code = call().channel().Open(call().binding().function(), call().state(),
                                 state_->scope(), given.data(),
                                 static_cast<int32_t>(given.size()), &output);
  }
  // Also after a failure: the engine releases what is in output then.
  Status moved = DisarmStreams(call().FunctionName(), given, &output);
  backend_ = OwnedArrayStream(&output);
  if (const StreamFault fault = state_->fault(); !fault.ok()) return fault.status;
  if (code != ALLOY_OK) {
    Status failure = call().Failure(code, state_->scope().TakeErrorText(),
                                    state_->scope(), state_->clock().late());
    // Who stopped the stream wants to know that it has stopped.
    if (moved.ok() || failure.fault().side == ALLOY_SIDE_CALLER) return failure;
    return moved.WithSuffix("; open also failed: " + failure.fault().text);
  }
  ALLOY_TRY(std::move(moved));
  return CheckCallable(*backend_)
      .WithSide(ALLOY_SIDE_BACKEND)
      .WithPrefix(std::string("the stream of ") + call().binding().function().name +
                  " of " + call().channel().table()->backend().name + ": ");
}

Status FunctionStream::CheckBatch(ArrowArray* batch) const {
  if (!call().ChecksResultsMore()) return call().CheckOutput(-1, {}, batch);
  const StreamState::Remembered last = state_->LastBatches();
  const Status status = call().CheckOutput(-1, {last.batches, {}}, batch);
  // It counts the batches, not the inputs.
  const int32_t n = status.ok() ? -1 : status.fault().input;
  return n < 0 ? status : status.WithInput(last.inputs[static_cast<size_t>(n)]);
}

StreamFault FunctionStream::Next(ArrowArray* out) {
  if (Status status = call().CheckOpen(); !status.ok()) {
    return StreamFault(std::move(status));
  }
  if (state_->scope().cancelled()) return StreamFault(state_->CheckNotStopped());
  ArrowArray given{};
  int number = 0;
  std::string thrown;
  {
    const StreamState::Wait wait(*state_);
    if (!wait.status().ok()) return StreamFault(wait.status());
    if (!EnterForeign(&thrown,
                      [&] { number = backend_->get_next(backend_.get(), &given); })) {
      number = EIO;
    }
  }
  // A failed call may leave anything in the struct, and nobody owns it.
  if (number != 0) given = ArrowArray{};
  OwnedArray batch(&given);
  // The fault of an input is the cause, whatever the backend reports.
  if (StreamFault fault = state_->fault(); !fault.ok()) return fault;
  if (number != 0) return Failure(number, std::move(thrown));
  if (!batch) return StreamFault(CheckEnd(state_->clock().late()));
  Status status = CheckBatch(batch.get());
  if (!status.ok()) return StreamFault(std::move(status));
  batch.MoveTo(out);
  return {};
}

StreamFault FunctionStream::Failure(int number, std::string thrown) {
  // The most specific source first: an exception, the service `fail`, get_last_error.
  BackendError error = state_->scope().TakeError();
  if (!thrown.empty()) error = {ALLOY_FAILED, std::move(thrown)};
  if (error.code == ALLOY_OK) {
    error = {CodeOf(number), AsUtf8(LastErrorOf(backend_.get()))};
  }
  if (error.text.empty()) {
    error.text = std::string(call().binding().function().name) + " of " +
                 call().channel().table()->backend().name +
                 " failed without a text: " + ErrnoText(number);
  }
  Status status = call().Failure(error.code, std::move(error.text), state_->scope(),
                                 state_->clock().late());
  // The backend's own errno, unless the caller stopped the stream.
  const bool stopped = status.fault().side == ALLOY_SIDE_CALLER;
  return stopped ? StreamFault(std::move(status))
                 : StreamFault(number, std::move(status));
}

Status FunctionStream::CheckEnd(bool late) const {
  if (!state_->scope().cancelled() && !late) return Status();
  return call().Failure(ALLOY_FAILED, "", state_->scope(), late);
}

// One stream that is given twice would be released twice, and each of the two would get
// only a part of its batches. Streams without private data have nothing that tells them
// apart, and may share their callbacks.
Status CheckDistinct(std::span<ArrowArrayStream> inputs) {
  Status status;
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].release == nullptr || inputs[i].private_data == nullptr) continue;
    const auto first =
        std::ranges::find_if(inputs.first(i), [&](const ArrowArrayStream& one) {
          return one.release == inputs[i].release &&
                 one.private_data == inputs[i].private_data;
        });
    if (first == inputs.begin() + static_cast<ptrdiff_t>(i)) continue;
    inputs[i] = ArrowArrayStream{};  // the first one releases it
    if (!status.ok()) continue;
    status =
        Fail(ALLOY_INVALID, ALLOY_REASON_SAME_STREAM,
             "the stream is that of input " + std::to_string(first - inputs.begin()) +
                 " as well, so each would get only a part of the batches; pass a "
                 "stream for each input")
            .WithInput(static_cast<int32_t>(i))
            .WithSide(ALLOY_SIDE_CALLER);
  }
  return status;
}

Status CheckStreamArguments(const Binding& binding, int32_t n_inputs,
                            int64_t timeout_ns) {
  const std::string name = binding.function().name;
  if (static_cast<size_t>(n_inputs) != binding.inputs().size()) {
    return Fail(ALLOY_INVALID, name + ": the call was bound to " +
                                   std::to_string(binding.inputs().size()) +
                                   " inputs, and this stream has " +
                                   std::to_string(n_inputs));
  }
  if (!binding.is_stream() && n_inputs != 1) {
    return Fail(ALLOY_INVALID,
                name + " is a map function, so its stream has one input, not " +
                    std::to_string(n_inputs));
  }
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  return Status();
}

}  // namespace

Status OpenCallStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                      int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                      uint64_t ticket) {
  if (output != nullptr) *output = ArrowArrayStream{};
  // Before anything is taken: a caller that gets BUSY keeps its inputs.
  ALLOY_ASSIGN_OR_RETURN(CallUse use, Call::Use(std::move(call)));
  if (n_inputs < 0) return Fail(ALLOY_INVALID, "n_inputs is negative");
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  Result<std::shared_ptr<void>> reserved = std::shared_ptr<void>();
  if (use.core().binding().is_stream() && use.core().CheckOpen().ok()) {
    reserved = use.core().channel().Reserve(use.core().state());
  }
  // Only with BUSY the caller keeps its inputs.
  if (!reserved.ok() && reserved.status().code() == ALLOY_BUSY) return reserved.status();
  const ReleaseRest<ArrowArrayStream> rest(inputs, static_cast<size_t>(n_inputs));
  if (!reserved.ok()) return reserved.status();
  ALLOY_TRY(CheckDistinct({inputs, static_cast<size_t>(n_inputs)}));
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  const Binding& binding = use.core().binding();
  use.core().ClearProgress();
  ALLOY_TRY(CheckStreamArguments(binding, n_inputs, timeout_ns));
  ALLOY_TRY(use.core().CheckStart(ticket));
  std::vector<HostStream> hosts;
  hosts.reserve(static_cast<size_t>(n_inputs));
  for (int32_t i = 0; i < n_inputs; ++i) {
    hosts.emplace_back(&inputs[i], i);
    ALLOY_TRY(hosts.back().Check(*binding.inputs()[static_cast<size_t>(i)].schema));
  }
  if (!binding.is_stream()) {
    ExportStream(std::make_unique<MapStream>(std::move(use), std::move(hosts[0]),
                                             timeout_ns, ticket),
                 output);
    return Status();
  }
  auto state = std::make_shared<StreamState>(use.shared_core(), timeout_ns, ticket);
  auto stream = std::make_unique<FunctionStream>(std::move(state), std::move(use));
  ALLOY_TRY(stream->Open(std::move(hosts)));
  ExportStream(std::move(stream), output);
  return Status();
}

}  // namespace alloy::core
