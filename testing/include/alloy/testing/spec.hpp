// SPDX-License-Identifier: MIT
//
// Arrow types as values: what an ArrowSchema says, without its pointers.
//
// Threads  values.
#ifndef ALLOY_TESTING_SPEC_HPP_
#define ALLOY_TESTING_SPEC_HPP_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/status.hpp"

namespace alloy::testing {

struct Spec {
  std::string format;  // as the Arrow C data interface writes it
  std::string name = {};
  std::vector<Spec> children = {};
  std::vector<Spec> dictionary = {};  // the values' type; none, or one
  int64_t flags = ARROW_FLAG_NULLABLE;
  std::string metadata = {};  // the block, or empty

  bool operator==(const Spec&) const = default;
  bool nullable() const { return (flags & ARROW_FLAG_NULLABLE) != 0; }
};

// A batch of these columns.
Spec BatchOf(std::vector<Spec> columns);

// The value of a well-formed schema.
Spec SpecOf(const ArrowSchema& schema);

// The schema of a value.
alloy::Schema SchemaOf(const Spec& spec);

// One line for people: `x: l, tags: +l<item: u>`.
std::string TextOf(const Spec& spec);

// Read `x:l, y:u, t:tsu:UTC`: the columns of a batch, a name, a colon and a flat format
// string each; `!` before a name says that it has no nulls, `?` in front of a format
// that it is a dictionary of it with int32 indices.
//   Fails  INVALID, with the place.
Result<Spec> ParseColumns(std::string_view text);

// A column of every type that the Arrow C data interface has, nested ones among them;
// each is named after its type.
std::vector<Spec> EveryType();

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SPEC_HPP_
