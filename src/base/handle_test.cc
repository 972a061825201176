// SPDX-License-Identifier: MIT
#include "base/handle.h"

#include <gtest/gtest.h>

#include <vector>

namespace alloy::core {
namespace {

struct Recorder {
  using type = std::pair<std::vector<int>*, int>;
  static constexpr type kNone{nullptr, 0};
  static void Close(type value) { value.first->push_back(value.second); }
};
using RecordedHandle = Handle<Recorder>;

TEST(HandleTest, ClosesOnceWhenMovedOntoItself) {
  std::vector<int> closed;
  {
    RecordedHandle handle({&closed, 1});
    RecordedHandle& alias = handle;
    handle = std::move(alias);
    EXPECT_TRUE(closed.empty());
    EXPECT_EQ(handle.get().second, 1);
  }
  EXPECT_EQ(closed, std::vector<int>{1});
}

TEST(HandleTest, ClosesWhatItHeldWhenAnotherIsMovedIn) {
  std::vector<int> closed;
  RecordedHandle a({&closed, 1}), b({&closed, 2});
  a = std::move(b);
  EXPECT_EQ(closed, std::vector<int>{1});
  a.Close();
  a.Close();
  EXPECT_EQ(closed, (std::vector<int>{1, 2}));
}

TEST(HandleTest, DetachGivesTheHandleUp) {
  std::vector<int> closed;
  {
    RecordedHandle handle({&closed, 3});
    EXPECT_EQ(handle.Detach().second, 3);
    EXPECT_FALSE(handle);
  }
  EXPECT_TRUE(closed.empty());
}

}  // namespace
}  // namespace alloy::core
