// SPDX-License-Identifier: MIT
#include "arrow/owned.h"

#include <gtest/gtest.h>

#include <thread>

#include "alloy/testing/raw.hpp"

namespace alloy::core {
namespace {

TEST(OwnedTest, ReleasesOnceWhenMovedOntoItself) {
  testing::ReleaseCount released = 0;
  {
    OwnedArray array = testing::Make(testing::RawFixed(1), &released);
    OwnedArray& alias = array;
    array = std::move(alias);
    EXPECT_EQ(released, 0);
    EXPECT_TRUE(array);
  }
  EXPECT_EQ(released, 1);
}

TEST(OwnedTest, MarksTheSourceAsReleased) {
  testing::ReleaseCount released = 0;
  ArrowArray source = testing::Make(testing::RawFixed(1), &released).Detach();
  {
    OwnedArray array(&source);
    EXPECT_EQ(source.release, nullptr);
    EXPECT_EQ(array->length, 1);
  }
  EXPECT_EQ(released, 1);
}

TEST(OwnedTest, ReleasesWhatItHeldWhenAnotherIsMovedIn) {
  testing::ReleaseCount first = 0, second = 0;
  OwnedArray a = testing::Make(testing::RawFixed(1), &first);
  OwnedArray b = testing::Make(testing::RawFixed(2), &second);
  a = std::move(b);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
  EXPECT_EQ(a->length, 2);
  a.Release();
  a.Release();
  EXPECT_EQ(second, 1);
}

TEST(OwnedTest, GivesUpWhatIsDetachedOrMovedOut) {
  testing::ReleaseCount released = 0;
  ArrowArray target;
  {
    OwnedArray array = testing::Make(testing::RawFixed(3), &released);
    array.MoveTo(&target);
    EXPECT_FALSE(array);
  }
  EXPECT_EQ(released, 0);
  EXPECT_EQ(target.length, 3);
  target.release(&target);
  EXPECT_EQ(released, 1);
}

TEST(OwnedTest, IsEmptyOnNullAndByDefault) {
  EXPECT_FALSE(OwnedSchema());
  EXPECT_FALSE(OwnedSchema(nullptr));
}

TEST(OwnedTest, ReleasesOnceWhenTheCallbackDoesNotClearItself) {
  static int calls = 0;
  calls = 0;
  {
    ArrowArray careless{};
    careless.release = [](ArrowArray*) { ++calls; };
    OwnedArray array(&careless);
    array.Release();
  }
  EXPECT_EQ(calls, 1);
}

TEST(OwnedTest, ReleasesOnAnotherThread) {
  testing::ReleaseCount released = 0;
  OwnedArray array =
      testing::Make(testing::RawRows(1, {testing::RawFixed(1)}), &released);
  std::thread([moved = std::move(array)]() mutable { moved.Release(); }).join();
  EXPECT_EQ(released, 2);
}

}  // namespace
}  // namespace alloy::core
