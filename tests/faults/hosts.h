// SPDX-License-Identifier: MIT
//
// The hosts that try the cases: C++ with alloy.hpp, and plain C.
#ifndef ALLOY_TESTS_FAULTS_HOSTS_H_
#define ALLOY_TESTS_FAULTS_HOSTS_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/c_host.h"
#include "tests/faults/case.h"
#include "tests/support/support.h"

namespace faults {

// The result of a call, as the host sees it.
struct Outcome {
  alloy_code code = ALLOY_OK;
  int32_t reason = ALLOY_REASON_NONE;
  int32_t input = -1;
  int32_t column = -1;
  int32_t side = ALLOY_SIDE_ENGINE;
  std::string text;
};

// A bridge on a library and one bound call.
class TestHost {
 public:
  virtual ~TestHost() = default;
  virtual Outcome Bind(const char* function, const ArrowSchema& schema,
                       const alloy::OptionMap& options) = 0;
  virtual Outcome Run(ArrowArray* input, ArrowArray* output) = 0;
};

class CppHost final : public TestHost {
 public:
  CppHost(std::string_view library, alloy::BridgeOptions options)
      : bridge_(support::Load(library, support::TestHost(), options)) {}

  Outcome Bind(const char* function, const ArrowSchema& schema,
               const alloy::OptionMap& options) override {
    call_.reset();
    auto bound = bridge_.Bind(function, std::span(&schema, 1), options);
    if (!bound.ok()) return OutcomeOf(bound.status());
    call_.emplace(*std::move(bound));
    return {};
  }
  Outcome Run(ArrowArray* input, ArrowArray* output) override {
    std::vector<alloy::OwnedArray> inputs;
    inputs.emplace_back(input);
    return OutcomeOf(call_->RunRaw(inputs, output, {}));
  }

 private:
  static Outcome OutcomeOf(const alloy::Status& status) {
    return {.code = status.code(),
            .reason = status.reason(),
            .input = status.input(),
            .column = status.column(),
            .side = status.side(),
            .text = std::string(status.text())};
  }

  alloy::Bridge bridge_;
  std::optional<alloy::BoundCall> call_;
};

class CHost final : public TestHost {
 public:
  CHost(std::string_view library, alloy::BridgeOptions options) {
    alloy_error error;
    EXPECT_EQ(c_host_open(&host_, support::BackendPath(library).c_str(),
                          static_cast<uint32_t>(options.check_inputs),
                          static_cast<uint32_t>(options.check_results),
                          support::IsIsolated() ? 1 : 0, &error),
              ALLOY_OK)
        << error.text;
  }
  ~CHost() override { c_host_close(&host_); }
  CHost(const CHost&) = delete;
  CHost& operator=(const CHost&) = delete;

  Outcome Bind(const char* function, const ArrowSchema& schema,
               const alloy::OptionMap& options) override {
    alloy_error error;
    return OutcomeOf(c_host_bind(&host_, function, &schema,
                                 alloy::detail::FlattenOptions(options).data(), &error),
                     error);
  }
  Outcome Run(ArrowArray* input, ArrowArray* output) override {
    alloy_error error;
    return OutcomeOf(c_host_run(&host_, input, output, &error), error);
  }

 private:
  static Outcome OutcomeOf(alloy_code code, const alloy_error& error) {
    if (code == ALLOY_OK) return {};
    EXPECT_EQ(code, error.code);
    EXPECT_EQ(std::string_view(error.text).size(), error.length);
    return {.code = code,
            .reason = error.reason,
            .input = error.input,
            .column = error.column,
            .side = error.side,
            .text = error.text};
  }

  c_host host_{};
};

inline std::unique_ptr<TestHost> MakeHost(std::string_view language,
                                          std::string_view library,
                                          alloy::BridgeOptions options = {}) {
  if (language == "C") return std::make_unique<CHost>(library, options);
  return std::make_unique<CppHost>(library, options);
}

// Expect that the error of a call is the one of the case.
inline void ExpectError(const Case& fault, const Outcome& told, int32_t input,
                        int32_t side) {
  EXPECT_EQ(told.code, ALLOY_BAD_DATA) << told.text;
  if (fault.reason == kAnyFormatReason) {
    EXPECT_TRUE(told.reason == ALLOY_REASON_FORMAT_UNKNOWN ||
                told.reason == ALLOY_REASON_FORMAT_PARAMETER)
        << told.text;
  } else {
    EXPECT_STREQ(alloy_reason_name(told.reason), alloy_reason_name(fault.reason))
        << told.text;
  }
  if (fault.column != kAnyColumn) {
    EXPECT_EQ(told.column, fault.column);
  }
  EXPECT_EQ(told.input, input);
  EXPECT_EQ(told.side, side);
  EXPECT_FALSE(told.text.empty());
}

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_HOSTS_H_
