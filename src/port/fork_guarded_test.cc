// SPDX-License-Identifier: MIT
#include "port/fork_guarded.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace alloy::core {
namespace {

// The exit code of a child that runs `body`; -1 if it hangs.
int InChild(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // its signal ends a child that hangs
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessMarkTest, AChildAndItsChildHaveNumbersOfTheirOwn) {
  ProcessMark mark;
  const uint32_t here = mark.Number();
  EXPECT_EQ(mark.Number(), here);
  EXPECT_EQ(InChild([&] {
              const uint32_t child = mark.Number();
              if (child == here || mark.Number() != child) return 1;
              return InChild([&] {
                const uint32_t grandchild = mark.Number();
                return grandchild == here || grandchild == child ? 2 : 0;
              });
            }),
            0);
  EXPECT_EQ(mark.Number(), here);
}

TEST(ProcessMarkTest, ThreadsOfAChildAgree) {
  ProcessMark mark;
  EXPECT_EQ(InChild([&] {
              std::atomic<uint32_t> numbers[4] = {};
              std::vector<std::thread> threads;
              for (auto& number : numbers) {
                threads.emplace_back([&] { number = mark.Number(); });
              }
              for (std::thread& thread : threads) thread.join();
              for (auto& number : numbers) {
                if (number != mark.Number()) return 1;
              }
              return 0;
            }),
            0);
}

TEST(ForkGuardedTest, OneThreadAtATime) {
  ProcessMark mark;
  ForkGuarded<int64_t> guarded(mark);
  constexpr int kTurns = 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTurns; ++i) *guarded.Write() += 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*guarded.Read(), 4 * kTurns);
}

// Runs `in_child` in a child of fork, while a thread of this process holds the lock.
template <typename Guarded>
int WhileHeld(Guarded& guarded, bool writes, const std::function<int()>& in_child) {
  std::atomic<bool> held = false;
  std::atomic<bool> done = false;
  std::thread holder([&] {
    const auto hold = [&] {
      held = true;
      while (!done) std::this_thread::yield();
    };
    if (writes) {
      const auto access = guarded.Write();
      access->append(" half");
      hold();
    } else {
      const auto access = guarded.Read();
      hold();
    }
  });
  while (!held) std::this_thread::yield();
  const int code = InChild(in_child);
  done = true;
  holder.join();
  return code;
}

TEST(ForkGuardedTest, AReaderOfTheParentDoesNotHoldUpTheChild) {
  ProcessMark mark;
  ForkGuarded<std::string> guarded(mark);
  *guarded.Write() = "whole";
  EXPECT_EQ(WhileHeld(guarded, false,
                      [&] {
                        const auto access = guarded.Write();
                        return access.lost() || *access != "whole" ? 1 : 0;
                      }),
            0);
  EXPECT_EQ(*guarded.Read(), "whole");
}

TEST(ForkGuardedTest, WhatAThreadOfTheParentWasWritingIsNewInTheChild) {
  ProcessMark mark;
  ForkGuarded<std::string> guarded(mark);
  *guarded.Write() = "whole";
  EXPECT_EQ(WhileHeld(guarded, true,
                      [&] {
                        {
                          const auto access = guarded.Write();
                          if (!access.lost() || !access->empty()) return 1;
                          *access = "child";
                        }
                        const auto again = guarded.Read();
                        return again.lost() || *again != "child" ? 2 : 0;
                      }),
            0);
  EXPECT_EQ(*guarded.Read(), "whole half");
}

// ThreadSanitizer does not support threads in a child of a process with threads.
#ifndef __SANITIZE_THREAD__
TEST(ForkGuardedTest, ChildrenOfABusyProcessNeverHang) {
  ProcessMark mark;
  ForkGuarded<int64_t> guarded(mark);
  std::atomic<bool> done = false;
  std::atomic<int> running = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      ++running;
      while (!done) *guarded.Write() += 1;
    });
  }
  // A sanitizer starts threads under a lock of its own, which a child would find locked.
  while (running < 3) std::this_thread::yield();
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(InChild([&] {
                std::thread other([&] { *guarded.Write() += 1; });
                for (int k = 0; k < 100; ++k) *guarded.Write() += 1;
                other.join();
                return 0;
              }),
              0)
        << i;
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}
#endif

}  // namespace
}  // namespace alloy::core
