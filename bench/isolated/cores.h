// SPDX-License-Identifier: MIT
//
// One core for each side. Which core a scheduler chooses decides what a wake-up costs, so
// without this a call and its peer would not be comparable.
#ifndef ALLOY_BENCH_ISOLATED_CORES_H_
#define ALLOY_BENCH_ISOLATED_CORES_H_

#include <sys/types.h>

namespace alloy::bench {

// Run a process on the second core only. Nothing if there is one core.
void PinToSecondCore(pid_t process);
// The same for all child processes that were started since the last call.
void PinNewChildren();
// The same for those, without a change: they stay where the scheduler wants.
void SkipNewChildren();

// The calling thread runs on the first core only, as long as this lives. Not while a worker
// starts: it would inherit the core, and not spin.
class OnFirstCore {
 public:
  OnFirstCore();
  ~OnFirstCore();
  OnFirstCore(const OnFirstCore&) = delete;
  OnFirstCore& operator=(const OnFirstCore&) = delete;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_CORES_H_
