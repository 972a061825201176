// SPDX-License-Identifier: MIT
#include "engine/isolated/death.h"

#include <array>
#include <csignal>
#include <cstring>

#include "alloy/reason.h"

namespace alloy::core {
namespace {

std::string SignalName(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

// `0.5 s`
std::string Seconds(int64_t nanoseconds) {
  std::string text = std::to_string(static_cast<double>(nanoseconds) / 1e9);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

// How the Go runtime says that it has no memory for objects, for its own books, or for the
// stack of a thread.
constexpr std::array kFatalWords = {"fatal error: out of memory",
                                    "runtime: out of memory",
                                    "cannot map pages in arena address space",
                                    "runtime: cannot allocate memory",
                                    "runtime/cgo: pthread_create failed",
                                    "failed to create new OS thread"};
// How Rust, C++ and glibc do.
constexpr std::array kLastWords = {"memory allocation of ", "std::bad_alloc",
                                   "cannot allocate memory", "Cannot allocate memory"};

}  // namespace

// A runtime may write a long trace behind these words.
void Death::FindFatalMemory() {
  for (const char* const words : kFatalWords) {
    if (last_words.find(words) != std::string::npos) said_fatal_memory = true;
  }
}

void Death::FindMemory() {
  if (cause != DeathCause::kSignal && cause != DeathCause::kExit) return;
  FindFatalMemory();
  if (said_fatal_memory) cause = DeathCause::kMemory;
  for (const char* const words : kLastWords) {
    if (last_words.find(words) != std::string::npos) cause = DeathCause::kMemory;
  }
}

int32_t ReasonOf(DeathCause cause) {
  switch (cause) {
    case DeathCause::kSignal:
      return ALLOY_REASON_WORKER_SIGNAL;
    case DeathCause::kExit:
      return ALLOY_REASON_WORKER_EXIT;
    case DeathCause::kHang:
    case DeathCause::kLate:
      return ALLOY_REASON_WORKER_HANG;
    case DeathCause::kMemory:
      return ALLOY_REASON_WORKER_MEMORY;
    case DeathCause::kViolation:
      return ALLOY_REASON_WORKER_VIOLATION;
    case DeathCause::kUnknown:
      break;
  }
  return ALLOY_REASON_NONE;
}

std::string DescribeDeath(const Death& death, int64_t grace_ns, int64_t heap_bytes) {
  switch (death.cause) {
    case DeathCause::kSignal:
      return "died by " + SignalName(death.value);
    case DeathCause::kExit:
      return "ended itself with exit status " + std::to_string(death.value);
    case DeathCause::kHang:
      return "was killed, because it did not stop within the grace time of " +
             Seconds(grace_ns);
    case DeathCause::kLate:
      return "was killed, because it did not answer within " +
             Seconds(int64_t{death.value} * 1'000'000);
    case DeathCause::kMemory:
      return "ran out of memory (heap_bytes is " + std::to_string(heap_bytes) + ")";
    case DeathCause::kViolation:
      return "was killed, because it broke the rules: " + death.detail;
    case DeathCause::kUnknown:
      break;
  }
  return "ended for an unknown reason: this process ignores SIGCHLD, or reaps all its "
         "children";
}

// This process has not sent it, or the cause would be another one.
std::string DescribeHint(const Death& death) {
  if (death.cause != DeathCause::kSignal || death.value != SIGKILL) return {};
  return "; the kernel sends SIGKILL when a memory limit of the container or the machine "
         "is reached: compare heap_bytes, input_bytes and output_bytes with it";
}

std::string DescribeLastWords(std::string_view text) {
  constexpr size_t kMostBytes = 300, kMostLines = 3;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return {};
  size_t begin = text.size();
  for (size_t lines = 0; begin > 0 && text.size() - begin < kMostBytes; --begin) {
    if (text[begin - 1] == '\n' && ++lines == kMostLines) break;
  }
  std::string words = "; its last words: ";
  for (const char c : text.substr(begin))
    words += c == '\n' ? std::string(" | ") : std::string(1, c);
  return words;
}

}  // namespace alloy::core
