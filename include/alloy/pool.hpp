// SPDX-License-Identifier: MIT
//
// Memory for the data of a host that crosses to an isolated backend without a copy.
//
// Threads  shared.
#ifndef ALLOY_POOL_HPP_
#define ALLOY_POOL_HPP_

#include <cstdint>
#include <memory>

#include "alloy/alloy.hpp"
#include "alloy/detail/resize.hpp"

namespace alloy {

// The pool of a bridge; see alloy.h, "Pools". Free all memory before it ends. If the bridge
// could not be made, this is plain memory.
class Pool {
 public:
  explicit Pool(const Bridge& bridge) {
    alloy_pool* pool = nullptr;
    if (bridge.get() != nullptr &&
        alloy_pool_new(bridge.get(), &pool, nullptr) == ALLOY_OK) {
      pool_.reset(pool);
    }
  }

  // Allocate (old_size 0), resize, or free (new_size 0) memory that is aligned to 64 bytes.
  //
  //   Takes  memory. If NULL is returned for a new_size above 0, the caller keeps it.
  //   Gives  the memory; NULL if there is not enough.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) {
    return pool_ != nullptr ? alloy_pool_resize(pool_.get(), memory, old_size, new_size)
                            : detail::AlignedResize(memory, old_size, new_size);
  }

 private:
  struct Free {
    void operator()(alloy_pool* pool) const { alloy_pool_free(pool); }
  };
  std::unique_ptr<alloy_pool, Free> pool_;
};

}  // namespace alloy

#endif  // ALLOY_POOL_HPP_
