// SPDX-License-Identifier: MIT
//
// What host and worker say to each other. They take turns: the host asks, and waits for the
// worker. While it works, the worker may ask the host for a batch of an input, or for more
// memory, and waits for that. Neither writes while the other one may read.
//
//   Host to worker: HostWord, the exchange, what is released, new segments, then the body.
//   Worker to host: WorkerWord, the exchange, what is released, then the body.
//
// The bodies are written and read in one place each: engine/isolated/worker.cc and
// worker/serve.cc.
#ifndef ALLOY_SRC_WIRE_PROTOCOL_H_
#define ALLOY_SRC_WIRE_PROTOCOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "wire/mailbox.h"

namespace alloy::core {

// Changes with every change of what follows: both sides are of the same build, or they do
// not talk.
inline constexpr uint64_t kProtocol = 0x616c6c6f79000002;  // "alloy", 2

// What a host asks, or answers.
enum class HostWord : uint32_t {
  kNothing = 0,
  kLoad = 1,
  kBind,
  kUnbind,
  kRun,
  kOpen,
  kNext,
  kClose,
  kQuit,
  kBatch,    // answers kPull
  kSegment,  // answers kNeed
};

// What a worker answers, or asks.
enum class WorkerWord : uint32_t {
  kNothing = 0,
  kDone = 1,  // the answer to what the host asked
  kPull,      // the next batch of an input
  kNeed,      // a segment for results, with room for so many bytes
};

// The descriptors that a worker inherits, besides standard error.
enum WorkerDescriptor : int { kControlFd = 3, kSocketFd = 4, kLibraryFd = 5 };

// The first argument of a process that is to become a worker.
inline constexpr const char* kWorkerArgument = "--alloy-worker";

inline constexpr size_t kMessageBytes = size_t{4} << 20;
inline constexpr size_t kLogBytes = size_t{64} << 10;

// The memory that both sides may write. Pages that are never used cost nothing.
struct ControlBlock {
  std::atomic<uint64_t> protocol{kProtocol};
  // How the worker waits; written before it starts.
  std::atomic<Waiting> waiting{Waiting::kAdaptive};

  Mailbox to_worker;
  Mailbox to_host;

  // The exchange that is asked to stop, written by the host.
  alignas(64) std::atomic<uint64_t> stop{0};

  // Progress and log lines of the running exchange, written by the worker. A line is its
  // level (1 byte), its length (4 bytes) and its text. The host takes all lines at once.
  alignas(64) std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
  std::atomic<uint32_t> log_turn{0};  // 1: one side uses what follows
  std::atomic<uint32_t> log_used{0};
  std::atomic<uint32_t> log_lost{0};  // lines that did not fit
  std::array<std::byte, kLogBytes> log;

  alignas(4096) std::array<std::byte, kMessageBytes> for_worker;
  alignas(4096) std::array<std::byte, kMessageBytes> for_host;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_PROTOCOL_H_
