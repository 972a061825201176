// SPDX-License-Identifier: MIT
//
// Spoilt images by the thousand: the look may refuse them or not, but it must stay inside
// of them, which the sanitizer presets watch.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>
#include <random>

#include "admit/elf_samples.h"
#include "port/fd.h"

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

// What the loader does with an image, in a process of its own: whether it took or refused
// it, and did not die.
::testing::AssertionResult SurvivesLoading(const std::vector<std::byte>& image) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // a loader that does not end
    Fd memory;
    if (CreateSealable("mutant", static_cast<int64_t>(image.size()), &memory) != 0 ||
        WriteFully(memory, image) != 0) {
      ::_exit(1);
    }
    const std::string path = "/proc/self/fd/" + std::to_string(memory.get());
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
      ::dlsym(library, "alloy_backend_init");
      ::dlsym(library, "no_such_symbol");
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "the loader ended by status " << status;
}

// The library has no code that runs while it is loaded, so only the loader can die.
TEST(ElfMutationTest, WhatIsLetThroughDoesNotKillTheLoader) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kMutants = 300;
#else
  constexpr int kMutants = 3000;
#endif
  constexpr uint64_t kOdd[] = {0,
                               1,
                               2,
                               3,
                               7,
                               8,
                               24,
                               0xff,
                               0x1000,
                               0x7fff,
                               0xffff,
                               0x10000,
                               0x7fffffff,
                               0xffffffff,
                               uint64_t{1} << 32U,
                               uint64_t{1} << 46U,
                               uint64_t{1} << 63U,
                               UINT64_MAX};
  std::mt19937_64 random(20261130);
  int tried = 0;
  for (const char* sample : {"quiet.so", "quiet_sysv.so", "quiet_relr.so"}) {
    const auto good = ReadSample(sample);
    ASSERT_TRUE(CheckElf(good).ok()) << CheckElf(good).status().fault().text;
    ASSERT_TRUE(SurvivesLoading(good));
    // Headers and tables: all that precedes the code, and the writable segment.
    const size_t code = FindSegment(good, 1, 1), data = FindSegment(good, 1, 2);
    const auto tables = Peek<uint64_t>(good, code + 8);
    const auto data_at = Peek<uint64_t>(good, data + 8);
    const auto data_size = Peek<uint64_t>(good, data + 32);
    for (int i = 0; i < kMutants / 3; ++i) {
      auto image = good;
      const int hits = 1 + static_cast<int>(random() % 3);
      for (int hit = 0; hit < hits; ++hit) {
        const size_t place = random() % 3 == 0   ? data_at + random() % data_size
                             : random() % 3 == 0 ? random() % 1024
                                                 : random() % tables;
        const unsigned width = 1U << random() % 4;
        const size_t at = place / width * width;
        if (at + 8 > image.size()) continue;
        uint64_t value = random() % 2 == 0 ? kOdd[random() % std::size(kOdd)] : random();
        if (random() % 4 == 0) value = Peek<uint64_t>(image, at) + random() % 64 - 32;
        std::memcpy(image.data() + at, &value, width);
      }
      if (!CheckElf(image).ok()) continue;
      ++tried;
      ASSERT_TRUE(SurvivesLoading(image)) << sample << ", mutant " << i;
    }
  }
  EXPECT_GT(tried, kMutants / 20);
}

}  // namespace
}  // namespace alloy::core
