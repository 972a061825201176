// SPDX-License-Identifier: MIT
//
// One entry into a backend: which run it belongs to, whether that run must stop, and the
// error that the backend reports.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "alloy/backend.h"
#include "base/status.h"
#include "engine/channel/log.h"
#include "engine/channel/services.h"

namespace alloy::core {

// How other threads stop the runs of one call, and read their progress.
//
// The host chooses tickets, and the call numbers its runs. Neither is used twice. So no
// value has to be reset, and a stop for one run cannot hit the next.
struct RunControl {
  std::atomic<uint64_t> cancelled_upto{0};  // a ticket
  std::atomic<uint64_t> expired{0};         // the run whose deadline has passed
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
};

// What a backend reported with the service `fail`.
struct BackendError {
  alloy_code code = ALLOY_OK;  // ALLOY_OK: nothing was reported
  std::string text;
};

// Threads  shared: a backend uses its scope from any thread.
class Scope : public alloy_scope {
 public:
  // For an entry that cannot be stopped: init and bind.
  explicit Scope(const LogContext* log_context, const CallLog* call_log = nullptr)
      : Scope(log_context, nullptr, 0, 0, call_log) {}
  // Borrows log_context, control and call_log, as long as the scope lives.
  Scope(const LogContext* log_context, RunControl* control, uint64_t run, uint64_t ticket,
        const CallLog* call_log = nullptr)
      : alloy_scope{&Services()},
        log_context_(log_context),
        call_log_(call_log),
        control_(control),
        run_(run),
        ticket_(ticket) {}
  ~Scope() {
    TakeError();
    (void)TakeFailure();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  bool cancelled() const {
    return control_ != nullptr && ticket_ != 0 &&
           control_->cancelled_upto.load(std::memory_order_relaxed) >= ticket_;
  }
  bool expired() const {
    const uint64_t run = run_.load(std::memory_order_relaxed);
    return control_ != nullptr && run != 0 &&
           control_->expired.load(std::memory_order_relaxed) == run;
  }

  // Whether the run has to stop, for either reason.
  bool stopped() const { return cancelled() || expired(); }

  // A stream has one scope for all its batches, and each batch is a run of its own; 0
  // between two batches.
  void SetRun(uint64_t run) { run_.store(run, std::memory_order_relaxed); }

  bool Logs(int32_t level) const {
    return log_context_ != nullptr && log_context_->Logs(level, call_log_);
  }
  void WriteLog(int32_t level, std::string_view text) const {
    if (Logs(level)) log_context_->WriteAsBackend(level, text, call_log_);
  }
  // NULL: there is nobody to warn.
  const LogContext* log_context() const { return log_context_; }
  RunControl* control() const { return control_; }

  // Replaces an error that was not taken yet.
  void SetError(alloy_code code, std::string text);
  // The last error; the scope then has none.
  BackendError TakeError();
  std::string TakeErrorText() { return TakeError().text; }

  // A failure below the backend: of the channel itself. It stays with the entry, and goes
  // before what the backend reported.
  void SetFailure(Status failure);
  // The last failure; the scope then has none.
  Status TakeFailure();

 private:
  const LogContext* const log_context_;  // NULL: log lines are dropped
  const CallLog* const call_log_;        // NULL: outside of a call
  RunControl* const control_;
  std::atomic<uint64_t> run_;
  const uint64_t ticket_;
  // Owned; NULL: none. Exchanged, and not under a lock: in a child of fork, a thread of the
  // parent would hold it for ever.
  std::atomic<BackendError*> error_{nullptr};
  std::atomic<Status*> failure_{nullptr};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
