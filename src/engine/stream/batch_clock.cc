// SPDX-License-Identifier: MIT
#include "engine/stream/batch_clock.h"

namespace alloy::core {

Status BatchClock::Start(uint64_t run) {
  if (timeout_.count() == 0) return Status();
  const auto batch = batch_.Write();
  Renew(*batch);
  const auto now = Clock::now();
  batch->running = true;
  batch->run = run;
  batch->deadline = After(now, timeout_);
  // A thread of the backend may already be inside an input.
  batch->paused_at = now;
  return batch->pauses == 0 ? Arm(*batch) : Status();
}

void BatchClock::Stop() noexcept {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  batch->running = false;
  batch->watch.Stop();
  late_ = batch->pauses == 0 && Clock::now() >= batch->deadline;
}

void BatchClock::BeginPause() {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  if (++batch->pauses > 1) return;
  batch->paused_at = Clock::now();
  batch->watch.Stop();
}

void BatchClock::EndPause() noexcept {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  // A pause that began in the parent of this process is over already.
  if (batch->pauses == 0) return;
  --batch->pauses;
  if (batch->pauses > 0 || !batch->running) return;
  batch->deadline = After(batch->deadline, Clock::now() - batch->paused_at);
  try {
    // Without a watch, the backend is not told to stop. Stop still finds out that it was
    // late.
    (void)Arm(*batch);
  } catch (...) {
    // The same, without memory.
  }
}

void BatchClock::Renew(Batch& batch) {
  const uint32_t process = batch_.mark().Number();
  if (batch.process == process) return;
  batch.process = process;
  batch.pauses = 0;
  batch.watch.Stop();
}

Status BatchClock::Arm(Batch& batch) {
  return batch.watch.Start(deadlines_, batch.deadline, {channel_, control_, batch.run});
}

}  // namespace alloy::core
