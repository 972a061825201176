// SPDX-License-Identifier: MIT
//
// Static archives, linked where they are loaded, and then backends as any other.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/support/support.h"

namespace {

std::string ArchivePath(std::string_view name) {
  return std::string(ALLOY_TEST_BUILD "/backends/").append(name).append(".a");
}

alloy::Bridge LoadArchive(std::string_view name,
                          const alloy::Host& host = support::TestHost()) {
  alloy::Bridge bridge = support::NewBridge(host);
  const alloy::Status status = bridge.SetImplLib(ArchivePath(name));
  EXPECT_TRUE(status.ok()) << status;
  return bridge;
}

alloy::Batch Points() {
  return *alloy::MakeBatch(
      {{"x", alloy::MakeArray<double>({3, 0})}, {"y", alloy::MakeArray<double>({4, 2})}});
}

TEST(ArchivesTest, ACppArchiveIsLinkedAndRuns) {
  auto bridge = LoadArchive("score_cpp");
  const auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2})},
                                       {"y", alloy::MakeArray<int64_t>({10, 20})}});
  const auto scores = bridge.Call("score", *batch);
  ASSERT_TRUE(scores.ok()) << scores.status();
  EXPECT_EQ(*scores->column<double>("score")->Get(1), 40);
}

TEST(ArchivesTest, TheSameArchiveInTwoBridgesIsOneLibrary) {
  const auto host = support::TestHost();
  const auto one = LoadArchive("score_cpp", host), two = LoadArchive("score_cpp", host);
  const alloy_backend *first = nullptr, *second = nullptr;
  ASSERT_EQ(alloy_bridge_backend(one.get(), &first, nullptr), ALLOY_OK);
  ASSERT_EQ(alloy_bridge_backend(two.get(), &second, nullptr), ALLOY_OK);
  // Each bridge with workers has its own description of the library.
  EXPECT_EQ(first == second, !support::IsIsolated());
  EXPECT_STREQ(first->name, second->name);
}

TEST(ArchivesTest, LinkWritesALibraryThatLoads) {
  const std::string output = ::testing::TempDir() + "/alloy_linked_score.so";
  alloy_error error{};
  ASSERT_EQ(alloy_link(ArchivePath("score_cpp").c_str(), output.c_str(), &error),
            ALLOY_OK)
      << error.text;
  alloy::Bridge bridge = support::NewBridge();
  const alloy::Status status = bridge.SetImplLib(output);
  EXPECT_TRUE(status.ok()) << status;
  std::filesystem::remove(output);
}

TEST(ArchivesTest, LinkSaysWhatItCannotDo) {
  const std::string archive = ArchivePath("score_cpp");
  alloy_error error{};
  EXPECT_EQ(alloy_link(archive.c_str(), "/no/such/folder/x.so", &error), ALLOY_INVALID);
  EXPECT_NE(std::string_view(error.text).find("/no/such/folder/x.so"),
            std::string_view::npos);
  EXPECT_EQ(alloy_link("/no/such/archive.a", "x.so", &error), ALLOY_REFUSED);
  EXPECT_EQ(error.reason, ALLOY_REASON_CANNOT_OPEN);
  EXPECT_EQ(alloy_link(support::BackendPath("echo_cpp").c_str(), "x.so", &error),
            ALLOY_INVALID);
  EXPECT_EQ(alloy_link(nullptr, "x.so", &error), ALLOY_INVALID);
  EXPECT_EQ(alloy_link(archive.c_str(), nullptr, nullptr), ALLOY_INVALID);
}

#ifdef ALLOY_TEST_RUST
TEST(ArchivesTest, TwoRustStaticlibsWorkInOneProcess) {
  const auto host = support::TestHost();
  auto distance = LoadArchive("distance_rust", host);
  auto echo = LoadArchive("echo_rust", host);
  const auto far = distance.Call("distance", Points());
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_EQ(*far->column<double>("distance")->Get(0), 5);
  std::vector<alloy::Array> arrays;
  arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3}));
  arrays.push_back(alloy::MakeArray<int32_t>({}));
  const auto count = echo.FromChunks(arrays);
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 2);
  EXPECT_TRUE(distance.Call("distance", Points()).ok());
}
#endif

}  // namespace
