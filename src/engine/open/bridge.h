// SPDX-License-Identifier: MIT
//
// An open backend as a host holds it: the echo first, then the last library that was
// loaded.
#ifndef ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_
#define ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/bind/select.h"
#include "engine/isolated/input_memory.h"
#include "engine/open/host.h"
#include "gate/level.h"
#include "port/fork_guarded.h"

namespace alloy::core {

// A bridge is open, failed or closed. A failed load leaves a sticky error: it stays, and
// every call gets it, until a load succeeds. A closed bridge stays closed.
//
// Threads  shared. Fixed in place, since calls share it.
class Bridge {
 public:
  // `waiting`: how host and workers wait for each other.
  static Result<std::shared_ptr<Bridge>> Make(std::shared_ptr<Host> host,
                                              const alloy_bridge_options& options,
                                              Waiting waiting = Waiting::kAdaptive);

  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // As alloy_bridge_load. certificate NULL or empty: none. Whatever ends it, memory that
  // ran out included, leaves a sticky error; so nothing is copied before it begins.
  Status Load(const char* library, const char* certificate);
  Status Load(const std::string& library, const char* certificate) {
    return Load(library.c_str(), certificate);
  }
  void Close();

  // Whether calls may run. One atomic load while they may.
  //   Fails  CLOSED, or the sticky error.
  Status CheckOpen() const {
    if (state_.load(std::memory_order_acquire) == kOpen) [[likely]]
      return Status();
    return ErrorOfState();
  }

  Result<const alloy_backend*> Backend();
  // As alloy_bridge_origin. `out` is zero before.
  Status GetOrigin(alloy_origin* out);
  // As alloy_bridge_identity.
  Result<std::string> Identity();
  Result<BoundFunction> Bind(const std::string& function, const ArrowSchema* inputs,
                             int32_t n_inputs, const char* const* options);

  Host& host() const { return *host_; }
  // Where the host may allocate inputs, so that they cross to a worker without a copy; NULL:
  // the backend is in this process.
  const std::shared_ptr<InputMemory>& pool() const { return memory_.pool; }
  // How much the gate checks of what the host passes to a function with these flags, and
  // of what the backend returns.
  Checks check_inputs(uint32_t function_flags) const;
  Level check_results() const { return check_results_; }

 private:
  enum State : int { kOpen, kFailed, kClosed };

  Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options,
         Waiting waiting);

  class FailUnlessDone;

  // Where a backend comes from.
  struct Origin {
    std::string library;
    SourceFile file;
    // Once it was asked for. Guarded as the rest of Serving; never changed then, since hosts
    // have pointers to it.
    std::string sha256 = {};
  };

  // What changes with each load.
  struct Serving {
    std::shared_ptr<ServedBackend> backend;  // NULL: closed
    // All that ever served: hosts hold pointers into the tables.
    std::vector<std::shared_ptr<const BackendTable>> tables;
    std::vector<std::shared_ptr<Origin>> origins;  // for the same reason
    std::shared_ptr<Origin> origin;                // NULL: the echo
    Status sticky_error;

    void Keep(const std::shared_ptr<const BackendTable>& table);
    // The same origin, if it was kept before.
    std::shared_ptr<Origin> Keep(std::shared_ptr<Origin> origin);
  };
  // The digest is known after it. NULL: the echo.
  std::shared_ptr<Origin> OriginWithDigest();
  Libraries& libraries() const {
    return isolated_ != nullptr ? *isolated_ : host_->libraries();
  }
  Status ErrorOfState() const;
  Result<std::shared_ptr<ServedBackend>> Current() const;
  std::shared_ptr<ServedBackend> Serve(std::shared_ptr<Channel> channel) const;
  Result<LoadedLibrary> Open(const std::string& library, const char* certificate) const;

  const std::shared_ptr<Host> host_;
  const std::string wanted_name_;  // of the backend; empty: any
  const Level check_inputs_;
  const bool unsafe_inputs_;  // ALLOY_CHECK_UNSAFE_SHAPE
  const Level check_results_;
  const std::string sidecar_;  // empty: next to the library
  const uint64_t min_sequence_;
  const std::string wanted_sha256_;  // of the library, in lower case; empty: any
  std::atomic<int> state_{kOpen};
  const WorkerMemory memory_;
  // Each bridge has workers of its own. NULL: libraries are loaded into this process.
  const std::unique_ptr<Libraries> isolated_;
  mutable ForkGuarded<Serving> serving_;
  // The sticky error of a load that an exception ended. Made in advance, since out of
  // memory no text can be made.
  const Status exhausted_ =
      Fail(ALLOY_EXHAUSTED, "out of memory while loading a library");
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_
