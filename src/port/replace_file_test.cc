// SPDX-License-Identifier: MIT
#include "port/replace_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace alloy::core {
namespace {

namespace fs = std::filesystem;

class ReplaceFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("alloy_replace_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static int Put(const fs::path& path, const std::string& text) {
    return ReplaceFile(path, std::as_bytes(std::span(text)), true);
  }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t Files() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(ReplaceFileTest, PutsAFileThereAndAnotherInItsPlace) {
  EXPECT_EQ(Put(folder_ / "x", "one"), 0);
  EXPECT_EQ(Read(folder_ / "x"), "one");
  EXPECT_EQ(Put(folder_ / "x", "two"), 0);
  EXPECT_EQ(Read(folder_ / "x"), "two");
  EXPECT_NE(fs::status(folder_ / "x").permissions() & fs::perms::owner_exec,
            fs::perms::none);
  EXPECT_EQ(Files(), 1u);
}

TEST_F(ReplaceFileTest, LeavesNothingBehindWhenItFails) {
  fs::create_directories(folder_ / "folder" / "full");
  EXPECT_NE(Put(folder_ / "folder", "text"), 0);
  EXPECT_EQ(Put(folder_ / "missing" / "x", "text"), ENOENT);
  EXPECT_EQ(Files(), 1u);
}

TEST_F(ReplaceFileTest, ReplacesALinkAndNotWhatItLeadsTo) {
  ASSERT_EQ(Put(folder_ / "target", "kept"), 0);
  fs::create_symlink(folder_ / "target", folder_ / "link");
  EXPECT_EQ(Put(folder_ / "link", "new"), 0);
  EXPECT_EQ(Read(folder_ / "target"), "kept");
  EXPECT_EQ(Read(folder_ / "link"), "new");
}

}  // namespace
}  // namespace alloy::core
