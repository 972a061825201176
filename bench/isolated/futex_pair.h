// SPDX-License-Identifier: MIT
//
// The least that a round trip between two processes can cost: two words in memory that they
// share, and nothing else.
#ifndef ALLOY_BENCH_ISOLATED_FUTEX_PAIR_H_
#define ALLOY_BENCH_ISOLATED_FUTEX_PAIR_H_

#include <sys/types.h>

namespace alloy::bench {

class FutexPair {
 public:
  enum class Waits : int { kAsleep, kSpinning };

  // Starts the other process by fork, so make it before there are threads.
  FutexPair();
  ~FutexPair();
  FutexPair(const FutexPair&) = delete;
  FutexPair& operator=(const FutexPair&) = delete;

  // How the other process waits from now on. It must sleep while it is not used.
  void Set(Waits waits);
  void RoundTrip();

  pid_t child() const { return child_; }

 private:
  struct Words;
  Words* words_;
  pid_t child_;
  unsigned count_ = 0;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_FUTEX_PAIR_H_
