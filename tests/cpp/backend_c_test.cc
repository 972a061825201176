// SPDX-License-Identifier: MIT
//
// The helpers of backend_c.h, compiled as C++. examples_test and conformance_test run them
// as C.
#include "alloy/backend_c.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "alloy/detail/resize.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"

namespace {

// An engine that counts blocks, and has no memory after some of them.
int live = 0;
int allowed = 1000;
std::string failure;

void* CountedResize(void* memory, int64_t old_size, int64_t new_size) {
  if (old_size == 0 && allowed-- <= 0) return nullptr;
  live += (old_size == 0 ? 1 : 0) - (new_size == 0 ? 1 : 0);
  return alloy::detail::AlignedResize(memory, old_size, new_size);
}

alloy_code Fail(alloy_scope*, alloy_code code, const char* text, int64_t) {
  failure = text;
  return code;
}

class BackendCTest : public testing::Test {
 protected:
  BackendCTest() {
    services_.struct_size = sizeof(services_);
    services_.abi = ALLOY_ABI;
    services_.fail = &Fail;
    services_.resize = &CountedResize;
    scope_.services = &services_;
    live = 0;
    allowed = 1000;
    failure.clear();
  }
  ~BackendCTest() override { EXPECT_EQ(live, 0); }

  alloy_services services_{};
  alloy_scope scope_{};
};

constexpr alloy_field kFields[] = {{"flag", "b", ARROW_FLAG_NULLABLE},
                                   {"day", "tdD", 0},
                                   {"price", "d:12,2", ARROW_FLAG_NULLABLE},
                                   {}};

TEST_F(BackendCTest, MakesTheSchemaOfABatch) {
  alloy::OwnedSchema schema;
  ASSERT_EQ(alloy_schema_make(&scope_, kFields, schema.get()), ALLOY_OK);
  ASSERT_EQ(schema->n_children, 3);
  EXPECT_STREQ(schema->format, "+s");
  EXPECT_STREQ(schema->children[1]->name, "day");
  EXPECT_STREQ(schema->children[1]->format, "tdD");
  EXPECT_EQ(schema->children[1]->flags, 0);
  EXPECT_EQ(schema->children[2]->flags, ARROW_FLAG_NULLABLE);
}

TEST_F(BackendCTest, CopiesASchemaWhoseChildrenMayOutliveIt) {
  alloy::Schema source =
      alloy::Schema::Batch({{.name = "x", .format = "l"}, {.name = "y", .format = "u"}});
  const char metadata[] = {1, 0, 0, 0, 1, 0, 0, 0, 'k', 2, 0, 0, 0, 'v', 'w'};
  source->metadata = metadata;
  alloy::OwnedSchema child;
  {
    alloy::OwnedSchema copy, again;
    ASSERT_EQ(alloy_schema_copy(&scope_, source.get(), copy.get()), ALLOY_OK);
    ASSERT_EQ(alloy_schema_copy(&scope_, copy.get(), again.get()), ALLOY_OK);
    ASSERT_EQ(again->n_children, 2);
    EXPECT_EQ(std::string(again->metadata, sizeof(metadata)),
              std::string(metadata, sizeof(metadata)));
    child = alloy::OwnedSchema(again->children[1]);
  }
  source->metadata = nullptr;
  EXPECT_STREQ(child->name, "y");
  EXPECT_STREQ(child->format, "u");
}

TEST_F(BackendCTest, CopiesDictionaries) {
  alloy::Schema values = alloy::Schema::Of({.name = "", .format = "u"});
  alloy::Schema source = alloy::Schema::Of({.name = "key", .format = "i"});
  source->dictionary = values.get();
  alloy::OwnedSchema copy;
  EXPECT_EQ(alloy_schema_copy(&scope_, source.get(), copy.get()), ALLOY_OK);
  source->dictionary = nullptr;
  ASSERT_NE(copy->dictionary, nullptr);
  EXPECT_STREQ(copy->dictionary->format, "u");
}

TEST_F(BackendCTest, MakesABatchWithAlignedValuesAndNulls) {
  for (const int64_t rows : {0, 1, 9, 1000}) {
    alloy::OwnedArray batch;
    ASSERT_EQ(alloy_batch_make(&scope_, kFields, rows, batch.get()), ALLOY_OK);
    EXPECT_EQ(batch->length, rows);
    for (int64_t i = 0; i < 3; ++i) {
      ArrowArray* column = batch->children[i];
      EXPECT_EQ(reinterpret_cast<uintptr_t>(alloy_values(column)) % 64, 0U);
      EXPECT_EQ(alloy_values(column), column->buffers[1]);
      EXPECT_EQ(column->null_count, 0);
    }
    auto* days = static_cast<int32_t*>(alloy_values(batch->children[1]));
    for (int64_t row = 0; row < rows; ++row) {
      days[row] = static_cast<int32_t>(row);
      if (row % 3 == 1) alloy_set_null(batch->children[1], row);
      if (row % 3 == 1) alloy_set_null(batch->children[1], row);  // no second count
    }
    for (int64_t row = 0; row < rows; ++row) {
      EXPECT_EQ(alloy_int32_at(batch->children[1], row), row);
      EXPECT_EQ(alloy_is_null(batch->children[1], row), row % 3 == 1);
      EXPECT_EQ(alloy_bool_at(batch->children[0], row), 0);
    }
    EXPECT_EQ(batch->children[1]->null_count, (rows + 1) / 3);
  }
}

TEST_F(BackendCTest, AColumnMayOutliveItsBatch) {
  alloy::OwnedArray column;
  {
    alloy::OwnedArray batch;
    ASSERT_EQ(alloy_batch_make(&scope_, kFields, 10, batch.get()), ALLOY_OK);
    static_cast<int32_t*>(alloy_values(batch->children[1]))[9] = 7;
    column = alloy::OwnedArray(batch->children[1]);
  }
  EXPECT_EQ(live, 1);
  EXPECT_EQ(alloy_int32_at(column.get(), 9), 7);
}

TEST_F(BackendCTest, ALackOfMemoryLeaksNothing) {
  for (int blocks = 0; blocks < 4; ++blocks) {
    allowed = blocks;
    alloy::OwnedArray batch;
    EXPECT_EQ(alloy_batch_make(&scope_, kFields, 10, batch.get()), ALLOY_EXHAUSTED);
    EXPECT_FALSE(batch);
    EXPECT_EQ(live, 0);
  }
  alloy::OwnedArray batch;
  EXPECT_EQ(alloy_batch_make(&scope_, kFields, INT64_MAX / 8, batch.get()),
            ALLOY_EXHAUSTED);
}

TEST_F(BackendCTest, AFormatWithoutAFixedWidthIsNamed) {
  constexpr alloy_field kTexts[] = {{"text", "u", 0}, {}};
  alloy::OwnedArray batch;
  EXPECT_EQ(alloy_batch_make(&scope_, kTexts, 10, batch.get()), ALLOY_INTERNAL);
  EXPECT_EQ(failure, "column 'text': alloy_batch_make cannot make format 'u'");
}

TEST_F(BackendCTest, KnowsTheWidthOfEveryFormat) {
  const std::vector<std::pair<const char*, int64_t>> widths = {
      {"b", 1},    {"c", 8},       {"C", 8},         {"s", 16},       {"S", 16},
      {"e", 16},   {"i", 32},      {"I", 32},        {"f", 32},       {"l", 64},
      {"L", 64},   {"g", 64},      {"tdD", 32},      {"tdm", 64},     {"tts", 32},
      {"ttm", 32}, {"ttu", 64},    {"ttn", 64},      {"tsu:UTC", 64}, {"tDn", 64},
      {"tiM", 0},  {"d:9,2", 128}, {"d:9,2,256", 0}, {"u", 0},        {"+s", 0},
      {"n", 0},    {"z", 0},       {"w:4", 0}};
  for (const auto& [format, bits] : widths)
    EXPECT_EQ(alloy_bits_of_(format), bits) << format;
}

}  // namespace
