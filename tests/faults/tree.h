// SPDX-License-Identifier: MIT
//
// A batch made by hand, of a column of every layout, whose releases are counted; faults
// are put into it one at a time.
//
// Nothing is freed when it is released, only when the tree goes: so a second release, or
// a use after the first, is seen and not suffered.
//
// Threads  serial; releases may come from any thread.
#ifndef ALLOY_TESTS_FAULTS_TREE_H_
#define ALLOY_TESTS_FAULTS_TREE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"

namespace faults {

// One node: a schema and an array, which begin well-formed and are then spoilt at will.
struct Node {
  std::string format;
  std::string name;
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

// The callbacks trust the node and never the struct, which may hold anything.
inline void ReleaseArray(ArrowArray* array) {
  auto* node = static_cast<Node*>(array->private_data);
  ++node->array_releases;
  array->release = nullptr;
  for (Node* child : node->children) {
    if (child->array.release != nullptr) child->array.release(&child->array);
  }
  if (node->dictionary != nullptr && node->dictionary->array.release != nullptr) {
    node->dictionary->array.release(&node->dictionary->array);
  }
}

inline void ReleaseSchema(ArrowSchema* schema) {
  auto* node = static_cast<Node*>(schema->private_data);
  ++node->schema_releases;
  schema->release = nullptr;
  for (Node* child : node->children) {
    if (child->schema.release != nullptr) child->schema.release(&child->schema);
  }
  if (node->dictionary != nullptr && node->dictionary->schema.release != nullptr) {
    node->dictionary->schema.release(&node->dictionary->schema);
  }
}

class Tree {
 public:
  static constexpr int64_t kRows = 4;

  // The columns, counted as errors count them: preorder, the root -1.
  enum Column {
    kRoot = -1,
    kInt32 = 0,
    kUtf8 = 1,
    kList = 2,
    kListItem = 3,
    kStruct = 4,
    kStructField = 5,
    kFixedSizeList = 6,
    kFixedSizeListItem = 7,
    kView = 8,
    kDictionary = 9,
    kDictionaryValues = 10,
    kRunEnd = 11,
    kRunEnds = 12,
    kRunEndValues = 13,
    kSparseUnion = 14,
    kSparseUnionChild = 15,
    kMap = 16,
    kMapEntries = 17,
    kMapKey = 18,
    kMapValue = 19,
    kBool = 20,
    kDenseUnion = 21,
    kDenseUnionChild = 22,
    kFixedSizeBinary = 23,
    kListView = 24,
    kListViewItem = 25,
    kNull = 26,
    kLargeUtf8 = 27,
    kDecimal = 28,
  };

  Tree() {
    Node& root = Add("+s", "", {nullptr});
    root.schema.flags = 0;
    AddTo(root, "i", "int32", {nullptr, kInts});
    AddTo(root, "u", "utf8", {nullptr, kOffsets, kBytes});
    Node& list = AddTo(root, "+l", "list", {nullptr, kOffsets});
    AddTo(list, "i", "item", {nullptr, kInts}, 10);
    Node& structure = AddTo(root, "+s", "struct", {nullptr});
    AddTo(structure, "i", "field", {nullptr, kInts});
    Node& fixed = AddTo(root, "+w:2", "fixed_size_list", {nullptr});
    AddTo(fixed, "i", "item", {nullptr, kInts}, 2 * kRows);
    AddTo(root, "vu", "view", {nullptr, kViews, kBytes, kViewSizes});
    Node& indices = AddTo(root, "c", "dictionary", {nullptr, kIndices});
    indices.dictionary = &Add("u", "", {nullptr, kOffsets, kBytes});
    Node& runs = AddTo(root, "+r", "run_end", {});
    AddTo(runs, "i", "run_ends", {nullptr, kRunEndsOf4}, 2).schema.flags = 0;
    AddTo(runs, "i", "values", {nullptr, kInts}, 2);
    Node& sparse = AddTo(root, "+us:0", "sparse_union", {kZeros});
    AddTo(sparse, "i", "child", {nullptr, kInts});
    Node& map = AddTo(root, "+m", "map", {nullptr, kOffsets});
    Node& entries = AddTo(map, "+s", "entries", {nullptr}, 10);
    entries.schema.flags = 0;
    AddTo(entries, "i", "key", {nullptr, kInts}, 10).schema.flags = 0;
    AddTo(entries, "i", "value", {nullptr, kInts}, 10);
    AddTo(root, "b", "bool", {nullptr, kZeros});
    Node& dense = AddTo(root, "+ud:0", "dense_union", {kZeros, kDenseOffsets});
    AddTo(dense, "i", "child", {nullptr, kInts});
    AddTo(root, "w:3", "fixed_size_binary", {nullptr, kBytes});
    Node& list_view = AddTo(root, "+vl", "list_view", {nullptr, kZeros, kZeros});
    AddTo(list_view, "i", "item", {nullptr, kInts});
    AddTo(root, "n", "null", {}).array.null_count = kRows;
    AddTo(root, "U", "large_utf8", {nullptr, kLargeOffsets, kBytes});
    AddTo(root, "d:5,2", "decimal", {nullptr, kZeros});
    for (Node& node : nodes_) Link(node);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  Node& at(int column) { return nodes_[static_cast<size_t>(column + 1)]; }
  ArrowArray& array(int column) { return at(column).array; }
  ArrowSchema& schema(int column) { return at(column).schema; }
  void SetFormat(int column, const char* format) {
    schema(column).format = format;  // a literal, or NULL
  }
  void SetBuffer(int column, size_t i, const void* buffer) {
    at(column).buffers[i] = buffer;
  }

  // Hand the root over; the tree goes on counting.
  void MoveArray(ArrowArray* out) {
    *out = array(kRoot);
    array(kRoot).release = nullptr;
  }
  void MoveSchema(ArrowSchema* out) {
    *out = schema(kRoot);
    schema(kRoot).release = nullptr;
  }

  int releases() { return at(kRoot).array_releases; }
  int schema_releases() { return at(kRoot).schema_releases; }
  // Whether no node was released more than once.
  bool ReleasedAtMostOnce() const {
    for (const Node& node : nodes_) {
      if (node.array_releases > 1 || node.schema_releases > 1) return false;
    }
    return true;
  }

  alignas(64) static constexpr int32_t kInts[16] = {1, 2, 3, -4, 5, 6, 7, 8};
  alignas(64) static constexpr int32_t kOffsets[8] = {0, 1, 3, 6, 10};
  alignas(64) static constexpr int64_t kLargeOffsets[8] = {0, 1, 3, 6, 10};
  alignas(64) static constexpr char kBytes[65] =
      "abbcccddddabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01";
  // Three that lie inline, and one of 20 bytes at 10 of the first buffer.
  alignas(64) static constexpr int32_t kViews[16] = {1, 'a', 0, 0, 1,  'b',        0, 0,
                                                     0, 0,   0, 0, 20, 0x64636261, 0, 10};
  alignas(64) static constexpr int64_t kViewSizes[1] = {64};
  alignas(64) static constexpr int8_t kIndices[8] = {0, 3, 1, 2};
  alignas(64) static constexpr int32_t kRunEndsOf4[2] = {2, 4};
  alignas(64) static constexpr int32_t kDenseOffsets[4] = {0, 1, 2, 3};
  alignas(64) static constexpr int32_t kZeros[32] = {};

 private:
  Node& Add(const char* format, const char* name, std::vector<const void*> buffers,
            int64_t length = kRows) {
    Node& node = nodes_.emplace_back();
    node.format = format;
    node.name = name;
    node.buffers = std::move(buffers);
    node.array.length = length;
    node.schema.flags = ARROW_FLAG_NULLABLE;
    return node;
  }
  Node& AddTo(Node& parent, const char* format, const char* name,
              std::vector<const void*> buffers, int64_t length = kRows) {
    Node& node = Add(format, name, std::move(buffers), length);
    parent.children.push_back(&node);
    return node;
  }
  static void Link(Node& node) {
    for (Node* child : node.children) {
      node.child_schemas.push_back(&child->schema);
      node.child_arrays.push_back(&child->array);
    }
    const auto n_children = static_cast<int64_t>(node.children.size());
    node.schema.format = node.format.c_str();
    node.schema.name = node.name.c_str();
    node.schema.n_children = n_children;
    node.schema.children = node.child_schemas.data();
    node.schema.release = &ReleaseSchema;
    node.schema.private_data = &node;
    node.array.n_buffers = static_cast<int64_t>(node.buffers.size());
    node.array.buffers = node.buffers.data();
    node.array.n_children = n_children;
    node.array.children = node.child_arrays.data();
    node.array.release = &ReleaseArray;
    node.array.private_data = &node;
    if (node.dictionary != nullptr) {
      node.schema.dictionary = &node.dictionary->schema;
      node.array.dictionary = &node.dictionary->array;
    }
  }

  std::deque<Node> nodes_;  // in preorder; they never move
};

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_TREE_H_
