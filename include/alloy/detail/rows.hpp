// SPDX-License-Identifier: MIT
//
// What all views of columns share: rows, nulls, values of one width, iterators.
//
// Threads  values: any thread may read while the array lives.
#ifndef ALLOY_DETAIL_ROWS_HPP_
#define ALLOY_DETAIL_ROWS_HPP_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "alloy/arrow_abi.h"
#include "alloy/detail/bits.hpp"

namespace alloy::detail {

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
    return validity_ != nullptr && !BitAt(validity_, offset_ + row);
  }
  // Which of at most 64 rows are not null, from `row` on: bit i is that of row + i.
  uint64_t Valid64(int64_t row, int64_t rows) const {
    constexpr uint64_t kAll = ~uint64_t{0};
    if (validity_ != nullptr) return BitsAt(validity_, offset_ + row, rows);
    return rows < 64 ? ~(kAll << rows) : kAll;
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

// Values of one width, and their nulls. It is a range of std::optional<T>; `x[i]` is the
// value, whether or not the row is null.
template <typename T>
class Values : public Rows {
 public:
  using value_type = std::optional<T>;

  T operator[](int64_t row) const {
    if constexpr (std::is_same_v<T, bool>) {
      return BitAt(values_, offset_ + row);
    } else {
      T value;  // copied as bytes: any alignment is accepted
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

// The format of a column, and of the items of lists and the values of a dictionary.
inline std::string FormatForPeople(const ArrowSchema& schema) {
  std::string text = "'" + std::string(schema.format) + "'";
  if (schema.dictionary != nullptr) {
    return text + " over a dictionary of " + FormatForPeople(*schema.dictionary);
  }
  return schema.n_children == 1 ? text + " of " + FormatForPeople(*schema.children[0])
                                : text;
}

// The text of the error for a column that the view cannot read.
template <typename View>
std::string Mismatch(const ArrowSchema& schema) {
  return "column '" + std::string(schema.name == nullptr ? "" : schema.name) +
         "' has the format " + FormatForPeople(schema) + ", and the function reads " +
         std::string(View::kWanted);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_ROWS_HPP_
