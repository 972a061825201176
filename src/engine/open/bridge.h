// SPDX-License-Identifier: MIT
//
// An open backend as a host holds it: the echo at first, then whatever was loaded.
#ifndef ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_
#define ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/call/binding.h"
#include "engine/open/host.h"
#include "gate/level.h"

namespace alloy::core {

// One backend at the service of one bridge.
struct Service {
  std::shared_ptr<Channel> channel;
  Voice voice;
  BindingCache bindings;
};

struct BoundFunction {
  std::shared_ptr<Service> service;
  Lease lease;
};

// Threads  shared. Fixed in place: calls share it.
class Bridge {
 public:
  static Result<std::shared_ptr<Bridge>> Make(std::shared_ptr<Host> host,
                                              const alloy_bridge_options& options);

  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // certificate NULL or empty: none.
  Status Load(const std::string& library, const char* certificate);
  void Close();

  // Whether calls may run: the failure that sticks, or CLOSED. One load when all is well.
  Status Condition() const {
    if (condition_.load(std::memory_order_acquire) == kOpen) [[likely]]
      return Status();
    return Trouble();
  }

  Result<const alloy_backend*> Backend();
  Result<BoundFunction> Bind(const std::string& function, const ArrowSchema* inputs,
                             int32_t n_inputs, const char* const* options);

  Host& host() const { return *host_; }
  // How far the gate looks into what the host passes, and into what the backend returns.
  Level check_inputs() const { return check_inputs_; }
  Level check_results() const { return check_results_; }

 private:
  enum ConditionCode : int { kOpen, kFailed, kClosed };

  Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options);

  class Failing;

  void KeepTable(const std::shared_ptr<const BackendTable>& table);  // under mutex_
  Status Trouble() const;
  Result<std::shared_ptr<Service>> Current() const;
  std::shared_ptr<Service> Serve(std::shared_ptr<const BackendTable> table) const;
  Status CheckUnsigned(const std::string& library) const;
  Result<std::shared_ptr<const BackendTable>> Open(const std::string& library,
                                                   const char* certificate) const;

  const std::shared_ptr<Host> host_;
  const std::string wanted_name_;  // of the backend; empty: any
  const Level check_inputs_;
  const Level check_results_;
  const std::string sidecar_;  // empty: beside the library
  const uint64_t min_sequence_;
  std::atomic<int> condition_{kOpen};
  mutable std::mutex mutex_;
  std::shared_ptr<Service> service_;                         // guarded by mutex_
  std::vector<std::shared_ptr<const BackendTable>> tables_;  // guarded by mutex_; hosts
                                                             // hold pointers into them
  // Made beforehand: what sticks when a load is left by an exception.
  const Status exhausted_ =
      Fail(ALLOY_EXHAUSTED, "out of memory while loading a library");
  Status failure_;  // guarded by mutex_
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_
