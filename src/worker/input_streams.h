// SPDX-License-Identifier: MIT
//
// The inputs of a stream function in a worker: each batch is asked of the host when the
// backend pulls it.
#ifndef ALLOY_SRC_WORKER_INPUT_STREAMS_H_
#define ALLOY_SRC_WORKER_INPUT_STREAMS_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arrow/owned.h"
#include "wire/records.h"
#include "worker/connection.h"

namespace alloy::core {

// An input batch that came from the host. When the backend has released it, the host hears
// of it.
std::shared_ptr<void> InputOwner(Connection& connection, uint64_t input);

// The inputs of one open stream. A backend may pull from any thread; it waits while the host
// waits for nothing, since nobody there could answer.
//
// Threads  shared.
class InputStreams : public std::enable_shared_from_this<InputStreams> {
 public:
  struct Input {
    OwnedSchema schema;
    RecordReader* reader = nullptr;
  };

  //   Borrows  connection and the readers, as long as this lives.
  InputStreams(Connection& connection, std::vector<Input> inputs)
      : connection_(connection), inputs_(std::move(inputs)) {}

  // Make the stream of input i. It keeps this.
  void Export(size_t i, ArrowArrayStream* out);

  // The host waits for an answer to `exchange`: now backends may pull.
  void HostWaits(uint64_t exchange);
  // The answer will be sent: waits for a pull that is under way.
  void HostIsAnswered();
  // No pull succeeds any more.
  void Close();

  // What results the host released while it answered a pull.
  std::vector<uint64_t> TakeReleased();

 private:
  struct Port;
  int Pull(size_t i, ArrowArray* out, std::string* text);

  Connection& connection_;
  const std::vector<Input> inputs_;
  std::mutex mutex_;
  std::condition_variable turned_;
  bool host_waits_ = false;
  bool pulls_ = false;
  bool closed_ = false;
  uint64_t exchange_ = 0;
  std::vector<uint64_t> released_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_INPUT_STREAMS_H_
