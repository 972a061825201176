// SPDX-License-Identifier: MIT
#include "engine/binding.h"

#include <gtest/gtest.h>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

using BindingTest = EngineTest;

TEST_F(BindingTest, AStateThatComesBackServesTheNextCall) {
  auto selected = Select({{"a"}});
  ASSERT_TRUE(selected.ok());
  EXPECT_EQ(lambdas_.binds, 1);
  selected->binding->ReturnState(selected->state);
  EXPECT_EQ(*selected->binding->TakeState(service_->voice), selected->state);
  EXPECT_EQ(lambdas_.binds, 1);
  // Two users at once are two states.
  const auto second = selected->binding->TakeState(service_->voice);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(*second, selected->state);
  EXPECT_EQ(lambdas_.binds, 2);
  selected->binding->ReturnState(*second);
  selected->binding->ReturnState(selected->state);
  selected->binding.reset();
  EXPECT_EQ(lambdas_.unbinds, 2);
}

TEST_F(BindingTest, KeepsABoundedNumberOfIdleStates) {
  auto selected = Select({});
  std::vector<void*> states = {selected->state};
  for (int i = 0; i < 40; ++i) {
    states.push_back(*selected->binding->TakeState(service_->voice));
  }
  for (void* state : states) selected->binding->ReturnState(state);
  EXPECT_EQ(lambdas_.unbinds, 41 - 16);
  selected->binding.reset();
  EXPECT_EQ(lambdas_.unbinds, 41);
}

TEST_F(BindingTest, ABackendThatAnswersDifferentlyTheSecondTimeIsTold) {
  auto selected = Select({});
  lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema* output) {
    Int64Schema({"other"}).MoveTo(output);
    return ALLOY_OK;
  };
  EXPECT_EQ(selected->binding->TakeState(service_->voice).status().code(), ALLOY_FAILED);
  selected->binding->ReturnState(selected->state);
}

TEST_F(BindingTest, TheCacheForgetsTheOneLongestUnused) {
  BindingCache cache;
  Serve();
  std::vector<std::weak_ptr<Binding>> seen;
  for (int i = 0; i < 65; ++i) {
    auto binding = std::make_shared<Binding>(service_->channel, lambdas_.function);
    seen.push_back(binding);
    cache.Insert(std::to_string(i), std::move(binding));
    ASSERT_NE(cache.Find("0"), nullptr);  // used all the time
  }
  EXPECT_FALSE(seen[0].expired());
  EXPECT_TRUE(seen[1].expired());
  EXPECT_EQ(cache.Find("1"), nullptr);
  EXPECT_NE(cache.Find("64"), nullptr);
}

}  // namespace
}  // namespace alloy::core
