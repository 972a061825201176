// SPDX-License-Identifier: MIT
//
// What the tests over the C ABI and alloy.hpp share: where the built things are, and
// bridges on the backends of the tests.
#ifndef ALLOY_TESTS_SUPPORT_SUPPORT_H_
#define ALLOY_TESTS_SUPPORT_SUPPORT_H_

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/faults/tree.h"

namespace support {

// `echo_cpp`, `tests/lie`: a library below build/backends.
inline std::string BackendPath(std::string_view name) {
  return std::string(ALLOY_TEST_BUILD "/backends/").append(name).append(".so");
}

// The lines that a host logs, as `[label] text`.
class LogLines {
 public:
  void Add(std::string_view language, std::string_view text) {
    const std::lock_guard lock(mutex_);
    lines_.push_back("[" + std::string(language) + "] " + std::string(text));
  }
  std::vector<std::string> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline alloy::Host TestHost(std::shared_ptr<LogLines> lines = nullptr,
                            alloy::LogMode mode = alloy::LogMode::kEchoes) {
  alloy::HostOptions options{.allow_unsigned = true, .log_mode = mode};
  options.log = [lines = std::move(lines)](int32_t, std::string_view language,
                                           std::string_view text) {
    if (lines != nullptr) lines->Add(language, text);
  };
  return alloy::Host(std::move(options));
}

// A bridge on a library; empty: on the built-in echo.
inline alloy::Bridge Load(std::string_view name, const alloy::Host& host = TestHost(),
                          const alloy::BridgeOptions& options = {}) {
  alloy::Bridge bridge(host, options);
  if (!name.empty()) {
    const alloy::Status status = bridge.SetImplLib(BackendPath(name));
    EXPECT_TRUE(status.ok()) << status;
  }
  return bridge;
}

// A call of the C ABI, freed with its owner.
using CallHandle = std::unique_ptr<alloy_call, alloy::detail::FreeCall>;

inline CallHandle Bind(const alloy::Bridge& bridge, const char* function,
                       const ArrowSchema& schema, alloy_error* error,
                       std::vector<const char*> options = {}) {
  alloy_call* call = nullptr;
  options.push_back(nullptr);
  alloy_call_bind(bridge.get(), function, &schema, 1, options.data(), &call, error);
  return CallHandle(call);
}

// A batch of one int64 column x, which most functions do not look at.
inline alloy::Batch SmallBatch() {
  return *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({1, 2, 3})}});
}

// The one value of a column of a result of one row.
template <typename T>
T Only(const alloy::Result<alloy::Batch>& result, std::string_view column) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    return T();
  }
  const auto values = result->template column<T>(column);
  if (!values.ok() || values->size() != 1) {
    ADD_FAILURE() << "no single value in column " << column;
    return T();
  }
  return *values->Get(0);
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_SUPPORT_H_
