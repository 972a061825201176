// SPDX-License-Identifier: MIT
//
// A function of rows runs 64 rows at a time: every length, offset and pattern of nulls, next
// to one row after another.
#include "alloy/detail/over_columns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"
#include "alloy/pool.hpp"

namespace {

using alloy::Column;
using alloy::Output;
using alloy::Scope;
using Numbers = std::vector<std::optional<int64_t>>;

// An array in memory of exactly its size, so that AddressSanitizer sees what is read beyond.
class Given {
 public:
  Given(const Numbers& rows, int64_t offset, bool bitmap, int64_t null_value) {
    const auto total = static_cast<int64_t>(rows.size()) + offset;
    values_.reset(new int64_t[static_cast<size_t>(total)]());
    if (bitmap) bits_.reset(new uint8_t[static_cast<size_t>((total + 7) / 8)]());
    for (int64_t i = offset; i < total; ++i) {
      const auto& row = rows[static_cast<size_t>(i - offset)];
      values_[static_cast<size_t>(i)] = row.value_or(null_value);
      if (bitmap && row) {
        bits_[static_cast<size_t>(i / 8)] |= static_cast<uint8_t>(1U << (i % 8));
      }
    }
    buffers_[0] = bits_.get();
    buffers_[1] = values_.get();
    array_.length = static_cast<int64_t>(rows.size());
    array_.offset = offset;
    array_.null_count = -1;
    array_.n_buffers = 2;
    array_.buffers = buffers_;
  }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;
  const ArrowArray& array() const { return array_; }

 private:
  std::unique_ptr<int64_t[]> values_;
  std::unique_ptr<uint8_t[]> bits_;
  const void* buffers_[2] = {};
  ArrowArray array_{};
};

class OverColumnsTest : public testing::Test {
 protected:
  OverColumnsTest() {
    services_.cancelled = [](alloy_scope*) -> int32_t { return is_cancelled ? 1 : 0; };
    scope_.services = &services_;
  }

  // The output as its reader sees it.
  template <typename T>
  static std::vector<std::optional<T>> RowsOf(Output<T> output) {
    ArrowArray batch{};
    alloy::GiveBatch(&batch, std::move(output));
    const ArrowArray& array = *batch.children[0];
    int64_t nulls = 0;
    std::vector<std::optional<T>> rows;
    for (const auto value : Column<T>(array)) {
      rows.push_back(value);
      nulls += value ? 0 : 1;
    }
    EXPECT_EQ(array.null_count, nulls);
    EXPECT_EQ(static_cast<size_t>(array.length), rows.size());
    const auto* values = static_cast<const T*>(array.buffers[1]);
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_TRUE(rows[i].has_value() || values[i] == T()) << "garbage below null " << i;
    }
    batch.release(&batch);
    return rows;
  }

  static thread_local bool is_cancelled;
  alloy_services services_{};
  alloy_scope scope_{};
};
thread_local bool OverColumnsTest::is_cancelled = false;

Numbers Draw(std::mt19937& random, size_t rows, int nulls_of_8) {
  Numbers drawn(rows);
  for (auto& row : drawn) {
    if (static_cast<int>(random() % 8) >= nulls_of_8) row = 1 + random() % 100;
  }
  return drawn;
}

TEST_F(OverColumnsTest, EachLengthOffsetAndPatternOfNullsIsRight) {
  std::mt19937 random(20261201);
  int64_t calls = 0;
  int64_t* const counted = &calls;
  // What lies below a null is 0, and a division by it would end the process.
  const auto divide = alloy::detail::OverColumns(
      [counted](int64_t x, int64_t y) {
        ++*counted;
        return 10'000 * x / y;
      },
      static_cast<int64_t (*)(int64_t, int64_t)>(nullptr));
  Scope scope(&scope_);
  for (size_t rows = 0; rows < 200; ++rows) {
    for (const int nulls_of_8 : {0, 1, 4, 8}) {
      const auto offset_x = static_cast<int64_t>(random() % 70);
      const auto offset_y = static_cast<int64_t>(random() % 70);
      const Numbers xs = Draw(random, rows, nulls_of_8);
      const bool other = random() % 2 == 0;
      const Numbers ys = Draw(random, rows, other ? nulls_of_8 : 0);
      const Given x(xs, offset_x, nulls_of_8 > 0 || other, 0);
      const Given y(ys, offset_y, other, 0);
      Output<int64_t> output(&alloy::detail::AlignedResize);
      calls = 0;
      divide(scope, Column<int64_t>(x.array()), Column<int64_t>(y.array()), output);
      Numbers expected(rows);
      int64_t wanted_calls = 0;
      for (size_t i = 0; i < rows; ++i) {
        if (!xs[i] || !ys[i]) continue;
        expected[i] = 10'000 * *xs[i] / *ys[i];
        ++wanted_calls;
      }
      ASSERT_EQ(RowsOf(std::move(output)), expected) << rows << " rows, " << nulls_of_8;
      ASSERT_EQ(calls, wanted_calls);
    }
  }
}

TEST_F(OverColumnsTest, AnErrorOfOneRowLeavesTheFunction) {
  const auto fail = alloy::detail::OverColumns(
      [](int64_t x) -> int64_t {
        if (x == 70) throw alloy::Failure(ALLOY_FAILED, "row with 70");
        return x;
      },
      static_cast<int64_t (*)(int64_t)>(nullptr));
  Numbers rows(128);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  const Given x(rows, 0, false, 0);
  Scope scope(&scope_);
  Output<int64_t> output(&alloy::detail::AlignedResize);
  EXPECT_THROW(fail(scope, Column<int64_t>(x.array()), output), alloy::Failure);
}

TEST_F(OverColumnsTest, ACancelLeavesTheFunctionBetweenBlocks) {
  int64_t calls = 0;
  int64_t* const counted = &calls;
  const auto cancel = alloy::detail::OverColumns(
      [counted](int64_t x) {
        ++*counted;
        is_cancelled = true;
        return x;
      },
      static_cast<int64_t (*)(int64_t)>(nullptr));
  const Given x(Numbers(200'000, 1), 0, false, 0);
  Scope scope(&scope_);
  Output<int64_t> output(&alloy::detail::AlignedResize);
  EXPECT_THROW(cancel(scope, Column<int64_t>(x.array()), output), alloy::Failure);
  EXPECT_EQ(calls, 65'536);
  is_cancelled = false;
}

TEST_F(OverColumnsTest, WordsAndSingleRowsMayFollowEachOther) {
  for (const uint64_t valid :
       {~uint64_t{0}, uint64_t{0}, uint64_t{0xf0f0'0000'ffff'1234}}) {
    Output<double> output(&alloy::detail::AlignedResize);
    std::vector<std::optional<double>> expected;
    for (int word = 0; word < 2; ++word) {
      const auto values = output.Extend64(64, valid);
      for (size_t i = 0; i < 64; ++i) {
        const bool is_valid = (valid >> i & 1) != 0;
        values[i] = is_valid ? static_cast<double>(i) : 0;
        expected.push_back(is_valid ? std::optional(static_cast<double>(i))
                                    : std::nullopt);
      }
    }
    const auto few = output.Extend64(3, 0b101);
    std::ranges::copy(std::vector<double>{1, 0, 3}, few.begin());
    output.Append(4);
    output.AppendNull();
    for (const auto one :
         {std::optional(1.0), std::optional<double>(), std::optional(3.0),
          std::optional(4.0), std::optional<double>()}) {
      expected.push_back(one);
    }
    EXPECT_EQ(RowsOf(std::move(output)), expected);
  }
}

}  // namespace
