// SPDX-License-Identifier: MIT
//
// One entry into a backend, as the engine sees it: which call it speaks for, what it
// said.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "alloy/backend.h"
#include "engine/channel/log.h"

namespace alloy::core {

// The services of this process; constant.
const alloy_services& Services();

// What other threads may tell a call, and what it tells them. Tickets are the caller's,
// runs are numbered by the call: neither is used again, so nothing has to be reset, and
// nothing meant for one run can hit the next.
struct RunControl {
  std::atomic<uint64_t> cancelled_upto{0};  // a ticket
  std::atomic<uint64_t> expired{0};         // a run
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
};

class Scope : public alloy_scope {
 public:
  // An entry that no call waits for: init and bind.
  explicit Scope(const Voice* voice) : Scope(voice, nullptr, 0, 0) {}
  // Borrows voice and control as long as the scope.
  Scope(const Voice* voice, RunControl* control, uint64_t run, uint64_t ticket)
      : alloy_scope{&Services()},
        voice_(voice),
        control_(control),
        run_(run),
        ticket_(ticket) {}
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

  // The scope of a stream speaks for one batch after another; 0: for none.
  void SetRun(uint64_t run) { run_.store(run, std::memory_order_relaxed); }

  const Voice* voice() const { return voice_; }
  RunControl* control() const { return control_; }

  // What the backend left last with fail(), taken away.
  struct Said {
    alloy_code code = ALLOY_OK;  // ALLOY_OK: it said nothing
    std::string text;
  };
  Said Take();
  std::string TakeText() { return Take().text; }
  void Say(alloy_code code, std::string text);

 private:
  const Voice* const voice_;  // NULL: lines go nowhere
  RunControl* const control_;
  std::atomic<uint64_t> run_;
  const uint64_t ticket_;
  std::mutex mutex_;
  Said said_;  // guarded by mutex_: any thread of the backend may fail
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
