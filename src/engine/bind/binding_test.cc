// SPDX-License-Identifier: MIT
#include "engine/bind/binding.h"

#include <gtest/gtest.h>

#include "engine/test_backend.h"

namespace alloy::core {
namespace {

using BindingTest = EngineTest;

TEST_F(BindingTest, AStateThatComesBackServesTheNextCall) {
  std::shared_ptr<Binding> binding;
  void* state = nullptr;
  {
    const auto lease = Select({{"a"}});
    ASSERT_TRUE(lease.ok());
    binding = lease->binding();
    state = lease->state();
    EXPECT_EQ(lambdas_.binds, 1);
  }
  const Lease again(binding, *binding->TakeState(served_->log_context));
  EXPECT_EQ(again.state(), state);
  EXPECT_EQ(lambdas_.binds, 1);
  // Two users at once are two states.
  const Lease second(binding, *binding->TakeState(served_->log_context));
  EXPECT_NE(second.state(), state);
  EXPECT_EQ(lambdas_.binds, 2);
  EXPECT_EQ(lambdas_.unbinds, 0);
}

TEST_F(BindingTest, KeepsABoundedNumberOfIdleStates) {
  {
    const auto first = Select({});
    std::vector<Lease> leases;
    for (int i = 0; i < 40; ++i) {
      leases.emplace_back(first->binding(),
                          *first->binding()->TakeState(served_->log_context));
    }
    leases.clear();
    EXPECT_EQ(lambdas_.unbinds, 40 - 16);
  }
  EXPECT_EQ(lambdas_.unbinds, 41);
}

TEST_F(BindingTest, ABackendThatAnswersDifferentlyTheSecondTimeIsTold) {
  const auto lease = Select({});
  lambdas_.bind = [](alloy_scope*, const ArrowSchema*, int32_t, const char* const*,
                     ArrowSchema* output) {
    Int64Schema({"other"}).MoveTo(output);
    return ALLOY_OK;
  };
  EXPECT_EQ(lease->binding()->TakeState(served_->log_context).status().code(),
            ALLOY_FAILED);
  EXPECT_EQ(lambdas_.unbinds, 1);
}

TEST_F(BindingTest, TheCacheForgetsTheOneLongestUnused) {
  BindingCache cache(host_->mark());
  Serve();
  std::vector<std::weak_ptr<Binding>> seen;
  for (int i = 0; i < 65; ++i) {
    auto binding =
        std::make_shared<Binding>(served_->channel, lambdas_.function, host_->mark());
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
