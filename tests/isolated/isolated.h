// SPDX-License-Identifier: MIT
//
// What the tests of the isolated mode share: a bridge with short times, the input that tells
// a backend what to do, and a count of all that a failure could leave behind.
#ifndef ALLOY_TESTS_ISOLATED_ISOLATED_H_
#define ALLOY_TESTS_ISOLATED_ISOLATED_H_

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/isolated/ways.h"
#include "tests/support/support.h"

namespace isolated {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

inline alloy::BridgeOptions Options(alloy::WorkerLimits limits = {}) {
  if (limits.grace_ns == 0) limits.grace_ns = 100'000'000;
  return {.isolated = alloy::Isolation::kWorkers, .limits = limits};
}

// A batch of `rows` values 0, 1, 2 and so on, whose first one is `way`.
inline alloy::Batch Input(int64_t way, int64_t rows = 3) {
  std::vector<int64_t> values(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) values[static_cast<size_t>(row)] = row;
  if (rows > 0) values[0] = way;
  return *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>(values)}});
}

inline void ExpectDoubled(const alloy::Batch& result) {
  const auto x = result.column<int64_t>("x");
  ASSERT_TRUE(x.ok()) << x.status();
  for (int64_t row = 1; row < result.rows(); ++row) EXPECT_EQ(*x->Get(row), 2 * row);
}

inline int64_t PidOf(const alloy::Batch& result) {
  return *result.column<int64_t>("pid")->Get(0);
}

inline alloy::BoundCall Bind(alloy::Bridge& bridge, const char* function = "act") {
  auto call = bridge.Bind(function, std::span(&Input(WAY_WELL).schema(), 1));
  EXPECT_TRUE(call.ok()) << call.status();
  return *std::move(call);
}

// The shadow memory of a sanitizer is above every limit, so its workers have none
// (port/restrict.cc), and a backend that uses up its heap would use up that of the machine.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasHeapLimit = false;
#else
inline constexpr bool kHasHeapLimit = true;
#endif

// The children of this process, zombies too.
inline std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream list(task.path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

// What this process holds of the system.
struct Held {
  size_t descriptors = 0;
  size_t memory_files = 0;  // mappings of shared memory
  size_t threads = 0;
  size_t children = 0;  // zombies too

  static Held Now() {
    Held held;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      held.descriptors += entry.path().empty() ? 0 : 1;
    }
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      held.memory_files += line.find("memfd:") != std::string::npos ? 1 : 0;
    }
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/self/task", ignored)) {
      ++held.threads;
      std::ifstream children(task.path() / "children");
      for (std::string child; children >> child;) ++held.children;
    }
    return held;
  }
  // Less is right too: an earlier test's worker may end meanwhile.
  bool IsAtMost(const Held& other) const {
    return descriptors <= other.descriptors && memory_files <= other.memory_files &&
           threads <= other.threads && children <= other.children;
  }
};

inline std::ostream& operator<<(std::ostream& out, const Held& held) {
  return out << held.descriptors << " descriptors, " << held.memory_files
             << " mappings of shared memory, " << held.threads << " threads, "
             << held.children << " children";
}

// A process ends some time after it is killed, and a bridge buries it with a later call.
template <typename Act>
void ExpectSoonHeld(const Held& before, Act&& act) {
  const auto give_up = std::chrono::steady_clock::now() + 1min;
  Held now = Held::Now();
  while (!now.IsAtMost(before) && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(2ms);
    act();
    now = Held::Now();
  }
  EXPECT_TRUE(now.IsAtMost(before)) << "now " << now << "; before " << before;
}

inline bool Contains(const alloy::Status& status, std::string_view words) {
  return status.text().find(words) != std::string_view::npos;
}

}  // namespace isolated

#endif  // ALLOY_TESTS_ISOLATED_ISOLATED_H_
