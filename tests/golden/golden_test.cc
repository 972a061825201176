// SPDX-License-Identifier: MIT
//
// The golden files of the Arrow integration suite, every modern type: what goes in
// through arrow.hpp comes out of an identity backend the same.
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "alloy/arrow.hpp"
#include "tests/support/support.h"

namespace {

namespace fs = std::filesystem;

constexpr size_t kCases = 32;

fs::path Folder() {
  const char* set = std::getenv("ALLOY_ARROW_TESTING");
  const fs::path root = set != nullptr ? fs::path(set) : fs::path(ALLOY_GOLDEN_FOLDER);
  return root / "cpp-21.0.0";
}

std::vector<fs::path> Streams() {
  std::vector<fs::path> streams;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(Folder(), error)) {
    if (entry.path().extension() == ".stream") streams.push_back(entry.path());
  }
  std::sort(streams.begin(), streams.end());
  return streams;
}

class GoldenTest : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenTest, ComesOutAsItWentIn) {
  auto file = arrow::io::ReadableFile::Open(GetParam().string());
  ASSERT_TRUE(file.ok()) << file.status();
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(*file);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto schema = (*reader)->schema();

  alloy::Bridge bridge = support::Load("tests/identity");
  auto call = alloy::arrow::BoundCall::Bind(bridge, "identity", {schema});
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_TRUE(call->output_schema()->Equals(*schema, /*check_metadata=*/true))
      << call->output_schema()->ToString(true) << "\n"
      << schema->ToString(true);

  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const auto status = (*reader)->ReadNext(&batch);
    ASSERT_TRUE(status.ok()) << status;
    if (batch == nullptr) break;
    const auto whole = call->Run(batch);
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_TRUE((*whole)->ValidateFull().ok()) << (*whole)->ValidateFull();
    EXPECT_TRUE((*whole)->Equals(*batch, /*check_metadata=*/true));
    if (batch->num_rows() < 3) continue;
    const auto slice = batch->Slice(1, batch->num_rows() - 2);
    const auto part = call->Run(slice);
    ASSERT_TRUE(part.ok()) << part.status();
    EXPECT_TRUE((*part)->ValidateFull().ok()) << (*part)->ValidateFull();
    EXPECT_TRUE((*part)->Equals(*slice, /*check_metadata=*/true));
  }
}

std::string NameOf(const testing::TestParamInfo<fs::path>& info) {
  return info.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTest, testing::ValuesIn(Streams()), NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenTest);

TEST(GoldenFilesTest, AreAllThere) {
  const auto streams = Streams();
  if (streams.empty() && std::getenv("ALLOY_REQUIRE_GOLDEN") == nullptr) {
    std::cout << "skipped: the golden files are not in " << Folder() << '\n';
    GTEST_SKIP();
  }
  EXPECT_EQ(streams.size(), kCases) << Folder();
}

}  // namespace
