// SPDX-License-Identifier: MIT
#include "alloy/testing/raw.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace alloy::testing {
namespace {

// What a made struct owns. It keeps its own pointers to the children, so that a release
// needs nothing of the struct but private_data.
template <typename Struct, typename Value>
struct Node {
  Value value;
  std::vector<std::unique_ptr<Struct>> children;
  std::vector<Struct*> pointers;
  std::unique_ptr<Struct> dictionary;
  ReleaseCount* released;
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

void Fill(ArrowSchema* self, const Spec& value) {
  self->format = value.format.c_str();
  self->name = value.name.c_str();
  self->metadata = value.metadata.empty() ? nullptr : value.metadata.data();
  self->flags = value.flags;
}

void Fill(ArrowArray* self, RawArray& value) {
  self->length = value.length;
  self->null_count = value.null_count;
  self->offset = value.offset;
  self->n_buffers = static_cast<int64_t>(value.buffers.size());
  self->buffers = value.buffers.data();
}

template <typename Struct, typename Value>
void MakeInto(Struct* self, const Value& value, ReleaseCount* released) {
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

constexpr int64_t kRows = 4;  // of each column

// Buffers that cannot be zeros: run ends up to kRows, and the type ids of a union.
template <typename T>
const void* RunEnds() {
  static const T ends[] = {1, kRows};
  return ends;
}

const void* TypeIds(size_t id) {
  static const auto ids = [] {
    std::array<std::array<int8_t, 16>, 128> rows{};
    for (size_t i = 0; i < rows.size(); ++i) rows[i].fill(static_cast<int8_t>(i));
    return rows;
  }();
  return ids[id].data();
}

RawArray ZerosOf(const Spec& spec, int64_t rows);

RawArray ZerosOfList(const Spec& spec, int64_t rows, size_t integer_buffers) {
  RawArray list = RawRows(rows, {ZerosOf(spec.children[0], 0)});
  list.buffers.insert(list.buffers.end(), integer_buffers, Zeros());
  return list;
}

RawArray ZerosOfUnion(const Spec& spec, int64_t rows) {
  const std::string ids = spec.format.substr(4);
  if (ids.empty()) return {.length = 0, .buffers = {Zeros()}};
  const bool dense = spec.format[2] == 'd';
  RawArray array{.length = rows,
                 .buffers = {TypeIds(static_cast<size_t>(std::stoi(ids)))}};
  if (dense) array.buffers.push_back(Zeros());
  for (const Spec& child : spec.children) {
    array.children.push_back(ZerosOf(child, dense ? 1 : rows));
  }
  return array;
}

RawArray ZerosOfRunEnds(const Spec& spec, int64_t rows) {
  const char ends = spec.children[0].format[0];
  const void* values = ends == 's'   ? RunEnds<int16_t>()
                       : ends == 'i' ? RunEnds<int32_t>()
                                     : RunEnds<int64_t>();
  return {.length = rows,
          .children = {{.length = 2, .buffers = {nullptr, values}},
                       ZerosOf(spec.children[1], 2)}};
}

RawArray ZerosOf(const Spec& spec, int64_t rows) {
  const std::string& format = spec.format;
  if (!spec.dictionary.empty()) {
    RawArray array = RawFixed(rows);
    array.dictionary = {ZerosOf(spec.dictionary[0], 1)};
    return array;
  }
  if (format == "n") return {.length = rows, .null_count = rows};
  if (format[0] == 'u' || format[0] == 'U' || format[0] == 'z' || format[0] == 'Z' ||
      format[0] == 'v') {
    return {.length = rows, .buffers = {nullptr, Zeros(), Zeros()}};
  }
  if (format == "+l" || format == "+L" || format == "+m") {
    return ZerosOfList(spec, rows, 1);
  }
  if (format.starts_with("+v")) return ZerosOfList(spec, rows, 2);
  if (format.starts_with("+w:")) {
    return RawRows(rows, {ZerosOf(spec.children[0], rows * std::stoi(format.substr(3)))});
  }
  if (format.starts_with("+u")) return ZerosOfUnion(spec, rows);
  if (format == "+r") return ZerosOfRunEnds(spec, rows);
  if (format != "+s") return RawFixed(rows);
  RawArray array = RawRows(rows, {});
  for (const Spec& child : spec.children) array.children.push_back(ZerosOf(child, rows));
  return array;
}

// Types that the specification has, but that programs hardly make.
std::vector<Spec> EdgeTypes() {
  const Spec item{.format = "i", .name = "item"};
  std::vector<Spec> types;
  for (const char* format : {"w:0", "w:1", "w:16", "d:9,2,32", "d:18,2,64", "d:38,0,128",
                             "d:5,-2", "d:76,5,256", "tsm:å:b:"}) {
    types.push_back({.format = format, .name = format});
  }
  types.push_back({.format = "+w:0", .name = "list_of_0", .children = {item}});
  types.push_back({.format = "+us:", .name = "union_of_0"});
  types.push_back({.format = "+ud:127,0", .name = "union_127", .children = {item, item}});
  for (const char* index : {"C", "s", "I", "L"}) {
    types.push_back({.format = index,
                     .name = std::string("dictionary_") + index,
                     .dictionary = {{.format = "u"}}});
  }
  return types;
}

}  // namespace

OwnedSchema Make(const Spec& spec, ReleaseCount* released) {
  ArrowSchema schema;
  MakeInto(&schema, spec, released);
  return OwnedSchema(&schema);
}

OwnedArray Make(const RawArray& array, ReleaseCount* released) {
  ArrowArray made;
  MakeInto(&made, array, released);
  return OwnedArray(&made);
}

const void* Zeros() {
  alignas(64) static const char zeros[1 << 16] = {};
  return zeros;
}

RawArray RawFixed(int64_t length) {
  return {.length = length, .buffers = {nullptr, Zeros()}};
}

std::string RawMetadata(const std::string& key, const std::string& value) {
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

std::vector<RawColumn> EveryRawColumn() {
  std::vector<RawColumn> columns;
  for (const Spec& spec : EveryType()) columns.push_back({spec, ZerosOf(spec, kRows)});
  for (const Spec& spec : EdgeTypes()) columns.push_back({spec, ZerosOf(spec, kRows)});
  return columns;
}

}  // namespace alloy::testing
