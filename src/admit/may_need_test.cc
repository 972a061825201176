// SPDX-License-Identifier: MIT
#include "admit/may_need.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace alloy::core {
namespace {

const std::string kFile = ALLOY_ELF_SAMPLES "libneeded.so";

MayNeed Allow(std::vector<const char*> list) {
  list.push_back(nullptr);
  auto made = MayNeed::Make(list.data());
  EXPECT_TRUE(made.ok());
  return *std::move(made);
}

void ExpectNotAllowed(const Status& status, const std::string& part) {
  EXPECT_EQ(status.code(), ALLOY_REFUSED);
  EXPECT_EQ(status.reason(), ALLOY_REASON_NEEDED);
  const std::string text = status.ok() ? "it was allowed" : status.fault().text;
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(MayNeedTest, RuntimesAreAlwaysAllowed) {
  EXPECT_TRUE(
      MayNeed::Make(nullptr)->Check({"libc.so.6", "libm.so.6", "libstdc++.so.6"}).ok());
  EXPECT_TRUE(Allow({}).Check({}).ok());
}

TEST(MayNeedTest, AnythingElseIsNamedInTheRefusal) {
  ExpectNotAllowed(Allow({}).Check({"libc.so.6", "libssl.so.3"}), "libssl.so.3");
  // By the whole name.
  ExpectNotAllowed(Allow({}).Check({"libc.so.60"}), "libc.so.60");
  ExpectNotAllowed(Allow({"libssl.so.3"}).Check({"libssl.so"}), "libssl.so");
}

TEST(MayNeedTest, ASonameOfTheHostIsAllowed) {
  EXPECT_TRUE(Allow({"libssl.so.3"}).Check({"libssl.so.3", "libc.so.6"}).ok());
}

TEST(MayNeedTest, AFileOfTheHostIsLoadedAndAnswersToItsSoname) {
  const auto may_need = Allow({kFile.c_str()});
  EXPECT_TRUE(may_need.Check({"libneeded.so.1"}).ok());
  EXPECT_TRUE(may_need.Check({"libneeded.so.1"}).ok());
  ExpectNotAllowed(may_need.Check({"libneeded.so.1", "libother.so.1"}), "libother.so.1");
  // Loaded by somebody else, and not by the host's word.
  ExpectNotAllowed(Allow({}).Check({"libneeded.so.1"}), "libneeded.so.1");
}

TEST(MayNeedTest, ListsAllThatIsNotAllowed) {
  const auto may_need = Allow({"libssl.so.3", kFile.c_str()});
  std::vector<std::string> not_allowed = {"of a call before"};
  EXPECT_TRUE(may_need.Check({"libssl.so.3", "libneeded.so.1"}, &not_allowed).ok());
  EXPECT_TRUE(not_allowed.empty());
  ExpectNotAllowed(may_need.Check({"libz.so.1", "libneeded.so.1", "libc.so.6", "liba.so"},
                                  &not_allowed),
                   "libz.so.1");
  EXPECT_EQ(not_allowed, (std::vector<std::string>{"libz.so.1", "liba.so"}));
}

TEST(MayNeedTest, AFileThatCannotBeLoadedIsToldOnlyWhenItIsNeeded) {
  const auto may_need = Allow({"/no/such/library.so"});
  EXPECT_TRUE(may_need.Check({"libc.so.6"}).ok());
  ExpectNotAllowed(may_need.Check({"libneeded.so.1"}), "/no/such/library.so");
}

TEST(MayNeedTest, EntriesAreSonamesOrAbsolutePaths) {
  for (const char* entry :
       {"", "build/libx.so", "../libx.so", "$ORIGIN/libx.so", "/a/$LIB/x"}) {
    const char* list[] = {entry, nullptr};
    const auto made = MayNeed::Make(list);
    EXPECT_EQ(made.status().code(), ALLOY_INVALID) << entry;
  }
}

}  // namespace
}  // namespace alloy::core
