// SPDX-License-Identifier: MIT
//
// Spoilt images by the thousand: the look may refuse them or not, but it must stay inside
// of them, which the sanitizer presets watch.
#include <gtest/gtest.h>

#include <random>

#include "admit/elf_samples.h"

namespace alloy::core {
namespace {

// A copy of exactly its size, so that one byte too far is caught.
bool LooksFine(const std::vector<std::byte>& image, size_t size) {
  const std::vector<std::byte> exact(image.begin(),
                                     image.begin() + static_cast<long>(size));
  return CheckElf(exact).ok();
}

TEST(ElfMutationTest, ATruncatedLibraryIsNeverReadBeyondItsEnd) {
  const auto image = ReadSample("good.so");
  ASSERT_TRUE(LooksFine(image, image.size()));
  const size_t header = FindSegment(image, 1, 2);  // data, the last segment of the file
  const size_t loaded =
      Peek<uint64_t>(image, header + 8) + Peek<uint64_t>(image, header + 32);
  for (size_t size = 0; size < image.size(); size += size < 4096 ? 1 : 61) {
    // Section headers and symbols for debuggers follow what is loaded: nobody needs
    // those.
    EXPECT_EQ(LooksFine(image, size), size >= loaded) << size;
  }
}

TEST(ElfMutationTest, ThousandsOfMutantsAreLookedThroughWithoutACrash) {
  const auto good = ReadSample("good.so");
  std::mt19937_64 random(20220917);
  // What decides lies in the headers and in the dynamic section: half of the hits go
  // there.
  const size_t dynamic = FindDynamic(good, 5) & ~size_t{255};
  int refused = 0;
  constexpr int kMutants = 20000;
  for (int i = 0; i < kMutants; ++i) {
    auto image = good;
    const int hits = 1 + static_cast<int>(random() % 4);
    for (int hit = 0; hit < hits; ++hit) {
      const size_t place = random() % 4 == 0   ? dynamic + random() % 512
                           : random() % 2 == 0 ? random() % 1024
                                               : random() % image.size();
      if (place < image.size()) image[place] = static_cast<std::byte>(random());
    }
    refused += CheckElf(image).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, kMutants / 10);
  EXPECT_LT(refused, kMutants);
}

}  // namespace
}  // namespace alloy::core
