// SPDX-License-Identifier: MIT
//
// Spoilt images by the thousand: the look may refuse them or not, but it must stay inside
// of them, which the sanitizer presets watch.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

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
  ElfMutator mutator(20220917);
  int refused = 0;
  constexpr int kMutants = 20000;
  for (int i = 0; i < kMutants; ++i) {
    auto image = good;
    mutator.SetBytes(&image);
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
  ElfMutator mutator(20261130);
  int tried = 0;
  for (const char* sample : {"quiet.so", "quiet_sysv.so", "quiet_relr.so"}) {
    const auto good = ReadSample(sample);
    ASSERT_TRUE(CheckElf(good).ok()) << CheckElf(good).status().fault().text;
    ASSERT_TRUE(SurvivesLoading(good));
    for (int i = 0; i < kMutants / 3; ++i) {
      auto image = good;
      mutator.SetNumbers(&image);
      if (!CheckElf(image).ok()) continue;
      ++tried;
      ASSERT_TRUE(SurvivesLoading(image)) << sample << ", mutant " << i;
    }
  }
  EXPECT_GT(tried, kMutants / 20);
}

}  // namespace
}  // namespace alloy::core
