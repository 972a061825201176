// SPDX-License-Identifier: MIT
//
// What the tests over the C ABI and alloy.hpp share: paths of built files, bridges on the
// backends of the tests, and small batches.
#ifndef ALLOY_TESTS_SUPPORT_SUPPORT_H_
#define ALLOY_TESTS_SUPPORT_SUPPORT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/testing/tree.hpp"

namespace support {

// The path of a library in build/backends, such as `echo_cpp` or `tests/lie`.
inline std::string BackendPath(std::string_view name) {
  return std::string(ALLOY_TEST_BUILD "/backends/").append(name).append(".so");
}

// Collects the lines that a host logs, as `[label] text`.
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

// Whether the bridges of the tests run each library in worker processes. The same tests have
// to pass. The suite cpp-isolated sets ALLOY_TEST_ISOLATED=1, and runs the programs that have
// the label "isolated" in tests/CMakeLists.txt.
inline bool IsIsolated() {
  static const bool is_isolated = [] {
    const char* const text =
        std::getenv("ALLOY_TEST_ISOLATED");  // NOLINT(concurrency-mt-unsafe)
    return text != nullptr && std::string_view(text) == "1";
  }();
  return is_isolated;
}

// Whether a backend gets the memory of the host itself. Data that is not in a pool is copied
// once on its way to a worker, and is released then.
inline bool SharesMemory() { return !IsIsolated(); }
// How often a batch is released that a result in the hands of the host was made of.
inline int32_t ReleasesWhileHeld() { return SharesMemory() ? 0 : 1; }

// Options with the mode of the tests.
inline alloy::BridgeOptions InMode(alloy::BridgeOptions options = {}) {
  if (IsIsolated() && options.isolated == alloy::Isolation::kNone) {
    options.isolated = alloy::Isolation::kWorkers;
    options.limits.max_workers = 64;
  }
  return options;
}

// A bridge in the mode of the tests.
inline alloy::Bridge NewBridge(const alloy::Host& host = TestHost(),
                               const alloy::BridgeOptions& options = {}) {
  return alloy::Bridge(host, InMode(options));
}

// A bridge on a library; on the built-in echo if the name is empty.
inline alloy::Bridge Load(std::string_view name, const alloy::Host& host = TestHost(),
                          const alloy::BridgeOptions& options = {}) {
  alloy::Bridge bridge = NewBridge(host, options);
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

// A batch with one int64 column, x.
inline alloy::Batch SmallBatch() {
  return *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({1, 2, 3})}});
}

// A hand-made batch as the host's own. The tree must live until the batch is released.
inline alloy::Result<alloy::Batch> ImportTree(alloy::testing::Tree& tree) {
  ArrowSchema schema;
  ArrowArray array;
  tree.MoveSchema(&schema);
  tree.MoveArray(&array);
  return alloy::Batch::Import(&schema, &array);
}

// The only value of a column of a result with one row.
template <typename T>
T Only(const alloy::Result<alloy::Batch>& result, std::string_view column) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    return T();
  }
  const auto values = result->template column<T>(column);
  if (!values.ok() || values->size() != 1) {
    ADD_FAILURE() << "expected one value in column " << column;
    return T();
  }
  return *values->Get(0);
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_SUPPORT_H_
