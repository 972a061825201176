// SPDX-License-Identifier: MIT
//
// The owner of a handle of the operating system, which it closes.
//
// Traits has the type of the handle, the value that means no handle, and the function that
// closes one: `struct T { using type = int; static constexpr int kNone = -1; static void
// Close(int); };`
#ifndef ALLOY_SRC_BASE_HANDLE_H_
#define ALLOY_SRC_BASE_HANDLE_H_

#include <utility>

namespace alloy::core {

template <typename Traits>
class Handle {
 public:
  using type = typename Traits::type;

  Handle() = default;
  explicit Handle(type value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(other.Detach()) {}
  Handle& operator=(Handle&& other) noexcept {
    // Detach first: then moving a handle onto itself keeps it.
    type value = other.Detach();
    Close();
    value_ = value;
    return *this;
  }
  ~Handle() { Close(); }

  type get() const { return value_; }
  explicit operator bool() const { return value_ != Traits::kNone; }

  // Give the handle up without closing it.
  type Detach() { return std::exchange(value_, Traits::kNone); }

  void Close() {
    if (value_ != Traits::kNone) Traits::Close(Detach());
  }

 private:
  type value_ = Traits::kNone;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_BASE_HANDLE_H_
