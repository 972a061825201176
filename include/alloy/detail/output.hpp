// SPDX-License-Identifier: MIT
//
// Builders of columns: numbers, booleans, dates, decimals and strings, with nulls.
//
// Memory comes from a function like alloy_services.resize, aligned to 64 bytes, and goes
// back to it from whatever thread releases the column. No memory is std::bad_alloc.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_OUTPUT_HPP_
#define ALLOY_DETAIL_OUTPUT_HPP_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/block.hpp"
#include "alloy/detail/columns.hpp"
#include "alloy/detail/types.hpp"

namespace alloy {
namespace detail {

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

  // Room for `bytes` at least; what was there stays.
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

// The bits that say which rows are not null; nothing while none is.
class Validity {
 public:
  explicit Validity(Resize resize) : bits_(resize) {}

  void Append(int64_t row, bool valid) {
    if (!bits_) [[likely]] {
      if (valid) return;
      bits_.Reserve(row / 8 + 1);
      std::memset(bits_.as<uint8_t>(), 0xff, static_cast<size_t>(row / 8 + 1));
    }
    bits_.Reserve(row / 8 + 1);
    auto& byte = bits_.as<uint8_t>()[row / 8];
    const auto bit = static_cast<uint8_t>(1 << (row % 8));
    byte = static_cast<uint8_t>(valid ? byte | bit : byte & ~bit);
    nulls_ += valid ? 0 : 1;
  }
  const void* data() const { return bits_.as<void>(); }
  int64_t nulls() const { return nulls_; }

 private:
  Buffer bits_;
  int64_t nulls_ = 0;
};

// What every output column has.
class OutputBase {
 public:
  int64_t size() const { return size_; }

 protected:
  explicit OutputBase(Resize resize) : validity_(resize) {}

  ArrowArray* InitNode(ArrowArray* array, auto& block, int64_t n_buffers) const {
    block.Init(
        array,
        {.length = size_, .null_count = validity_.nulls(), .n_buffers = n_buffers});
    array->buffers[0] = validity_.data();
    return array;
  }

  Validity validity_;
  int64_t size_ = 0;
};

}  // namespace detail

// A column that is being made. Append one row after another. What its values mean the
// schema says: an Output<int64_t> may as well be one of timestamps.
template <typename T>
class Output : public detail::OutputBase {
 public:
  static_assert(detail::FixedWidth<T>,
                "an output of bool, (u)int8_t to (u)int64_t, float, double, "
                "alloy::Date32, alloy::Decimal128 or std::string");
  static constexpr int64_t kBuffers = 2;

  explicit Output(detail::Resize resize) : OutputBase(resize), values_(resize) {}

  void Reserve(int64_t rows) { values_.Reserve(Bytes(rows)); }
  void Append(T value) {
    Put(value);
    validity_.Append(size_++, true);
  }
  void AppendNull() {
    Put(T());
    validity_.Append(size_++, false);
  }
  void Append(std::optional<T> value) { value ? Append(*value) : AppendNull(); }
  void Append(std::nullopt_t) { AppendNull(); }

  // `rows` more rows without nulls, to be written in place.
  std::span<T> Extend(int64_t rows)
    requires(!std::is_same_v<T, bool>)
  {
    Reserve(size_ + rows);
    T* begin = values_.template as<T>() + size_;
    for (int64_t i = 0; validity_.nulls() > 0 && i < rows; ++i) {
      validity_.Append(size_ + i, true);
    }
    size_ += rows;
    return {begin, static_cast<size_t>(rows)};
  }

  // Make `array`, a slot of `block`, this column; its memory stays here.
  void Init(auto& block, ArrowArray* array) {
    Reserve(1);  // an empty column has its buffer too: not every reader takes NULL
    InitNode(array, block, kBuffers)->buffers[1] = values_.template as<void>();
  }

 private:
  static int64_t Bytes(int64_t rows) {
    if constexpr (std::is_same_v<T, bool>) return rows / 8 + 1;
    if (rows > std::numeric_limits<int64_t>::max() / 32) throw std::bad_alloc();
    return rows * int64_t{sizeof(T)};
  }
  void Put(T value) {
    Reserve(size_ + 1);
    if constexpr (std::is_same_v<T, bool>) {
      auto& byte = values_.template as<uint8_t>()[size_ / 8];
      if (size_ % 8 == 0) byte = 0;
      byte = static_cast<uint8_t>(byte | (value ? 1 << (size_ % 8) : 0));
    } else {
      values_.template as<T>()[size_] = value;
    }
  }

  detail::Buffer values_;
};

namespace detail {

// Strings behind offsets, which say how much text there can be.
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

}  // namespace detail

// A column of strings that is being made: utf8, so at most 2 GiB of text.
template <>
class Output<std::string> : public detail::TextOutput<int32_t> {
 public:
  using TextOutput::TextOutput;
};

// Make `output` a batch of these columns, in one block. They are as long as each other.
template <typename... T>
void GiveBatch(ArrowArray* output, std::tuple<Output<T>...> columns) {
  static_assert(sizeof...(T) > 0);
  using Columns = std::tuple<Output<T>...>;
  const int64_t rows = std::get<0>(columns).size();
  auto block = Block<Columns>::Make(1 + int64_t{sizeof...(T)},
                                    1 + (Output<T>::kBuffers + ...), std::move(columns));
  if (!block) throw std::bad_alloc();
  ArrowArray root{};
  block.Init(&root,
             {.length = rows, .n_buffers = 1, .n_children = int64_t{sizeof...(T)}});
  std::apply(
      [&](auto&... column) {
        ArrowArray** child = root.children;
        (column.Init(block, *child++), ...);
      },
      block.owner());
  block.Finish();
  *output = root;
}
template <typename... T>
void GiveBatch(ArrowArray* output, Output<T>... columns) {
  GiveBatch(output, std::make_tuple(std::move(columns)...));
}

// Move an array or a schema: `source` is left released.
template <typename ArrowStruct>
void Move(ArrowStruct* source, ArrowStruct* out) {
  *out = *source;
  source->release = nullptr;
}

}  // namespace alloy

#endif  // ALLOY_DETAIL_OUTPUT_HPP_
