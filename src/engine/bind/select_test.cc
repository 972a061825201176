// SPDX-License-Identifier: MIT
#include "engine/bind/select.h"

#include <gtest/gtest.h>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

class SelectTest : public EngineTest {
 protected:
  std::string TextOf(const Result<Lease>& selected) {
    return selected.ok() ? "" : selected.status().fault().text;
  }
};

TEST_F(SelectTest, FillsOptionsInTheOrderOfTheTable) {
  const alloy_option options[] = {
      {"by", "factor", nullptr}, {"sep", "", ","}, {nullptr, nullptr, nullptr}};
  lambdas_.function.options = options;
  std::string seen;
  lambdas_.bind = [&](alloy_scope*, const ArrowSchema*, int32_t,
                      const char* const* values, ArrowSchema* output) {
    seen = std::string(values[0]) + "|" + values[1];
    Int64Schema({"out"}).MoveTo(output);
    return ALLOY_OK;
  };
  ASSERT_TRUE(Select({}, {"by", "2", nullptr}).ok());
  EXPECT_EQ(seen, "2|,");
  ASSERT_TRUE(Select({}, {"sep", ";", "by", "3", nullptr}).ok());
  EXPECT_EQ(seen, "3|;");
  const auto missing = Select({});
  EXPECT_EQ(missing.status().code(), ALLOY_INVALID);
  EXPECT_NE(TextOf(missing).find("needs the option by (factor)"), std::string::npos);
  const auto unknown = Select({}, {"bye", "2", nullptr});
  EXPECT_NE(TextOf(unknown).find("no option bye; it takes: by, sep"), std::string::npos);
  EXPECT_EQ(Select({}, {"by", "1", "by", "2", nullptr}).status().code(), ALLOY_INVALID);
  EXPECT_EQ(Select({}, {"by", nullptr}).status().code(), ALLOY_INVALID);
}

TEST_F(SelectTest, SaysHowManyInputsAreWanted) {
  lambdas_.function.min_inputs = 1;
  lambdas_.function.max_inputs = 2;
  EXPECT_NE(TextOf(Select({})).find("takes 1 to 2 inputs, not 0"), std::string::npos);
  EXPECT_TRUE(Select({{"a"}, {"b"}}).ok());
}

TEST_F(SelectTest, ListsWhatThereIsWhenTheNameIsUnknown) {
  Serve();
  const auto selected = SelectFunction(*served_, "g", nullptr, 0, nullptr);
  EXPECT_EQ(selected.status().code(), ALLOY_NOT_FOUND);
  EXPECT_EQ(TextOf(selected), "test.lambdas has no function g; it has: f");
}

TEST_F(SelectTest, TakesTheFirstOfOneNameThatApplies) {
  const alloy_column wanted[] = {{"x", "", nullptr}, {nullptr, nullptr, nullptr}};
  const alloy_column* const columns[] = {wanted, nullptr};
  alloy_function special = lambdas_.function;
  special.columns = columns;
  lambdas_.functions[0] = &special;
  lambdas_.functions[1] = &lambdas_.function;
  const auto first = Select({{"x", "y"}});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(&first->binding()->function(), &special);
  const auto second = Select({{"y"}});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(&second->binding()->function(), &lambdas_.function);
  lambdas_.function.columns = columns;
  const auto none = Select({{"y"}});
  EXPECT_EQ(none.status().code(), ALLOY_NO_MATCH);
  EXPECT_NE(TextOf(none).find("none of the 2 functions f"), std::string::npos);
  EXPECT_EQ(none.status().fault().side, ALLOY_SIDE_CALLER);
  // What no function of the name takes is a mistake, not a mismatch.
  EXPECT_EQ(Select({{"x"}}, {"no such option", "1", nullptr}).status().code(),
            ALLOY_INVALID);
}

TEST_F(SelectTest, ASchemaThatABackendGivesIsCheckedAndReleased) {
  lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema* output) {
    OwnedSchema schema = Int64Schema({"out"});
    schema->children[0]->format = "no such type";
    schema.MoveTo(output);
    return ALLOY_OK;
  };
  const auto selected = Select({});
  EXPECT_EQ(selected.status().reason(), ALLOY_REASON_FORMAT_UNKNOWN);
  EXPECT_EQ(selected.status().fault().side, ALLOY_SIDE_BACKEND);
  EXPECT_EQ(selected.status().fault().column, 0);
  EXPECT_EQ(lambdas_.unbinds, 1);
}

TEST_F(SelectTest, ASchemaOfTheHostThatIsFaultyNamesItsInput) {
  OwnedSchema schema = Int64Schema({"a"});
  schema->children[0]->format = "w:-1";
  Serve();
  const auto selected = SelectFunction(*served_, "f", schema.get(), 1, nullptr);
  EXPECT_EQ(selected.status().code(), ALLOY_BAD_DATA);
  EXPECT_EQ(selected.status().reason(), ALLOY_REASON_FORMAT_PARAMETER);
  EXPECT_EQ(selected.status().fault().input, 0);
  EXPECT_EQ(selected.status().fault().side, ALLOY_SIDE_CALLER);
}

TEST_F(SelectTest, PassesTheWordsOfABackendThatRefuses) {
  lambdas_.bind = [](alloy_scope* scope, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema*) {
    return scope->services->fail(scope, ALLOY_NO_MATCH, "wants a decimal", -1);
  };
  const auto selected = Select({});
  EXPECT_EQ(selected.status().code(), ALLOY_NO_MATCH);
  EXPECT_EQ(TextOf(selected), "wants a decimal");
}

TEST_F(SelectTest, FromChunksMustGiveOneInt64Column) {
  lambdas_.function.name = "from_chunks";
  EXPECT_TRUE(Select({}).ok());
  lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema* output) {
    Int64Schema({"one", "two"}).MoveTo(output);
    return ALLOY_OK;
  };
  EXPECT_EQ(Select({}).status().reason(), ALLOY_REASON_RESULT_SHAPE);
}

TEST_F(SelectTest, KeysTellOptionsAndSchemasApart) {
  const OwnedSchema ab = Int64Schema({"a", "b"}), ba = Int64Schema({"b", "a"});
  const char* const one[] = {"by", "1", nullptr};
  const char* const two[] = {"by1", "", nullptr};
  const std::string key = *BindingKey("f", ab.get(), 1, nullptr);
  EXPECT_EQ(key, *BindingKey("f", Int64Schema({"a", "b"}).get(), 1, nullptr));
  EXPECT_NE(key, *BindingKey("f", ba.get(), 1, nullptr));
  EXPECT_NE(key, *BindingKey("g", ab.get(), 1, nullptr));
  EXPECT_NE(*BindingKey("f", nullptr, 0, one), *BindingKey("f", nullptr, 0, two));
}

}  // namespace
}  // namespace alloy::core
