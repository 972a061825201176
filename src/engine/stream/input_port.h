// SPDX-License-Identifier: MIT
//
// An input of a stream function, between the host's stream and what the backend pulls.
#ifndef ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_
#define ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/stream/flow.h"
#include "engine/stream/host_stream.h"

namespace alloy::core {

// Threads  pulling: serial. Close: any thread, also while another pulls.
class InputPort {
 public:
  InputPort(std::shared_ptr<Flow> flow, HostStream host, int32_t input)
      : flow_(std::move(flow)), host_(std::move(host)), input_(input) {}
  InputPort(const InputPort&) = delete;
  InputPort& operator=(const InputPort&) = delete;

  // The next batch of the host's, through the gate and with the declared columns alone.
  StreamFault Next(ArrowArray* out);
  void Failed(const StreamFault& fault) noexcept { flow_->Record(fault); }
  Result<OwnedSchema> Schema() const;

  // Release the host's stream: once, now or when the thread that pulls from it comes
  // back.
  void Close() noexcept;

  // The stream that the backend gets; its release closes the port.
  static void Give(std::shared_ptr<InputPort> port, ArrowArrayStream* out);

 private:
  StreamFault Pull(ArrowArray* out);

  const std::shared_ptr<Flow> flow_;
  HostStream host_;
  const int32_t input_;
  std::atomic<uint32_t> state_{0};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_
