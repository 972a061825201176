// SPDX-License-Identifier: MIT
#include "engine/stream/input_port.h"

#include <string>
#include <utility>

#include "arrow/schema.h"

namespace alloy::core {
namespace {

// Bits of use_. Together they decide who releases the host's stream: the last of the
// thread that pulls and the one that closes.
constexpr uint32_t kPulling = 1;
constexpr uint32_t kClosed = 2;

class PortStream final : public Stream {
 public:
  explicit PortStream(std::shared_ptr<InputPort> port) : port_(std::move(port)) {}
  ~PortStream() override { port_->Close(); }
  PortStream(const PortStream&) = delete;
  PortStream& operator=(const PortStream&) = delete;

  Result<OwnedSchema> Schema() override { return port_->Schema(); }
  StreamFault Next(ArrowArray* out) override { return port_->Next(out); }
  void Failed(const StreamFault& fault) noexcept override { port_->Failed(fault); }

 private:
  const std::shared_ptr<InputPort> port_;
};

StreamFault ClosedFault() {
  return StreamFault(
      Fail(ALLOY_CANCELLED,
           "cannot read an input: the stream of results is already released"));
}

}  // namespace

StreamFault InputPort::Next(ArrowArray* out) {
  if ((use_.fetch_or(kPulling, std::memory_order_acq_rel) & kClosed) != 0) {
    return ClosedFault();
  }
  OwnedArray batch;
  StreamFault fault;
  {
    // A thread that closes the port meanwhile leaves the release to this one.
    struct Leave {
      InputPort& port;
      ~Leave() {
        const uint32_t before = port.use_.fetch_and(~kPulling, std::memory_order_acq_rel);
        if ((before & kClosed) != 0) port.ReleaseHost();
      }
    } const leave{*this};
    fault = Pull(batch.get());
  }
  if (fault.ok()) batch.MoveTo(out);
  return fault;
}

StreamFault InputPort::Pull(ArrowArray* out) {
  if (Status stopped = state_->CheckNotStopped(); !stopped.ok()) {
    return StreamFault(std::move(stopped));
  }
  {
    const BatchClock::Pause pause(state_->clock());
    StreamFault fault = host_.Pull(out);
    if (!fault.ok()) return fault;
  }
  if (out->release == nullptr) return {};  // the end
  Status admitted = state_->call().AdmitInput(input_, out);
  if (admitted.ok() && state_->call().ChecksResultsMore()) state_->Remember(input_, *out);
  return StreamFault(std::move(admitted));
}

Result<OwnedSchema> InputPort::Schema() const {
  return CopySchema(state_->call().binding().read_schema(static_cast<size_t>(input_)));
}

void InputPort::Close() noexcept {
  const uint32_t before = use_.fetch_or(kClosed, std::memory_order_acq_rel);
  if (before == 0) ReleaseHost();
}

void InputPort::ReleaseHost() noexcept {
  if (const std::string thrown = host_.Release(); !thrown.empty()) {
    state_->call().WarnOf("the release of input stream " + std::to_string(input_) +
                          ", which is the host's: " + thrown);
  }
}

void InputPort::Export(std::shared_ptr<InputPort> port, ArrowArrayStream* out) {
  ExportStream(std::make_unique<PortStream>(std::move(port)), out);
}

}  // namespace alloy::core
