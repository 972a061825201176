// SPDX-License-Identifier: MIT
//
// The owner of an Arrow C struct: its destructor releases the struct, once.
//
// Use it wherever code holds an ArrowSchema, an ArrowArray or an ArrowArrayStream for
// longer than one line. The pointer constructor moves a struct in from C, and MoveTo
// moves it out again. The engine uses the same owner.
//
// Threads  serial.
#ifndef ALLOY_OWNED_HPP_
#define ALLOY_OWNED_HPP_

#include "alloy/arrow_abi.h"

namespace alloy {

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
    ReleaseQuietly();
    value_ = value;
    return *this;
  }
  // A release callback must not throw. An exception of one ends here, since a destructor
  // cannot pass it on.
  ~Owned() { ReleaseQuietly(); }

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
  void ReleaseQuietly() noexcept {
#ifdef __cpp_exceptions
    try {
      Release();
    } catch (...) {
    }
#else
    Release();
#endif
  }

  static T Take(T* source) noexcept {
    T value = *source;
    source->release = nullptr;
    return value;
  }

  T value_{};
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;
using OwnedArrayStream = Owned<ArrowArrayStream>;

}  // namespace alloy

#endif  // ALLOY_OWNED_HPP_
