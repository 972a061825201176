// SPDX-License-Identifier: MIT
//
// An Arrow array with its schema, for C++ hosts, and ways to make one without an Arrow
// library.
//
// An array is constant. Share gives another owner of the same memory. A call passes the
// memory on without a copy and keeps it alive as long as anything needs it.
//
// Threads  values; any thread may read.
#ifndef ALLOY_ARRAY_HPP_
#define ALLOY_ARRAY_HPP_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ostream>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "alloy/detail/print.hpp"
#include "alloy/detail/read_as.hpp"
#include "alloy/detail/resize.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/output.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy {

// An Arrow array with its schema.
class Array {
 public:
  // Takes schema and array, whether or not they are well-formed.
  static Result<Array> Import(ArrowSchema* schema, ArrowArray* array) {
    auto held = std::make_shared<detail::Imported>();
    held->own_schema = Schema(schema);
    held->array = OwnedArray(array);
    Status status = detail::CheckShape(*held->own_schema, *held->array);
    if (!status.ok()) return status;
    const auto* raw = held.get();
    return Array(raw->own_schema.get(), raw->array.get(), std::move(held));
  }

  // Borrows schema and array, which are well-formed, as long as `keeper` lives.
  Array(const ArrowSchema* schema, const ArrowArray* array, detail::Keeper keeper)
      : schema_(schema), array_(array), keeper_(std::move(keeper)) {}

  Array(Array&&) = default;
  Array& operator=(Array&&) = default;

  // Another owner of the same memory.
  Array Share() const { return {schema_, array_, keeper_}; }

  int64_t size() const { return array_->length; }
  const ArrowSchema& schema() const { return *schema_; }
  const ArrowArray& array() const { return *array_; }
  const detail::Keeper& keeper() const { return keeper_; }

  // A view of the values: bool, int8_t to uint64_t, float, double, Date32, Decimal128, or
  // std::string_view for every kind of text. It lives as long as an owner of the memory.
  template <typename T>
  Result<detail::ViewOfElement<T>> values() const {
    return detail::ReadAs<T>(*schema_, *array_);
  }

  // `Int32[1, 2, null]`.
  friend std::ostream& operator<<(std::ostream& out, const Array& array) {
    return detail::Print(out, *array.schema_, *array.array_);
  }

 private:
  const ArrowSchema* schema_;
  const ArrowArray* array_;
  detail::Keeper keeper_;
};

// Make an array of any range of T or std::optional<T>: bool, (u)int8_t to (u)int64_t,
// float, double, Date32, or text. Like a container, it throws std::bad_alloc if there is
// no memory.
template <typename T, std::ranges::input_range Values>
Array MakeArray(const Values& values) {
  using Element = detail::ElementOf<T>;
  static_assert(!detail::FormatOf<Element>().empty(), "a type that says its format");
  Output<Element> column(&detail::AlignedResize);
  if constexpr (std::ranges::sized_range<const Values>) {
    column.Reserve(static_cast<int64_t>(std::ranges::size(values)));
  }
  for (const auto& value : values) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (detail::kIsOptional<Value> || detail::Text<T>) {
      column.Append(value);
    } else {
      column.Append(static_cast<T>(value));
    }
  }
  auto held = std::make_shared<detail::Imported>();
  held->own_schema = Schema::Of(
      {.name = "", .format = std::string(detail::FormatOf<Element>()), .nullable = true});
  GiveBatch(held->array.get(), std::move(column));
  const auto* raw = held.get();
  return {raw->own_schema.get(), raw->array->children[0], std::move(held)};
}
template <std::ranges::input_range Values>
Array MakeArray(const Values& values) {
  return MakeArray<typename detail::WithoutOptional<
      std::remove_cvref_t<std::ranges::range_value_t<Values>>>::Type>(values);
}
// MakeArray<int32_t>({1, 2, std::nullopt}).
template <typename T>
Array MakeArray(
    std::initializer_list<std::optional<
        std::conditional_t<detail::Text<T>, std::string_view, std::type_identity_t<T>>>>
        values) {
  return MakeArray<T>(std::span(values.begin(), values.size()));
}

}  // namespace alloy

#endif  // ALLOY_ARRAY_HPP_
