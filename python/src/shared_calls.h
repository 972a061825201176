// SPDX-License-Identifier: MIT
//
// The bound calls of one function with fixed options, for threads of another engine that
// have no GIL.
#ifndef ALLOY_PYTHON_SRC_SHARED_CALLS_H_
#define ALLOY_PYTHON_SRC_SHARED_CALLS_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bound_call.h"

namespace alloy::python {

// Threads  shared. It holds no Python object.
class SharedCalls {
 public:
  SharedCalls(std::shared_ptr<BridgeHandle> bridge, std::string name,
              std::vector<std::string> options, int64_t timeout_ns);
  SharedCalls(const SharedCalls&) = delete;
  SharedCalls& operator=(const SharedCalls&) = delete;

  // A call for batches of this schema, for this thread until it is given back.
  alloy_code Bind(const ArrowSchema& schema, std::unique_ptr<BoundCall>* bound,
                  alloy_error* error);
  // Takes batch.
  alloy_code Run(BoundCall& bound, OwnedArray batch, OwnedArray* output,
                 alloy_error* error);
  void GiveBack(std::unique_ptr<BoundCall> bound);

  // Cancel every call that runs.
  void Cancel();

  const BridgeHandle& bridge() const { return *bridge_; }

 private:
  std::unique_ptr<BoundCall> TakeIdle(const std::string& key, uint64_t generation);

  const std::shared_ptr<BridgeHandle> bridge_;
  const std::string name_;
  const std::vector<std::string> options_;
  const int64_t timeout_ns_;
  // A thread that does not exist in a forked child may have held the mutex there.
  const uint32_t process_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<BoundCall>> idle_;
  std::vector<BoundCall*> running_;
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_SHARED_CALLS_H_
