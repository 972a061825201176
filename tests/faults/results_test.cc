// SPDX-License-Identifier: MIT
//
// Each case as the result of a backend in C++, C and Rust: the error has the reason and the
// place, everything is released exactly once, and the next call works.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/faults/cases.h"
#include "tests/faults/hosts.h"

namespace {

using faults::Case;
using faults::Outcome;
using faults::Tree;

struct Backend {
  const char* language;
  const char* library;
};

// A backend, the language of the host, and the case.
using Parameter = std::tuple<Backend, const char*, Case>;

std::string Address(const void* place) {
  return std::to_string(reinterpret_cast<uintptr_t>(place));
}

class FaultOfABackend : public testing::TestWithParam<Parameter> {
 protected:
  const Case& fault() const { return std::get<2>(GetParam()); }

  // Results are checked at level safe by default.
  std::unique_ptr<faults::TestHost> Open() const {
    return faults::MakeHost(
        std::get<1>(GetParam()), std::get<0>(GetParam()).library,
        {.check_results =
             fault().level > 2 ? alloy::Level::kFull : alloy::Level::kDefault});
  }

  // Bind; the backend returns the tree's schema as the schema of its output.
  Outcome Bind(faults::TestHost& host, Tree& tree) {
    return host.Bind("hand_over", input_.schema(Tree::kRoot),
                     {{"schema", Address(&tree.schema(Tree::kRoot))},
                      {"array", Address(&tree.array(Tree::kRoot))}});
  }

  // In a worker the backend makes the tree of the case itself.
  Outcome BindThere(faults::TestHost& host, const char* function) {
    return host.Bind(function, input_.schema(Tree::kRoot), {{"fault", fault().name}});
  }
  // After which its books say that each tree was released once, and the schemas too.
  void ExpectServesThere(faults::TestHost& host) {
    ArrowArray array;
    ArrowArray output;
    for (const char* function : {"lie", "ledger"}) {
      Tree& input = std::string_view(function) == "lie" ? next_input_ : next_;
      const Outcome bound = host.Bind(function, input.schema(Tree::kRoot), {});
      ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
      input.MoveArray(&array);
      const Outcome told = host.Run(&array, &output);
      ASSERT_EQ(told.code, ALLOY_OK) << told.text;
      if (std::string_view(function) == "lie") output.release(&output);
    }
    const auto value = [&](int column) {
      return static_cast<const int64_t*>(output.children[column]->buffers[1])[0];
    };
    EXPECT_EQ(value(1) + value(2), value(0)) << "each tree gives an array or a schema";
    EXPECT_EQ(static_cast<const uint8_t*>(output.children[3]->buffers[1])[0] & 1, 0);
    output.release(&output);
  }

  // Run; the backend returns the tree's array.
  Outcome Run(faults::TestHost& host, ArrowArray* output) {
    ArrowArray input;
    input_.MoveArray(&input);
    const Outcome told = host.Run(&input, output);
    EXPECT_EQ(input.release, nullptr);
    EXPECT_EQ(input_.releases(), 1);
    EXPECT_TRUE(input_.ReleasedAtMostOnce());
    return told;
  }

  void ExpectServes(faults::TestHost& host) {
    Tree& input = next_input_;
    Tree& good = next_;
    const Outcome bound = host.Bind("hand_over", input.schema(Tree::kRoot),
                                    {{"schema", Address(&good.schema(Tree::kRoot))},
                                     {"array", Address(&good.array(Tree::kRoot))}});
    ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
    ArrowArray array;
    ArrowArray output;
    input.MoveArray(&array);
    const Outcome told = host.Run(&array, &output);
    ASSERT_EQ(told.code, ALLOY_OK) << told.text;
    EXPECT_EQ(good.releases(), 0);
    output.release(&output);
    EXPECT_EQ(good.releases(), 1);
    EXPECT_TRUE(good.ReleasedAtMostOnce());
  }

  // The engine keeps the schemas of the backend as long as the bridge lives.
  Tree input_;
  Tree tree_;
  Tree next_input_;
  Tree next_;
};
class ArrayFault : public FaultOfABackend {};
class SchemaFault : public FaultOfABackend {};

TEST_P(ArrayFault, IsFoundInWhatTheBackendReturns) {
  const auto host = Open();
  if (support::IsIsolated()) {
    const Outcome bound = BindThere(*host, "lie");
    ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
    ArrowArray output;
    const Outcome told = Run(*host, &output);
    if (fault().reason == ALLOY_REASON_NONE) {
      ASSERT_EQ(told.code, ALLOY_OK) << told.text;
      output.release(&output);
    } else {
      faults::ExpectError(fault(), told, /*input=*/-1, ALLOY_SIDE_BACKEND);
      EXPECT_NE(told.text.find("lie"), std::string::npos) << told.text;
      EXPECT_EQ(output.release, nullptr);
    }
    ExpectServesThere(*host);
    return;
  }
  Tree& tree = tree_;
  const Outcome bound = Bind(*host, tree);
  ASSERT_EQ(bound.code, ALLOY_OK) << bound.text;
  fault().spoil(tree);
  ArrowArray output;
  const Outcome told = Run(*host, &output);
  if (fault().reason == ALLOY_REASON_NONE) {
    ASSERT_EQ(told.code, ALLOY_OK) << told.text;
    EXPECT_EQ(tree.releases(), 0);
    output.release(&output);
  } else {
    faults::ExpectError(fault(), told, /*input=*/-1, ALLOY_SIDE_BACKEND);
    EXPECT_NE(told.text.find("hand_over"), std::string::npos) << told.text;
    EXPECT_EQ(output.release, nullptr);
  }
  EXPECT_EQ(tree.releases(), 1);
  EXPECT_TRUE(tree.ReleasedAtMostOnce());
  ExpectServes(*host);
}

TEST_P(SchemaFault, IsFoundInWhatTheBackendBinds) {
  const auto host = Open();
  if (support::IsIsolated()) {
    const Outcome told = BindThere(*host, "lie_in_schema");
    if (fault().reason == ALLOY_REASON_NONE) {
      EXPECT_EQ(told.code, ALLOY_OK) << told.text;
    } else {
      faults::ExpectError(fault(), told, /*input=*/-1, ALLOY_SIDE_BACKEND);
    }
    ExpectServesThere(*host);
    return;
  }
  Tree& tree = tree_;
  fault().spoil(tree);
  const Outcome told = Bind(*host, tree);
  if (fault().reason == ALLOY_REASON_NONE) {
    EXPECT_EQ(told.code, ALLOY_OK) << told.text;
  } else {
    faults::ExpectError(fault(), told, /*input=*/-1, ALLOY_SIDE_BACKEND);
    EXPECT_EQ(tree.schema_releases(), 1);
    EXPECT_TRUE(tree.ReleasedAtMostOnce());
  }
  ExpectServes(*host);
}

std::string NameOf(const testing::TestParamInfo<Parameter>& info) {
  return std::string(std::get<0>(info.param).language) + "_for_" +
         std::get<1>(info.param) + "_" + std::get<2>(info.param).name;
}

std::vector<Backend> Backends() {
  // hand_over gets addresses of this process, which mean nothing in a worker. There tests/lie
  // makes the trees; test_faults_c.py and faults_rust_test have the rest.
  if (support::IsIsolated()) return {{"Cpp", "tests/lie"}};
  return {{"Cpp", "tests/lie"},
          {"C", "tests/hand_over"},
#ifdef ALLOY_TEST_RUST
          {"Rust", "faults_rust"}
#endif
  };
}
constexpr const char* kHosts[] = {"Cpp", "C"};

INSTANTIATE_TEST_SUITE_P(Faults, ArrayFault,
                         testing::Combine(testing::ValuesIn(Backends()),
                                          testing::ValuesIn(kHosts),
                                          testing::ValuesIn(faults::ArrayCases())),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Faults, SchemaFault,
                         testing::Combine(testing::ValuesIn(Backends()),
                                          testing::ValuesIn(kHosts),
                                          testing::ValuesIn(faults::SchemaCases())),
                         NameOf);

}  // namespace
