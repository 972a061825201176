// SPDX-License-Identifier: MIT
#include "engine/open/echo.h"

#include <gtest/gtest.h>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

// A bridge on the echo, whose lines are kept.
class EchoTest : public ::testing::Test {
 protected:
  void Start(int32_t log_mode) {
    alloy_host_options host_options{};
    host_options.struct_size = sizeof(host_options);
    host_options.language = "Go";
    host_options.log_mode = log_mode;
    host_options.log = [](void* context, int32_t, const char* language, const char* text,
                          int64_t) {
      static_cast<Names*>(context)->push_back(std::string(language) + ": " + text);
    };
    host_options.log_context = &lines_;
    alloy_bridge_options options{};
    options.struct_size = sizeof(options);
    bridge_ = *Bridge::Make(*Host::Make(host_options), options);
  }

  Status Run(const std::string& function, const std::vector<Names>& names,
             std::vector<ArrowArray> inputs, ArrowArray* output) {
    std::vector<OwnedSchema> owners;
    std::vector<ArrowSchema> schemas;
    for (const Names& columns : names) {
      owners.push_back(Int64Schema(columns));
      schemas.push_back(*owners.back());
    }
    auto bound = bridge_->Bind(function, schemas.data(),
                               static_cast<int32_t>(schemas.size()), nullptr);
    if (!bound.ok()) {
      for (ArrowArray& input : inputs) OwnedArray(&input).Release();
      return bound.status();
    }
    Call call(bridge_, *std::move(bound));
    return call.Run(inputs.data(), output, 0, 0);
  }

  Names lines_;
  std::shared_ptr<Bridge> bridge_;
};

TEST_F(EchoTest, CountsAndPrintsTheArraysOfAllLengths) {
  Start(0);
  Releases in;
  OwnedArray output;
  ASSERT_TRUE(Run("from_chunks", {{""}, {""}},
                  {Int64Batch({{1, -4}}, &in), Int64Batch({{7}}, &in)}, output.get())
                  .ok());
  EXPECT_EQ(Int64Values(*output->children[0]), std::vector<int64_t>{2});
  EXPECT_EQ(in.count, 2);
  EXPECT_EQ(lines_, (Names{"Go: Exporting ArrowSchema and ArrowArray #1 to C",
                           "Go: Exporting ArrowSchema and ArrowArray #2 to C",
                           "Go: Calling C++ through C ffi now with 2 ArrowArrays",
                           "C++: Hello! Reading the ffi pointers now.",
                           "C++: array1: Int64[1, -4]", "C++: array2: Int64[7]",
                           "Go: Hello, again! Successfully sent Arrow data to C++."}));
}

TEST_F(EchoTest, CountsNoArraysToo) {
  Start(0);
  OwnedArray output;
  ASSERT_TRUE(Run("from_chunks", {}, {}, output.get()).ok());
  EXPECT_EQ(Int64Values(*output->children[0]), std::vector<int64_t>{0});
}

TEST_F(EchoTest, GivesTheVeryBatchBack) {
  Start(2);
  Releases in;
  const ArrowArray input = Int64Batch({{1, 2}, {3, 4}}, &in);
  const void* values = input.children[1]->buffers[1];
  OwnedArray output;
  ASSERT_TRUE(Run("echo", {{"a", "b"}}, {input}, output.get()).ok());
  EXPECT_EQ(output->children[1]->buffers[1], values);
  EXPECT_EQ(in.count, 0);
  output.Release();
  EXPECT_EQ(in.count, 1);
  EXPECT_EQ(lines_, Names{});  // log_mode 2: never
}

TEST_F(EchoTest, AChunkIsOneColumn) {
  Start(2);
  OwnedArray output;
  const Status status =
      Run("from_chunks", {{"a", "b"}}, {Int64Batch({{1}, {2}}, nullptr)}, output.get());
  EXPECT_EQ(status.code(), ALLOY_NO_MATCH);
}

}  // namespace
}  // namespace alloy::core
