// SPDX-License-Identifier: MIT
//
// Data in the pool of a bridge crosses to a worker without a copy: both processes see the
// same physical pages.
#include "alloy/pool.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <span>

#include "alloy/testing/raw.hpp"
#include "tests/isolated/page_of.h"
#include "tests/support/support.h"

namespace {

using alloy::OwnedArray;
using alloy::OwnedSchema;
using alloy::testing::BatchOf;
using alloy::testing::Make;
using alloy::testing::RawArray;
using alloy::testing::RawRows;
using isolated::Find;
using isolated::PageOf;

// A bridge with the backend `pages`, and its function bound to one int64 column.
class PoolTest : public testing::Test {
 protected:
  static alloy::Bridge Isolated(int64_t input_bytes = 0) {
    return alloy::Bridge(
        alloy::Host({.allow_unsigned = true}),
        {.isolated = alloy::Isolation::kWorkers, .limits = {.input_bytes = input_bytes}});
  }

  // What the function says about `values`, which the caller owns.
  struct Answer {
    PageOf page;
    int64_t sum = 0;
  };
  static Answer Call(alloy::Bridge& bridge, std::span<const int64_t> values) {
    const auto keep_schema = [](ArrowSchema* schema) { schema->release = nullptr; };
    const auto keep_array = [](ArrowArray* array) { array->release = nullptr; };
    ArrowSchema column{}, schema{};
    column.format = "l";
    column.name = "x";
    column.release = keep_schema;
    ArrowSchema* columns[] = {&column};
    schema.format = "+s";
    schema.name = "";
    schema.n_children = 1;
    schema.children = columns;
    schema.release = keep_schema;
    alloy_error error{};
    alloy_call* call = nullptr;
    EXPECT_EQ(alloy_call_bind(bridge.get(), "pages", &schema, 1, nullptr, &call, &error),
              ALLOY_OK)
        << error.text;
    const void* buffers[] = {nullptr, values.data()};
    const void* none[] = {nullptr};
    ArrowArray child{}, batch{}, output{};
    child.length = batch.length = static_cast<int64_t>(values.size());
    child.n_buffers = 2;
    child.buffers = buffers;
    child.release = keep_array;
    ArrowArray* children[] = {&child};
    batch.n_buffers = 1;
    batch.buffers = none;
    batch.n_children = 1;
    batch.children = children;
    batch.release = keep_array;
    EXPECT_EQ(alloy_call_run(call, &batch, &output, 0, 0, &error), ALLOY_OK)
        << error.text;
    EXPECT_EQ(batch.release, nullptr);
    Answer answer;
    if (output.release != nullptr) {
      const auto value = [&](int64_t i) {
        const ArrowArray& array = *output.children[i];
        return static_cast<const int64_t*>(array.buffers[1])[array.offset];
      };
      answer = {{value(0), value(1)}, value(2)};
      output.release(&output);
    }
    alloy_call_free(call);
    return answer;
  }

  static std::span<int64_t> Numbers(alloy::Pool& pool, size_t n) {
    auto* const memory = static_cast<int64_t*>(
        pool.Resize(nullptr, 0, static_cast<int64_t>(n * sizeof(int64_t))));
    std::iota(memory, memory + n, 1);
    return {memory, n};
  }
  static void Free(alloy::Pool& pool, std::span<int64_t> numbers) {
    pool.Resize(numbers.data(), static_cast<int64_t>(numbers.size_bytes()), 0);
  }
};

TEST_F(PoolTest, ItsMemoryIsTheSamePagesInTheWorker) {
  alloy::Bridge bridge = Isolated();
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/pages"), "").ok());
  alloy::Pool pool(bridge);
  for (const size_t n : {1U, 1000U, 1U << 20, 1U << 22}) {
    const std::span<int64_t> numbers = Numbers(pool, n);
    const Answer answer = Call(bridge, numbers);
    EXPECT_EQ(answer.page, Find(numbers.data())) << n;
    EXPECT_NE(answer.page.inode, 0);
    EXPECT_EQ(answer.sum, static_cast<int64_t>(n * (n + 1) / 2));
    Free(pool, numbers);
  }
}

// A slice is named where it is.
TEST_F(PoolTest, APartOfItsMemoryIsNotCopiedEither) {
  alloy::Bridge bridge = Isolated();
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/pages"), "").ok());
  alloy::Pool pool(bridge);
  const std::span<int64_t> numbers = Numbers(pool, 4096);
  const std::span<int64_t> part = numbers.subspan(100, 50);
  EXPECT_EQ(Call(bridge, part).page, Find(part.data()));
  Free(pool, numbers);
}

// A result may be its input. Then the host's memory stays in use as long as the result.
TEST_F(PoolTest, AResultThatIsItsInputIsTheSameMemory) {
  alloy::Bridge bridge = Isolated();
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/identity"), "").ok());
  alloy::Pool pool(bridge);
  const std::span<int64_t> numbers = Numbers(pool, 1000);
  const OwnedSchema schema =
      Make(BatchOf({{.format = "l", .name = "x"}, {.format = "l", .name = "y"}}));
  alloy_call* call = nullptr;
  ASSERT_EQ(
      alloy_call_bind(bridge.get(), "identity", schema.get(), 1, nullptr, &call, nullptr),
      ALLOY_OK);
  const auto run = [&](alloy::testing::ReleaseCount* released, ArrowArray* output) {
    const RawArray first{.length = 500, .buffers = {nullptr, numbers.data()}};
    const RawArray second{.length = 500, .buffers = {nullptr, numbers.data() + 500}};
    OwnedArray input = Make(RawRows(500, {first, second}), released);
    alloy_error error{};
    ASSERT_EQ(alloy_call_run(call, input.get(), output, 0, 0, &error), ALLOY_OK)
        << error.text;
    EXPECT_EQ(output->children[0]->buffers[1], numbers.data());
    EXPECT_EQ(output->children[1]->buffers[1], numbers.data() + 500);
  };
  alloy::testing::ReleaseCount first = 0, others = 0;
  ArrowArray result{}, next{};
  run(&first, &result);
  run(&others, &next);
  next.release(&next);
  EXPECT_EQ(first, 0) << "the first result is not released";
  result.release(&result);
  // The worker hears of it with the next call, and the host of its answer with that.
  for (int i = 0; i < 2; ++i) {
    run(&others, &next);
    next.release(&next);
  }
  EXPECT_EQ(first, 3) << "a batch and its columns";
  alloy_call_free(call);
  Free(pool, numbers);
}

TEST_F(PoolTest, OtherMemoryIsCopied) {
  alloy::Bridge bridge = Isolated();
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/pages"), "").ok());
  const std::vector<int64_t> numbers(1000, 3);
  const Answer answer = Call(bridge, numbers);
  EXPECT_NE(answer.page.inode, 0);
  EXPECT_NE(answer.page, Find(numbers.data()));
  EXPECT_EQ(answer.sum, 3000);
}

// What finds no room is plain memory, and crosses too.
TEST_F(PoolTest, WithoutRoomItGivesOtherMemory) {
  alloy::Bridge bridge = Isolated(int64_t{16} << 20);
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/pages"), "").ok());
  alloy::Pool pool(bridge);
  const std::span<int64_t> large = Numbers(pool, size_t{4} << 20);  // 32 MiB
  EXPECT_EQ(Find(large.data()).inode, 0);
  const Answer answer = Call(bridge, large.first(1000));
  EXPECT_EQ(answer.sum, 500500);
  Free(pool, large);
}

// It keeps values through a resize in both directions.
TEST_F(PoolTest, ResizesItsMemory) {
  alloy::Bridge bridge = Isolated();
  alloy::Pool pool(bridge);
  auto* memory = static_cast<char*>(pool.Resize(nullptr, 0, 100));
  std::memset(memory, 7, 100);
  memory = static_cast<char*>(pool.Resize(memory, 100, 5'000'000));
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0U);
  EXPECT_EQ(memory[99], 7);
  memory = static_cast<char*>(pool.Resize(memory, 5'000'000, 10));
  EXPECT_EQ(memory[9], 7);
  EXPECT_EQ(pool.Resize(memory, 10, 0), nullptr);
}

TEST_F(PoolTest, InProcessItIsPlainMemory) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}));
  ASSERT_TRUE(bridge.SetImplLib(support::BackendPath("tests/pages"), "").ok());
  alloy::Pool pool(bridge);
  const std::span<int64_t> numbers = Numbers(pool, 1000);
  EXPECT_EQ(Call(bridge, numbers).sum, 500500);
  Free(pool, numbers);
}

}  // namespace
