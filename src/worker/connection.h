// SPDX-License-Identifier: MIT
//
// The worker's side of the conversation with its host (wire/protocol.h).
#ifndef ALLOY_SRC_WORKER_CONNECTION_H_
#define ALLOY_SRC_WORKER_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "port/fd.h"
#include "port/shared_memory.h"
#include "wire/bytes.h"
#include "wire/protocol.h"
#include "wire/records.h"

namespace alloy::core {

// What the host said. Its body stays where it is until the worker sends something, and
// `released` until it receives something.
struct HostMessage {
  HostWord word = HostWord::kQuit;
  uint32_t log_levels = 0;
  uint64_t exchange = 0;
  std::span<const uint64_t> released;  // results that the host has released
  ByteReader body{{}};
};

// Threads  serial, but ReleasedInput: any thread.
class Connection {
 public:
  //   Takes  control and socket, which the process inherited.
  Connection(SharedMemory control, Fd socket)
      : memory_(std::move(control)),
        control_(*reinterpret_cast<ControlBlock*>(memory_.data())),
        socket_(std::move(socket)),
        receiver_(control_.to_worker, control_.waiting.load()) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ControlBlock& control() { return control_; }
  const std::vector<SegmentView>& segments() const { return segments_; }

  // Wait for the host, and take over the segments that come with its message.
  //   Fails  CLOSED: the host is gone, or says what this worker does not understand.
  Result<HostMessage> Receive();

  // Write the body by `body(ByteWriter&)`, and send it. Returns false, and sends nothing,
  // if it does not fit.
  template <typename Body>
  [[nodiscard]] bool Send(WorkerWord word, uint64_t exchange, Body&& body) {
    ByteWriter out(control_.for_host, memory_);
    const size_t told = WriteHead(word, exchange, &out);
    body(out);
    if (out.full()) return false;
    Sent(told);
    control_.to_host.Post(static_cast<uint32_t>(out.used()));
    return true;
  }

  // An input that the backend does not use any more: the host hears of it with the next
  // message.
  void ReleasedInput(uint64_t input) noexcept;

 private:
  size_t WriteHead(WorkerWord word, uint64_t exchange, ByteWriter* out);
  void Sent(size_t told);
  Status AddSegments(ByteReader* in);

  SharedMemory memory_;
  ControlBlock& control_;
  Fd socket_;
  Receiver receiver_;
  std::deque<SharedMemory> mappings_;  // none moves: the memory for results knows them
  std::vector<SegmentView> segments_;
  std::vector<uint64_t> released_results_;  // as the last message has told
  std::mutex mutex_;
  std::vector<uint64_t> released_;  // inputs
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_CONNECTION_H_
