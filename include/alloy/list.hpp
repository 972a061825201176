// SPDX-License-Identifier: MIT
//
// A view of a column of lists, in each of their layouts: lists and large lists, fixed-size
// lists, and list views.
//
// The gate at level shape has checked the first and the last offset, and no more. So the
// view checks each row before it follows it, and throws Failure, which names the row, for
// one that points outside the items. The items are checked by their own view.
//
// Threads  values: any thread may read while the array lives.
#ifndef ALLOY_LIST_HPP_
#define ALLOY_LIST_HPP_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/column.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/detail/rows.hpp"
#include "alloy/failure.hpp"
#include "alloy/strings.hpp"

namespace alloy {

template <typename T>
class List;

namespace detail {

// The view of the items of a List<T>.
template <typename T>
using ItemsOf = std::conditional_t<std::is_same_v<T, std::string_view> ||
                                       std::is_same_v<T, std::string>,
                                   Strings, Column<T>>;

}  // namespace detail

// One list: a range of std::optional<T>. It lives as long as its column. T is any type of
// which there is a Column, std::string_view, or a List.
template <typename T>
class List {
 public:
  // Not looked into before an item is read: a List of what has no view, such as a Struct,
  // is the type of a result.
  using Items = detail::ItemsOf<T>;

  List(const Items* items, int64_t first, int64_t size)
      : items_(items), first_(first), size_(size) {}

  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The item at `i`, which is below size.
  auto Get(int64_t i) const { return items_->Get(first_ + i); }
  auto operator[](int64_t i) const { return Get(i); }
  detail::ViewIterator<Items> begin() const { return {items_, first_}; }
  detail::ViewIterator<Items> end() const { return {items_, first_ + size_}; }

 private:
  const Items* items_;
  int64_t first_;
  int64_t size_;
};

// A column of lists. It is a range of std::optional<List<T>>.
template <typename T>
class Column<List<T>> : public detail::Rows {
 public:
  using Items = detail::ItemsOf<T>;
  using value_type = std::optional<List<T>>;

  static constexpr const char* kAccepts = "+l +L +w:* +vl +vL";
  static constexpr detail::FormatText kWantedText =
      detail::FormatText().Add("lists of ").Add(Items::kWanted);
  static constexpr std::string_view kWanted = kWantedText.view();

  // Whether this is the schema of a column of lists with these items.
  static bool Accepts(const ArrowSchema& schema) {
    return schema.dictionary == nullptr && schema.n_children == 1 &&
           detail::AcceptsFormat(kAccepts, schema.format) &&
           Items::Accepts(*schema.children[0]);
  }

  // `schema` is one that Accepts takes; its name appears in errors.
  Column(const ArrowSchema& schema, const ArrowArray& array)
      : Rows(array),
        name_(schema.name),
        layout_(LayoutOf(schema.format, &width_)),
        offsets_(layout_ == Layout::kFixed ? nullptr : array.buffers[1]),
        sizes_(layout_ >= Layout::kViews ? array.buffers[2] : nullptr),
        n_items_(array.children[0]->length),
        items_(*schema.children[0], *array.children[0]) {}

  std::optional<List<T>> Get(int64_t row) const {
    if (IsNull(row)) return std::nullopt;
    int64_t begin = 0;
    int64_t size = 0;
    Read(offset_ + row, &begin, &size);
    if (begin < 0 || size < 0 || begin > n_items_ || size > n_items_ - begin) {
      throw Failure(ALLOY_BAD_DATA, "column '" + std::string(name_ ? name_ : "") +
                                        "', row " + std::to_string(row) +
                                        ": the list is outside its items");
    }
    return List<T>(&items_, begin, size);
  }
  std::optional<List<T>> operator[](int64_t row) const { return Get(row); }
  // All items, of all lists.
  const Items& items() const { return items_; }
  detail::ViewIterator<Column> begin() const { return {this, 0}; }
  detail::ViewIterator<Column> end() const { return {this, size_}; }

 private:
  enum class Layout { kFixed, kOffsets, kLargeOffsets, kViews, kLargeViews };

  static Layout LayoutOf(std::string_view format, int64_t* width) {
    if (format == "+l") return Layout::kOffsets;
    if (format == "+L") return Layout::kLargeOffsets;
    if (format == "+vl") return Layout::kViews;
    if (format == "+vL") return Layout::kLargeViews;
    std::from_chars(format.data() + 3, format.data() + format.size(), *width);
    return Layout::kFixed;
  }

  template <typename Number>
  static int64_t Load(const void* numbers, int64_t i) {
    Number number;
    std::memcpy(&number, static_cast<const char*>(numbers) + i * int64_t{sizeof(Number)},
                sizeof(Number));
    return number;
  }

  void Read(int64_t at, int64_t* begin, int64_t* size) const {
    int64_t end = 0;
    switch (layout_) {
      case Layout::kFixed:
        *size = width_;
        if (__builtin_mul_overflow(at, width_, begin)) *begin = -1;
        return;
      case Layout::kViews:
        *begin = Load<int32_t>(offsets_, at);
        *size = Load<int32_t>(sizes_, at);
        return;
      case Layout::kLargeViews:
        *begin = Load<int64_t>(offsets_, at);
        *size = Load<int64_t>(sizes_, at);
        return;
      case Layout::kOffsets:
        *begin = Load<int32_t>(offsets_, at);
        end = Load<int32_t>(offsets_, at + 1);
        break;
      case Layout::kLargeOffsets:
        *begin = Load<int64_t>(offsets_, at);
        end = Load<int64_t>(offsets_, at + 1);
        break;
    }
    if (__builtin_sub_overflow(end, *begin, size)) *size = -1;
  }

  const char* name_;
  int64_t width_ = 0;  // of fixed-size lists; set before layout_
  Layout layout_;
  const void* offsets_;
  const void* sizes_;
  int64_t n_items_;
  Items items_;
};

}  // namespace alloy

#endif  // ALLOY_LIST_HPP_
