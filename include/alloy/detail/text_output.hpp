// SPDX-License-Identifier: MIT
//
// Builders of the wider columns of strings: large utf8, and views. Output<std::string>,
// in output.hpp, makes utf8.
//
// Threads  serial.
#ifndef ALLOY_DETAIL_TEXT_OUTPUT_HPP_
#define ALLOY_DETAIL_TEXT_OUTPUT_HPP_

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "alloy/arrow_abi.h"
#include "alloy/detail/output.hpp"
#include "alloy/detail/types.hpp"

namespace alloy {

// A column of large utf8 that is being made.
template <>
class Output<LargeText> : public detail::TextOutput<int64_t> {
 public:
  using TextOutput::TextOutput;
};

// A column of utf8 views that is being made: what is longer than 12 bytes lies in one
// buffer, so at most 2 GiB of it.
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

}  // namespace alloy

#endif  // ALLOY_DETAIL_TEXT_OUTPUT_HPP_
