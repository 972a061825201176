// SPDX-License-Identifier: MIT
//
// Numbers and texts in the bytes of a message. Both sides are built from one source and
// run on one machine, so numbers have its own order and nothing is aligned.
//
// Threads  values.
#ifndef ALLOY_SRC_WIRE_BYTES_H_
#define ALLOY_SRC_WIRE_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/backing.h"

namespace alloy::core {

// Writes into a place of a fixed size. What does not fit is dropped, and full() is true
// from then on. A place in shared memory gets its pages as it is filled.
class ByteWriter {
 public:
  explicit ByteWriter(std::span<std::byte> place) : place_(place), room_(place.size()) {}
  // The first kFirstRoom bytes have memory behind them.
  ByteWriter(std::span<std::byte> place, Backing& backing)
      : place_(place),
        room_(place.size() < kFirstRoom ? place.size() : kFirstRoom),
        backing_(&backing) {}

  static constexpr size_t kFirstRoom = size_t{16} << 10;

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void Put(const T& value) {
    PutBytes(&value, sizeof(T));
  }
  void PutText(std::string_view text) {
    Put(static_cast<uint64_t>(text.size()));
    PutBytes(text.data(), text.size());
  }
  // A text for people, which may have any size: the first 64 KiB of it. An error keeps less.
  void PutWords(std::string_view text) {
    constexpr size_t kMostWords = size_t{64} << 10;
    PutText(text.substr(0, kMostWords));
  }
  void PutBytes(const void* bytes, size_t size) {
    if (size > room_ - used_ && !MakeRoom(size)) [[unlikely]]
      return Fail();
    if (size > 0) std::memcpy(place_.data() + used_, bytes, size);
    used_ += size;
  }

  // Make it full: what it holds is not to be sent.
  void Fail() {
    used_ = room_ = place_.size();
    full_ = true;
  }
  // Whether it is full because there is no memory.
  const Status& shortage() const { return shortage_; }
  bool full() const { return full_; }
  size_t used() const { return used_; }

 private:
  bool MakeRoom(size_t size) {
    if (backing_ == nullptr || size > place_.size() - used_) return false;
    const size_t wanted = std::min(place_.size(), std::max(2 * room_, used_ + size));
    shortage_ = backing_->Back(place_.data() + room_, wanted - room_);
    if (shortage_.ok()) room_ = wanted;
    return shortage_.ok();
  }

  std::span<std::byte> place_;
  size_t room_;  // so much of the place may be used
  Backing* backing_ = nullptr;
  Status shortage_;
  size_t used_ = 0;
  bool full_ = false;
};

// Reads bytes that the other side may have made up, out of private memory. After the first
// value that is not there, every value is zero or empty, and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T Get() {
    T value{};
    if (sizeof(T) > bytes_.size()) {
      Fail();
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  // A view of the bytes that are read.
  std::string_view GetText() { return GetBytes(Get<uint64_t>()); }

  // A view of the next bytes.
  std::string_view GetBytes(size_t size) {
    if (size > bytes_.size()) {
      Fail();
      return {};
    }
    const std::string_view view(reinterpret_cast<const char*>(bytes_.data()), size);
    bytes_ = bytes_.subspan(size);
    return view;
  }

  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  // Whether all bytes are read, and all were there.
  bool AtEnd() const { return ok_ && bytes_.empty(); }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_BYTES_H_
