// SPDX-License-Identifier: MIT
//
// Builders of columns: numbers, booleans, dates, times, decimals, fixed-size binaries and
// strings, with nulls. For lists, structs and dictionaries see nested_output.hpp.
//
// Append one row after another, then give the columns away as a batch with GiveBatch.
// Memory comes from a function like alloy_services.resize, and goes back to it on any
// thread that releases the column. If there is no memory, std::bad_alloc is thrown. For
// columns whose types are known only at run time, see any_output.hpp.
//
// Threads  serial.
#ifndef ALLOY_OUTPUT_HPP_
#define ALLOY_OUTPUT_HPP_

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
#include <type_traits>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/block.hpp"
#include "alloy/detail/buffer.hpp"
#include "alloy/detail/check_type.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/types.hpp"

namespace alloy {

using detail::Resize;

// A column that is being made. Append one row after another. An Output<int64_t> may also
// be a column of timestamps, and the like: whatever has the same values in memory.
template <typename T>
class Output : public detail::OutputBase {
 public:
  static_assert(detail::FixedWidth<T>,
                "an output of bool, (u)int8_t to (u)int64_t, float, double, std::string, "
                "or a type of alloy/types.hpp");
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

  // Append `rows` rows without nulls, and return their values to be written.
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

  // Append at most 64 rows, and return their values to be written. Row i is null unless bit
  // i of `valid` is set; the other bits are 0. The column has a multiple of 64 rows before.
  std::span<T> Extend64(int64_t rows, uint64_t valid)
    requires(!std::is_same_v<T, bool>)
  {
    Reserve(size_ + rows);
    T* begin = values_.template as<T>() + size_;
    validity_.Append64(size_, rows, valid);
    size_ += rows;
    return {begin, static_cast<size_t>(rows)};
  }

  // Fill `array`, a slot of `block`, with this column, which still owns its memory.
  void Init(auto& block, ArrowArray* array) {
    Reserve(1);  // an empty column has a buffer too: some readers refuse NULL
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

// A column of utf8 that is being made: at most 2 GiB of text.
template <>
class Output<std::string> : public detail::TextOutput<int32_t> {
 public:
  using TextOutput::TextOutput;
};

// A column of large utf8 that is being made.
template <>
class Output<LargeText> : public detail::TextOutput<int64_t> {
 public:
  using TextOutput::TextOutput;
};

// A column of utf8 views that is being made. Texts longer than 12 bytes share one buffer
// of at most 2 GiB.
template <>
class Output<TextView> : public detail::OutputBase {
 public:
  static constexpr int64_t kBuffers = 4;  // validity, views, text, the size of text

  explicit Output(detail::Resize resize)
      : OutputBase(resize), views_(resize), data_(resize), sizes_(resize) {}

  void Reserve(int64_t rows) { views_.Reserve(rows * int64_t{sizeof(View)}); }
  void Append(std::string_view text) {
    constexpr size_t kInline = 12;
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    const auto bytes = static_cast<int64_t>(text.size());
    View view{};
    if (text.size() <= kInline) {
      if (bytes > 0) std::memcpy(view.rest, text.data(), text.size());
    } else {
      if (bytes > kMost - end_) {
        throw std::length_error("more than 2 GiB of text in one column");
      }
      data_.Reserve(end_ + bytes);
      std::memcpy(data_.as<char>() + end_, text.data(), text.size());
      const auto begin = static_cast<int32_t>(end_);
      std::memcpy(view.rest, text.data(), 4);
      std::memcpy(view.rest + 8, &begin, sizeof(begin));  // of buffer 0
      end_ += bytes;
    }
    view.bytes = static_cast<int32_t>(bytes);
    Put(view, true);
  }
  void AppendNull() { Put(View{}, false); }
  template <typename Text>
  void Append(const std::optional<Text>& text) {
    text ? Append(std::string_view(*text)) : AppendNull();
  }

  void Init(auto& block, ArrowArray* array) {
    Reserve(1);
    data_.Reserve(1);
    sizes_.Reserve(int64_t{sizeof(int64_t)});
    *sizes_.as<int64_t>() = end_;
    InitNode(array, block, kBuffers);
    array->buffers[1] = views_.as<void>();
    array->buffers[2] = data_.as<void>();
    array->buffers[3] = sizes_.as<void>();
  }

 private:
  struct View {
    int32_t bytes;
    char rest[12];  // the text; or 4 bytes of it, which buffer, and where in it
  };

  void Put(const View& view, bool valid) {
    Reserve(size_ + 1);
    views_.as<View>()[size_] = view;
    validity_.Append(size_++, valid);
  }

  detail::Buffer views_;
  detail::Buffer data_;
  detail::Buffer sizes_;
  int64_t end_ = 0;
};

// Make a batch of these columns, in one block. They have the same length.
//
//   Gives  output.
template <typename... T>
void GiveBatch(ArrowArray* output, std::tuple<Output<T>...> columns) {
  static_assert(sizeof...(T) > 0);
  using Columns = std::tuple<Output<T>...>;
  const int64_t rows = std::get<0>(columns).size();
  auto block = Block<Columns>::Make(1 + (Output<T>::kNodes + ...),
                                    1 + (Output<T>::kBuffers + ...), std::move(columns));
  if (!block) throw std::bad_alloc();
  block.Describe([](const Columns&, const ArrowSchema& declared) -> std::string {
    constexpr detail::TypeCheck kChecks[] = {&detail::CheckType<T>...};
    return detail::CheckTypes(declared, kChecks);
  });
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

// Move an array or a schema. `source` is left released.
template <typename ArrowStruct>
void Move(ArrowStruct* source, ArrowStruct* out) {
  *out = *source;
  source->release = nullptr;
}

}  // namespace alloy

#endif  // ALLOY_OUTPUT_HPP_
