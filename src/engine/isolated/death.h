// SPDX-License-Identifier: MIT
//
// Why a worker is gone, and the words for it.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_
#define ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace alloy::core {

enum class DeathCause : uint8_t {
  kSignal,     // value: the signal
  kExit,       // value: the exit status
  kHang,       // it did not stop in the grace time
  kLate,       // it did not answer in the time for what has no deadline; value: in ms
  kMemory,     // it had no memory left
  kViolation,  // it broke the rules of the conversation
  kUnknown,    // somebody else has reaped it
};

// A value.
struct Death {
  DeathCause cause = DeathCause::kUnknown;
  int value = 0;
  std::string detail;      // of a violation
  std::string last_words;  // the end of what it wrote to standard error

  bool said_fatal_memory = false;

  // The runtime of Go says first that it dies of memory, and then writes the stacks of all
  // goroutines. Call it before the beginning of last_words is dropped.
  void FindFatalMemory();
  // A worker that ended by a signal or an exit may have said that it was out of memory.
  void FindMemory();
};

// The cause as a reason of alloy/reason.h. ALLOY_REASON_NONE: it is unknown.
int32_t ReasonOf(DeathCause cause);

// `died by SIGSEGV`
std::string DescribeDeath(const Death& death, int64_t grace_ns, int64_t heap_bytes);

// What the user may not know about this death: `; the kernel sends SIGKILL …`; mostly empty.
std::string DescribeHint(const Death& death);

// The last lines of a text, as one line: `; its last words: …`; empty if it said nothing.
std::string DescribeLastWords(std::string_view text);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_
