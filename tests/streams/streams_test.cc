// SPDX-License-Identifier: MIT
//
// Streams in C++, host and backend: what goes through, what it costs, what goes wrong.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/support.h"

namespace {

using alloy::Batch;
using alloy::Result;
using alloy::Stream;

Batch NumberBatch(const std::vector<std::optional<int64_t>>& values) {
  return *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>(values)}});
}

Stream Numbers(const std::vector<int64_t>& values) {
  std::vector<Batch> batches;
  batches.reserve(values.size());
  for (const int64_t value : values) batches.push_back(NumberBatch({value}));
  return Stream::Of(std::move(batches));
}

// All values of the column x, until the end.
std::vector<int64_t> Drain(Stream* stream) {
  std::vector<int64_t> values;
  for (;;) {
    auto next = stream->Next();
    if (!next.ok()) {
      ADD_FAILURE() << next.status();
      return values;
    }
    if (!next->has_value()) return values;
    const auto column = (*next)->column<int64_t>("x");
    for (const auto value : *column) values.push_back(value.value_or(-1));
  }
}

alloy::Status ErrorOf(Stream* stream) {
  for (;;) {
    auto next = stream->Next();
    if (!next.ok()) return next.status();
    if (!next->has_value()) return {};
  }
}

// A stream that fails at its third batch.
Stream Failing(const alloy::Status& status) {
  return Stream::From(alloy::Schema::Copy(NumberBatch({1}).schema()),
                      [status, made = 0]() mutable -> Result<std::optional<Batch>> {
                        if (++made == 3) return status;
                        return std::optional<Batch>(NumberBatch({made}));
                      });
}

TEST(StreamsTest, AStreamFunctionReadsSeveralInputs) {
  alloy::Bridge bridge = support::Load("tests/streams");
  std::vector<Stream> inputs;
  inputs.push_back(Numbers({1, 2, 3}));
  inputs.push_back(Numbers({10, 20, 30}));
  inputs.push_back(Numbers({100, 200}));
  auto sums = bridge.Stream("zip", std::move(inputs));
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(Drain(&*sums), (std::vector<int64_t>{111, 222}));
  EXPECT_FALSE((*sums->Next()).has_value());
}

TEST(StreamsTest, AMapFunctionIsRunOnEachBatch) {
  alloy::Bridge bridge = support::Load("tests/streams");
  auto doubled = bridge.Stream("double", Numbers({1, 2, 3}));
  ASSERT_TRUE(doubled.ok()) << doubled.status();
  EXPECT_EQ(Drain(&*doubled), (std::vector<int64_t>{2, 4, 6}));
}

TEST(StreamsTest, AStreamOfResultsIsAnInputOfTheNext) {
  alloy::Bridge bridge = support::Load("tests/streams");
  auto first = bridge.Stream("double", Numbers({1, 2, 3}));
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = bridge.Stream("pass", std::move(*first));
  ASSERT_TRUE(second.ok()) << second.status();
  auto third = bridge.Stream("double", std::move(*second));
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(Drain(&*third), (std::vector<int64_t>{4, 8, 12}));
}

TEST(StreamsTest, AnInputsOwnErrorIsTheSameStatusAgain) {
  alloy_error own{};
  own.code = ALLOY_RETRY;
  own.reason = 4711;
  own.input = own.column = 9;
  own.length = 12;
  std::string("disk on fire").copy(own.text, 12);
  const alloy::Status given(own);
  alloy::Bridge bridge = support::Load("tests/streams");
  for (const char* function : {"pass", "double", "zip", "count"}) {
    SCOPED_TRACE(function);
    auto stream = bridge.Stream(function, Failing(given));
    ASSERT_TRUE(stream.ok()) << stream.status();
    ASSERT_FALSE(ErrorOf(&*stream).ok());
    for (int i = 0; i < 2; ++i) {
      const alloy::Status told = ErrorOf(&*stream);
      EXPECT_EQ(told.code(), ALLOY_RETRY);
      EXPECT_EQ(told.reason(), 4711);
      EXPECT_EQ(told.column(), 9);
      EXPECT_EQ(told.text(), "disk on fire");
    }
  }
}

TEST(StreamsTest, AnExceptionInAnInputIsItsError) {
  alloy::Bridge bridge = support::Load("tests/streams");
  auto stream =
      bridge.Stream("pass", Stream::From(alloy::Schema::Copy(NumberBatch({1}).schema()),
                                         []() -> Result<std::optional<Batch>> {
                                           throw std::runtime_error("no more disk");
                                         }));
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(ErrorOf(&*stream).text(), "no more disk");
}

TEST(StreamsTest, WhatABackendsStreamThrowsIsItsError) {
  alloy::Bridge bridge = support::Load("tests/streams");
  const auto error_of = [&](const char* what) {
    auto stream = bridge.Stream("then", std::vector<Stream>(), {{"what", what}});
    EXPECT_TRUE(stream.ok()) << stream.status();
    EXPECT_TRUE(stream->Next().ok());
    const alloy::Status status = ErrorOf(&*stream);
    const alloy::Status again = ErrorOf(&*stream);
    EXPECT_EQ(again.text(), status.text());
    EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
    return status;
  };
  EXPECT_EQ(error_of("throw").text(), "boom");
  EXPECT_EQ(error_of("int").code(), ALLOY_FAILED);
  EXPECT_EQ(error_of("retry").code(), ALLOY_RETRY);
  EXPECT_EQ(error_of("nothing").code(), ALLOY_INTERNAL);
}

TEST(StreamsTest, AStopRequestCancelsAndADeadlinePasses) {
  alloy::Bridge bridge = support::Load("tests/streams");
  std::stop_source stop;
  auto stream = bridge.Stream("then", std::vector<Stream>(), {{"what", "wait"}},
                              {.stop = stop.get_token()});
  ASSERT_TRUE(stream.ok()) << stream.status();
  ASSERT_TRUE(stream->Next().ok());
  stop.request_stop();
  EXPECT_EQ(ErrorOf(&*stream).code(), ALLOY_CANCELLED);
  auto late = bridge.Stream("then", std::vector<Stream>(), {{"what", "wait"}},
                            {.timeout = std::chrono::milliseconds(500)});
  ASSERT_TRUE(late.ok()) << late.status();
  ASSERT_TRUE(late->Next().ok());
  EXPECT_EQ(ErrorOf(&*late).code(), ALLOY_TIMEOUT);
}

TEST(StreamsTest, AReleaseInTheMiddleEndsTheInputsToo) {
  alloy::Bridge bridge = support::Load("tests/streams");
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = alive;
  {
    auto stream = bridge.Stream(
        "pass", Stream::From(alloy::Schema::Copy(NumberBatch({1}).schema()),
                             [alive]() -> Result<std::optional<Batch>> {
                               return std::optional<Batch>(NumberBatch({1}));
                             }));
    ASSERT_TRUE(stream.ok()) << stream.status();
    alive.reset();
    ASSERT_TRUE(stream->Next().ok());
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

TEST(StreamsTest, AnErrorIsAskedOnlyOfAStreamOfThisEngine) {
  alloy_error error;
  ArrowArrayStream none{};
  EXPECT_EQ(alloy_stream_error(&none, &error), ALLOY_INVALID);
  EXPECT_EQ(alloy_stream_error(nullptr, &error), ALLOY_INVALID);
  Stream plain = Numbers({1});
  EXPECT_EQ(alloy_stream_error(plain.get(), &error), ALLOY_INVALID);
}

TEST(StreamsTest, BatchesAtHandAreAStream) {
  const Batch batch = NumberBatch({7, 8});
  ArrowArray arrays[2];
  for (ArrowArray& array : arrays) {
    alloy::detail::ShareArray(batch.array(), batch.keeper(), false).MoveTo(&array);
  }
  ArrowArrayStream raw;
  alloy_error error;
  ASSERT_EQ(alloy_stream_of(&batch.schema(), arrays, 2, &raw, &error), ALLOY_OK);
  auto stream = Stream::Import(&raw);
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ(alloy_stream_error(stream->get(), &error), ALLOY_OK);
  EXPECT_EQ(Drain(&*stream), (std::vector<int64_t>{7, 8, 7, 8}));
}

int64_t ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4096 / (1 << 20);
}

// 10 GB: the same 64 MiB delivered again and again, so that what grows is what a part of
// the way keeps.
TEST(StreamsTest, TenGigabytesPassWithoutACopyAndWithoutMemory) {
  constexpr int64_t kRows = int64_t{8} << 20;
  // To a worker they are copied, which takes ten times as long.
  const int64_t batches = support::SharesMemory() ? 160 : 16;
  const Batch batch = NumberBatch(std::vector<std::optional<int64_t>>(kRows, 1));
  const void* values = batch.array().children[0]->buffers[1];
  alloy::Bridge bridge = support::Load("tests/streams");
  const int64_t before = ResidentMegabytes();
  auto stream = bridge.Stream(
      "pass",
      Stream::From(alloy::Schema::Copy(batch.schema()),
                   [&, made = int64_t{0}]() mutable -> Result<std::optional<Batch>> {
                     if (made++ == batches) return std::optional<Batch>();
                     return std::optional<Batch>(batch.Share());
                   }));
  ASSERT_TRUE(stream.ok()) << stream.status();
  int64_t bytes = 0;
  int64_t most = before;
  for (;;) {
    auto next = stream->Next();
    ASSERT_TRUE(next.ok()) << next.status();
    if (!next->has_value()) break;
    if (support::SharesMemory()) {
      EXPECT_EQ((*next)->array().children[0]->buffers[1], values);
    }
    bytes += (*next)->rows() * int64_t{sizeof(int64_t)};
    most = std::max(most, ResidentMegabytes());
  }
  EXPECT_EQ(bytes, batches * kRows * int64_t{sizeof(int64_t)});
  EXPECT_LE(most - before, 100);
}

}  // namespace
