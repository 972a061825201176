// SPDX-License-Identifier: MIT
#include "engine/channel/deadlines.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>

#include "engine/channel/channel.h"

namespace alloy::core {

// The thread of one process, and what it shares with the runs of that process.
struct Deadlines::Timer {
  explicit Timer(uint32_t number) : process(number) {}

  void Loop();

  const uint32_t process;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex. A target whose time has come stays until its Watch ends.
  Queue queue;
  bool stopping = false;  // guarded by mutex
  std::thread thread;     // started under mutex

  // In the process that made it: end the thread.
  static void End(Timer* timer) {
    const std::unique_ptr<Timer> owner(timer);
    {
      const std::lock_guard lock(timer->mutex);
      timer->stopping = true;
    }
    timer->changed.notify_one();
    if (timer->thread.joinable()) timer->thread.join();
  }

  // In a child of that process: there is no thread to end. The destructors of the thread
  // object and of the condition variable would wait for it, and they own no memory. The
  // queue does. It is intact unless the parent's thread was writing to it.
  static void Forget(Timer* timer) {
    if (timer == nullptr) return;
    if (timer->mutex.try_lock()) std::destroy_at(&timer->queue);
    ::operator delete(timer, sizeof(Timer));
  }
};

void Deadlines::Timer::Loop() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto now = Clock::now();
    auto next = queue.begin();
    for (; next != queue.end() && next->first <= now; ++next) {
      // Under the lock, which a Watch needs to end: so the target is still there.
      const Target& target = next->second;
      if (target.control->expired.exchange(target.run, std::memory_order_relaxed) !=
          target.run) {
        target.channel->Interrupt(*target.control);
      }
    }
    if (next == queue.end()) {
      changed.wait(lock);
    } else {
      const auto when = next->first;  // a copy: the Watch may end during the wait
      changed.wait_until(lock, when);
    }
  }
}

Deadlines::~Deadlines() {
  Timer* timer = timer_.load(std::memory_order_acquire);
  if (timer == nullptr) return;
  if (timer->process == mark_.Number()) {
    Timer::End(timer);
  } else {
    Timer::Forget(timer);
  }
}

// Threads that come here at once agree on one timer, without a lock: a thread of the parent
// might have held it.
Deadlines::Timer& Deadlines::OfThisProcess() {
  const uint32_t process = mark_.Number();
  Timer* timer = timer_.load(std::memory_order_acquire);
  if (timer != nullptr && timer->process == process) [[likely]]
    return *timer;
  auto made = std::make_unique<Timer>(process);
  if (!timer_.compare_exchange_strong(timer, made.get(), std::memory_order_acq_rel)) {
    return *timer;  // another thread's, and of this process
  }
  Timer::Forget(timer);
  return *made.release();
}

Status Deadlines::Watch::Start(Deadlines& deadlines, Clock::time_point when,
                               const Target& target) {
  Timer& timer = deadlines.OfThisProcess();
  const std::lock_guard lock(timer.mutex);
  if (!timer.thread.joinable()) {
    try {
      timer.thread = std::thread([&timer] { timer.Loop(); });
    } catch (const std::system_error& e) {
      return Fail(ALLOY_EXHAUSTED,
                  std::string("the thread that watches deadlines cannot be started: ") +
                      e.code().message() +
                      "; raise the limit of threads (ulimit -u, or pids.max of the "
                      "container), or call without a timeout");
    }
  }
  place_ = timer.queue.emplace(when, target);
  deadlines_ = &deadlines;
  timer_ = &timer;
  process_ = timer.process;
  // Always, and not only for a new first entry: expired targets stay in the queue, so the
  // first entry need not be the next to come.
  timer.changed.notify_one();
  return Status();
}

void Deadlines::Watch::Stop() noexcept {
  if (deadlines_ == nullptr) return;
  const bool is_here = deadlines_->mark_.Number() == process_;
  deadlines_ = nullptr;
  if (!is_here) return;  // the process was forked meanwhile, and its timer stayed there
  const std::lock_guard lock(timer_->mutex);
  timer_->queue.erase(place_);
}

}  // namespace alloy::core
