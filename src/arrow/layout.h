// SPDX-License-Identifier: MIT
//
// What a schema says about the arrays that follow it, read once.
//
// A layout is made at bind and keeps nothing of the schema. The gate (check.h, batch.h)
// walks arrays along it, so that nothing in a call parses, and nothing an array says of
// its own nesting is believed.
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
    int64_t max_end = 0;     // the largest offset + length whose bytes fit 63 bits
    int64_t size = 0;        // rows of the child for each row (fixed-size list); which of
                             // the TypeIds (union)
    int32_t n_children = 0;  // the dictionary, which follows first, is not among them
    int32_t subtree = 1;     // nodes from here on that belong to this one, itself too
    Type type = Type::kNull;
    Form form = Form::kNull;
    uint8_t n_buffers = 0;     // the least, for a view
    uint8_t offset_bytes = 0;  // of one offset or run end
    bool sized = false;        // values of more than no bits
    bool nullable = false;
    bool dictionary = false;
    bool followed = false;  // here or below, rows lead to other places: see deep.h
  };

  // The type ids of a union.
  struct TypeIds {
    std::array<int8_t, 128> children;  // by type id; -1: there is none
  };

  // Read the schema of an array of any type.
  //   Fails  ALLOY_BAD_DATA  with reason and column: root -1, first child 0, a dictionary
  //                          right after its index.
  static Result<Layout> Of(const ArrowSchema& schema);

  // Read the schema of a batch. Also fails with ALLOY_REASON_NOT_A_BATCH.
  static Result<Layout> OfBatch(const ArrowSchema& schema);

  // In preorder: node i is column i - 1.
  std::span<const Node> nodes() const { return nodes_; }
  int64_t n_columns() const { return nodes_[0].n_children; }  // of a batch

  const TypeIds& type_ids(const Node& node) const {
    return type_ids_[static_cast<size_t>(node.size)];
  }

  std::string_view name(int32_t column) const;

  // The place of a column for error texts: `a.b.item`; empty for the root.
  std::string Path(int32_t column) const;

 private:
  struct Name {
    size_t begin = 0;
    size_t length = 0;
    int32_t parent = -1;   // a node
    int32_t ordinal = -1;  // among the children of the parent; -1: the dictionary
  };

  Layout() = default;
  friend class LayoutReader;

  std::vector<Node> nodes_;
  std::vector<TypeIds> type_ids_;
  std::vector<Name> places_;
  std::string names_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ARROW_LAYOUT_H_
