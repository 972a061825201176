// SPDX-License-Identifier: MIT
//
// Typed views of Arrow columns: numbers, booleans, dates, decimals, and any type at all.
// Strings are in strings.hpp.
//
// A view is made on an array that the gate has seen at level shape: its buffers are
// there.
//
// Each view has: kAccepts, what it may be made on as alloy_column.accepts says it (NULL:
// any type); kWanted, the same for people; Accepts, whether a schema is one of those
// exactly; and a constructor of schema and array.
//
// Threads  values: any thread may read while the array lives.
#ifndef ALLOY_DETAIL_COLUMNS_HPP_
#define ALLOY_DETAIL_COLUMNS_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/detail/bits.hpp"
#include "alloy/detail/types.hpp"

namespace alloy {

// An error on its way out of a backend's function: what the caller can do next, and a
// text.
class Failure : public std::exception {
 public:
  Failure(alloy_code code, std::string text) : code_(code), text_(std::move(text)) {}
  explicit Failure(std::string text) : Failure(ALLOY_FAILED, std::move(text)) {}
  alloy_code code() const { return code_; }
  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& text() const { return text_; }

 private:
  alloy_code code_;
  std::string text_;
};

namespace detail {

// Walks a view by its index.
template <typename View>
class ViewIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = typename View::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = value_type;

  ViewIterator() = default;
  ViewIterator(const View* view, int64_t row) : view_(view), row_(row) {}
  value_type operator*() const { return view_->Get(row_); }
  ViewIterator& operator++() {
    ++row_;
    return *this;
  }
  ViewIterator operator++(int) {
    ViewIterator before = *this;
    ++row_;
    return before;
  }
  bool operator==(const ViewIterator& other) const { return row_ == other.row_; }

 private:
  const View* view_ = nullptr;
  int64_t row_ = 0;
};

// What every view has: rows, and which of them are null.
class Rows {
 public:
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool IsNull(int64_t row) const {
    return validity_ != nullptr && !GetBit(validity_, offset_ + row);
  }
  bool HasNulls() const { return validity_ != nullptr && CountNulls() > 0; }
  int64_t CountNulls() const {
    return validity_ == nullptr ? 0 : size_ - CountBits(validity_, offset_, size_);
  }

 protected:
  explicit Rows(const ArrowArray& array)
      : size_(array.length),
        offset_(array.offset),
        validity_(array.null_count == 0 ? nullptr : array.buffers[0]) {}

  int64_t size_;
  int64_t offset_;
  const void* validity_;
};

// Values of one width, side by side, with the nulls beside them. A range of
// std::optional<T>; `x[i]` is the value alone, whatever its null says.
template <typename T>
class Values : public Rows {
 public:
  using value_type = std::optional<T>;

  T operator[](int64_t row) const {
    if constexpr (std::is_same_v<T, bool>) {
      return GetBit(values_, offset_ + row);
    } else {
      T value;  // by memcpy of bytes: any alignment is accepted
      std::memcpy(
          &value,
          static_cast<const char*>(values_) + (offset_ + row) * int64_t{sizeof(T)},
          sizeof(T));
      return value;
    }
  }
  std::optional<T> Get(int64_t row) const {
    if (IsNull(row)) return std::nullopt;
    return (*this)[row];
  }
  ViewIterator<Values> begin() const { return {this, 0}; }
  ViewIterator<Values> end() const { return {this, size_}; }

 protected:
  explicit Values(const ArrowArray& array) : Rows(array), values_(array.buffers[1]) {}

 private:
  const void* values_;
};

// The text of an error about a column on which the view cannot be made.
template <typename View>
std::string Mismatch(const ArrowSchema& schema) {
  return "column '" + std::string(schema.name == nullptr ? "" : schema.name) +
         "' has the format '" + schema.format +
         (schema.dictionary == nullptr ? "'"
                                       : std::string("' over a dictionary of '") +
                                             schema.dictionary->format + "'") +
         ", and the function reads " + std::string(View::kWanted);
}

}  // namespace detail

// A column of numbers, booleans or dates. Any column whose values are of the width of T
// may be looked at as Column<T>(array), whatever its format says: a timestamp as int64_t.
template <typename T>
class Column : public detail::Values<T> {
 public:
  static_assert(!detail::FormatOf<T>().empty(),
                "a column of bool, (u)int8_t to (u)int64_t, float, double, "
                "alloy::Date32 or alloy::Decimal128; for strings take alloy::Strings");
  static constexpr std::string_view kWanted = detail::FormatOf<T>();
  static constexpr const char* kAccepts = kWanted.data();

  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && schema.format == kWanted;
  }

  explicit Column(const ArrowArray& array) : detail::Values<T>(array) {}
  Column(const ArrowSchema&, const ArrowArray& array) : Column(array) {}
};

// A column of decimals of 128 bits. Its values are unscaled.
template <>
class Column<Decimal128> : public detail::Values<Decimal128> {
 public:
  // The pattern has no word for the width: those of other widths are declined at bind.
  static constexpr const char* kAccepts = "d:*";
  static constexpr std::string_view kWanted = "d:P,S of 128 bits";

  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && DecimalType::Parse(schema.format).has_value();
  }

  // `schema` is one that Accepts takes.
  Column(const ArrowSchema& schema, const ArrowArray& array)
      : Values(array), type_(DecimalType::Parse(schema.format).value_or(DecimalType())) {}

  const DecimalType& type() const { return type_; }
  int32_t precision() const { return type_.precision; }
  int32_t scale() const { return type_.scale; }

 private:
  DecimalType type_;
};

// A column of any type, as it came.
struct AnyColumn {
  static constexpr const char* kAccepts = nullptr;
  static constexpr std::string_view kWanted = "any type";
  static bool Accepts(const ArrowSchema&) { return true; }

  const ArrowSchema& schema;
  const ArrowArray& array;
  int64_t size() const { return array.length; }

  // The column as a view of its values. Throws Failure when it is of another type.
  template <typename View>
  View As() const {
    if (!View::Accepts(schema)) {
      throw Failure(ALLOY_INVALID, detail::Mismatch<View>(schema));
    }
    return View{schema, array};
  }
};

}  // namespace alloy

#endif  // ALLOY_DETAIL_COLUMNS_HPP_
