// SPDX-License-Identifier: MIT
//
// Attacks 73 and 84: a linker that does not end, or takes all memory. The limit of a load is a minute; here it is
// given, which only the module itself can do.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "admit/link.h"
#include "tests/support/signing.h"

namespace alloy::core {
namespace {

TEST(LinkAttackTest, Attack73ALinkerPastItsLimitIsEnded) {
  const auto folder = std::filesystem::path(::testing::TempDir()) /
                      ("alloy_attack_" + std::to_string(std::random_device()()));
  std::filesystem::create_directories(folder);
  const std::string slow = folder / "slow";
  signing::WriteFile(slow, "#!/bin/sh\nwhile :; do :; done\n");
  ::chmod(slow.c_str(), 0700);
  Fd archive;
  ASSERT_EQ(OpenForReading(ALLOY_TEST_BUILD "/tests/attacks/victim.a", &archive), 0);
  const auto linked =
      LinkArchive(archive, "libvictim.a", {.compilers = {slow}, .limit_ns = 200'000'000});
  std::filesystem::remove_all(folder);
  ASSERT_FALSE(linked.ok());
  EXPECT_EQ(linked.status().reason(), ALLOY_REASON_LINK_FAILED);
  EXPECT_NE(linked.status().fault().text.find("longer than 200 ms"), std::string::npos);
}

class LinkLimitTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Let this script be the compiler. Gives the text of the error.
  std::string TextOf(const std::string& script) const {
    const std::string path = folder_ / "compiler";
    signing::WriteFile(path, "#!/bin/sh\n" + script + "\n");
    ::chmod(path.c_str(), 0700);
    Fd archive;
    EXPECT_EQ(OpenForReading(ALLOY_TEST_BUILD "/tests/attacks/victim.a", &archive), 0);
    const auto linked = LinkArchive(archive, "libvictim.a", {.compilers = {path}});
    EXPECT_FALSE(linked.ok());
    return linked.ok() ? "" : linked.status().fault().text;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ("alloy_attack_" + std::to_string(std::random_device()()));
};

TEST_F(LinkLimitTest, Attack84WhatTheCompilerStartsHasLimits) {
  // Of the program, and of what it starts in turn.
  EXPECT_NE(TextOf("ulimit -d; ulimit -f; ulimit -c; exit 1").find("; 0"),
            std::string::npos);
  const std::string own = TextOf("echo d=$(ulimit -d) f=$(ulimit -f); exit 1");
  EXPECT_EQ(own.find("unlimited"), std::string::npos) << own;
  const std::string childs = TextOf("sh -c 'echo d=$(ulimit -d) f=$(ulimit -f)'; exit 1");
  EXPECT_EQ(childs.find("unlimited"), std::string::npos) << childs;
}

TEST_F(LinkLimitTest, Attack84MemoryAndFileEndAtTheLimit) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the tools of the test are the same without a sanitizer";
#endif
  const auto start = std::chrono::steady_clock::now();
  const std::string memory =
      TextOf("/usr/bin/python3 -c 'x = bytearray(3 << 30)' 2>&1 || exit 1");
  EXPECT_NE(memory.find("MemoryError"), std::string::npos) << memory;
  const std::string file =
      TextOf("head -c 3000000000 /dev/zero > /proc/self/fd/5 2>&1; exit 1");
  EXPECT_EQ(file.find("without any output; exited with 0"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

// A common symbol takes its alignment into the library, past the check of sections.
TEST_F(LinkLimitTest, Attack84AnArchiveThatGrowsIsEndedSoon) {
  const std::string source = folder_ / "grow.c", object = folder_ / "grow.o",
                    archive = folder_ / "grow.a";
  signing::WriteFile(source,
                     "char __attribute__((aligned(268435456))) pad[8];\n"
                     "const void* alloy_backend_init(const void* a, void* b);\n"
                     "const void* alloy_backend_init(const void* a, void* b) {"
                     " return a ? pad : b; }\n");
  const std::string make = "cc -fcommon -fPIC -c " + source + " -o " + object +
                           " 2>/dev/null && ar rcs " + archive + " " + object;
  ASSERT_EQ(std::system(make.c_str()), 0);
  Fd file;
  ASSERT_EQ(OpenForReading(archive, &file), 0);
  const auto start = std::chrono::steady_clock::now();
  const auto linked = LinkArchive(file, archive);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  if (linked.ok()) {
    FileFacts facts;
    ASSERT_EQ(GetFileFacts(*linked, &facts), 0);
    EXPECT_LT(facts.size, int64_t{66} << 20U);
  } else {
    EXPECT_EQ(linked.status().reason(), ALLOY_REASON_LINK_FAILED);
  }
}

}  // namespace
}  // namespace alloy::core
