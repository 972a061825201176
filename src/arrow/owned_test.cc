// SPDX-License-Identifier: MIT
#include "arrow/owned.h"

#include <gtest/gtest.h>

#include <thread>

#include "arrow/fake_arrow.h"

namespace alloy::core {
namespace {

TEST(OwnedTest, ReleasesOnceWhenMovedOntoItself) {
  fake::Count released = 0;
  {
    OwnedArray array = fake::Make(fake::Fixed(1), &released);
    OwnedArray& alias = array;
    array = std::move(alias);
    EXPECT_EQ(released, 0);
    EXPECT_TRUE(array);
  }
  EXPECT_EQ(released, 1);
}

TEST(OwnedTest, MarksTheSourceAsReleased) {
  fake::Count released = 0;
  ArrowArray source = fake::Make(fake::Fixed(1), &released).Detach();
  {
    OwnedArray array(&source);
    EXPECT_EQ(source.release, nullptr);
    EXPECT_EQ(array->length, 1);
  }
  EXPECT_EQ(released, 1);
}

TEST(OwnedTest, ReleasesWhatItHeldWhenAnotherIsMovedIn) {
  fake::Count first = 0, second = 0;
  OwnedArray a = fake::Make(fake::Fixed(1), &first);
  OwnedArray b = fake::Make(fake::Fixed(2), &second);
  a = std::move(b);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
  EXPECT_EQ(a->length, 2);
  a.Release();
  a.Release();
  EXPECT_EQ(second, 1);
}

TEST(OwnedTest, GivesUpWhatIsDetachedOrMovedOut) {
  fake::Count released = 0;
  ArrowArray target;
  {
    OwnedArray array = fake::Make(fake::Fixed(3), &released);
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
  fake::Count released = 0;
  OwnedArray array = fake::Make(fake::Rows(1, {fake::Fixed(1)}), &released);
  std::thread([moved = std::move(array)]() mutable { moved.Release(); }).join();
  EXPECT_EQ(released, 2);
}

}  // namespace
}  // namespace alloy::core
