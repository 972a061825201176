// SPDX-License-Identifier: MIT
#include "interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "../arrowalloy/base/leftovers.h"
#include "../arrowalloy/base/signals.h"

namespace arrowalloy::run {
namespace {

constexpr int kGraceMillis = 3000;

}  // namespace

Interrupt::Interrupt() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  reads_ = ends[0];
  writes_ = ends[1];
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error&) {
    return;
  }
  NotifyFirstSignal(writes_);
}

Interrupt::~Interrupt() {
  NotifyFirstSignal(-1);
  if (thread_.joinable()) {
    const char end = 0;  // no signal has this number
    while (write(writes_, &end, 1) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  if (reads_ >= 0) close(reads_);
  if (writes_ >= 0) close(writes_);
}

void Interrupt::Loop() {
  unsigned char signal = 0;
  while (read(reads_, &signal, 1) < 0 && errno == EINTR) {
  }
  if (signal == 0) return;
  exit_ = ExitOfSignal(signal);
  stop_.request_stop();
  pollfd end{.fd = reads_, .events = POLLIN, .revents = 0};
  if (poll(&end, 1, kGraceMillis) == 1) return;
  // The main thread waits for a pipe, or for a backend that ignores the cancel.
  RemoveLeftovers();
  _exit(static_cast<int>(exit_.load()));
}

}  // namespace arrowalloy::run
