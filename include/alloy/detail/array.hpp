// SPDX-License-Identifier: MIT
//
// Arrays and batches of C++ hosts: an Arrow array with its schema, and the ways to make
// and read one without an Arrow library.
//
// What they hold is constant and shared: Share gives another owner of the same memory,
// and a call passes the memory on without a copy, alive as long as anybody needs it.
//
// Threads  values; one may be read on many threads.
#ifndef ALLOY_DETAIL_ARRAY_HPP_
#define ALLOY_DETAIL_ARRAY_HPP_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/block.hpp"
#include "alloy/detail/columns.hpp"
#include "alloy/detail/mirror.hpp"
#include "alloy/detail/output.hpp"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/resize.hpp"
#include "alloy/detail/status.hpp"
#include "alloy/detail/strings.hpp"

namespace alloy {
namespace detail {

using Keeper = std::shared_ptr<const void>;  // keeps the memory of an array alive

// An array over memory that `keeper` keeps alive; with `as_batch` it is the one column of
// a batch.
inline OwnedArray ShareArray(const ArrowArray& array, Keeper keeper, bool as_batch) {
  TreeSize size;
  size.Add(array);
  if (as_batch) size = {size.nodes + 1, size.buffers + 1};
  auto block = Block<Keeper>::Make(size.nodes, size.buffers, std::move(keeper));
  if (!block) throw std::bad_alloc();
  OwnedArray shared;
  ArrowArray* slot = shared.get();
  if (as_batch) {
    block.Init(slot, {.length = array.length, .n_buffers = 1, .n_children = 1});
    slot = slot->children[0];
  }
  Mirror(block, slot, array, array.dictionary);
  block.Finish();
  return shared;
}

// A schema and an array that live and die together.
struct Imported {
  Schema own_schema;
  std::shared_ptr<const Schema> shared_schema;
  OwnedArray array;
};

inline Status CheckShape(const ArrowSchema& schema, const ArrowArray& array) {
  int64_t length = 0;
  alloy_error error;
  if (alloy_describe(&schema, &array, nullptr, 0, &length, &error) == ALLOY_OK) return {};
  return Status(error);
}

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
struct WithoutOptional {
  using Type = T;
};
template <typename T>
struct WithoutOptional<std::optional<T>> {
  using Type = T;
};

template <typename T>
concept Text = std::is_convertible_v<T, std::string_view>;

// How a type is spoken of: std::string stands for every kind of text.
template <typename T>
using ElementOf = std::conditional_t<Text<T>, std::string, T>;
template <typename T>
using ViewOfElement = std::conditional_t<Text<T>, Strings, Column<T>>;

template <typename T>
Result<ViewOfElement<T>> ReadAs(const ArrowSchema& schema, const ArrowArray& array) {
  using View = ViewOfElement<T>;
  if (!View::Accepts(schema)) {
    return Status::Invalid("column '" +
                           std::string(schema.name == nullptr ? "" : schema.name) +
                           "' has format '" + schema.format + "', and " +
                           std::string(View::kWanted) + " was asked for");
  }
  if constexpr (Text<T>) {
    Strings strings(schema, array);
    std::optional<std::string_view> text;
    for (int64_t row = 0; row < strings.size(); ++row) {
      if (const char* fault = strings.Read(row, &text)) {
        return Status::Invalid(strings.Explain(row, fault));
      }
    }
    return strings;
  } else {
    return View(schema, array);
  }
}

}  // namespace detail

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

  // Parts of what `keeper` keeps alive, which is well-formed.
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

  // The values, as bool, int8_t to uint64_t, float, double, Date32, Decimal128, or
  // std::string_view for every kind of text. They live as long as an owner of the memory.
  template <typename T>
  Result<detail::ViewOfElement<T>> values() const {
    return detail::ReadAs<T>(*schema_, *array_);
  }

  friend std::ostream& operator<<(std::ostream& out, const Array& array) {
    std::string text(255, '\0');
    int64_t length = 0;
    alloy_error error;
    const auto describe = [&] {
      return alloy_describe(array.schema_, array.array_, text.data(),
                            static_cast<int64_t>(text.size()) + 1, &length, &error);
    };
    alloy_code code = describe();
    if (code == ALLOY_OK && length > static_cast<int64_t>(text.size())) {
      text.resize(static_cast<size_t>(length));
      code = describe();
    }
    if (code != ALLOY_OK) return out << Status(error);
    return out << std::string_view(text.data(), static_cast<size_t>(length));
  }

 private:
  const ArrowSchema* schema_;
  const ArrowArray* array_;
  detail::Keeper keeper_;
};

// Columns of the same length, with their names.
class Batch {
 public:
  // Takes schema and array, whether or not they are well-formed.
  static Result<Batch> Import(ArrowSchema* schema, ArrowArray* array) {
    auto imported = Array::Import(schema, array);
    if (!imported.ok()) return imported.status();
    if (std::string_view(imported->schema().format) != "+s" ||
        imported->array().offset != 0 || imported->array().null_count > 0) {
      return Status::Invalid("a batch is a struct with offset 0 and no nulls of its own");
    }
    return Batch(std::move(*imported));
  }
  explicit Batch(Array array) : array_(std::move(array)) {}

  Batch Share() const { return Batch(array_.Share()); }

  int64_t rows() const { return array_.size(); }
  int64_t columns() const { return array_.schema().n_children; }
  const ArrowSchema& schema() const { return array_.schema(); }
  const ArrowArray& array() const { return array_.array(); }
  const detail::Keeper& keeper() const { return array_.keeper(); }

  // A column as an array of its own; `i` is less than columns().
  Array column(int64_t i) const {
    return {schema().children[i], array().children[i], keeper()};
  }
  Result<Array> column(std::string_view name) const {
    for (int64_t i = 0; i < columns(); ++i) {
      if (name == NameOf(i)) return column(i);
    }
    return Status::Invalid("the batch has no column '" + std::string(name) + "'");
  }
  // The values of a column, which live as long as an owner of the memory.
  template <typename T>
  Result<detail::ViewOfElement<T>> column(std::string_view name) const {
    auto found = column(name);
    if (!found.ok()) return found.status();
    return found->template values<T>();
  }

  // `{x: Int32[1, 2], y: Utf8["a", "b"]}`.
  friend std::ostream& operator<<(std::ostream& out, const Batch& batch) {
    out << '{';
    for (int64_t i = 0; i < batch.columns(); ++i) {
      out << (i > 0 ? ", " : "") << batch.NameOf(i) << ": " << batch.column(i);
    }
    return out << '}';
  }

 private:
  // A name may be NULL ("The Arrow C data interface", ArrowSchema.name).
  std::string_view NameOf(int64_t i) const {
    const char* name = schema().children[i]->name;
    return name == nullptr ? std::string_view() : std::string_view(name);
  }

  Array array_;
};

// An array of the values of any range of T or std::optional<T>: bool, (u)int8_t to
// (u)int64_t, float, double, Date32, or text. No memory is std::bad_alloc, as in a
// container.
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

// A column on its way into a batch.
struct Named {
  std::string name;
  Array array;
};

// A batch of named arrays of the same length, which it shares:
// MakeBatch({{"x", MakeArray<double>({1.5, 2})}, {"y", MakeArray<int64_t>({3, 4})}}).
inline Result<Batch> MakeBatch(std::span<const Named> columns) {
  struct Held {
    Schema schema;
    ArrowArray array{};
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
    std::vector<detail::Keeper> keepers;
    const void* buffers[1] = {nullptr};
  };
  auto held = std::make_shared<Held>();
  std::vector<Schema> schemas;
  for (const auto& [name, array] : columns) {
    if (array.size() != columns[0].array.size()) {
      return Status::Invalid("column '" + name + "' has " + std::to_string(array.size()) +
                             " rows, and the first one " +
                             std::to_string(columns[0].array.size()));
    }
    schemas.push_back(Schema::Copy(array.schema(), name, true));
    held->children.push_back(array.array());  // never released: its keeper is held
    held->keepers.push_back(array.keeper());
  }
  for (ArrowArray& child : held->children) held->pointers.push_back(&child);
  held->schema = Schema::Batch(std::move(schemas));
  held->array.length = columns.empty() ? 0 : columns[0].array.size();
  held->array.n_buffers = 1;
  held->array.buffers = held->buffers;
  held->array.n_children = static_cast<int64_t>(held->children.size());
  held->array.children = held->pointers.data();
  const auto* raw = held.get();
  return Batch(Array(raw->schema.get(), &raw->array, std::move(held)));
}
inline Result<Batch> MakeBatch(std::initializer_list<Named> columns) {
  return MakeBatch(std::span(columns.begin(), columns.size()));
}

}  // namespace alloy

#endif  // ALLOY_DETAIL_ARRAY_HPP_
