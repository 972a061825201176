// SPDX-License-Identifier: MIT
//
// The owner of an Arrow C struct, which the engine shares with the public headers, and
// the releaser of structs that a call did not take.
//
// Threads  serial.
#ifndef ALLOY_SRC_ARROW_OWNED_H_
#define ALLOY_SRC_ARROW_OWNED_H_

#include <cstddef>
#include <string>

#include "alloy/owned.hpp"
#include "base/guard.h"

namespace alloy::core {

using alloy::Owned;
using alloy::OwnedArray;
using alloy::OwnedArrayStream;
using alloy::OwnedSchema;

// Release what foreign code made. Returns what its callback threw, for people; empty:
// nothing.
template <typename T>
std::string ReleaseForeign(Owned<T>* owned) {
  std::string thrown;
  EnterForeign(&thrown, [owned] { owned->Release(); });
  return thrown;
}

// Releases, when it goes, those of `n` structs in a row that a foreign function did not
// take. So every way out of a call releases them, an early return too.
template <typename T>
class ReleaseRest {
 public:
  ReleaseRest(T* structs, size_t n) : structs_(structs), n_(n) {}
  ~ReleaseRest() {
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release != nullptr) ReleaseOne(i);
    }
  }
  ReleaseRest(const ReleaseRest&) = delete;
  ReleaseRest& operator=(const ReleaseRest&) = delete;

  // The same now. Returns what the last callback that threw has thrown; empty: nothing.
  std::string Release() const {
    std::string last;
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release == nullptr) continue;
      if (std::string thrown = ReleaseOne(i); !thrown.empty()) [[unlikely]]
        last = std::move(thrown);
    }
    return last;
  }

 private:
  std::string ReleaseOne(size_t i) const {
    Owned<T> owned(&structs_[i]);
    return ReleaseForeign(&owned);
  }

  T* const structs_;
  const size_t n_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_OWNED_H_
