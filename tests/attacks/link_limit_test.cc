// SPDX-License-Identifier: MIT
//
// Attack 73: a linker that does not end. The limit of a load is a minute; here it is
// given, which only the module itself can do.
#include <gtest/gtest.h>
#include <sys/stat.h>

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

}  // namespace
}  // namespace alloy::core
