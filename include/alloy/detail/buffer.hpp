// SPDX-License-Identifier: MIT
//
// The memory of columns that are being made: values, validity, and text behind offsets.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_BUFFER_HPP_
#define ALLOY_DETAIL_BUFFER_HPP_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/arrow_abi.h"

namespace alloy::detail {

using Resize = void* (*)(void* memory, int64_t old_size, int64_t new_size);

// Bytes that grow.
class Buffer {
 public:
  explicit Buffer(Resize resize) : resize_(resize) {}
  Buffer(Buffer&& other) noexcept
      : resize_(other.resize_),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer moved(std::move(other));
    std::swap(resize_, moved.resize_);
    std::swap(data_, moved.data_);
    std::swap(capacity_, moved.capacity_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) resize_(data_, capacity_, 0);
  }

  // Make room for at least `bytes` bytes and keep the content.
  void Reserve(int64_t bytes) {
    if (bytes > capacity_ || data_ == nullptr) Grow(bytes);
  }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  explicit operator bool() const { return data_ != nullptr; }
  int64_t capacity() const { return capacity_; }

 private:
  void Grow(int64_t bytes) {
    constexpr int64_t kLimit = std::numeric_limits<int64_t>::max() / 4;
    if (bytes > kLimit) throw std::bad_alloc();
    const int64_t capacity = (std::max(bytes, 2 * capacity_) + 64) / 64 * 64;
    void* data = resize_(data_, capacity_, capacity);
    if (data == nullptr) throw std::bad_alloc();
    data_ = data;
    capacity_ = capacity;
  }

  Resize resize_;
  void* data_ = nullptr;
  int64_t capacity_ = 0;
};

// The bitmap of the rows that are not null; it has no memory until a row is null.
class Validity {
 public:
  explicit Validity(Resize resize) : bits_(resize) {}

  void Append(int64_t row, bool valid) {
    if (!bits_) [[likely]] {
      if (valid) return;
      Begin(row);
    }
    bits_.Reserve(row / 8 + 1);
    auto& byte = bits_.as<uint8_t>()[row / 8];
    const auto bit = static_cast<uint8_t>(1 << (row % 8));
    byte = static_cast<uint8_t>(valid ? byte | bit : byte & ~bit);
    nulls_ += valid ? 0 : 1;
  }
  // Append at most 64 rows: bit i of `valid` is that of row + i. `row` is a multiple of 64.
  void Append64(int64_t row, int64_t rows, uint64_t valid) {
    const int64_t nulls = rows - std::popcount(valid);
    if (!bits_) [[likely]] {
      if (nulls == 0) return;
      Begin(row);
    }
    bits_.Reserve(row / 8 + int64_t{sizeof(valid)});
    std::memcpy(bits_.as<char>() + row / 8, &valid, sizeof(valid));
    nulls_ += nulls;
  }
  const void* data() const { return bits_.as<void>(); }
  int64_t nulls() const { return nulls_; }

 private:
  // No row before `row` is null.
  void Begin(int64_t row) {
    bits_.Reserve(row / 8 + 1);
    std::memset(bits_.as<uint8_t>(), 0xff, static_cast<size_t>(row / 8 + 1));
  }

  Buffer bits_;
  int64_t nulls_ = 0;
};

// What every output column has.
class OutputBase {
 public:
  // How many structs the column has: one, and those of its children and its dictionary.
  static constexpr int64_t kNodes = 1;

  int64_t size() const { return size_; }

 protected:
  explicit OutputBase(Resize resize) : validity_(resize) {}

  ArrowArray* InitNode(ArrowArray* array, auto& block, int64_t n_buffers,
                       int64_t n_children = 0, bool dictionary = false) const {
    block.Init(array, {.length = size_,
                       .null_count = validity_.nulls(),
                       .n_buffers = n_buffers,
                       .n_children = n_children,
                       .dictionary = dictionary});
    array->buffers[0] = validity_.data();
    return array;
  }

  Validity validity_;
  int64_t size_ = 0;
};

// Strings behind offsets. The width of an offset limits the text.
template <typename Offset>
class TextOutput : public OutputBase {
 public:
  static constexpr int64_t kBuffers = 3;

  explicit TextOutput(Resize resize)
      : OutputBase(resize), offsets_(resize), data_(resize) {}

  void Reserve(int64_t rows) { offsets_.Reserve((rows + 1) * int64_t{sizeof(Offset)}); }
  void Append(std::string_view text) {
    const auto bytes = static_cast<int64_t>(text.size());
    if (bytes > std::numeric_limits<Offset>::max() - end_) {
      throw std::length_error("more than 2 GiB of text in one column");
    }
    data_.Reserve(end_ + bytes);
    if (bytes > 0) std::memcpy(data_.as<char>() + end_, text.data(), text.size());
    end_ += bytes;
    Close(true);
  }
  void Append(const char* text) { Append(std::string_view(text)); }
  void Append(const std::string& text) { Append(std::string_view(text)); }
  void AppendNull() { Close(false); }
  template <typename Text>
  void Append(const std::optional<Text>& text) {
    text ? Append(std::string_view(*text)) : AppendNull();
  }
  void Append(std::nullopt_t) { AppendNull(); }

  void Init(auto& block, ArrowArray* array) {
    Reserve(size_);
    offsets_.as<Offset>()[0] = 0;
    data_.Reserve(1);
    InitNode(array, block, kBuffers);
    array->buffers[1] = offsets_.as<void>();
    array->buffers[2] = data_.as<void>();
  }

 private:
  void Close(bool valid) {
    Reserve(size_ + 1);
    offsets_.as<Offset>()[size_ + 1] = static_cast<Offset>(end_);
    validity_.Append(size_++, valid);
  }

  Buffer offsets_;
  Buffer data_;
  int64_t end_ = 0;
};

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BUFFER_HPP_
