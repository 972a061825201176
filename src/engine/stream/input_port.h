// SPDX-License-Identifier: MIT
//
// An input of a stream function: it pulls from the host's stream, and the backend pulls
// from it.
#ifndef ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_
#define ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/stream/host_stream.h"
#include "engine/stream/stream_state.h"

namespace alloy::core {

// Threads  pulling: serial. Close: any thread, also while another pulls.
class InputPort {
 public:
  InputPort(std::shared_ptr<StreamState> state, HostStream host, int32_t input)
      : state_(std::move(state)), host_(std::move(host)), input_(input) {}
  InputPort(const InputPort&) = delete;
  InputPort& operator=(const InputPort&) = delete;

  // The host's next batch, through the gate and with only the declared columns.
  StreamFault Next(ArrowArray* out);
  void Failed(const StreamFault& fault) noexcept { state_->Record(fault); }
  Result<OwnedSchema> Schema() const;

  // Release the host's stream, once: now, or as soon as a thread that pulls from it comes
  // back.
  void Close() noexcept;

  // Make the stream that the backend gets. Its release closes the port.
  static void Export(std::shared_ptr<InputPort> port, ArrowArrayStream* out);

 private:
  StreamFault Pull(ArrowArray* out);
  void ReleaseHost() noexcept;

  const std::shared_ptr<StreamState> state_;
  HostStream host_;
  const int32_t input_;
  std::atomic<uint32_t> use_{0};  // kPulling, kClosed
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_
