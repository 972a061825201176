// SPDX-License-Identifier: MIT
//
// backend.hpp, as its functions look to a caller: build/backends/tests/typed.so.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"
#include "tests/support/call_text.h"
#include "tests/support/support.h"

namespace {

using alloy::MakeArray;
using alloy::MakeBatch;
using faults::Tree;

class BackendTest : public testing::Test {
 protected:
  std::string Call(const char* function, const alloy::Result<alloy::Batch>& batch,
                   const alloy::OptionMap& options = {}) {
    return support::CallText(bridge_, function, *batch, options);
  }

  template <typename T>
  std::string Twice() {
    return Call("twice", MakeBatch({{"x", MakeArray<T>({T(1), std::nullopt, T(20)})}}));
  }

  std::shared_ptr<support::LogLines> lines_ = std::make_shared<support::LogLines>();
  alloy::Bridge bridge_ =
      support::Load("tests/typed", support::TestHost(lines_, alloy::LogMode::kAlways));
};

TEST_F(BackendTest, ARowHasAnyNumberAndPassesNullsOn) {
  EXPECT_EQ(Twice<int8_t>(), "{twice: Int8[2, null, 40]}");
  EXPECT_EQ(Twice<uint8_t>(), "{twice: UInt8[2, null, 40]}");
  EXPECT_EQ(Twice<int16_t>(), "{twice: Int16[2, null, 40]}");
  EXPECT_EQ(Twice<uint16_t>(), "{twice: UInt16[2, null, 40]}");
  EXPECT_EQ(Twice<int32_t>(), "{twice: Int32[2, null, 40]}");
  EXPECT_EQ(Twice<uint32_t>(), "{twice: UInt32[2, null, 40]}");
  EXPECT_EQ(Twice<int64_t>(), "{twice: Int64[2, null, 40]}");
  EXPECT_EQ(Twice<uint64_t>(), "{twice: UInt64[2, null, 40]}");
  EXPECT_EQ(Twice<float>(), "{twice: Float32[2.0, null, 40.0]}");
  EXPECT_EQ(Twice<double>(), "{twice: Float64[2.0, null, 40.0]}");
}

TEST_F(BackendTest, ARowHasBooleansAndText) {
  EXPECT_EQ(
      Call("twice", MakeBatch({{"x", MakeArray<bool>({true, std::nullopt, false})}})),
      "{twice: Boolean[false, null, true]}");
  EXPECT_EQ(
      Call("twice", MakeBatch({{"x", MakeArray<std::string>({"ab", std::nullopt})}})),
      "{twice: Utf8[\"abab\", null]}");
}

TEST_F(BackendTest, ARowMayTakeAndGiveNulls) {
  EXPECT_EQ(Call("length",
                 MakeBatch({{"text", MakeArray<std::string>({"abc", std::nullopt})}})),
            "{length: Int64[3, -1]}");
  EXPECT_EQ(Call("odd", MakeBatch({{"x", MakeArray<int64_t>({1, 2, std::nullopt})}})),
            "{odd: Int64[1, null, null]}");
  EXPECT_EQ(
      Call("join", MakeBatch({{"a", MakeArray<std::string>({"p", "q", std::nullopt})},
                              {"b", MakeArray<int64_t>({1, std::nullopt, 3})}})),
      "{join: Utf8[\"p1\", \"q?\", null]}");
}

TEST_F(BackendTest, ColumnsAreFoundByName) {
  EXPECT_EQ(Call("join", MakeBatch({{"other", MakeArray<double>({0.5})},
                                    {"b", MakeArray<int64_t>({7})},
                                    {"a", MakeArray<std::string>({"n"})}})),
            "{join: Utf8[\"n7\"]}");
}

TEST_F(BackendTest, WhatDoesNotFitIsATable) {
  const auto batch = MakeBatch({{"a", MakeArray<double>({0.5})}});
  const auto status = bridge_.Call("join", *batch).status();
  EXPECT_EQ(status.code(), ALLOY_NO_MATCH);
  EXPECT_NE(status.text().find('a'), std::string_view::npos);
  EXPECT_NE(status.text().find('b'), std::string_view::npos) << status;
}

TEST_F(BackendTest, AFunctionHasOptionsAndSeveralOutputs) {
  const auto batch = MakeBatch({{"x", MakeArray<double>({1.25, std::nullopt, -2.5})}});
  EXPECT_EQ(Call("split", batch),
            "{whole: Float64[1.0, null, -2.0], part: Float64[0.25, null, -0.5], "
            "text: Utf8[\"1\", null, \"-2\"]}");
  EXPECT_EQ(Call("split", batch, {{"scale", "2"}, {"prefix", "n"}}),
            "{whole: Float64[2.0, null, -5.0], part: Float64[0.5, null, -0.0], "
            "text: Utf8[\"n2\", null, \"n-5\"]}");
  const auto status = bridge_.Call("split", *batch, {{"scale", "much"}}).status();
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_NE(status.text().find("much"), std::string_view::npos) << status;
}

TEST_F(BackendTest, ARequiredOptionMustBeGiven) {
  const auto status = bridge_.Call("needs", support::SmallBatch()).status();
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_NE(status.text().find("must"), std::string_view::npos) << status;
  const auto given = bridge_.Call("needs", support::SmallBatch(), {{"must", "yes"}});
  EXPECT_EQ(support::Only<std::string_view>(given, "value"), "yes");
}

TEST_F(BackendTest, AnOutputIsWrittenInPlace) {
  EXPECT_EQ(Call("halve", MakeBatch({{"x", MakeArray<int32_t>({10, 21})}})),
            "{half: Int32[5, 10]}");
  EXPECT_EQ(Call("halve", MakeBatch({{"x", MakeArray<int32_t>({})}})), "{half: Int32[]}");
}

TEST_F(BackendTest, AResultIsAlignedTo64Bytes) {
  const auto batch = MakeBatch({{"x", MakeArray(std::vector<double>(1000, 1.5))}});
  const auto result = bridge_.Call("split", *batch);
  ASSERT_TRUE(result.ok()) << result.status();
  for (int64_t c = 0; c < 3; ++c) {
    const ArrowArray& column = result->column(c).array();
    for (int64_t i = 1; i < column.n_buffers; ++i) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(column.buffers[i]) % 64, 0U);
    }
  }
}

TEST_F(BackendTest, ManyRowsGrowEveryBuffer) {
  std::vector<std::optional<std::string>> texts;
  for (int i = 0; i < 100'000; ++i) {
    texts.push_back(i % 3 == 0 ? std::optional<std::string>() : std::to_string(i));
  }
  const auto batch = MakeBatch({{"x", MakeArray(texts)}});
  const auto result = bridge_.Call("twice", *batch);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto twice = result->column<std::string_view>("twice");
  ASSERT_TRUE(twice.ok()) << twice.status();
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto got = (*twice)[static_cast<int64_t>(i)];
    ASSERT_EQ(got.has_value(), texts[i].has_value());
    if (got) {
      ASSERT_EQ(*got, *texts[i] + *texts[i]);
    }
  }
}

TEST_F(BackendTest, TheScopeDescribesAndLogs) {
  EXPECT_EQ(Call("describe", MakeBatch({{"x", MakeArray<int32_t>({1, 2})}})),
            "{text: Utf8[\"Int32[1, 2]\"]}");
  const auto lines = lines_->Take();
  EXPECT_NE(std::find(lines.begin(), lines.end(), "[C++] described"), lines.end());
}

TEST_F(BackendTest, ColumnsOfDifferentLengthsAreTheBackendsFault) {
  const auto status = bridge_.Call("different_lengths", support::SmallBatch()).status();
  EXPECT_EQ(status.code(), ALLOY_INTERNAL);
  EXPECT_NE(status.text().find("different lengths"), std::string_view::npos) << status;
}

TEST_F(BackendTest, FunctionsTellOfThemselves) {
  const auto functions = bridge_.Functions();
  ASSERT_TRUE(functions.ok()) << functions.status();
  for (const auto& function : *functions) {
    if (function.name != "split") continue;
    EXPECT_EQ(function.summary, "The two parts of a number, and a text.");
    EXPECT_EQ(function.options, (std::vector<std::string>{"scale", "prefix"}));
    EXPECT_EQ(function.min_inputs, 1);
    EXPECT_EQ(function.max_inputs, 1);
    ASSERT_EQ(function.columns.size(), 1U);
    EXPECT_EQ(function.columns[0][0].name, "x");
    EXPECT_EQ(function.columns[0][0].accepts, "g");
    return;
  }
  ADD_FAILURE() << "no function split";
}

// Text that the gate does not look into at level shape: the view does, and names the row.
class BadTextTest : public BackendTest {
 protected:
  // A tree whose column is called `text`, as `length` wants it.
  alloy::Status LengthOf(Tree& tree, int column) {
    tree.schema(column).name = "text";
    alloy_error error;
    const auto call = support::Bind(bridge_, "length", tree.schema(Tree::kRoot), &error);
    if (call == nullptr) return alloy::Status(error);
    ArrowArray input;
    ArrowArray output;
    tree.MoveArray(&input);
    const alloy_code code = alloy_call_run(call.get(), &input, &output, 0, 0, &error);
    EXPECT_EQ(tree.releases(), 1);
    if (code != ALLOY_OK) return alloy::Status(error);
    output.release(&output);
    return {};
  }

  void ExpectRow(const alloy::Status& status, const char* row) {
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA) << status;
    EXPECT_EQ(status.side(), ALLOY_SIDE_BACKEND);
    EXPECT_NE(status.text().find("'text'"), std::string_view::npos) << status;
    EXPECT_NE(status.text().find(row), std::string_view::npos) << status;
  }
};

TEST_F(BadTextTest, GoodTextOfEveryKindIsRead) {
  for (const int column :
       {Tree::kUtf8, Tree::kLargeUtf8, Tree::kView, Tree::kDictionary}) {
    Tree tree;
    EXPECT_TRUE(LengthOf(tree, column).ok()) << column;
  }
}

TEST_F(BadTextTest, OffsetsThatFallInBetween) {
  static constexpr int32_t kFall[8] = {0, 4, 3, 6, 10};
  Tree tree;
  tree.SetBuffer(Tree::kUtf8, 1, kFall);
  ExpectRow(LengthOf(tree, Tree::kUtf8), "row 1:");
  static constexpr int64_t kBeyond[8] = {0, 1, 1'000'000'000, 6, 10};
  Tree large;
  large.SetBuffer(Tree::kLargeUtf8, 1, kBeyond);
  ExpectRow(LengthOf(large, Tree::kLargeUtf8), "row 1:");
}

TEST_F(BadTextTest, AnIndexOutsideItsDictionary) {
  static constexpr int8_t kIndices[8] = {0, 1, 4, 2};
  Tree tree;
  tree.SetBuffer(Tree::kDictionary, 1, kIndices);
  ExpectRow(LengthOf(tree, Tree::kDictionary), "row 2:");
  static constexpr int8_t kNegative[8] = {-1, 1, 3, 2};
  Tree negative;
  negative.SetBuffer(Tree::kDictionary, 1, kNegative);
  ExpectRow(LengthOf(negative, Tree::kDictionary), "row 0:");
}

TEST_F(BadTextTest, AViewOutsideItsBuffers) {
  struct Fault {
    int word;
    int32_t value;
  };
  // Of the last view, which has 20 bytes at 10 of the first buffer of 64.
  for (const Fault fault : {Fault{12, -1}, Fault{12, 55}, Fault{14, 1}, Fault{14, -1},
                            Fault{15, 45}, Fault{15, -1}}) {
    int32_t views[16];
    std::memcpy(views, Tree::kViews, sizeof(views));
    views[fault.word] = fault.value;
    Tree tree;
    tree.SetBuffer(Tree::kView, 1, views);
    ExpectRow(LengthOf(tree, Tree::kView), "row 3:");
  }
}

TEST_F(BadTextTest, TheHostsOwnReadsSayTheSame) {
  static constexpr int32_t kFall[8] = {0, 4, 3, 6, 10};
  Tree tree;
  tree.SetBuffer(Tree::kUtf8, 1, kFall);
  const auto batch = support::ImportTree(tree);
  ASSERT_TRUE(batch.ok()) << batch.status();
  const auto status = batch->column<std::string_view>("utf8").status();
  EXPECT_EQ(status.code(), ALLOY_INVALID);
  EXPECT_NE(status.text().find("row 1:"), std::string_view::npos) << status;
}

}  // namespace
