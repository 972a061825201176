// SPDX-License-Identifier: MIT
//
// Attack 88: memory runs out somewhere in a load. Wherever that is, the bridge has failed,
// and the echo does not answer in place of the library.
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill

#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>
#include <utility>

#include "tests/attacks/attack_support.h"
#include "tests/isolated/isolated.h"

namespace {

// How many more allocations of this thread succeed; below 0: all of them.
thread_local int64_t remaining = -1;

void* Allocate(size_t size) {
  if (remaining == 0) throw std::bad_alloc();
  if (remaining > 0) --remaining;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Of the whole program, the engine included.
void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace attacks {
namespace {

class MemoryAttackTest : public AttackTest {
 protected:
  // Let allocation number 0, 1, 2, … of a load fail until one load succeeds.
  static int FailuresBefore(const std::string& library, const std::string& certificate,
                            const alloy::HostOptions& options) {
    for (int allowed = 0; allowed < 100'000; ++allowed) {
      const alloy::Host host(options);
      alloy::Bridge bridge = support::NewBridge(host);
      remaining = allowed;
      alloy_error error{};
      const alloy_code code =
          alloy_bridge_load(bridge.get(), library.c_str(), certificate.c_str(), &error);
      const bool ran_out = remaining == 0;
      remaining = -1;
      const alloy_backend* backend = nullptr;
      alloy_error after{};
      const alloy_code served = alloy_bridge_backend(bridge.get(), &backend, &after);
      if (code == ALLOY_OK) {
        EXPECT_EQ(served, ALLOY_OK);
        EXPECT_STREQ(backend->name, "acme.victim");
        if (!ran_out) return allowed;
        continue;
      }
      EXPECT_NE(served, ALLOY_OK) << "allocation " << allowed << ": " << error.text;
      EXPECT_EQ(backend, nullptr);
      if (served == ALLOY_OK) return -1;
    }
    return -1;
  }
};

TEST_F(MemoryAttackTest, Attack88ALoadThatRunsOutOfMemoryLeavesNoEcho) {
  MayRun();
  EXPECT_GT(FailuresBefore(PutVictim(), Pinned().cert.Base64(), {}), 10);
  EXPECT_GT(FailuresBefore(SamplePath("victim.so"), "", {.allow_unsigned = true}), 5);
}

// Each allocation of a call fails once, also those that start a new worker and read its answer.
// A worker whose answer was lost is no worker of the bridge any more, and ends.
// What it took of the limits of shared memory comes back.
TEST_F(MemoryAttackTest, Attack88ACallThatRunsOutOfMemoryLeavesNoWorkerBehind) {
  MayRun();
  const alloy::WorkerLimits limits{.input_bytes = int64_t{16} << 20,
                                   .output_bytes = int64_t{16} << 20};
  alloy::Bridge bridge =
      support::NewBridge(alloy::Host(alloy::HostOptions{}), {.limits = limits});
  ASSERT_TRUE(bridge.SetImplLib(PutVictim(), Pinned().cert.Base64()).ok());
  alloy_error error{};
  const alloy::Batch batch = support::SmallBatch();
  const support::CallHandle call =
      support::Bind(bridge, "answer", batch.schema(), &error);
  ASSERT_NE(call, nullptr) << error.text;
  const auto run = [&](int64_t allowed) {
    alloy::Batch input = support::SmallBatch();
    ArrowArray array = input.array(), output{};
    array.release = [](ArrowArray* one) { one->release = nullptr; };
    remaining = allowed;
    const alloy_code code = alloy_call_run(call.get(), &array, &output, 0, 0, &error);
    const bool ran_out = remaining == 0;
    remaining = -1;
    if (code == ALLOY_OK && output.release != nullptr) output.release(&output);
    return std::pair(code, ran_out);
  };
  int failures = 0;
  for (const bool is_new : {false, true}) {
    for (int allowed = 0; allowed < 10'000; ++allowed) {
      if (is_new) {
        for (const pid_t worker : isolated::Children()) ::kill(worker, SIGKILL);
        while (support::IsIsolated() && run(-1).first == ALLOY_LOST) {
        }
        for (const pid_t worker : isolated::Children()) ::kill(worker, SIGKILL);
        (void)run(-1);
      }
      const auto [code, ran_out] = run(allowed);
      failures += code == ALLOY_OK ? 0 : 1;
      const auto next = run(-1).first;
      EXPECT_TRUE(next == ALLOY_OK || next == ALLOY_LOST) << error.text;
      if (code == ALLOY_OK && !ran_out) break;
    }
    if (!support::IsIsolated()) break;  // there is no worker to start
  }
  EXPECT_EQ(run(-1).first, ALLOY_OK) << error.text;
  if (!support::IsIsolated()) return;
  EXPECT_GT(failures, 10);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (isolated::Children().size() > 1 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(isolated::Children().size(), 1U);
}

// The same through C++, which has its own strings.
TEST_F(MemoryAttackTest, Attack88TheFirstAllocationOfSetImplLib) {
  const std::string library = PutVictim(), certificate = Pinned().cert.Base64();
  alloy::Bridge bridge = support::NewBridge(alloy::Host(alloy::HostOptions{}));
  alloy::Status status;
  remaining = 0;
  try {
    status = bridge.SetImplLib(library, certificate);
  } catch (const std::bad_alloc&) {
    // The text of the error needs memory too, on the side of the host.
  }
  remaining = -1;
  EXPECT_FALSE(bridge.Functions().ok());
}

}  // namespace
}  // namespace attacks
