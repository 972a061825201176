// SPDX-License-Identifier: MIT
//
// Crashes and hangs in C++, as crash.c has them in C. The first value of the input says how;
// tests/isolated/ways.h.
//
// With CASE_CONSTRUCTOR a global object throws while the library is loaded.
#include <signal.h>  // NOLINT(modernize-deprecated-headers): raise, signal
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"
#include "tests/isolated/ways.h"
#include "wire/protocol.h"

namespace {

using alloy::Options;
using alloy::Output;
using alloy::Schema;
using alloy::Scope;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

volatile int depth;  // never reached; a compiler must not know
// NOLINTNEXTLINE(misc-no-recursion): its end is the end of the stack
int Overflow(int level) {
  volatile char room[4096];
  room[0] = 1;
  return level == depth ? 0 : Overflow(level + 1) + room[0];
}

void UseUpTheHeap() {
  std::vector<std::unique_ptr<char[]>> all;
  for (;;) all.push_back(std::make_unique<char[]>(size_t{1} << 20));
}

volatile sig_atomic_t is_free;
void Hold(Scope& scope) {
  is_free = 0;
  ::signal(SIGUSR1, [](int) { is_free = 1; });
  for (; is_free == 0; std::this_thread::sleep_for(1ms)) scope.Progress(::getpid(), 0);
}

// A hostile backend finds the memory in which its worker and the host talk.
void CloseTheMailboxOfTheHost() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:alloy-control") == std::string::npos) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a mapping is known by its address
    auto* const block = reinterpret_cast<alloy::core::ControlBlock*>(
        static_cast<uintptr_t>(std::stoull(line, nullptr, 16)));
    block->to_host.word.fetch_or(alloy::core::Mailbox::kClosed);
    for (;;) std::this_thread::sleep_for(1ms);
  }
}

void Do(int64_t way, Scope& scope) {
  // Not NULL: UBSan would end the process before the kernel does.
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that nothing is there is the point
  static volatile int* volatile nowhere = reinterpret_cast<volatile int*>(uintptr_t{64});
  volatile bool goes_on = true;
  switch (way) {
    case WAY_SEGV:
      *nowhere = 1;
      break;
    case WAY_ABORT:
      std::abort();
    case WAY_EXIT:
      ::_exit(7);
    case WAY_OVERFLOW:
      Overflow(1);
      break;
    case WAY_LOOP:
      while (goes_on) {
      }
      break;
    case WAY_POLITE:
      for (;;) {
        scope.ThrowIfCancelled();
        std::this_thread::sleep_for(1ms);
      }
    case WAY_TRICKLE:
      for (int64_t step = 1;; ++step) {
        scope.Progress(step, 0);
        std::this_thread::sleep_for(1ms);
      }
    case WAY_STOP:
      ::raise(SIGSTOP);
      break;
    case WAY_THROW:
      throw std::runtime_error("one is too many");
    case WAY_HEAP:
      UseUpTheHeap();
      break;
    case WAY_LAST_WORDS:
      std::cerr << "the model has a hole\nat line 3\n";
      std::abort();
    case WAY_KILLED:
      ::raise(SIGKILL);
      break;
    case WAY_CHATTER:
      for (;;) std::cerr << std::string(4096, '.');
    case WAY_HELD:
      Hold(scope);
      break;
    case WAY_BREAK_RULES:
      CloseTheMailboxOfTheHost();
      break;
    default:
      break;
  }
}

class Act {
 public:
  Act(Scope& scope, const Options& options, std::span<const ArrowSchema>) {
    Do(options.Get<int64_t>("bind"), scope);
  }
  static Schema OutputSchema() {
    return Schema::Batch(std::vector<alloy::Field>{{.name = "x", .format = "l"},
                                                   {.name = "pid", .format = "l"}});
  }

  static void Run(Scope& scope, std::span<ArrowArray> inputs, ArrowArray* output) {
    const ArrowArray& x = *inputs[0].children[0];
    const auto* const values = static_cast<const int64_t*>(x.buffers[1]) + x.offset;
    const int64_t way = inputs[0].length > 0 ? values[0] : int64_t{WAY_WELL};
    Do(way, scope);
    if (way == WAY_WRITE_INPUT) const_cast<int64_t*>(values)[0] = 42;
    Output<int64_t> doubled(scope.services().resize), pids(scope.services().resize);
    for (int64_t row = 0; row < inputs[0].length; ++row) {
      doubled.Append(2 * values[row]);
      pids.Append(::getpid());
    }
    alloy::GiveBatch(output, std::move(doubled), std::move(pids));
    if (way == WAY_OUTSIDE) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr)
      output->children[0]->buffers[1] = reinterpret_cast<const void*>(uintptr_t{4096});
    }
    if (way == WAY_RELEASE_TWICE) {
      ArrowArray again = inputs[0];
      inputs[0].release(&inputs[0]);
      again.release(&again);
    }
    if (way == WAY_RELEASE_OTHER) {
      ArrowArray never = inputs[0];
      // NOLINTNEXTLINE(performance-no-int-to-ptr)
      never.private_data = reinterpret_cast<void*>(uintptr_t{0x4141414141414141});
      never.release(&never);
    }
  }
};

#ifdef CASE_CONSTRUCTOR
struct Throws {
  Throws() { throw std::runtime_error("there is no model"); }
};
const Throws kAtLoad;  // NOLINT(bugprone-throwing-static-initialization)
#endif

}  // namespace

ALLOY_BACKEND("test.crash_cpp", "1.0.0", alloy::Raw<Act>("act").Option("bind", "0"),
              alloy::Raw<Act>("act_again").Option("bind", "0").Flags(ALLOY_IDEMPOTENT))
