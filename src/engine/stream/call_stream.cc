// SPDX-License-Identifier: MIT
//
// Streams of results: what Call::OpenStream gives.
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "arrow/schema.h"
#include "base/guard.h"
#include "base/utf8.h"
#include "engine/call/call.h"
#include "engine/stream/flow.h"
#include "engine/stream/host_stream.h"
#include "engine/stream/input_port.h"
#include "engine/stream/stream.h"

namespace alloy::core {
namespace {

// Of a backend that said nothing with fail().
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

// Keeps a call busy.
class CallHold {
 public:
  explicit CallHold(std::atomic<bool>* busy) : busy_(busy) {}
  CallHold(CallHold&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)) {}
  CallHold& operator=(CallHold&& other) = delete;
  ~CallHold() {
    if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
  }

 private:
  std::atomic<bool>* busy_;
};

}  // namespace

// A map function, run on each batch of its one input.
class MapStream final : public Stream {
 public:
  MapStream(std::shared_ptr<Call> call, CallHold hold, HostStream host,
            int64_t timeout_ns, uint64_t ticket)
      : call_(std::move(call)),
        hold_(std::move(hold)),
        host_(std::move(host)),
        timeout_ns_(timeout_ns),
        ticket_(ticket) {}

  Result<OwnedSchema> Schema() override { return CopySchema(call_->output()); }

  StreamFault Next(ArrowArray* out) override {
    // A run would ask the same, but only after it took a batch out of the input.
    if (Status status = call_->MayBegin(ticket_); !status.ok()) {
      return StreamFault(std::move(status));
    }
    OwnedArray batch;
    if (StreamFault fault = host_.Pull(batch.get()); !fault.ok()) return fault;
    if (!batch) return {};
    return StreamFault(call_->RunAlone(batch.get(), out, timeout_ns_, ticket_));
  }

 private:
  // In this order: the input is released, then the call is free, then it may end.
  const std::shared_ptr<Call> call_;
  const CallHold hold_;
  HostStream host_;
  const int64_t timeout_ns_;
  const uint64_t ticket_;
};

// What a stream function gives.
class FunctionStream final : public Stream {
 public:
  FunctionStream(std::shared_ptr<Flow> flow, CallHold hold)
      : flow_(std::move(flow)), hold_(std::move(hold)) {}
  ~FunctionStream() override {
    ReleaseForeign(&backend_);
    // A backend that has kept an input does not keep the host's stream.
    for (const auto& port : ports_) port->Close();
  }
  FunctionStream(const FunctionStream&) = delete;
  FunctionStream& operator=(const FunctionStream&) = delete;

  Status Open(std::vector<HostStream> inputs);

  Result<OwnedSchema> Schema() override { return CopySchema(call().output()); }
  StreamFault Next(ArrowArray* out) override;

 private:
  Call& call() const { return flow_->call(); }
  // The backend's own errno and text.
  StreamFault Failure(int number, std::string thrown);
  // Whether the backend had its time and was not asked to stop: else its end is none.
  Status TrueEnd(bool late) const;
  static Status CheckMoved(const std::vector<ArrowArrayStream>& inputs,
                           ArrowArrayStream* output);

  const std::shared_ptr<Flow> flow_;
  const CallHold hold_;
  std::vector<std::shared_ptr<InputPort>> ports_;
  OwnedArrayStream backend_;
};

Status FunctionStream::Open(std::vector<HostStream> inputs) {
  std::vector<ArrowArrayStream> given(inputs.size());
  const ReleaseRest<ArrowArrayStream> rest(given.data(), given.size());
  ports_.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    ports_.push_back(std::make_shared<InputPort>(flow_, std::move(inputs[i]),
                                                 static_cast<int32_t>(i)));
    InputPort::Give(ports_.back(), &given[i]);
  }
  const Binding& binding = call().binding();
  ArrowArrayStream output{};
  alloy_code code = ALLOY_INTERNAL;
  {
    const Flow::Wait wait(*flow_);
    code = binding.channel().Open(binding.function(), call().bound_.lease.state(),
                                  flow_->scope(), given.data(),
                                  static_cast<int32_t>(given.size()), &output);
  }
  Status moved = code == ALLOY_OK ? CheckMoved(given, &output) : Status();
  backend_ = OwnedArrayStream(&output);
  if (const StreamFault fault = flow_->fault(); !fault.ok()) return fault.status;
  if (code != ALLOY_OK) {
    return call().Failure(code, flow_->scope().TakeText(), flow_->scope(),
                          flow_->clock().late());
  }
  ALLOY_TRY(std::move(moved));
  return CheckCallable(*backend_)
      .WithSide(ALLOY_SIDE_BACKEND)
      .WithPrefix(std::string("the stream of ") + binding.function().name + " of " +
                  binding.channel().table().backend().name + ": ");
}

// As for batches: a struct that was copied would be released twice.
Status FunctionStream::CheckMoved(const std::vector<ArrowArrayStream>& inputs,
                                  ArrowArrayStream* output) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].release == nullptr || inputs[i].release != output->release ||
        inputs[i].private_data != output->private_data) {
      continue;
    }
    *output = ArrowArrayStream{};
    return Fail(ALLOY_BAD_DATA, ALLOY_REASON_COPIED,
                "the stream of the results is a copy of the struct of input " +
                    std::to_string(i) + ", which was left in place; move it out instead")
        .WithSide(ALLOY_SIDE_BACKEND);
  }
  return Status();
}

StreamFault FunctionStream::Next(ArrowArray* out) {
  if (Status status = call().bridge_->Condition(); !status.ok()) {
    return StreamFault(std::move(status));
  }
  if (flow_->scope().cancelled()) return StreamFault(flow_->Spent());
  ArrowArray given{};
  int number = 0;
  std::string thrown;
  {
    const Flow::Wait wait(*flow_);
    if (!EnterForeign(&thrown,
                      [&] { number = backend_->get_next(backend_.get(), &given); })) {
      number = EIO;
    }
  }
  // What a failed call has left in the struct is nobody's to release.
  if (number != 0) given = ArrowArray{};
  OwnedArray batch(&given);
  if (StreamFault fault = flow_->fault(); !fault.ok()) return fault;
  if (number != 0) return Failure(number, std::move(thrown));
  if (!batch) return StreamFault(TrueEnd(flow_->clock().late()));
  Status status = call().CheckOutput(-1, batch.get());
  if (!status.ok()) return StreamFault(std::move(status));
  batch.MoveTo(out);
  return {};
}

StreamFault FunctionStream::Failure(int number, std::string thrown) {
  Scope::Said said = flow_->scope().Take();
  if (!thrown.empty()) said = {ALLOY_FAILED, std::move(thrown)};
  if (said.code == ALLOY_OK) {
    said = {CodeOf(number), AsUtf8(LastErrorOf(backend_.get()))};
  }
  if (said.text.empty()) {
    said.text = std::string(call().binding().function().name) + " of " +
                call().binding().channel().table().backend().name +
                " failed without a text: " + ErrnoText(number);
  }
  Status status = call().Failure(said.code, std::move(said.text), flow_->scope(),
                                 flow_->clock().late());
  const bool stopped = status.fault().side == ALLOY_SIDE_CALLER;
  return stopped ? StreamFault(std::move(status))
                 : StreamFault(number, std::move(status));
}

Status FunctionStream::TrueEnd(bool late) const {
  if (!flow_->scope().cancelled() && !late) return Status();
  return call().Failure(ALLOY_FAILED, "", flow_->scope(), late);
}

namespace {

Status CheckStreamArguments(const Binding& binding, int32_t n_inputs,
                            int64_t timeout_ns) {
  const std::string name = binding.function().name;
  if (static_cast<size_t>(n_inputs) != binding.inputs().size()) {
    return Fail(ALLOY_INVALID, name + " is bound to " +
                                   std::to_string(binding.inputs().size()) +
                                   " inputs, and gets " + std::to_string(n_inputs));
  }
  if (!binding.is_stream() && n_inputs != 1) {
    return Fail(ALLOY_INVALID,
                name + " is a map function: on streams it has one input, not " +
                    std::to_string(n_inputs));
  }
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  return Status();
}

}  // namespace

Status Call::OpenStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                        int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                        uint64_t ticket) {
  if (output != nullptr) *output = ArrowArrayStream{};
  if (call->busy_.exchange(true, std::memory_order_acquire)) return call->Busy();
  CallHold hold(&call->busy_);
  if (n_inputs < 0) return Fail(ALLOY_INVALID, "n_inputs is negative");
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  const ReleaseRest<ArrowArrayStream> rest(inputs, static_cast<size_t>(n_inputs));
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  const Binding& binding = call->binding();
  ALLOY_TRY(CheckStreamArguments(binding, n_inputs, timeout_ns));
  ALLOY_TRY(call->MayBegin(ticket));
  std::vector<HostStream> hosts;
  hosts.reserve(static_cast<size_t>(n_inputs));
  for (int32_t i = 0; i < n_inputs; ++i) {
    hosts.emplace_back(&inputs[i], i);
    ALLOY_TRY(hosts.back().Check(*binding.inputs()[static_cast<size_t>(i)].schema));
  }
  if (!binding.is_stream()) {
    GiveStream(std::make_unique<MapStream>(std::move(call), std::move(hold),
                                           std::move(hosts[0]), timeout_ns, ticket),
               output);
    return Status();
  }
  auto flow = std::make_shared<Flow>(std::move(call), timeout_ns, ticket);
  auto stream = std::make_unique<FunctionStream>(std::move(flow), std::move(hold));
  ALLOY_TRY(stream->Open(std::move(hosts)));
  GiveStream(std::move(stream), output);
  return Status();
}

}  // namespace alloy::core
