// SPDX-License-Identifier: MIT
//
// The owner of an Arrow C struct: its destructor releases the struct, once.
//
// Use it wherever code holds a struct for longer than one line. The pointer constructor
// moves a struct in from the ABI, and MoveTo moves it out again.
//
// Threads  serial.
#ifndef ALLOY_SRC_ARROW_OWNED_H_
#define ALLOY_SRC_ARROW_OWNED_H_

#include <cstddef>
#include <utility>

#include "alloy/arrow_abi.h"

namespace alloy::core {

template <typename T>
class [[nodiscard]] Owned {
 public:
  Owned() = default;
  // Move the struct out of `source`, which is left released. NULL gives an empty owner.
  explicit Owned(T* source) noexcept {
    if (source != nullptr) value_ = Take(source);
  }
  Owned(Owned&& other) noexcept : value_(Take(&other.value_)) {}
  Owned& operator=(Owned&& other) noexcept {
    // Take first: then moving an owner onto itself keeps what it has.
    T value = Take(&other.value_);
    Release();
    value_ = value;
    return *this;
  }
  ~Owned() { Release(); }

  T* get() { return &value_; }
  const T* get() const { return &value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }

  // Whether there is anything to release.
  explicit operator bool() const { return value_.release != nullptr; }

  // Give up the struct without releasing it.
  T Detach() { return Take(&value_); }
  // The same, into `target`. The old content of `target` is overwritten, not released.
  void MoveTo(T* target) { *target = Take(&value_); }

  void Release() {
    if (value_.release != nullptr) {
      // The callback gets a copy. A callback that reaches back into this owner, or that
      // forgets to clear `release`, then finds nothing to release twice.
      T value = Take(&value_);
      value.release(&value);
    }
  }

 private:
  static T Take(T* source) noexcept {
    T value = *source;
    source->release = nullptr;
    return value;
  }

  T value_{};
};

// Releases, when it goes, those of `n` structs in a row that a foreign function did not
// take. So every way out of a call releases them, an early return too.
template <typename T>
class ReleaseRest {
 public:
  ReleaseRest(T* structs, size_t n) : structs_(structs), n_(n) {}
  ~ReleaseRest() {
    for (size_t i = 0; i < n_; ++i) Owned<T>(&structs_[i]).Release();
  }
  ReleaseRest(const ReleaseRest&) = delete;
  ReleaseRest& operator=(const ReleaseRest&) = delete;

 private:
  T* const structs_;
  const size_t n_;
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;
using OwnedArrayStream = Owned<ArrowArrayStream>;

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_OWNED_H_
