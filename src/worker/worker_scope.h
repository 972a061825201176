// SPDX-License-Identifier: MIT
//
// What a backend in a worker gets of the engine: the services, and one entry into it.
#ifndef ALLOY_SRC_WORKER_WORKER_SCOPE_H_
#define ALLOY_SRC_WORKER_WORKER_SCOPE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "alloy/backend.h"
#include "wire/protocol.h"

namespace alloy::core {

// The table that every scope points to; constant. Its entries expect a WorkerScope.
const alloy_services& WorkerServices();

// Threads  shared: a backend uses its scope from any thread.
class WorkerScope : public alloy_scope {
 public:
  // Borrows control, as long as the scope lives.
  explicit WorkerScope(ControlBlock& control)
      : alloy_scope{&WorkerServices()}, control_(control) {}
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

  // The exchange that the scope belongs to from now on, and the levels that the host
  // writes: bit n is level n.
  void Enter(uint64_t exchange, uint32_t log_levels) {
    exchange_.store(exchange, std::memory_order_relaxed);
    log_levels_.store(log_levels, std::memory_order_relaxed);
  }

  bool stopped() const {
    return control_.stop.load(std::memory_order_relaxed) ==
           exchange_.load(std::memory_order_relaxed);
  }
  bool Logs(int32_t level) const {
    return level >= ALLOY_LOG_DEBUG && level <= ALLOY_LOG_ERROR &&
           (log_levels_.load(std::memory_order_relaxed) >> level & 1) != 0;
  }
  void WriteLog(int32_t level, std::string_view text);
  void SetProgress(int64_t done, int64_t total) {
    control_.done.store(done, std::memory_order_relaxed);
    control_.total.store(total, std::memory_order_relaxed);
  }

  struct Error {
    alloy_code code = ALLOY_OK;  // ALLOY_OK: nothing was reported
    std::string text;
  };
  void SetError(alloy_code code, std::string text);
  // The last error; the scope then has none.
  Error TakeError();

 private:
  ControlBlock& control_;
  std::atomic<uint64_t> exchange_{0};
  std::atomic<uint32_t> log_levels_{0};
  std::mutex mutex_;  // guards the error and, in this process, the log
  Error error_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_WORKER_SCOPE_H_
