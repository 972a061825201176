// SPDX-License-Identifier: MIT
//
// The golden files of the Arrow integration suite, every modern type: what goes in
// through arrow.hpp comes out of an identity backend of each language the same, whole and
// in parts.
#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "alloy/arrow.hpp"
#include "tests/support/arrow_peers.h"
#include "tests/support/support.h"

namespace {

namespace fs = std::filesystem;

using alloy::arrow::BoundCall;
using support::Identity;
using support::Same;

constexpr size_t kCases = 32;
constexpr int64_t kOffsets = 18;  // every offset within two bytes of a bitmap, and beyond

fs::path Folder() {
  const char* set = std::getenv("ALLOY_ARROW_TESTING");
  const fs::path root = set != nullptr ? fs::path(set) : fs::path(ALLOY_GOLDEN_FOLDER);
  return root / "cpp-21.0.0";
}

std::vector<fs::path> Files(const std::string& extension) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(Folder(), error)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadStream(const fs::path& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path.string()));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(file));
  return reader->ToTable();
}

arrow::Result<std::shared_ptr<arrow::Table>> ReadFile(const fs::path& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path.string()));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(file));
  return reader->ToTable();
}

// The table in batches of at most so many rows, as its chunks allow.
arrow::RecordBatchVector Batches(const arrow::Table& table, int64_t rows) {
  arrow::TableBatchReader reader(table);
  reader.set_chunksize(rows);
  return reader.ToRecordBatches().ValueOrDie();
}

// A batch long enough to be cut at every offset, of these rows over and over.
std::shared_ptr<arrow::RecordBatch> Repeated(const arrow::RecordBatchVector& batches) {
  for (const auto& batch : batches) {
    if (batch->num_rows() == 0) continue;
    const auto times = static_cast<size_t>(3 * kOffsets / batch->num_rows() + 1);
    return arrow::ConcatenateRecordBatches(arrow::RecordBatchVector(times, batch))
        .ValueOrDie();
  }
  return nullptr;
}

bool HasListViews(const arrow::RecordBatch& batch) {
  return std::ranges::any_of(batch.schema()->fields(), [](const auto& field) {
    const auto id = field->type()->id();
    return id == arrow::Type::LIST_VIEW || id == arrow::Type::LARGE_LIST_VIEW;
  });
}

class GoldenTest : public testing::TestWithParam<std::tuple<Identity, fs::path>> {
 protected:
  void SetUp() override {
    const auto& [identity, path] = GetParam();
    auto table = ReadStream(path);
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *table;
    batches_ = Batches(*table_, std::numeric_limits<int64_t>::max());
    bridge_ = support::Open(identity);
    auto call = BoundCall::Bind(bridge_, identity.function, {table_->schema()});
    ASSERT_TRUE(call.ok()) << call.status();
    call_.emplace(std::move(*call));
    EXPECT_TRUE(
        call_->output_schema()->Equals(*table_->schema(), /*check_metadata=*/true))
        << call_->output_schema()->ToString(true) << "\n"
        << table_->schema()->ToString(true);
  }

  std::shared_ptr<arrow::RecordBatch> Empty() const {
    // Arrow C++ makes no empty dictionary of lists.
    if (!batches_.empty()) return batches_[0]->Slice(0, 0);
    return arrow::RecordBatch::MakeEmpty(table_->schema()).ValueOrDie();
  }

  alloy::Bridge bridge_;
  std::shared_ptr<arrow::Table> table_;
  arrow::RecordBatchVector batches_;
  std::optional<BoundCall> call_;
};

TEST_P(GoldenTest, ComesOutAsItWentIn) {
  for (const auto& batch : batches_) {
    const auto came = call_->Run(batch);
    ASSERT_TRUE(Same(came, *batch));
    // What no row of a list view reaches does not come back from a worker.
    if (support::IsIsolated() && HasListViews(*batch)) continue;
    EXPECT_TRUE(support::SameBytes(**came, *batch));
  }
}

TEST_P(GoldenTest, ComesOutOfTheFileAsOfTheStream) {
  auto path = std::get<fs::path>(GetParam());
  const auto file = ReadFile(path.replace_extension(".arrow_file"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Equals(*table_, /*check_metadata=*/true, support::BitForBit()));
  arrow::RecordBatchVector came;
  for (const auto& batch : Batches(**file, std::numeric_limits<int64_t>::max())) {
    const auto result = call_->Run(batch);
    ASSERT_TRUE(result.ok()) << result.status();
    came.push_back(*result);
  }
  const auto whole = arrow::Table::FromRecordBatches((*file)->schema(), came);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_TRUE((*whole)->Equals(*table_, /*check_metadata=*/true, support::BitForBit()));
}

TEST_P(GoldenTest, ComesOutTheSameInChunks) {
  for (const int64_t rows : {1, 2, 3, 7}) {
    arrow::RecordBatchVector came;
    for (const auto& chunk : Batches(*table_, rows)) {
      const auto result = call_->Run(chunk);
      ASSERT_TRUE(Same(result, *chunk)) << rows << " rows";
      came.push_back(*result);
    }
    const auto whole = arrow::Table::FromRecordBatches(table_->schema(), came);
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_TRUE((*whole)->ValidateFull().ok());
    EXPECT_TRUE((*whole)->Equals(*table_, /*check_metadata=*/true, support::BitForBit()));
  }
}

TEST_P(GoldenTest, ComesOutTheSameAtEveryOffset) {
  std::shared_ptr<arrow::RecordBatch> batch = Repeated(batches_);
  if (batch == nullptr) batch = Empty();  // a file without rows has one offset
  for (int64_t offset = 0; offset < std::min(kOffsets, batch->num_rows() + 1); ++offset) {
    for (const int64_t length : {int64_t{0}, int64_t{1}, int64_t{9}, batch->num_rows()}) {
      const auto slice = batch->Slice(offset, length);
      ASSERT_TRUE(Same(call_->Run(slice), *slice)) << offset << " and " << length;
      // Sliced again what came back sliced.
      const auto inner = (*call_->Run(slice))->Slice(slice->num_rows() / 2);
      ASSERT_TRUE(Same(call_->Run(inner), *slice->Slice(slice->num_rows() / 2)))
          << offset << " and " << length;
    }
  }
}

TEST_P(GoldenTest, ComesOutTheSameEmpty) {
  const auto empty = Empty();
  EXPECT_TRUE(Same(call_->Run(empty), *empty));
}

TEST_P(GoldenTest, ComesOutTheSameWithNothingButNulls) {
  // The gate refuses nulls in a result's column that is declared not nullable.
  arrow::FieldVector fields;
  for (const auto& field : table_->schema()->fields()) {
    fields.push_back(field->WithNullable(true));
  }
  const auto schema = arrow::schema(fields, table_->schema()->metadata());
  auto call = BoundCall::Bind(bridge_, std::get<Identity>(GetParam()).function, {schema});
  ASSERT_TRUE(call.ok()) << call.status();
  for (const int64_t rows : {1, 8, 29}) {
    arrow::ArrayVector columns;
    for (const auto& field : fields) {
      columns.push_back(arrow::MakeArrayOfNull(field->type(), rows).ValueOrDie());
    }
    const auto nulls = arrow::RecordBatch::Make(schema, rows, columns);
    ASSERT_TRUE(Same(call->Run(nulls), *nulls));
    for (int64_t offset = 0; offset < std::min(kOffsets, rows); ++offset) {
      const auto slice = nulls->Slice(offset);
      ASSERT_TRUE(Same(call->Run(slice), *slice)) << offset;
    }
  }
}

std::string NameOf(const testing::TestParamInfo<std::tuple<Identity, fs::path>>& info) {
  return std::get<Identity>(info.param).name + std::string("_") +
         std::get<fs::path>(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTest,
                         testing::Combine(testing::ValuesIn(support::Identities()),
                                          testing::ValuesIn(Files(".stream"))),
                         NameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenTest);

TEST(GoldenFilesTest, AreAllThere) {
  const auto streams = Files(".stream");
  if (streams.empty() && std::getenv("ALLOY_REQUIRE_GOLDEN") == nullptr) {
    std::cout << "skipped: the golden files are not in " << Folder() << '\n';
    GTEST_SKIP();
  }
  EXPECT_EQ(streams.size(), kCases) << Folder();
  EXPECT_EQ(Files(".arrow_file").size(), kCases) << Folder();
}

}  // namespace
