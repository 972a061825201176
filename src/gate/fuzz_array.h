// SPDX-License-Identifier: MIT
//
// Makes batches from a fuzzer's bytes. They are well-formed first: every buffer is an
// allocation of exactly the size that its struct implies. Then they are damaged, but so
// that no struct implies more bytes than its buffers have. (C data has no sizes, so the
// gate must trust the struct.) If the gate passes such a batch, a reader must be able to
// read all its rows without leaving a buffer.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_FUZZ_ARRAY_H_
#define ALLOY_SRC_GATE_FUZZ_ARRAY_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "arrow/fuzz_bytes.h"
#include "arrow/owned.h"

namespace alloy::core::fuzz {

// A node of the schema and of the array. The tree frees them all at its end.
struct Node {
  std::string format;
  ArrowSchema schema{};
  ArrowArray array{};
  std::vector<std::vector<uint8_t>> buffers;  // each of exactly the implied size
  std::vector<const void*> pointers;
  std::vector<Node*> children;
  std::vector<ArrowSchema*> child_schemas;
  std::vector<ArrowArray*> child_arrays;
  Node* dictionary = nullptr;
};

class Tree {
 public:
  static constexpr int64_t kRows = 6;

  explicit Tree(Bytes* bytes) : bytes_(*bytes) {
    Node& root = Add("+s", kRows);
    root.buffers.emplace_back();
    const size_t columns = 1 + bytes_.Below(4);
    for (size_t i = 0; i < columns; ++i) {
      root.children.push_back(&Make(kRows + Extra(), 3));
    }
    for (Node& node : nodes_) Link(&node);
    nodes_[0].pointers[0] = nullptr;
  }

  // Damage the batch in 0 to 4 ways. Returns false if it is still well-formed.
  bool Damage() {
    const size_t ways = bytes_.empty() ? 0 : bytes_.Below(5);
    for (size_t i = 0; i < ways; ++i) DamageOne(&nodes_[bytes_.Below(nodes_.size())]);
    for (Node& node : nodes_) KeepEnd(&node);
    return ways > 0;
  }

  ArrowArray& array() { return nodes_[0].array; }
  const ArrowSchema& schema() const { return nodes_[0].schema; }
  int releases() const { return releases_; }

 private:
  int64_t Extra() { return static_cast<int64_t>(bytes_.Below(3)); }

  Node& Add(std::string format, int64_t length) {
    Node& node = nodes_.emplace_back();
    node.format = std::move(format);
    node.array.length = length;
    return node;
  }

  // A well-formed node of `length` rows after an offset. Nodes below depth 0 have no
  // children, and those from -3 on no dictionary, because the engine allows 64 levels.
  Node& Make(int64_t length, int depth) {
    static const char* const kFlat[] = {"i", "l", "b", "w:3", "n"};
    static const char* const kText[] = {"u", "U", "z", "Z"};
    static const char* const kDeep[] = {"+l", "+L",      "+vl",     "+vL", "+w:2",
                                        "+s", "+us:3,0", "+ud:0,5", "+r"};
    const int64_t offset = Extra();
    const int64_t end = offset + length;
    const size_t kind = bytes_.Below(depth > 0 ? 8 : depth > -3 ? 4 : 3);
    if (kind >= 4) return MakeDeep(kDeep[bytes_.Below(9)], offset, length, depth);
    if (kind == 0) {
      Node& node = Add(kFlat[bytes_.Below(5)], length);
      node.array.offset = offset;
      if (node.format == "n") return node;
      Validity(&node, end);
      node.buffers.emplace_back(static_cast<size_t>(node.format == "l"   ? end * 8
                                                    : node.format == "b" ? (end + 7) / 8
                                                                         : end * 4));
      if (node.format == "w:3") node.buffers[1].resize(static_cast<size_t>(end * 3));
      return node;
    }
    if (kind == 1) {
      Node& node = Add(kText[bytes_.Below(4)], length);
      node.array.offset = offset;
      Validity(&node, end);
      Rising(&node, node.format == "U" || node.format == "Z" ? 8 : 4, end, 2);
      node.buffers.emplace_back(static_cast<size_t>(end * 2), 'x');
      return node;
    }
    if (kind == 2) return MakeViews(offset, length);
    Node& node = Add(bytes_.Below(2) == 0 ? "c" : "I", length);
    node.array.offset = offset;
    Validity(&node, end);
    node.buffers.emplace_back(static_cast<size_t>(node.format == "c" ? end : end * 4));
    node.dictionary = &Make(1 + Extra(), std::min(depth, 0) - 1);
    return node;
  }

  Node& MakeViews(int64_t offset, int64_t length) {
    Node& node = Add(bytes_.Below(2) == 0 ? "vu" : "vz", length);
    node.array.offset = offset;
    Validity(&node, offset + length);
    std::vector<uint8_t>& views = node.buffers.emplace_back();
    for (int64_t i = 0; i < offset + length; ++i) {
      const bool inline_text = i % 2 == 0;
      const int32_t view[4] = {inline_text ? 0 : 13, inline_text ? 0 : 0x78787878, 0,
                               inline_text ? 0 : 1};
      Append(&views, view, sizeof(view));
    }
    node.buffers.emplace_back(size_t{14}, 'x');
    const int64_t size = 14;
    Append(&node.buffers.emplace_back(), &size, sizeof(size));
    return node;
  }

  Node& MakeDeep(const std::string& format, int64_t offset, int64_t length, int depth) {
    const int64_t end = offset + length;
    Node& node = Add(format, length);
    node.array.offset = offset;
    if (format == "+r") {
      MakeRuns(&node, end, depth);
      return node;
    }
    const auto child = [&](int64_t rows) {
      node.children.push_back(&Make(rows + Extra(), depth - 1));
    };
    if (format[1] == 'u') {
      node.buffers.emplace_back(static_cast<size_t>(end));
    } else {
      Validity(&node, end);
    }
    const uint8_t wide = format.back() == 'L' ? 8 : 4;
    if (format == "+l" || format == "+L") {
      Rising(&node, wide, end, 1);
      child(end);
    } else if (format == "+vl" || format == "+vL") {
      node.buffers.emplace_back(static_cast<size_t>(end * wide));
      node.buffers.emplace_back(static_cast<size_t>(end * wide));
      child(end);
    } else if (format == "+w:2") {
      child(2 * end);
    } else {
      if (format[2] == 'd') node.buffers.emplace_back(static_cast<size_t>(end * 4));
      child(end);
      child(end);
    }
    return node;
  }

  void MakeRuns(Node* node, int64_t end, int depth) {
    Node& ends = Add("i", 2);
    const int32_t values[2] = {1, static_cast<int32_t>(end) + 1};
    ends.buffers.emplace_back();
    Append(&ends.buffers.emplace_back(), values, sizeof(values));
    node->children = {&ends};
    node->children.push_back(&Make(2 + Extra(), depth - 1));
  }

  // No bitmap, or one without nulls.
  void Validity(Node* node, int64_t end) {
    std::vector<uint8_t>& bitmap = node->buffers.emplace_back();
    const size_t choice = bytes_.Below(3);
    if (choice > 0) bitmap.assign(static_cast<size_t>((end + 7) / 8), 0xFF);
    node->array.null_count = choice == 2 ? -1 : 0;
  }

  static void Append(std::vector<uint8_t>* to, const void* bytes, size_t n) {
    const auto* from = static_cast<const uint8_t*>(bytes);
    to->insert(to->end(), from, from + n);
  }

  // Offsets 0, step, 2 step, ...
  static void Rising(Node* node, uint8_t bytes, int64_t rows, int64_t step) {
    std::vector<uint8_t>& offsets = node->buffers.emplace_back();
    for (int64_t i = 0; i <= rows; ++i) {
      const int64_t value = i * step;
      Append(&offsets, &value, bytes);  // little-endian
    }
  }

  void Link(Node* node) {
    for (auto& buffer : node->buffers) {
      buffer.shrink_to_fit();
      node->pointers.push_back(buffer.data());
    }
    if (!node->pointers.empty() && node->buffers[0].empty()) node->pointers[0] = nullptr;
    for (Node* child : node->children) {
      node->child_schemas.push_back(&child->schema);
      node->child_arrays.push_back(&child->array);
    }
    const auto n = static_cast<int64_t>(node->children.size());
    node->schema.format = node->format.c_str();
    node->schema.name = "";
    node->schema.flags = ARROW_FLAG_NULLABLE;
    node->schema.n_children = node->array.n_children = n;
    node->schema.children = node->child_schemas.data();
    node->array.children = node->child_arrays.data();
    node->array.n_buffers = static_cast<int64_t>(node->pointers.size());
    node->array.buffers = node->pointers.data();
    if (node->format == "n") node->array.null_count = node->array.length;
    if (node->dictionary != nullptr) {
      node->schema.dictionary = &node->dictionary->schema;
      node->array.dictionary = &node->dictionary->array;
    }
    node->schema.release = [](ArrowSchema* schema) { schema->release = nullptr; };
    const bool root = node == &nodes_[0];
    node->array.private_data = root ? this : nullptr;
    node->array.release = [](ArrowArray* array) {
      array->release = nullptr;
      if (array->private_data != nullptr) {
        ++static_cast<Tree*>(array->private_data)->releases_;
      }
    };
  }

  void DamageOne(Node* node) {
    ArrowArray& array = node->array;
    switch (bytes_.Below(12)) {
      case 0:  // fewer rows: the buffers are still long enough
        array.length = std::min(array.length, Extra());
        break;
      case 1:
        array.length = -bytes_.Number<int8_t>();
        if (array.length > 0) array.length = 0;
        break;
      case 2:  // another offset, for which the buffers are long enough
        if (array.offset > 0) --array.offset;
        break;
      case 3:
        array.offset = -1 - Extra();
        break;
      case 4:
        array.null_count = bytes_.Number<int8_t>();
        break;
      case 5:
        if (!node->pointers.empty()) {
          node->pointers[bytes_.Below(node->pointers.size())] = nullptr;
        }
        break;
      case 6:  // never more than the array has
        array.n_buffers -= 1 + Extra();
        break;
      case 7:
        array.n_children -= 1 + Extra();
        break;
      case 8:
        if (!node->child_arrays.empty()) {
          const size_t which = bytes_.Below(node->child_arrays.size());
          node->child_arrays[which] =
              bytes_.Below(2) == 0 ? nullptr : Itself(node, *node->children[which]);
        }
        break;
      case 9:
        if (bytes_.Below(2) == 0)
          array.release = nullptr;
        else if (bytes_.Below(2) == 0)
          array.dictionary = nullptr;
        else
          array.dictionary =
              node->dictionary == nullptr ? &array : Itself(node, *node->dictionary);
        break;
      default:
        DamageValues(node);
    }
  }

  // The node, for use in the place of one below it. The gate can notice that only if the
  // other type needs more buffers. If it does not, NULL: the gate would read the buffers
  // of one type as those of another.
  static ArrowArray* Itself(Node* node, const Node& below) {
    const bool is_noticed =
        below.format[0] != 'v' && below.buffers.size() > node->buffers.size();
    return is_noticed ? &node->array : nullptr;
  }

  // Overwrite bytes of a buffer, but not the sizes of variadic buffers.
  void DamageValues(Node* node) {
    if (node->buffers.empty()) return;
    const size_t which = bytes_.Below(node->buffers.size());
    std::vector<uint8_t>& buffer = node->buffers[which];
    const bool views = node->format[0] == 'v';
    if (buffer.empty() || (views && which == 3)) return;
    const size_t at = bytes_.Below(std::min<size_t>(buffer.size(), 256));
    const size_t n = std::min<size_t>(1 + bytes_.Below(8), buffer.size() - at);
    for (size_t i = 0; i < n; ++i) buffer[at + i] = bytes_.Byte();
  }

  // Restore the last offset of a text if it is beyond the bytes.
  static void KeepEnd(Node* node) {
    if (std::strchr("uUzZ", node->format[0]) == nullptr || node->array.length <= 0 ||
        node->array.offset < 0) {
      return;
    }
    const size_t wide = node->format == "U" || node->format == "Z" ? 8 : 4;
    const auto size = static_cast<int64_t>(node->buffers[2].size());
    const auto end = static_cast<size_t>(node->array.offset + node->array.length);
    uint8_t* last = node->buffers[1].data() + end * wide;
    int64_t value = 0;
    std::memcpy(&value, last, wide);
    if (wide == 4) value = static_cast<int32_t>(value);
    if (value > size) std::memcpy(last, &size, wide);
  }

  Bytes& bytes_;
  std::deque<Node> nodes_;
  int releases_ = 0;
};

}  // namespace alloy::core::fuzz

#endif  // ALLOY_SRC_GATE_FUZZ_ARRAY_H_
