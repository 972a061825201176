// SPDX-License-Identifier: MIT
#include "alloy/block.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "alloy/testing/raw.hpp"
#include "arrow/owned.h"

namespace alloy::core {
namespace {

using Owner = std::shared_ptr<int>;  // use_count shows whether it was destroyed

const int64_t kValues[] = {1, 2, 3};

// A batch of two int64 columns, the second with a dictionary.
OwnedArray MakeTree(Owner owner) {
  auto block = Block<Owner>::Make(4, 7, std::move(owner));
  ArrowArray root;
  block.Init(&root, {.length = 3, .n_buffers = 1, .n_children = 2});
  block.Init(root.children[0], {.length = 3, .n_buffers = 2});
  block.Init(root.children[1], {.length = 3, .n_buffers = 2, .dictionary = true});
  block.Init(root.children[1]->dictionary, {.length = 1, .n_buffers = 2});
  for (ArrowArray* node :
       {root.children[0], root.children[1], root.children[1]->dictionary}) {
    node->buffers[1] = kValues;
  }
  block.Finish();
  return OwnedArray(&root);
}

TEST(BlockTest, BuildsTheTreeThatWasAskedFor) {
  OwnedArray tree = MakeTree(nullptr);
  EXPECT_EQ(tree->buffers[0], nullptr);
  EXPECT_EQ(tree->children[0]->buffers[0], nullptr);
  EXPECT_EQ(tree->children[1]->dictionary->buffers[1], kValues);
  EXPECT_EQ(tree->children[0]->children, nullptr);
  EXPECT_EQ(tree->children[0]->dictionary, nullptr);
  EXPECT_EQ(tree->children[0]->length, 3);
}

TEST(BlockTest, DestroysItsOwnerWithTheLastNodeInAnyOrder) {
  for (int order = 0; order < 24; ++order) {
    Owner owner = std::make_shared<int>(1);
    std::vector<OwnedArray> parts;
    parts.push_back(MakeTree(owner));
    parts.emplace_back(parts[0]->children[0]);
    parts.emplace_back(parts[0]->children[1]);
    parts.emplace_back(parts[2]->dictionary);
    int rest = order;
    for (int left = 4; left > 0; --left) {
      EXPECT_EQ(owner.use_count(), 2);
      const int next = rest % left;
      rest /= left;
      parts.erase(parts.begin() + next);
    }
    EXPECT_EQ(owner.use_count(), 1);
  }
}

TEST(BlockTest, DestroysItsOwnerAtOnceWhenNothingWasMovedOut) {
  Owner owner = std::make_shared<int>(1);
  ArrowArray tree = MakeTree(owner).Detach();
  tree.release(&tree);
  EXPECT_EQ(tree.release, nullptr);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockTest, KeepsAMovedChildAliveWithItsDictionary) {
  Owner owner = std::make_shared<int>(1);
  OwnedArray tree = MakeTree(owner);
  OwnedArray column(tree->children[1]);
  tree.Release();
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(column->dictionary->buffers[1], kValues);
  column.Release();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockTest, ReleasesAChildInPlaceBeforeItsParent) {
  Owner owner = std::make_shared<int>(1);
  OwnedArray tree = MakeTree(owner);
  tree->children[0]->release(tree->children[0]);
  EXPECT_EQ(tree->children[0]->release, nullptr);
  EXPECT_EQ(owner.use_count(), 2);
  tree.Release();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockTest, GivesUpABlockThatWasNotFinished) {
  Owner owner = std::make_shared<int>(1);
  {
    auto block = Block<Owner>::Make(2, 3, Owner(owner));
    ASSERT_TRUE(block);
    ArrowArray root;
    block.Init(&root, {.length = 1, .n_buffers = 1, .n_children = 1});
    EXPECT_EQ(owner.use_count(), 2);
    auto moved = std::move(block);
    EXPECT_EQ(moved.owner(), owner);
  }
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockTest, ReleasesWhatItAdoptedWithItsParent) {
  testing::ReleaseCount released = 0;
  Owner owner = std::make_shared<int>(1);
  auto block = Block<Owner>::Make(2, 1, Owner(owner));
  ArrowArray root;
  block.Init(&root, {.length = 1, .n_buffers = 1, .n_children = 1});
  ArrowArray foreign = testing::Make(testing::RawFixed(1), &released).Detach();
  Block<Owner>::Adopt(root.children[0], &foreign);
  EXPECT_EQ(foreign.release, nullptr);
  block.Finish();
  root.release(&root);
  EXPECT_EQ(released, 1);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(BlockTest, LeavesToAMoverWhatItAdopted) {
  testing::ReleaseCount released = 0;
  auto block = Block<Owner>::Make(2, 1, nullptr);
  ArrowArray root;
  block.Init(&root, {.length = 1, .n_buffers = 1, .n_children = 1});
  ArrowArray foreign = testing::Make(testing::RawFixed(1), &released).Detach();
  Block<Owner>::Adopt(root.children[0], &foreign);
  block.Finish();
  OwnedArray moved(root.children[0]);
  root.release(&root);
  EXPECT_EQ(released, 0);
  moved.Release();
  EXPECT_EQ(released, 1);
}

TEST(BlockTest, LeavesToTheOwnerWhatTheOwnerHolds) {
  testing::ReleaseCount released = 0;
  OwnedArray original =
      testing::Make(testing::RawRows(1, {testing::RawFixed(1)}), &released);
  auto block = Block<OwnedArray>::Make(2, 1, std::move(original));
  ArrowArray root;
  block.Init(&root, {.length = 1, .n_buffers = 1, .n_children = 1});
  root.children[0] = block.owner()->children[0];
  block.Finish();
  root.release(&root);
  EXPECT_EQ(released, 2);
}

TEST(BlockTest, DestroysItsOwnerOnceWhenTwoThreadsLetGo) {
  for (int round = 0; round < 2000; ++round) {
    Owner owner = std::make_shared<int>(1);
    OwnedArray tree = MakeTree(owner);
    OwnedArray column(tree->children[1]);
    std::thread other([moved = std::move(column)]() mutable { moved.Release(); });
    tree.Release();
    other.join();
    ASSERT_EQ(owner.use_count(), 1);
  }
}

}  // namespace
}  // namespace alloy::core
