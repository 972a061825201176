// SPDX-License-Identifier: MIT
//
// Arrow structs for tests: written as a value, made the way an ordinary producer makes
// them (one allocation and one release for each node), counted when released, and free to
// be broken afterwards, for a release here trusts nothing that the struct says.
//
// Threads  serial; releases from any thread.
#ifndef ALLOY_SRC_ARROW_FAKE_ARROW_H_
#define ALLOY_SRC_ARROW_FAKE_ARROW_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arrow/owned.h"

namespace alloy::core::fake {

// A schema as a value. At most one dictionary.
struct Schema {
  std::string format;
  std::string name = {};
  std::vector<Schema> children = {};
  std::vector<Schema> dictionary = {};
  int64_t flags = ARROW_FLAG_NULLABLE;
  std::string metadata = {};
};

// An array as a value. At most one dictionary.
struct Array {
  int64_t length = 0;
  std::vector<const void*> buffers = {};
  std::vector<Array> children = {};
  std::vector<Array> dictionary = {};
  int64_t offset = 0;
  int64_t null_count = 0;
};

using Count = std::atomic<int>;

// Zeros, and enough of them for any buffer of a test.
inline const void* Zeros() {
  alignas(64) static const char zeros[1 << 16] = {};
  return zeros;
}

template <typename Struct, typename Value>
struct Node {
  Value value;
  std::vector<std::unique_ptr<Struct>> children;
  std::vector<Struct*> pointers;
  std::unique_ptr<Struct> dictionary;
  Count* released;
};

template <typename Struct, typename Value>
void ReleaseNode(Struct* self) {
  auto* node = static_cast<Node<Struct, Value>*>(self->private_data);
  for (auto& child : node->children) {
    if (child->release != nullptr) child->release(child.get());
  }
  if (node->dictionary && node->dictionary->release != nullptr) {
    node->dictionary->release(node->dictionary.get());
  }
  if (node->released != nullptr) ++*node->released;
  delete node;
  self->release = nullptr;
}

inline void Fill(ArrowSchema* self, const Schema& value) {
  self->format = value.format.c_str();
  self->name = value.name.c_str();
  self->metadata = value.metadata.empty() ? nullptr : value.metadata.data();
  self->flags = value.flags;
}

inline void Fill(ArrowArray* self, Array& value) {
  self->length = value.length;
  self->null_count = value.null_count;
  self->offset = value.offset;
  self->n_buffers = static_cast<int64_t>(value.buffers.size());
  self->buffers = value.buffers.data();
}

template <typename Struct, typename Value>
void MakeInto(Struct* self, const Value& value, Count* released) {
  auto* node = new Node<Struct, Value>{value, {}, {}, nullptr, released};
  for (const Value& child : value.children) {
    node->children.push_back(std::make_unique<Struct>());
    node->pointers.push_back(node->children.back().get());
    MakeInto(node->children.back().get(), child, released);
  }
  *self = Struct{};
  if (!value.dictionary.empty()) {
    node->dictionary = std::make_unique<Struct>();
    MakeInto(node->dictionary.get(), value.dictionary[0], released);
    self->dictionary = node->dictionary.get();
  }
  Fill(self, node->value);
  self->n_children = static_cast<int64_t>(node->pointers.size());
  self->children = node->pointers.empty() ? nullptr : node->pointers.data();
  self->private_data = node;
  self->release = &ReleaseNode<Struct, Value>;
}

inline OwnedSchema Make(const Schema& value, Count* released = nullptr) {
  ArrowSchema schema;
  MakeInto(&schema, value, released);
  return OwnedSchema(&schema);
}

inline OwnedArray Make(const Array& value, Count* released = nullptr) {
  ArrowArray array;
  MakeInto(&array, value, released);
  return OwnedArray(&array);
}

// A batch of int64 columns a, b, c, ...
inline Schema BatchOf(std::vector<Schema> columns) {
  return {.format = "+s", .children = std::move(columns), .flags = 0};
}

inline Array Rows(int64_t length, std::vector<Array> columns) {
  return {.length = length, .buffers = {nullptr}, .children = std::move(columns)};
}

inline Array Fixed(int64_t length) {
  return {.length = length, .buffers = {nullptr, Zeros()}};
}

// Bytes of a metadata block with one pair.
inline std::string Metadata(const std::string& key, const std::string& value) {
  std::string block;
  const auto add = [&block](int32_t number) {
    block.append(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  add(1);
  add(static_cast<int32_t>(key.size()));
  block += key;
  add(static_cast<int32_t>(value.size()));
  return block + value;
}

// Every kind of array the specification has, with a well-formed sample of 4 rows.
struct Kind {
  const char* title;
  Schema schema;
  Array sample;
};
std::vector<Kind> AllKinds();

}  // namespace alloy::core::fake

#endif  // ALLOY_SRC_ARROW_FAKE_ARROW_H_
