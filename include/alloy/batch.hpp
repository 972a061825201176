// SPDX-License-Identifier: MIT
//
// A batch for C++ hosts: columns of the same length, with their names. It is what goes
// into a call and what comes out.
//
// Threads  values; any thread may read.
#ifndef ALLOY_BATCH_HPP_
#define ALLOY_BATCH_HPP_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/array.hpp"
#include "alloy/detail/read_as.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy {

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

  // A column as an array; `i` is less than columns().
  Array column(int64_t i) const {
    return {schema().children[i], array().children[i], keeper()};
  }
  Result<Array> column(std::string_view name) const {
    for (int64_t i = 0; i < columns(); ++i) {
      if (name == NameOf(i)) return column(i);
    }
    return Status::Invalid("the batch has no column '" + std::string(name) + "'");
  }
  // A view of the values of a column, which lives as long as an owner of the memory.
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

// A column for MakeBatch.
struct Named {
  std::string name;
  Array array;
};

// Make a batch of named arrays of the same length, whose memory it shares:
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

#endif  // ALLOY_BATCH_HPP_
