// SPDX-License-Identifier: MIT
#include "load/backend_table.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

alloy_code BindNothing(void*, alloy_scope*, const ArrowSchema*, int32_t,
                       const char* const*, ArrowSchema*, void**) {
  return ALLOY_OK;
}
alloy_code RunNothing(void*, alloy_scope*, ArrowArray*, int32_t, ArrowArray*) {
  return ALLOY_OK;
}

class BackendTableTest : public ::testing::Test {
 protected:
  // The reason and the text that Make answers for the table as it stands.
  int32_t ReasonOf() {
    auto made = BackendTable::Make(&table_);
    text_ = made.ok() ? "" : made.status().fault().text;
    return made.status().reason();
  }

  alloy_function function_{.struct_size = sizeof(alloy_function),
                           .flags = 0,
                           .name = "score",
                           .summary = nullptr,
                           .options = nullptr,
                           .self = this,
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .columns = nullptr,
                           .bind = BindNothing,
                           .run = RunNothing,
                           .open = nullptr,
                           .unbind = nullptr};
  const alloy_function* functions_[2] = {&function_, nullptr};
  alloy_backend table_{.struct_size = sizeof(alloy_backend),
                       .abi = ALLOY_ABI,
                       .name = "acme.score",
                       .version = "1.0.0",
                       .language = "C++",
                       .functions = functions_};
  std::string text_;
};

TEST_F(BackendTableTest, ShowsHostsATableWithoutEntryPoints) {
  const auto made = BackendTable::Make(&table_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(&(*made)->backend(), &table_);
  const alloy_backend& shown = (*made)->shown();
  ASSERT_NE(shown.functions[0], nullptr);
  EXPECT_STREQ(shown.functions[0]->name, "score");
  EXPECT_EQ(shown.functions[0]->bind, nullptr);
  EXPECT_EQ(shown.functions[0]->run, nullptr);
  EXPECT_EQ(shown.functions[0]->self, nullptr);
  EXPECT_EQ(shown.functions[1], nullptr);
}

TEST_F(BackendTableTest, RefusesAnotherAbiBeforeItReadsOn) {
  table_.abi = 2;
  table_.name = nullptr;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_ABI);
  EXPECT_NE(text_.find("ABI 2"), std::string::npos);
}

TEST_F(BackendTableTest, NamesTheFieldThatIsWrong) {
  table_.struct_size = 8;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  table_.struct_size = sizeof(alloy_backend);
  table_.version = "1.0 beta";
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  EXPECT_NE(text_.find("version"), std::string::npos);
  table_.version = "1.0.0";
  table_.language = "";
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  table_.language = "C++";
  table_.functions = nullptr;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
}

TEST_F(BackendTableTest, NamesTheFunctionThatIsWrong) {
  function_.run = nullptr;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  EXPECT_NE(text_.find("function score: run is NULL"), std::string::npos) << text_;
  function_.run = RunNothing;
  function_.flags = ALLOY_STREAM;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  EXPECT_NE(text_.find("open is NULL"), std::string::npos) << text_;
  function_.flags = ALLOY_ROWWISE;
  function_.max_inputs = 2;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  function_.flags = 0;
  function_.min_inputs = 3;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  function_.min_inputs = 1;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_NONE);
}

TEST_F(BackendTableTest, RefusesAnOptionThatStandsTwice) {
  const alloy_option options[] = {
      {"by", "", nullptr}, {"by", "", "1"}, {nullptr, nullptr, nullptr}};
  function_.options = options;
  EXPECT_EQ(ReasonOf(), ALLOY_REASON_TABLE);
  EXPECT_NE(text_.find("option by is listed twice"), std::string::npos) << text_;
}

}  // namespace
}  // namespace alloy::core
