// SPDX-License-Identifier: MIT
//
// Different texts, and null, numbered as they come. So a column of strings is a column of
// numbers for whatever comes after.
//
// Threads  serial.
#ifndef AGGREGATE_CPP_TEXTS_H_
#define AGGREGATE_CPP_TEXTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alloy/backend.hpp"
#include "slots.h"

namespace aggregate {

class Texts {
 public:
  explicit Texts(uint64_t seed) : seed_(seed) {}

  // Put the number of each row of a column of strings, in any of their forms, into
  // `numbers`.
  void Number(const alloy::AnyColumn& column, std::span<uint32_t> numbers);

  size_t size() const { return ends_.size(); }
  // The text of a number; nothing for null.
  std::optional<std::string_view> operator[](size_t number) const {
    if (number == null_) return std::nullopt;
    return At(number);
  }

 private:
  void NumberRows(const alloy::Strings& strings, std::span<uint32_t> numbers);
  bool NumberBytes(const alloy::Strings& strings, std::span<uint32_t> numbers);
  void NumberDictionary(const alloy::AnyColumn& column, std::span<uint32_t> numbers);

  std::string_view At(size_t number) const {
    const size_t begin = number == 0 ? 0 : ends_[number - 1];
    return {bytes_.data() + begin, ends_[number] - begin};
  }
  uint32_t NumberOf(uint32_t hash, std::string_view text);
  uint32_t NumberOfNull();
  uint32_t NumberOf(const std::optional<std::string_view>& text);

  uint64_t seed_;
  Slots slots_;
  std::vector<char> bytes_;  // of all texts, one after the other
  std::vector<size_t> ends_;
  std::optional<size_t> null_;
};

}  // namespace aggregate

#endif  // AGGREGATE_CPP_TEXTS_H_
