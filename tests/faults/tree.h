// SPDX-License-Identifier: MIT
//
// A valid batch of 4 rows with a column of every layout. A case breaks it in one place.
//
// Threads  serial; any thread may release.
#ifndef ALLOY_TESTS_FAULTS_TREE_H_
#define ALLOY_TESTS_FAULTS_TREE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "alloy/testing/tree.hpp"

namespace faults {

class Tree : public alloy::testing::Tree {
 public:
  static constexpr int64_t kRows = 4;

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
    kRequired = 29,
  };

  Tree() : Tree(Batch()) {}

  alignas(64) static constexpr int32_t kInts[16] = {1, 2, 3, -4, 5, 6, 7, 8};
  alignas(64) static constexpr int32_t kOffsets[8] = {0, 1, 3, 6, 10};
  alignas(64) static constexpr int64_t kLargeOffsets[8] = {0, 1, 3, 6, 10};
  alignas(64) static constexpr char kBytes[65] =
      "abbcccddddabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01";
  // Three inline views, and one of 20 bytes at byte 10 of the first buffer.
  alignas(64) static constexpr int32_t kViews[16] = {1, 'a', 0, 0, 1,  'b',        0, 0,
                                                     0, 0,   0, 0, 20, 0x64636261, 0, 10};
  alignas(64) static constexpr int64_t kViewSizes[1] = {64};
  alignas(64) static constexpr int8_t kIndices[8] = {0, 3, 1, 2};
  alignas(64) static constexpr int32_t kRunEndsOf4[2] = {2, 4};
  alignas(64) static constexpr int32_t kDenseOffsets[4] = {0, 1, 2, 3};
  alignas(64) static constexpr int32_t kZeros[32] = {};

 private:
  struct Part {
    alloy::testing::Spec type;
    alloy::testing::RawArray array;
  };

  explicit Tree(const Part& batch) : alloy::testing::Tree(batch.type, batch.array) {}

  static Part Of(const char* format, const char* name, std::vector<const void*> buffers,
                 std::vector<Part> children = {}, int64_t length = kRows) {
    Part part{.type = {.format = format, .name = name},
              .array = {.length = length, .buffers = std::move(buffers)}};
    for (Part& child : children) {
      part.type.children.push_back(std::move(child.type));
      part.array.children.push_back(std::move(child.array));
    }
    return part;
  }
  static Part Ints(const char* name, int64_t length = kRows) {
    return Of("i", name, {nullptr, kInts}, {}, length);
  }
  static Part NotNull(Part part) {
    part.type.flags = 0;
    return part;
  }
  static Part Encoded(Part indices, Part values) {
    indices.type.dictionary.push_back(std::move(values.type));
    indices.array.dictionary.push_back(std::move(values.array));
    return indices;
  }

  static Part Batch() {
    const Part entries =
        Of("+s", "entries", {nullptr}, {NotNull(Ints("key", 10)), Ints("value", 10)}, 10);
    const Part run_ends = Of("i", "run_ends", {nullptr, kRunEndsOf4}, {}, 2);
    Part null = Of("n", "null", {});
    null.array.null_count = kRows;
    return NotNull(
        Of("+s", "", {nullptr},
           {Ints("int32"), Of("u", "utf8", {nullptr, kOffsets, kBytes}),
            Of("+l", "list", {nullptr, kOffsets}, {Ints("item", 10)}),
            Of("+s", "struct", {nullptr}, {Ints("field")}),
            Of("+w:2", "fixed_size_list", {nullptr}, {Ints("item", 2 * kRows)}),
            Of("vu", "view", {nullptr, kViews, kBytes, kViewSizes}),
            Encoded(Of("c", "dictionary", {nullptr, kIndices}),
                    Of("u", "", {nullptr, kOffsets, kBytes})),
            Of("+r", "run_end", {}, {NotNull(run_ends), Ints("values", 2)}),
            Of("+us:0", "sparse_union", {kZeros}, {Ints("child")}),
            Of("+m", "map", {nullptr, kOffsets}, {NotNull(entries)}),
            Of("b", "bool", {nullptr, kZeros}),
            Of("+ud:0", "dense_union", {kZeros, kDenseOffsets}, {Ints("child")}),
            Of("w:3", "fixed_size_binary", {nullptr, kBytes}),
            Of("+vl", "list_view", {nullptr, kZeros, kZeros}, {Ints("item")}),
            std::move(null), Of("U", "large_utf8", {nullptr, kLargeOffsets, kBytes}),
            Of("d:5,2", "decimal", {nullptr, kZeros}), NotNull(Ints("required"))}));
  }
};

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_TREE_H_
