// SPDX-License-Identifier: MIT
//
// Attack 88: memory runs out somewhere in a load. Wherever that is, the bridge has failed,
// and the echo does not answer in place of the library.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/attacks/attack_support.h"

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
