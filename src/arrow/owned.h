// SPDX-License-Identifier: MIT
//
// The one owner of an Arrow C struct: releases it in the destructor, once.
//
// Reach for it wherever a struct is held for longer than a line; what crosses the ABI is
// moved in and out with the pointer constructor and MoveTo.
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

  // Give the struct up without releasing it.
  T Detach() { return Take(&value_); }
  // The same, into `target`, whose former content is overwritten.
  void MoveTo(T* target) { *target = Take(&value_); }

  void Release() {
    if (value_.release != nullptr) {
      // The callback gets a copy of its own: one that reaches back into this owner, or
      // that does not clear itself, finds nothing to release twice.
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

// Releases what a foreign function left of `n` structs in a row, on every way out.
template <typename T>
class Left {
 public:
  Left(T* structs, size_t n) : structs_(structs), n_(n) {}
  ~Left() {
    for (size_t i = 0; i < n_; ++i) Owned<T>(&structs_[i]).Release();
  }
  Left(const Left&) = delete;
  Left& operator=(const Left&) = delete;

 private:
  T* const structs_;
  const size_t n_;
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;
using OwnedArrayStream = Owned<ArrowArrayStream>;

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_OWNED_H_
