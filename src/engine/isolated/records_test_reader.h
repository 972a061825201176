// SPDX-License-Identifier: MIT
//
// Reads every value of a batch that level safe has passed, as a consumer would: a value that
// points outside its array ends the program, and AddressSanitizer finds a read outside a
// buffer.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_RECORDS_TEST_READER_H_
#define ALLOY_SRC_ENGINE_ISOLATED_RECORDS_TEST_READER_H_

#include <cstdint>
#include <cstdlib>
#include <limits>

#include "alloy/arrow_abi.h"
#include "arrow/layout.h"
#include "arrow/layout_rules.h"
#include "arrow/load_value.h"
#include "arrow/view.h"
#include "base/bits.h"

namespace alloy::core::isolated_testing {

class BatchReader {
 public:
  // Rows without bytes may be as many as 2^63, and lists may share rows: read at most
  // `most_rows`.
  explicit BatchReader(const Layout& layout, int64_t most_rows = 200'000)
      : layout_(layout), left_(most_rows) {}
  ~BatchReader() {
    // Without a use the compiler would remove the reads.
    [[maybe_unused]] volatile uint64_t sink = sum_;
  }

  void Read(const ArrowArray& batch) {
    Require(batch.offset == 0 && batch.length >= 0);
    ReadRows(layout_.nodes().data(), batch, 0, batch.length);
  }

 private:
  using Node = Layout::Node;

  static void Require(bool condition) {
    if (!condition) std::abort();
  }

  void ReadRows(const Node* node, const ArrowArray& array, int64_t begin, int64_t end) {
    Require(begin >= 0 && begin <= end && end <= array.length);
    for (int64_t row = begin; row < end && left_ > 0; ++row, --left_) {
      ReadRow(node, array, array.offset + row);
    }
  }

  void ReadRow(const Node* node, const ArrowArray& array, int64_t i) {
    if (HasBitmap(node->form) && array.null_count != 0 && array.buffers[0] != nullptr &&
        !BitAt(array.buffers[0], i)) {
      return;
    }
    const int64_t wide = node->integer_bytes;
    switch (node->form) {
      case Form::kFixed:
        return ReadFixed(node, array, i);
      case Form::kOffsets: {
        const int64_t begin = At(array, 1, i, wide);
        const int64_t end = At(array, 1, i + 1, wide);
        Require(begin >= 0 && begin <= end);
        return Touch(array.buffers[2], begin, end - begin);
      }
      case Form::kViews:
        return ReadView(array, i);
      case Form::kList:
        return ReadRows(node + 1, *array.children[0], At(array, 1, i, wide),
                        At(array, 1, i + 1, wide));
      case Form::kListView: {
        const int64_t begin = At(array, 1, i, wide);
        const int64_t size = At(array, 2, i, wide);
        Require(size >= 0 && begin <= std::numeric_limits<int64_t>::max() - size);
        return ReadRows(node + 1, *array.children[0], begin, begin + size);
      }
      case Form::kFixedSizeList:
        return ReadRows(node + 1, *array.children[0], i * node->size,
                        (i + 1) * node->size);
      case Form::kStruct: {
        const Node* child = node + 1;
        for (int64_t c = 0; c < array.n_children; ++c, child += child->subtree) {
          ReadRows(child, *array.children[c], i, i + 1);
        }
        return;
      }
      case Form::kSparseUnion:
      case Form::kDenseUnion: {
        const auto id = LoadValue<uint8_t>(array.buffers[0], i);
        Require(id < 128);
        const int8_t which = layout_.type_ids(*node).children[id];
        Require(which >= 0);
        const Node* child = node + 1;
        for (int8_t c = 0; c < which; ++c) child += child->subtree;
        const int64_t row = node->form == Form::kSparseUnion
                                ? i
                                : LoadValue<int32_t>(array.buffers[1], i);
        return ReadRows(child, *array.children[which], row, row + 1);
      }
      case Form::kRunEnd: {
        const Node* ends_node = node + 1;
        const ArrowArray& ends = *array.children[0];
        int64_t run = 0;
        while (At(ends, 1, run, ends_node->integer_bytes) <= i) {
          ++run;
          Require(run < ends.length);
        }
        return ReadRows(ends_node + ends_node->subtree, *array.children[1], run, run + 1);
      }
      case Form::kNull:
        return;
    }
  }

  void ReadFixed(const Node* node, const ArrowArray& array, int64_t i) {
    if (node->dictionary) {
      int64_t index = At(array, 1, i, node->integer_bytes);
      if (IsUnsigned(node->type) && node->integer_bytes < 8) {
        index &= (int64_t{1} << (8 * node->integer_bytes)) - 1;
      }
      return ReadRows(node + 1, *array.dictionary, index, index + 1);
    }
    if (node->bits == 1) {
      sum_ += BitAt(array.buffers[1], i) ? 1 : 0;
      return;
    }
    const int64_t bytes = node->bits / 8;
    Touch(array.buffers[1], i * bytes, bytes);
  }

  void ReadView(const ArrowArray& array, int64_t i) {
    const auto view = LoadValue<View>(array.buffers[1], i);
    Require(view.length >= 0);
    if (!view.IsLong()) {
      return Touch(array.buffers[1], i * kViewBytes + 4, view.length);
    }
    Require(view.IsIn(array));
    Touch(array.buffers[2 + view.buffer], view.offset, view.length);
  }

  static int64_t At(const ArrowArray& array, int buffer, int64_t i, int64_t bytes) {
    return LoadSigned(array.buffers[buffer], i, static_cast<uint8_t>(bytes));
  }

  void Touch(const void* bytes, int64_t begin, int64_t n) {
    const auto* at = static_cast<const unsigned char*>(bytes) + begin;
    for (int64_t i = 0; i < n; ++i) sum_ += at[i];
  }

  const Layout& layout_;
  int64_t left_;
  uint64_t sum_ = 0;
};

}  // namespace alloy::core::isolated_testing

#endif  // ALLOY_SRC_ENGINE_ISOLATED_RECORDS_TEST_READER_H_
