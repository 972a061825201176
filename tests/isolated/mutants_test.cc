// SPDX-License-Identifier: MIT
//
// Damaged libraries in workers: bits of their code are flipped, and numbers of their tables
// changed. Unsigned libraries are allowed, so nothing but the check of the file stands before
// the loader. Whatever such a library does when it is loaded, bound, run and unloaded, the host
// lives, gets a typed error or a result that it can read, and keeps nothing.
//
// The suite runs a short version. The full one:
//   ALLOY_MUTANTS=600 build/tests/isolated_mutants_test
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "admit/elf_mutator.h"
#include "tests/isolated/isolated.h"

namespace {

using alloy::core::ElfMutator;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using Image = std::vector<std::byte>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint32_t kSetupMs = 3000;  // a worker starts slowly
#else
constexpr uint32_t kSetupMs = 400;
#endif

Image ReadImage(const std::string& name) {
  std::ifstream file(support::BackendPath(name), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* const bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

// What came of the mutants.
struct Count {
  int refused = 0, lost = 0, failed = 0, survived = 0;
};

// How long a mutant may take. Without them it has no deadline.
struct Times {
  std::chrono::nanoseconds deadline{};
  uint32_t setup_ms = 0;
};

class IsolatedMutants : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("alloy_mutants_" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Loads the library at `path`, and does with it what a host does. Returns the worst code.
  static alloy_code Use(const std::string& path, Times times) {
    alloy::Bridge bridge(support::TestHost(),
                         isolated::Options({.output_bytes = int64_t{64} << 20,
                                            .heap_bytes = int64_t{256} << 20,
                                            .grace_ns = 20'000'000,
                                            .setup_ms = times.setup_ms}));
    const auto loaded = bridge.SetImplLib(path);
    ExpectTyped(loaded);
    if (!loaded.ok()) return loaded.code();
    alloy_code worst = ALLOY_OK;
    const auto note = [&worst](const alloy::Status& status) {
      ExpectTyped(status);
      // A stream function is called too, and a function of two inputs gets one.
      const bool is_ours = status.code() == ALLOY_INVALID;
      if (!status.ok() && !is_ours && worst != ALLOY_LOST) worst = status.code();
    };
    const auto functions = bridge.Functions();
    note(functions.status());
    for (size_t i = 0; functions.ok() && i < std::min<size_t>(functions->size(), 4);
         ++i) {
      const std::string& name = (*functions)[i].name;
      for (int turn = 0; turn < 2; ++turn) {
        const auto result = bridge.Call(name, isolated::Input(WAY_WELL, 1000), {},
                                        {.timeout = times.deadline});
        note(result.status());
        if (result.ok()) Read(*result);
      }
      std::vector<alloy::Batch> batches;
      batches.reserve(2);
      for (int batch = 0; batch < 2; ++batch) {
        batches.push_back(isolated::Input(WAY_WELL, 1000));
      }
      auto stream = bridge.Stream(name, alloy::Stream::Of(std::move(batches)), {},
                                  {.timeout = times.deadline});
      note(stream.status());
      for (int batch = 0; stream.ok() && batch < 4; ++batch) {
        const auto next = stream->Next();
        note(next.status());
        if (!next.ok() || !next->has_value()) break;
        Read(**next);
      }
    }
    return worst;
  }

  static void ExpectTyped(const alloy::Status& status) {
    EXPECT_GE(status.code(), ALLOY_OK) << status;
    EXPECT_LE(status.code(), ALLOY_INTERNAL) << status;
    EXPECT_EQ(status.ok(), status.text().empty());
  }

  // A mutant may choose the values, but each of them is there.
  static void Read(const alloy::Batch& batch) {
    const auto x = batch.column<int64_t>("x");
    int64_t sum = 0;
    for (int64_t row = 0; x.ok() && row < batch.rows(); ++row) {
      sum ^= x->Get(row).value_or(0);
    }
    sum_ = sum;
  }

  std::string Put(const Image& image, int number) const {
    const std::string path = folder_ / ("mutant_" + std::to_string(number) + ".so");
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(image.data()),
               static_cast<std::streamsize>(image.size()));
    return path;
  }

  std::filesystem::path folder_;
  static inline volatile int64_t sum_ = 0;
};

TEST_F(IsolatedMutants, OfALibraryLeaveTheHostAlive) {
  const char* const text = std::getenv("ALLOY_MUTANTS");  // NOLINT(concurrency-mt-unsafe)
  const int mutants = text != nullptr ? std::atoi(text) : 90;
  // One in C, whose code is small, and one in C++.
  const Image images[] = {ReadImage("tests/crash"), ReadImage("tests/streams")};
  // An honest backend works next to them, and what it has delivered stays.
  alloy::Bridge honest =
      support::Load("tests/crash", support::TestHost(), isolated::Options());
  const auto kept = honest.Call("act", isolated::Input(WAY_WELL, 5000));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(Use(support::BackendPath("tests/streams"), {}), ALLOY_OK) << "undamaged";
  const isolated::Held before = isolated::Held::Now();
  Count count;
  for (int i = 0; i < mutants; ++i) {
    SCOPED_TRACE("mutant " + std::to_string(i));
    ElfMutator mutator(static_cast<uint64_t>(i));
    Image image = images[i % 2];
    switch (i / 2 % 4) {
      case 0:
        mutator.FlipBits(&image, 1, true);
        break;
      case 1:
        mutator.FlipBits(&image, 1 + static_cast<int>(mutator.Number(200)), true);
        break;
      case 2:
        mutator.SetNumbers(&image);
        break;
      default:
        mutator.FlipBits(&image, 1 + static_cast<int>(mutator.Number(4)), false);
        break;
    }
    const std::string path = Put(image, i);
    const auto begin = std::chrono::steady_clock::now();
    const alloy_code code = Use(path, {.deadline = 100ms, .setup_ms = kSetupMs});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60 * kSetupMs * 1ms + 1min);
    std::filesystem::remove(path);
    switch (code) {
      case ALLOY_OK:
        ++count.survived;
        break;
      case ALLOY_REFUSED:
        ++count.refused;
        break;
      case ALLOY_LOST:
        ++count.lost;
        break;
      default:
        ++count.failed;
    }
    isolated::ExpectDoubled(*kept);
    const auto next = honest.Call("act", isolated::Input(WAY_WELL));
    ASSERT_TRUE(next.ok()) << next.status();
    isolated::ExpectDoubled(*next);
    if (HasFailure()) break;
  }
  std::printf("%d mutants: %d refused, %d LOST, %d other errors, %d worked\n", mutants,
              count.refused, count.lost, count.failed, count.survived);
  // Each of the ways was met.
  EXPECT_GT(count.refused, mutants / 50);
  EXPECT_GT(count.lost, mutants / 10);
  EXPECT_GT(count.survived, mutants / 50);
  isolated::ExpectSoonHeld(before, [] {});
}

}  // namespace
