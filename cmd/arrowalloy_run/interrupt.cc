// SPDX-License-Identifier: MIT
#include "interrupt.h"

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigtimedwait is POSIX
#include <unistd.h>

#include <ctime>
#include <utility>

#include "../arrowalloy/base/exit_code.h"

namespace arrowalloy::run {
namespace {

constexpr int kGraceSeconds = 3;
constexpr int kInterrupted =
    static_cast<int>(Exit::kInterrupted);  // the exit code by which shells report SIGINT

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGUSR1);  // sent by the destructor
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = Signals();
  // Later threads inherit the mask, so only our thread gets these signals.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Loop(); });
}

Interrupt::~Interrupt() {
  ended_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void Interrupt::OnAbandon(std::function<void()> abandon) {
  const std::lock_guard lock(mutex_);
  abandon_ = std::move(abandon);
}

void Interrupt::Loop() {
  const sigset_t signals = Signals();
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGUSR1) {
    if (ended_) return;
  }
  stop_.request_stop();
  const timespec grace{.tv_sec = kGraceSeconds, .tv_nsec = 0};
  while (sigtimedwait(&signals, nullptr, &grace) == SIGUSR1) {
    if (ended_) return;
  }
  // The main thread waits for a pipe, or for a backend that ignores the cancel.
  const std::lock_guard lock(mutex_);
  if (abandon_) abandon_();
  _exit(kInterrupted);
}

}  // namespace arrowalloy::run
