// SPDX-License-Identifier: MIT
//
// Arrays of every type and nesting, made from a seed, come back the same by Arrow's own
// equality.
//
// The seed is fixed, so every run tests the same arrays. To try others, set the environment
// variable ALLOY_SEED, such as ALLOY_SEED=$RANDOM. A failure prints its seed.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "alloy/arrow.hpp"
#include "tests/support/arrow_peers.h"
#include "tests/support/arrow_random.h"

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kArrays = 1000;  // everything takes some ten times as long
#else
constexpr int kArrays = 5000;
#endif
constexpr int kColumns = 4;
constexpr int kDepth = 3;

uint64_t Seed() {
  if (const char* set = std::getenv("ALLOY_SEED")) return std::strtoull(set, nullptr, 10);
  return 1;
}

class RandomTest : public testing::TestWithParam<support::Identity> {
 protected:
  static void SetUpTestSuite() {
    (void)arrow::RegisterExtensionType(
        std::make_shared<support::NamedType>(arrow::int8()));
  }
};

// A type that the Arrow library of a backend cannot hold must be refused with this error.
bool IsNotHeld(const alloy::Status& status) {
  return status.code() == ALLOY_UNSUPPORTED &&
         status.text().find("cannot hold") != std::string_view::npos;
}

TEST_P(RandomTest, ArraysComeBackTheSame) {
  alloy::Bridge bridge = support::Open(GetParam());
  // Among several random columns, one is nearly always of a type that such a backend
  // refuses.
  const bool is_partial = GetParam().is_partial;
  const int columns = is_partial ? 1 : kColumns;
  const int arrays = is_partial ? kArrays / 5 : kArrays;
  int compared = 0;
  int refused = 0;
  for (uint64_t seed = Seed(); compared < arrays; ++seed) {
    const auto batch = support::RandomArrays(seed).Batch(columns, kDepth);
    const arrow::Status valid = batch->ValidateFull();
    ASSERT_TRUE(valid.ok()) << "ALLOY_SEED=" << seed << ": " << valid;
    const auto came = alloy::arrow::Call(bridge, GetParam().function, {batch});
    if (!came.ok() && IsNotHeld(came.status())) {
      refused += columns;
      continue;
    }
    ASSERT_TRUE(support::Same(came, *batch)) << "ALLOY_SEED=" << seed;
    compared += columns;
  }
  EXPECT_LT(refused, is_partial ? 5 * compared : compared / 10);
}

INSTANTIATE_TEST_SUITE_P(Backends, RandomTest,
                         testing::ValuesIn(support::PartialIdentities()),
                         testing::PrintToStringParamName());

void Look(const arrow::DataType& type, std::map<arrow::Type::type, int>* seen) {
  ++(*seen)[type.id()];
  if (type.id() == arrow::Type::EXTENSION) {
    return Look(*static_cast<const arrow::ExtensionType&>(type).storage_type(), seen);
  }
  if (type.id() == arrow::Type::DICTIONARY) {
    return Look(*static_cast<const arrow::DictionaryType&>(type).value_type(), seen);
  }
  for (const auto& field : type.fields()) Look(*field->type(), seen);
}

TEST(RandomTypesTest, AreOfEveryKind) {
  support::RandomArrays random(1);
  std::map<arrow::Type::type, int> seen;
  for (int i = 0; i < 3000; ++i) Look(*random.Type(kDepth), &seen);
  for (int id = 0; id < arrow::Type::MAX_ID; ++id) {
    EXPECT_GT(seen[static_cast<arrow::Type::type>(id)], 0) << id;
  }
}

}  // namespace
