// SPDX-License-Identifier: MIT
#include "bench/isolated/futex_pair.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>

#include "bench/isolated/measure.h"
#include "port/cpu.h"
#include "port/futex.h"

namespace alloy::bench {

struct FutexPair::Words {
  alignas(128) std::atomic<uint32_t> there{0};
  alignas(128) std::atomic<uint32_t> back{0};
  alignas(128) std::atomic<Waits> waits{Waits::kAsleep};

  void Await(std::atomic<uint32_t>& word, uint32_t wanted) const {
    for (;;) {
      const uint32_t seen = word.load(std::memory_order_acquire);
      if (seen == wanted) return;
      if (waits.load(std::memory_order_relaxed) == Waits::kSpinning) {
        core::CpuRelax();
      } else {
        core::FutexWait(word, seen, core::kNoDeadline);
      }
    }
  }
  void Post(std::atomic<uint32_t>& word, uint32_t count) const {
    word.store(count, std::memory_order_release);
    if (waits.load(std::memory_order_relaxed) == Waits::kAsleep) {
      core::FutexWakeAll(word);
    }
  }
};

FutexPair::FutexPair() {
  void* memory = ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) Die("no shared memory");
  words_ = ::new (memory) Words;
  child_ = ::fork();
  if (child_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (uint32_t count = 1;; ++count) {
    words_->Await(words_->there, count);
    words_->Post(words_->back, count);
  }
}

FutexPair::~FutexPair() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

void FutexPair::Set(Waits waits) {
  const bool wakes = words_->waits.exchange(waits) != waits;
  // One round trip in the new mode: the other side may still wait in the old one.
  if (wakes) {
    words_->there.store(++count_, std::memory_order_release);
    core::FutexWakeAll(words_->there);
    while (words_->back.load(std::memory_order_acquire) != count_) core::CpuRelax();
  }
}

void FutexPair::RoundTrip() {
  ++count_;
  words_->Post(words_->there, count_);
  words_->Await(words_->back, count_);
}

}  // namespace alloy::bench
