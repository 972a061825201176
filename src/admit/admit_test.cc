// SPDX-License-Identifier: MIT
#include "admit/admit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <thread>
#include <type_traits>

#include "admit/admit_test_support.h"
#include "admit/elf_samples.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;

class AdmitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("alloy_admit_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::vector<std::byte>& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
    return path;
  }
  static Mapping MapSealed(const Cleared& cleared) {
    FileFacts facts;
    Mapping bytes;
    EXPECT_EQ(GetFileFacts(cleared.sealed(), &facts), 0);
    EXPECT_EQ(MapForReading(cleared.sealed(), facts.size, &bytes), 0);
    return bytes;
  }
  static void ExpectRefused(const std::string& path, int32_t reason) {
    const auto admitted = ClearUnsigned(path);
    ASSERT_FALSE(admitted.ok()) << path;
    EXPECT_EQ(admitted.status().code(), ALLOY_REFUSED);
    EXPECT_EQ(admitted.status().reason(), reason) << admitted.status().fault().text;
    EXPECT_TRUE(admitted.status().fault().text.starts_with(path + ": "));
  }

  fs::path folder_;
};

// The compiler holds the order: only the step before makes the next type.
template <typename Step>
constexpr bool kOnlyMoves =
    std::is_move_constructible_v<Step> && !std::is_copy_constructible_v<Step> &&
    !std::is_default_constructible_v<Step>;
static_assert(kOnlyMoves<Candidate> && kOnlyMoves<Sealed> && kOnlyMoves<Verified> &&
              kOnlyMoves<Cleared>);
static_assert(
    !std::is_constructible_v<Sealed, OwnedProcedure> &&
    !std::is_constructible_v<Verified, OwnedProcedure> &&
    !std::is_constructible_v<Cleared, Fd, std::string, bool, std::vector<std::string>>);

TEST_F(AdmitTest, TheSealedCopyHasTheBytesOfTheFile) {
  const auto bytes = ReadSample("good.so");
  const auto admitted = ClearUnsigned(SamplePath("good.so"));
  ASSERT_TRUE(admitted.ok()) << admitted.status().fault().text;
  const Mapping copy = MapSealed(*admitted);
  ASSERT_EQ(Bytes(copy).size(), bytes.size());
  EXPECT_TRUE(std::ranges::equal(Bytes(copy), bytes));
  EXPECT_EQ(WriteFully(admitted->sealed(), bytes), EPERM);
}

TEST_F(AdmitTest, WhatHappensToTheFileLaterDoesNotMatter) {
  const auto bytes = ReadSample("good.so");
  const std::string path = Write("lib.so", bytes);
  const auto admitted = ClearUnsigned(path);
  ASSERT_TRUE(admitted.ok());
  Write("lib.so", std::vector<std::byte>(bytes.size()));
  fs::resize_file(path, 0);
  fs::remove(path);
  const Mapping copy = MapSealed(*admitted);
  EXPECT_TRUE(std::ranges::equal(Bytes(copy), bytes));
}

TEST_F(AdmitTest, SaysWhatIsNoFileWithoutWaiting) {
  ExpectRefused(folder_ / "missing.so", ALLOY_REASON_CANNOT_OPEN);
  ExpectRefused(folder_, ALLOY_REASON_NOT_A_FILE);
  ExpectRefused("/dev/zero", ALLOY_REASON_NOT_A_FILE);
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(std::system(("mkfifo " + pipe).c_str()), 0);
  ExpectRefused(pipe, ALLOY_REASON_NOT_A_FILE);
  fs::create_symlink(folder_ / "loop", folder_ / "loop");
  ExpectRefused(folder_ / "loop", ALLOY_REASON_CANNOT_OPEN);
}

TEST_F(AdmitTest, SaysWhatIsTooSmallOrTooLarge) {
  ExpectRefused(Write("empty.so", {}), ALLOY_REASON_TOO_SMALL);
  ExpectRefused(Write("short.so", std::vector<std::byte>(63)), ALLOY_REASON_TOO_SMALL);
  ExpectRefused(Write("zeros.so", std::vector<std::byte>(64)),
                ALLOY_REASON_ELF_MALFORMED);
  const std::string sparse = Write("sparse.so", {});
  fs::resize_file(sparse, (uintmax_t{1} << 30) + 1);
  ExpectRefused(sparse, ALLOY_REASON_TOO_LARGE);
}

TEST_F(AdmitTest, RefusesAGoRuntimeUnlessTheProcessTakesOne) {
  const std::string path = Write("go.so", ReadSample("go_build_info.so"));
  const Status refused = ClearUnsigned(path).status();
  EXPECT_EQ(refused.reason(), ALLOY_REASON_GO_RUNTIME);
  EXPECT_EQ(refused.fault().text.find(path), 0U) << refused.fault().text;
  for (const char* part : {"a process has room for one Go runtime", "Isolated: true"}) {
    EXPECT_NE(refused.fault().text.find(part), std::string::npos) << part;
  }
  Admitter admitter{MayNeed()};
  const auto json = admitter.Inspect(UnsignedPolicy(path));
  ASSERT_TRUE(json.ok());
  EXPECT_NE(json->find(R"("go_runtime":true)"), std::string::npos) << *json;
  EXPECT_NE(json->find(R"("reason_name":"GO_RUNTIME")"), std::string::npos) << *json;
  Policy policy = UnsignedPolicy(path);
  policy.allows_go_runtime = true;
  const auto cleared = ClearFile(admitter, policy);
  EXPECT_TRUE(cleared.ok()) << cleared.status().fault().text;
}

TEST_F(AdmitTest, AStepThatFailedCannotBePassedByAskingAgain) {
  Admitter admitter{MayNeed()};
  auto verified =
      VerifyFile(admitter, UnsignedPolicy(Write("zeros.so", std::vector<std::byte>(64))));
  ASSERT_TRUE(verified.ok());
  for (int i = 0; i < 3; ++i) {
    // NOLINTNEXTLINE(bugprone-use-after-move): a failure leaves it usable, and refused
    EXPECT_EQ(std::move(*verified).Clear().status().reason(), ALLOY_REASON_ELF_MALFORMED);
  }
}

TEST_F(AdmitTest, AFileThatIsWrittenMeanwhileIsAdmittedAsItWasOrRefused) {
  const auto good = ReadSample("good.so");
  auto longer = good;
  longer.resize(good.size() + 3 * (size_t{1} << 20));
  const std::string path = Write("lib.so", good);
  std::atomic<bool> stop = false;
  // The writer truncates and grows the file in place; a reader may see either, or be
  // told.
  std::thread writer([&] {
    while (!stop) {
      Write("lib.so", longer);
      Write("lib.so", good);
    }
  });
  int whole = 0, refused = 0;
  for (int i = 0; i < 300; ++i) {
    const auto admitted = ClearUnsigned(path);
    if (admitted.ok()) {
      // Without a digest to hold it against, half a file may be a library too; but what
      // was admitted is what the file held, from its first byte on.
      const Mapping copy = MapSealed(*admitted);
      const auto bytes = Bytes(copy);
      EXPECT_TRUE(bytes.size() <= longer.size() &&
                  std::ranges::equal(bytes, std::span(longer).first(bytes.size())))
          << bytes.size();
      ++whole;
    } else {
      EXPECT_EQ(admitted.status().code(), ALLOY_REFUSED);
      ++refused;
    }
  }
  stop = true;
  writer.join();
  EXPECT_EQ(whole + refused, 300);
}

}  // namespace
}  // namespace alloy::core
