// SPDX-License-Identifier: MIT
//
// A layout is a parsed schema: what the gate must know to check arrays of that schema.
//
// The engine makes it at bind, and it keeps no pointer to the schema. The gate walks
// arrays along the layout. So no call parses a schema, and the gate never relies on what
// an array claims about its own nesting.
//
// Threads  immutable: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_H_
#define ALLOY_SRC_ARROW_LAYOUT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alloy/arrow_abi.h"
#include "arrow/format.h"
#include "base/result.h"

namespace alloy::core {

class Layout {
 public:
  struct Node {
    int64_t max_end = 0;     // the largest offset + length whose bytes fit in 63 bits
    int64_t size = 0;        // fixed-size list: rows of the child for each row;
                             // union: the index into the TypeIds
    int64_t bits = 0;        // of one value of a fixed width
    int32_t n_children = 0;  // without the dictionary, which comes first
    int32_t subtree = 1;     // nodes from here that belong to this one, itself included
    Type type = Type::kNull;
    Form form = Form::kNull;
    uint8_t n_buffers = 0;      // of views: the least
    uint8_t integer_bytes = 0;  // of one offset, size, run end or dictionary index
    bool has_bytes = false;     // values have at least one bit
    bool dictionary = false;
    bool points_elsewhere = false;  // rows here or below have a check in gate/rows.h
    bool nullable : 1 = false;
    // Here or below is a column that is declared not nullable, or a map.
    bool has_required : 1 = false;
    bool has_map : 1 = false;
  };

  // The type ids of a union.
  struct TypeIds {
    std::array<int8_t, 128> children;  // by type id; -1: the union does not have this one
  };

  // Parse the schema of an array of any type.
  //   Fails  ALLOY_BAD_DATA  with reason and column. Columns count from -1 for the root
  //                          in preorder; a dictionary comes right after its index.
  static Result<Layout> Of(const ArrowSchema& schema);

  // Parse the schema of a batch. Also fails with ALLOY_REASON_NOT_A_BATCH.
  static Result<Layout> OfBatch(const ArrowSchema& schema);

  // In preorder: node i is column i - 1.
  std::span<const Node> nodes() const { return nodes_; }
  int64_t n_columns() const { return nodes_[0].n_children; }  // of a batch

  const TypeIds& type_ids(const Node& node) const {
    return type_ids_[static_cast<size_t>(node.size)];
  }

  std::string_view name(int32_t column) const;

  // The path to a column for error texts: `a.b.item`; empty for the root.
  std::string Path(int32_t column) const;

 private:
  struct Name {
    size_t begin = 0;  // in names_
    size_t length = 0;
    int32_t parent = -1;   // a node
    int32_t ordinal = -1;  // among the children of the parent; -1: the dictionary
  };

  Layout() = default;
  friend class LayoutReader;

  std::vector<Node> nodes_;
  std::vector<TypeIds> type_ids_;
  std::vector<Name> node_names_;
  std::string names_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_LAYOUT_H_
