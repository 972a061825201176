// SPDX-License-Identifier: MIT
//
// A view of a column of strings, in each of its layouts.
//
// The gate at level shape has checked that the buffers are there and that the first and
// last offset are in order, and no more. So the view checks each row before it follows
// an offset, a view or an index, and throws Failure, which names the row, for one that
// points outside its buffer.
//
// Threads  values: any thread may read while the array lives.
#ifndef ALLOY_STRINGS_HPP_
#define ALLOY_STRINGS_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/detail/bits.hpp"
#include "alloy/detail/rows.hpp"
#include "alloy/failure.hpp"

namespace alloy {

// A column of strings: utf8, large utf8, utf8 view, or a dictionary of one of them. It is
// a range of std::optional<std::string_view>; the texts live as long as the column.
class Strings : public detail::Rows {
 public:
  using value_type = std::optional<std::string_view>;

  // The formats it reads, in the form of alloy_column.accepts.
  static constexpr const char* kAccepts = "u U vu ?:u ?:U ?:vu";
  static constexpr std::string_view kWanted = "u, U, vu or a dictionary of them";

  // Whether this is the schema of a column of strings.
  static bool Accepts(const ArrowSchema& schema) {
    const ArrowSchema& values = schema.dictionary ? *schema.dictionary : schema;
    const std::string_view format = values.format;
    if (schema.dictionary != nullptr &&
        (schema.format[0] == '\0' || schema.format[1] != '\0' ||
         std::strchr("cCsSiIlL", schema.format[0]) == nullptr)) {
      return false;
    }
    return format == "u" || format == "U" || format == "vu";
  }

  // `schema` is one that Accepts takes; its name appears in errors.
  Strings(const ArrowSchema& schema, const ArrowArray& array)
      : Rows(array),
        name_(schema.name),
        index_(schema.dictionary ? schema.format[0] : '\0'),
        indices_(schema.dictionary ? array.buffers[1] : nullptr),
        values_(schema.dictionary ? *schema.dictionary : schema,
                schema.dictionary ? *array.dictionary : array) {}

  std::optional<std::string_view> Get(int64_t row) const {
    std::optional<std::string_view> text;
    if (const char* fault = Read(row, &text)) {
      throw Failure(ALLOY_BAD_DATA, Explain(row, fault));
    }
    return text;
  }
  std::optional<std::string_view> operator[](int64_t row) const { return Get(row); }

  // The same without an exception. Returns NULL, or what is wrong with the row.
  const char* Read(int64_t row, std::optional<std::string_view>* text) const {
    text->reset();
    if (IsNull(row)) return nullptr;
    int64_t at = row;
    if (index_ != '\0') {
      at = Index(offset_ + row);
      if (at < 0 || at >= values_.size) return "a dictionary index out of range";
      if (values_.IsNull(at)) return nullptr;
    }
    std::string_view value;
    const char* fault = values_.Read(at, &value);
    // Build it from its parts. A copy of the whole view as one wide load would have to
    // wait for the two narrow stores before it.
    if (fault == nullptr) text->emplace(value.data(), value.size());
    return fault;
  }
  // Read bytes.size() rows from `first` on, each a text of one byte, without a branch
  // for each row. Made for columns of flags. Returns false, and leaves `bytes`
  // undefined, if a row is null or another text, or if the column has a dictionary.
  bool ReadBytes(int64_t first, std::span<char> bytes) const {
    const auto count = static_cast<int64_t>(bytes.size());
    if (index_ != '\0' || first < 0 || count > size_ - first) return false;
    if (validity_ != nullptr &&
        detail::CountBits(validity_, offset_ + first, count) < count) {
      return false;
    }
    return values_.ReadBytes(first, bytes);
  }
  // The text of an error that names the row.
  std::string Explain(int64_t row, const char* fault) const {
    return "column '" + std::string(name_ ? name_ : "") + "', row " +
           std::to_string(row) + ": " + fault;
  }
  detail::ViewIterator<Strings> begin() const { return {this, 0}; }
  detail::ViewIterator<Strings> end() const { return {this, size_}; }

 private:
  // The strings themselves: the column's, or those of its dictionary.
  struct Values {
    Values(const ArrowSchema& schema, const ArrowArray& array)
        : layout(schema.format[0]),
          size(array.length),
          offset(array.offset),
          n_variadic(array.n_buffers - 3),
          validity(array.null_count == 0 ? nullptr : array.buffers[0]),
          buffers(array.buffers) {}

    bool IsNull(int64_t i) const {
      return validity != nullptr && !detail::BitAt(validity, offset + i);
    }

    template <typename T>
    static T Load(const void* values, int64_t i) {
      T value;
      std::memcpy(&value, static_cast<const char*>(values) + i * int64_t{sizeof(T)},
                  sizeof(T));
      return value;
    }

    const char* Read(int64_t i, std::string_view* text) const {
      if (layout == 'v') return ReadView(offset + i, text);
      if (layout == 'u') return ReadOffsets<int32_t>(offset + i, text);
      return ReadOffsets<int64_t>(offset + i, text);
    }

    bool ReadBytes(int64_t first, std::span<char> bytes) const {
      if (layout == 'u') return ReadSideBySide<int32_t>(offset + first, bytes);
      if (layout == 'U') return ReadSideBySide<int64_t>(offset + first, bytes);
      const char* view = static_cast<const char*>(buffers[1]) + (offset + first) * 16;
      int32_t other = 0;
      for (char& byte : bytes) {
        other |= Load<int32_t>(view, 0) ^ 1;
        byte = view[4];
        view += 16;
      }
      return other == 0;
    }

    // If each string has one byte, the bytes are next to each other.
    template <typename T>
    bool ReadSideBySide(int64_t first, std::span<char> bytes) const {
      const auto begin = Load<T>(buffers[1], first);
      const auto last = Load<T>(buffers[1], offset + size);
      const auto count = static_cast<int64_t>(bytes.size());
      if (begin < 0 || last < begin || last - begin < count) return false;
      T other = 0;
      for (int64_t i = 0; i <= count; ++i) {
        other |= Load<T>(buffers[1], first + i) ^ static_cast<T>(begin + i);
      }
      if (other != 0 || buffers[2] == nullptr) return false;
      if (count > 0) {
        std::memcpy(bytes.data(), static_cast<const char*>(buffers[2]) + begin,
                    bytes.size());
      }
      return true;
    }

    template <typename T>
    const char* ReadOffsets(int64_t i, std::string_view* text) const {
      const T begin = Load<T>(buffers[1], i);
      const T end = Load<T>(buffers[1], i + 1);
      const T last = Load<T>(buffers[1], offset + size);
      if (begin < 0 || end < begin || end > last) return "an offset out of order";
      if (end == begin) return nullptr;
      const auto* data = static_cast<const char*>(buffers[2]);
      if (data == nullptr) return "a string in a buffer that is NULL";
      *text = {data + begin, static_cast<size_t>(end - begin)};
      return nullptr;
    }

    const char* ReadView(int64_t i, std::string_view* text) const {
      const char* view = static_cast<const char*>(buffers[1]) + i * 16;
      const auto bytes = Load<int32_t>(view, 0);
      if (bytes < 0) return "a view of negative length";
      if (bytes <= 12) {
        *text = {view + 4, static_cast<size_t>(bytes)};
        return nullptr;
      }
      const auto buffer = Load<int32_t>(view, 2);
      const auto start = Load<int32_t>(view, 3);
      if (buffer < 0 || buffer >= n_variadic) return "a view of a buffer out of range";
      const auto room = Load<int64_t>(buffers[n_variadic + 2], buffer);
      if (start < 0 || int64_t{start} + bytes > room) return "a view beyond its buffer";
      const auto* data = static_cast<const char*>(buffers[2 + buffer]);
      if (data == nullptr) return "a view of a buffer that is NULL";
      *text = {data + start, static_cast<size_t>(bytes)};
      return nullptr;
    }

    char layout;  // 'u' and 'U': offsets of 32 and 64 bits; 'v': views
    int64_t size;
    int64_t offset;
    int64_t n_variadic;  // only of views: without validity, views and sizes
    const void* validity;
    const void* const* buffers;
  };

  int64_t Index(int64_t i) const {
    switch (index_) {
      case 'c':
        return Values::Load<int8_t>(indices_, i);
      case 'C':
        return Values::Load<uint8_t>(indices_, i);
      case 's':
        return Values::Load<int16_t>(indices_, i);
      case 'S':
        return Values::Load<uint16_t>(indices_, i);
      case 'i':
        return Values::Load<int32_t>(indices_, i);
      case 'I':
        return Values::Load<uint32_t>(indices_, i);
      default:  // a uint64 above the range of int64 turns negative, which is refused
        return Values::Load<int64_t>(indices_, i);
    }
  }

  const char* name_;
  char index_;  // format of the indices of a dictionary; NUL: none
  const void* indices_;
  Values values_;
};

}  // namespace alloy

#endif  // ALLOY_STRINGS_HPP_
