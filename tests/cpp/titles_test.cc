// SPDX-License-Identifier: MIT
//
// A backend that needs shared libraries: its signature names them, its host allows them,
// and this program, which is linked with none of them, says which files they are.
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/signed_copy.h"
#include "tests/support/support.h"

namespace {

const std::vector<std::string> kFiles = {ALLOY_TEST_MAY_NEED};

support::SignedCopy Titles() {
  return {support::BackendPath("titles_cpp"), "acme.titles", "0.1.0"};
}

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

alloy::Bridge BridgeOf(std::vector<std::string> may_need) {
  return support::NewBridge(alloy::Host({.may_need = std::move(may_need)}));
}

std::string TextOf(const alloy::Batch& batch) {
  std::ostringstream text;
  text << batch;
  return text.str();
}

TEST(TitlesTest, ItsSignatureNamesWhatItNeedsAndNoPath) {
  const auto needed =
      support::NeededOf(signing::ReadFile(support::BackendPath("titles_cpp")));
  for (const std::string& file : kFiles) {
    EXPECT_NE(std::ranges::find(needed, FileName(file)), needed.end()) << file;
  }
}

TEST(TitlesTest, AHostThatAllowsNothingRefusesIt) {
  const auto copy = Titles();
  auto bridge = BridgeOf({});
  const alloy::Status status = bridge.SetImplLib(copy.path(), copy.certificate());
  EXPECT_EQ(status.code(), ALLOY_REFUSED);
  EXPECT_EQ(status.reason(), ALLOY_REASON_NEEDED) << status;
  EXPECT_NE(status.text().find("may_need"), std::string::npos) << status;
}

TEST(TitlesTest, AHostThatSaysWhichFilesRunsTheKernels) {
  const auto copy = Titles();
  auto bridge = BridgeOf(kFiles);
  const alloy::Status status = bridge.SetImplLib(copy.path(), copy.certificate());
  ASSERT_TRUE(status.ok()) << status;
  const auto batch = alloy::MakeBatch(
      {{"year", alloy::MakeArray<int32_t>({1808, 1813, {}})},
       {"title", alloy::MakeArray<std::string>(
                     {"  symphony no. 5", "\u00e9tude in e ", std::nullopt})}});
  const auto titles = bridge.Call("titles", *batch, {{"column", "title"}});
  ASSERT_TRUE(titles.ok()) << titles.status();
  EXPECT_EQ(TextOf(*titles),
            "{year: Int32[1808, 1813, null], "
            "title: Utf8[\"Symphony No. 5\", \"\u00c9tude In E\", null]}");
}

TEST(TitlesTest, AWrongColumnIsAnErrorThatNamesIt) {
  const auto copy = Titles();
  auto bridge = BridgeOf(kFiles);
  const alloy::Status status = bridge.SetImplLib(copy.path(), copy.certificate());
  ASSERT_TRUE(status.ok()) << status;
  const auto batch = alloy::MakeBatch({{"year", alloy::MakeArray<int32_t>({1808})}});
  const auto absent = bridge.Call("titles", *batch, {{"column", "title"}});
  EXPECT_EQ(absent.status().code(), ALLOY_INVALID);
  EXPECT_NE(absent.status().text().find("no column 'title'"), std::string::npos);
  const auto number = bridge.Call("titles", *batch, {{"column", "year"}});
  EXPECT_EQ(number.status().code(), ALLOY_NO_MATCH);
  EXPECT_NE(number.status().text().find("'year' is int32"), std::string::npos)
      << number.status();
}

}  // namespace
