// SPDX-License-Identifier: MIT
//
// A bridge on the benchmark's backend, and calls of it on one batch.
#ifndef ALLOY_BENCH_ISOLATED_BACKEND_PROCESS_H_
#define ALLOY_BENCH_ISOLATED_BACKEND_PROCESS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "bench/isolated/data.h"
#include "engine/call/call.h"
#include "engine/isolated/host_pool.h"
#include "engine/open/bridge.h"

namespace alloy::bench {

// Ends the program with the text of a failure.
void Expect(const core::Status& status);

// The bridge below is not public, because it says how both sides wait.
class Backend {
 public:
  enum class Runs : uint8_t { kInProcess, kAsleep, kSpinning };

  // certificate empty: the library is not signed.
  explicit Backend(Runs runs, const std::string& library,
                   const std::string& certificate = {});

  const std::shared_ptr<core::Bridge>& bridge() const { return bridge_; }
  Data MakeData(Size size, bool in_pool);

 private:
  std::shared_ptr<core::Bridge> bridge_;
  std::shared_ptr<core::HostPool> pool_;
};

// A function that is bound to the type of a batch.
class Function {
 public:
  Function(const Backend& backend, const char* name, int64_t columns);

  // One call; the result is released.
  void Run(const Data& data) const;
  // The same, and every value of the result is read.
  void RunAndCheck(const Data& data, int64_t more = 0) const;
  // A call that fails; returns its code.
  int32_t Fail(const Data& data) const;

  // A stream of the same batch without end.
  OwnedArrayStream Open(const Data& data) const;

 private:
  core::Status Call(const Data& data, OwnedArray* result) const;

  std::shared_ptr<core::Call> call_;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_BACKEND_PROCESS_H_
