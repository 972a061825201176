// SPDX-License-Identifier: MIT
//
// A tree of Arrow structs that a test breaks, and then follows: it counts every release of
// every struct. Use raw.hpp if the structs need not be followed.
//
// A release frees nothing, and does not read the fields of the struct. All memory stays
// until the Tree goes, so a second release or a use after the release does no harm, and is
// counted.
//
//   const int64_t values[] = {1, 2, 3};
//   Tree tree(BatchOf({{.format = "l", .name = "x"}}),
//             RawRows(3, {{.length = 3, .buffers = {nullptr, values}}}));
//   tree.array(0).n_buffers = 1;  // break column 0
//   ArrowArray batch;
//   tree.MoveArray(&batch);
//
// Threads  serial; any thread may release.
#ifndef ALLOY_TESTING_TREE_HPP_
#define ALLOY_TESTING_TREE_HPP_

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/testing/raw.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

class Tree {
 public:
  // `array` must have the children and dictionaries of `spec`; nothing else is checked.
  Tree(const Spec& spec, const RawArray& array) { Add(spec, array); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // The structs of a column. Columns are counted as errors count them: the root is -1, then
  // in preorder, with a dictionary after the children.
  ArrowArray& array(int column) { return At(column).array; }
  ArrowSchema& schema(int column) { return At(column).schema; }

  // Replace a buffer, or the format. Both are borrowed; NULL is allowed.
  void SetBuffer(int column, size_t index, const void* buffer) {
    At(column).buffers[index] = buffer;
  }
  void SetFormat(int column, const char* format) { schema(column).format = format; }

  // Move the root out. The tree must live until it is released.
  void MoveArray(ArrowArray* out) {
    *out = array(kRootColumn);
    array(kRootColumn).release = nullptr;
  }
  void MoveSchema(ArrowSchema* out) {
    *out = schema(kRootColumn);
    schema(kRootColumn).release = nullptr;
  }

  // How often the root was released.
  int releases() { return At(kRootColumn).array_releases; }
  int schema_releases() { return At(kRootColumn).schema_releases; }
  // The number of arrays that were not released yet, those of columns included.
  int unreleased() const {
    int n = 0;
    for (const Node& node : nodes_) n += node.array_releases == 0 ? 1 : 0;
    return n;
  }
  // True if no struct was released more than once.
  bool ReleasedAtMostOnce() const {
    for (const Node& node : nodes_) {
      if (node.array_releases > 1 || node.schema_releases > 1) return false;
    }
    return true;
  }

 private:
  static constexpr int kRootColumn = -1;

  struct Node {
    Spec spec;
    ArrowSchema schema{};
    ArrowArray array{};
    std::vector<const void*> buffers;
    std::vector<Node*> children;
    std::vector<ArrowSchema*> child_schemas;
    std::vector<ArrowArray*> child_arrays;
    Node* dictionary = nullptr;
    std::atomic<int> schema_releases{0};
    std::atomic<int> array_releases{0};
  };

  static void ReleaseArray(ArrowArray* array) {
    auto* node = static_cast<Node*>(array->private_data);
    ++node->array_releases;
    array->release = nullptr;
    for (Node* child : node->children) ReleaseIfHeld(&child->array);
    if (node->dictionary != nullptr) ReleaseIfHeld(&node->dictionary->array);
  }
  static void ReleaseSchema(ArrowSchema* schema) {
    auto* node = static_cast<Node*>(schema->private_data);
    ++node->schema_releases;
    schema->release = nullptr;
    for (Node* child : node->children) ReleaseIfHeld(&child->schema);
    if (node->dictionary != nullptr) ReleaseIfHeld(&node->dictionary->schema);
  }
  template <typename Struct>
  static void ReleaseIfHeld(Struct* held) {
    if (held->release != nullptr) held->release(held);
  }

  Node& At(int column) { return nodes_[static_cast<size_t>(column + 1)]; }

  Node& Add(const Spec& spec, const RawArray& array) {
    Node& node = nodes_.emplace_back();
    node.spec = spec;
    node.buffers = array.buffers;
    for (size_t i = 0; i < spec.children.size(); ++i) {
      Node& child = Add(spec.children[i], array.children[i]);
      node.children.push_back(&child);
      node.child_schemas.push_back(&child.schema);
      node.child_arrays.push_back(&child.array);
    }
    if (!spec.dictionary.empty()) {
      node.dictionary = &Add(spec.dictionary[0], array.dictionary[0]);
      node.schema.dictionary = &node.dictionary->schema;
      node.array.dictionary = &node.dictionary->array;
    }
    node.schema.format = node.spec.format.c_str();
    node.schema.name = node.spec.name.c_str();
    node.schema.metadata = spec.metadata.empty() ? nullptr : node.spec.metadata.data();
    node.schema.flags = spec.flags;
    node.schema.n_children = static_cast<int64_t>(node.children.size());
    node.schema.children = node.child_schemas.data();
    node.schema.release = &ReleaseSchema;
    node.schema.private_data = &node;
    node.array.length = array.length;
    node.array.null_count = array.null_count;
    node.array.offset = array.offset;
    node.array.n_buffers = static_cast<int64_t>(node.buffers.size());
    node.array.buffers = node.buffers.data();
    node.array.n_children = static_cast<int64_t>(node.children.size());
    node.array.children = node.child_arrays.data();
    node.array.release = &ReleaseArray;
    node.array.private_data = &node;
    return node;
  }

  std::deque<Node> nodes_;  // in preorder; a deque never moves them
};

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_TREE_HPP_
