// SPDX-License-Identifier: MIT
//
// Arrow types as values: an ArrowSchema without pointers, which can be copied and
// compared.
//
// Threads  values.
#ifndef ALLOY_TESTING_SPEC_HPP_
#define ALLOY_TESTING_SPEC_HPP_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy::testing {

struct Spec {
  std::string format;  // of the C data interface
  std::string name = {};
  std::vector<Spec> children = {};
  std::vector<Spec> dictionary = {};  // the type of its values; at most one
  int64_t flags = ARROW_FLAG_NULLABLE;
  std::string metadata = {};  // the metadata block, or empty

  bool operator==(const Spec&) const = default;
  bool nullable() const { return (flags & ARROW_FLAG_NULLABLE) != 0; }
};

// A batch of these columns.
inline Spec BatchOf(std::vector<Spec> columns) {
  return {.format = "+s", .children = std::move(columns), .flags = 0};
}

// Convert a well-formed schema.
Spec SpecOf(const ArrowSchema& schema);

// Convert a Spec to a schema.
alloy::Schema SchemaOf(const Spec& spec);

// Write it as one line: `x: l, tags: +l<item: u>`.
std::string TextOf(const Spec& spec);

// Parse the columns of a batch, such as `x:l, y:u, t:tsu:UTC`: for each a name, a colon
// and the format of a type without children. `!` before a name: the column has no
// nulls. `?` before a format: a dictionary of that format, with int32 indices.
//
//   Fails  INVALID; the text names the place.
Result<Spec> ParseColumns(std::string_view text);

// One column of every type of the Arrow C data interface, nested types included. Each has
// the name of its type.
std::vector<Spec> EveryType();

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SPEC_HPP_
