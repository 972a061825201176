// SPDX-License-Identifier: MIT
//
// The schema of a column of results, from its C++ type.
//
// Threads  shared.
#ifndef ALLOY_MADE_TYPE_HPP_
#define ALLOY_MADE_TYPE_HPP_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/backend.h"
#include "alloy/column.hpp"
#include "alloy/detail/format_of.hpp"
#include "alloy/failure.hpp"
#include "alloy/list.hpp"
#include "alloy/nested_output.hpp"
#include "alloy/schema.hpp"
#include "alloy/types.hpp"

namespace alloy {
namespace detail {

// The first column that a view accepts, those inside of others too. NULL: no column.
inline const ArrowSchema* FindLike(const ArrowSchema& schema,
                                   bool (*accepts)(const ArrowSchema&)) {
  if (accepts(schema)) return &schema;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (const auto* found = FindLike(*schema.children[i], accepts)) return found;
  }
  return schema.dictionary == nullptr ? nullptr : FindLike(*schema.dictionary, accepts);
}

template <typename T>
struct SchemaMaker {
  static Schema Make(std::string name, std::span<const ArrowSchema> inputs) {
    return Schema::Of({.name = std::move(name), .format = FormatFor(inputs)});
  }

 private:
  static std::string FormatFor(std::span<const ArrowSchema> inputs) {
    if constexpr (!FormatOf<T>().empty()) {
      return std::string(FormatOf<T>());
    } else {
      for (const ArrowSchema& input : inputs) {
        if (const auto* like = FindLike(input, &Column<T>::Accepts)) return like->format;
      }
      if constexpr (requires { Parametric<T>::kPlain; }) {
        return std::string(Parametric<T>::kPlain.view());
      } else {
        throw Failure(ALLOY_INTERNAL,
                      "a result of Decimal128 has the precision and scale of an input, "
                      "and the function has no such input: declare Decimal<15, 2>");
      }
    }
  }
};

}  // namespace detail

// The schema of a column that an Output<T> makes: std::string, List<double>, Struct<...>.
// A type without parameters of its own (a Timestamp without a zone, Decimal128) has those
// of the first of `inputs` of the same type. Throws Failure if a precision is needed and
// no column is accepted.
template <typename T>
Schema SchemaOf(std::string name, std::span<const ArrowSchema> inputs = {}) {
  using Value = typename detail::OutputValue<T>::Type;
  return detail::SchemaMaker<Value>::Make(std::move(name), inputs);
}

namespace detail {

template <typename T>
struct SchemaMaker<List<T>> {
  static Schema Make(std::string name, std::span<const ArrowSchema> inputs) {
    return Schema::List(std::move(name), SchemaOf<T>("item", inputs));
  }
};

template <typename... Members>
struct SchemaMaker<Struct<Members...>> {
  static Schema Make(std::string name, std::span<const ArrowSchema> inputs) {
    std::vector<Schema> fields;
    (fields.push_back(
         SchemaOf<typename Members::Type>(std::string(Members::kName.view()), inputs)),
     ...);
    return Schema::Struct(std::move(name), std::move(fields));
  }
};

template <typename T, typename Index>
struct SchemaMaker<Dictionary<T, Index>> {
  static Schema Make(std::string name, std::span<const ArrowSchema> inputs) {
    return Schema::Dictionary(std::move(name), std::string(FormatOf<Index>()),
                              SchemaOf<T>("", inputs));
  }
};

}  // namespace detail
}  // namespace alloy

#endif  // ALLOY_MADE_TYPE_HPP_
