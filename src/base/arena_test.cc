// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace alloy::core {
namespace {

// Two segments are often mapped next to each other.
TEST(Arena, NoPieceReachesFromOneMemoryIntoItsNeighbour) {
  for (const bool lower_first : {true, false}) {
    alignas(64) static std::byte memory[512];
    Arena arena;
    arena.Add(memory + (lower_first ? 0 : 256), 256);
    arena.Add(memory + (lower_first ? 256 : 0), 256);
    EXPECT_EQ(arena.Allocate(257), nullptr);
    void* const one = arena.Allocate(256);
    void* const other = arena.Allocate(256);
    ASSERT_NE(one, nullptr);
    ASSERT_NE(other, nullptr);
    EXPECT_TRUE(arena.Free(one));
    EXPECT_TRUE(arena.Free(other));
    EXPECT_EQ(arena.Allocate(257), nullptr);
    EXPECT_NE(arena.Allocate(256), nullptr);
  }
}

TEST(Arena, FreedPiecesOfOneMemoryAreJoined) {
  alignas(64) static std::byte memory[256];
  Arena arena;
  arena.Add(memory, sizeof(memory));
  void* const one = arena.Allocate(128);
  void* const other = arena.Allocate(128);
  EXPECT_TRUE(arena.Free(one));
  EXPECT_TRUE(arena.Free(other));
  EXPECT_EQ(arena.Allocate(256), memory);
}

// So much memory is behind the first bytes.
class Few final : public Backing {
 public:
  explicit Few(const std::byte* end) : end_(end) {}
  Status Back(const std::byte* begin, size_t size) noexcept override {
    ++asked;
    return begin + size <= end_ ? Status() : Fail(ALLOY_EXHAUSTED, "no more");
  }
  int asked = 0;

 private:
  const std::byte* const end_;
};

TEST(Arena, APieceWithoutMemoryBehindItIsNotGivenOut) {
  alignas(64) static std::byte memory[512];
  Few few(memory + 256);
  Arena arena;
  arena.Add(memory, sizeof(memory), &few);
  void* const one = arena.Allocate(128);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(few.asked, 1);
  EXPECT_EQ(arena.Allocate(256), nullptr);
  EXPECT_EQ(few.asked, 2);
  EXPECT_TRUE(arena.HasRoomFor(256));
  EXPECT_EQ(arena.used(), 128U);
  // What did not get memory is free again, and a smaller piece has some.
  EXPECT_EQ(arena.Allocate(128), memory + 128);
  EXPECT_TRUE(arena.Free(one));
}

}  // namespace
}  // namespace alloy::core
