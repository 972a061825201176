// SPDX-License-Identifier: MIT
//
// Every fault of an Arrow struct that the gate finds at level shape, and every oddity
// that is valid all the same, each put into an otherwise well-formed Tree.
#ifndef ALLOY_TESTS_FAULTS_CASES_H_
#define ALLOY_TESTS_FAULTS_CASES_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "alloy/reason.h"
#include "tests/faults/tree.h"

namespace faults {

// Either of FORMAT_UNKNOWN and FORMAT_PARAMETER: where one ends is the parser's business.
inline constexpr int32_t kAnyFormatReason = -1;
// The column depends on a limit of the engine.
inline constexpr int32_t kAnyColumn = -2;

struct Case {
  const char* name;
  int32_t reason;  // ALLOY_REASON_NONE: valid
  int32_t column;
  void (*spoil)(Tree& tree);
};

namespace data {
alignas(64) inline constexpr int32_t kLastNegative[8] = {0, 1, 3, 6, -10};
alignas(64) inline constexpr int32_t kFirstNegative[8] = {-1, 1, 3, 6, 10};
alignas(64) inline constexpr int32_t kFallen[8] = {5, 5, 5, 5, 4};
alignas(64) inline constexpr int64_t kLargeLastNegative[8] = {0, 1, 3, 6, -10};
alignas(64) inline constexpr int32_t kBeyond[8] = {0, 1, 3, 6, 11};
alignas(64) inline constexpr int64_t kNegativeSize[1] = {-1};
alignas(64) inline constexpr int32_t kShortRuns[2] = {2, 3};
inline constexpr int32_t kMetadataCount = -1;
alignas(4) inline constexpr char kBits[4] = {0x0f, 0, 0, 0};
alignas(4) inline constexpr char kNoBits[4] = {0, 0, 0, 0};
inline constexpr int64_t kHuge = int64_t{1} << 40;
inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
}  // namespace data

// Faults of an array; the schema is well-formed.
inline std::span<const Case> ArrayCases() {
  using T = Tree;
  static constexpr Case kCases[] = {
      {"array_released", ALLOY_REASON_ARRAY_RELEASED, T::kRoot,
       [](T& t) {
         ArrowArray gone;
         t.MoveArray(&gone);
         gone.release(&gone);
       }},
      {"child_released", ALLOY_REASON_ARRAY_RELEASED, T::kUtf8,
       [](T& t) { t.array(T::kUtf8).release(&t.array(T::kUtf8)); }},
      {"dictionary_released", ALLOY_REASON_ARRAY_RELEASED, T::kDictionaryValues,
       [](T& t) {
         t.array(T::kDictionaryValues).release(&t.array(T::kDictionaryValues));
       }},
      {"too_few_buffers", ALLOY_REASON_BUFFER_COUNT, T::kInt32,
       [](T& t) { t.array(T::kInt32).n_buffers = 1; }},
      {"too_many_buffers", ALLOY_REASON_BUFFER_COUNT, T::kUtf8,
       [](T& t) { t.array(T::kUtf8).n_buffers = 4; }},
      {"negative_buffers", ALLOY_REASON_BUFFER_COUNT, T::kInt32,
       [](T& t) { t.array(T::kInt32).n_buffers = -1; }},
      {"buffers_of_the_root", ALLOY_REASON_BUFFER_COUNT, T::kRoot,
       [](T& t) { t.array(T::kRoot).n_buffers = 2; }},
      {"buffers_null", ALLOY_REASON_BUFFERS_NULL, T::kInt32,
       [](T& t) { t.array(T::kInt32).buffers = nullptr; }},
      {"values_null", ALLOY_REASON_BUFFER_NULL, T::kInt32,
       [](T& t) { t.SetBuffer(T::kInt32, 1, nullptr); }},
      {"bool_values_null", ALLOY_REASON_BUFFER_NULL, T::kBool,
       [](T& t) { t.SetBuffer(T::kBool, 1, nullptr); }},
      {"offsets_null", ALLOY_REASON_BUFFER_NULL, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, nullptr); }},
      {"text_null", ALLOY_REASON_BUFFER_NULL, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 2, nullptr); }},
      {"type_ids_null", ALLOY_REASON_BUFFER_NULL, T::kSparseUnion,
       [](T& t) { t.SetBuffer(T::kSparseUnion, 0, nullptr); }},
      {"union_offsets_null", ALLOY_REASON_BUFFER_NULL, T::kDenseUnion,
       [](T& t) { t.SetBuffer(T::kDenseUnion, 1, nullptr); }},
      {"list_view_sizes_null", ALLOY_REASON_BUFFER_NULL, T::kListView,
       [](T& t) { t.SetBuffer(T::kListView, 2, nullptr); }},
      {"children_null", ALLOY_REASON_CHILDREN_NULL, T::kStruct,
       [](T& t) { t.array(T::kStruct).children = nullptr; }},
      {"children_of_the_root_null", ALLOY_REASON_CHILDREN_NULL, T::kRoot,
       [](T& t) { t.array(T::kRoot).children = nullptr; }},
      {"child_null", ALLOY_REASON_CHILD_NULL, T::kListItem,
       [](T& t) { t.array(T::kList).children[0] = nullptr; }},
      {"fewer_children", ALLOY_REASON_CHILD_COUNT, T::kStruct,
       [](T& t) { t.array(T::kStruct).n_children = 0; }},
      {"more_children", ALLOY_REASON_CHILD_COUNT, T::kStruct,
       [](T& t) { t.array(T::kStruct).n_children = 2; }},
      {"children_of_a_number", ALLOY_REASON_CHILD_COUNT, T::kInt32,
       [](T& t) { t.array(T::kInt32).n_children = 1; }},
      {"children_2_40", ALLOY_REASON_CHILD_COUNT, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).n_children = data::kHuge;
         t.array(T::kRoot).children = nullptr;
       }},
      {"length_negative", ALLOY_REASON_LENGTH, T::kInt32,
       [](T& t) { t.array(T::kInt32).length = -1; }},
      {"length_of_the_root_negative", ALLOY_REASON_LENGTH, T::kRoot,
       [](T& t) { t.array(T::kRoot).length = -1; }},
      {"offset_negative", ALLOY_REASON_OFFSET, T::kInt32,
       [](T& t) { t.array(T::kInt32).offset = -1; }},
      {"length_overflows", ALLOY_REASON_OVERFLOW, T::kUtf8,
       [](T& t) {
         t.array(T::kUtf8).length = data::kMost;
         t.array(T::kUtf8).offset = 1;
       }},
      {"bytes_overflow", ALLOY_REASON_OVERFLOW, T::kInt32,
       [](T& t) { t.array(T::kInt32).length = data::kMost / 2; }},
      {"null_count_negative", ALLOY_REASON_NULL_COUNT, T::kInt32,
       [](T& t) { t.array(T::kInt32).null_count = -5; }},
      {"null_count_above_length", ALLOY_REASON_NULL_COUNT, T::kInt32,
       [](T& t) { t.array(T::kInt32).null_count = 5; }},
      {"nulls_without_bitmap", ALLOY_REASON_NULLS_WITHOUT_BITMAP, T::kInt32,
       [](T& t) { t.array(T::kInt32).null_count = 1; }},
      {"nulls_of_a_union", ALLOY_REASON_UNEXPECTED_NULLS, T::kSparseUnion,
       [](T& t) { t.array(T::kSparseUnion).null_count = 1; }},
      {"nulls_of_runs", ALLOY_REASON_UNEXPECTED_NULLS, T::kRunEnd,
       [](T& t) { t.array(T::kRunEnd).null_count = 1; }},
      {"nulls_of_run_ends", ALLOY_REASON_RUN_ENDS_NULLS, T::kRunEnds,
       [](T& t) {
         t.array(T::kRunEnds).null_count = 1;
         t.SetBuffer(T::kRunEnds, 0, data::kBits);
       }},
      {"last_offset_negative", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kLastNegative); }},
      {"first_offset_negative", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kFirstNegative); }},
      {"offsets_fall", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kFallen); }},
      {"large_last_offset_negative", ALLOY_REASON_OFFSETS, T::kLargeUtf8,
       [](T& t) { t.SetBuffer(T::kLargeUtf8, 1, data::kLargeLastNegative); }},
      {"list_offset_negative", ALLOY_REASON_OFFSETS, T::kList,
       [](T& t) { t.SetBuffer(T::kList, 1, data::kLastNegative); }},
      {"list_beyond_its_child", ALLOY_REASON_CHILD_LENGTH, T::kListItem,
       [](T& t) { t.SetBuffer(T::kList, 1, data::kBeyond); }},
      {"map_beyond_its_child", ALLOY_REASON_CHILD_LENGTH, T::kMapEntries,
       [](T& t) { t.SetBuffer(T::kMap, 1, data::kBeyond); }},
      {"struct_child_shorter", ALLOY_REASON_CHILD_LENGTH, T::kStructField,
       [](T& t) { t.array(T::kStructField).length = 3; }},
      {"column_shorter_than_batch", ALLOY_REASON_CHILD_LENGTH, T::kInt32,
       [](T& t) { t.array(T::kInt32).length = 3; }},
      {"fixed_size_list_child_shorter", ALLOY_REASON_CHILD_LENGTH, T::kFixedSizeListItem,
       [](T& t) { t.array(T::kFixedSizeListItem).length = 7; }},
      {"union_child_shorter", ALLOY_REASON_CHILD_LENGTH, T::kSparseUnionChild,
       [](T& t) { t.array(T::kSparseUnionChild).length = 3; }},
      {"run_ends_stop_short", ALLOY_REASON_CHILD_LENGTH, T::kRunEnds,
       [](T& t) { t.SetBuffer(T::kRunEnds, 1, data::kShortRuns); }},
      {"fewer_run_values", ALLOY_REASON_CHILD_LENGTH, T::kRunEndValues,
       [](T& t) { t.array(T::kRunEndValues).length = 1; }},
      {"dictionary_missing", ALLOY_REASON_DICTIONARY_MISSING, T::kDictionary,
       [](T& t) { t.array(T::kDictionary).dictionary = nullptr; }},
      {"dictionary_unexpected", ALLOY_REASON_DICTIONARY_UNEXPECTED, T::kInt32,
       [](T& t) { t.array(T::kInt32).dictionary = &t.array(T::kDictionaryValues); }},
      {"view_without_sizes_buffer", ALLOY_REASON_VIEW_BUFFER_COUNT, T::kView,
       [](T& t) { t.array(T::kView).n_buffers = 2; }},
      {"view_buffers_negative", ALLOY_REASON_VIEW_BUFFER_COUNT, T::kView,
       [](T& t) { t.array(T::kView).n_buffers = -1; }},
      {"view_sizes_null", ALLOY_REASON_VIEW_SIZES, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 3, nullptr); }},
      {"view_size_negative", ALLOY_REASON_VIEW_SIZES, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 3, data::kNegativeSize); }},
      {"view_buffer_null", ALLOY_REASON_BUFFER_NULL, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 2, nullptr); }},
      {"batch_nulls", ALLOY_REASON_BATCH_NULLS, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).null_count = 4;
         t.SetBuffer(T::kRoot, 0, data::kNoBits);
       }},
      {"batch_nulls_uncounted", ALLOY_REASON_BATCH_NULLS, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).null_count = -1;
         t.SetBuffer(T::kRoot, 0, data::kNoBits);
       }},
      // Valid, however odd.
      {"untouched", ALLOY_REASON_NONE, T::kRoot, [](T&) {}},
      {"null_count_unknown", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kInt32).null_count = -1;
         t.array(T::kUtf8).null_count = -1;
       }},
      {"views_without_variadic_buffers", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kView).n_buffers = 3;
         t.SetBuffer(T::kView, 1, Tree::kZeros);
         t.SetBuffer(T::kView, 2, nullptr);
       }},
      {"null_with_a_bitmap", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         static const void* const kBitmap[1] = {nullptr};
         t.array(T::kNull).n_buffers = 1;
         t.array(T::kNull).buffers = const_cast<const void**>(kBitmap);
       }},
      {"batch_offset", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).offset = 1;
         t.array(T::kRoot).length = 3;
       }},
      {"misaligned", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.SetBuffer(T::kInt32, 1, Tree::kBytes + 1);
         t.SetBuffer(T::kDecimal, 1, reinterpret_cast<const char*>(Tree::kZeros) + 1);
       }},
      {"empty_without_buffers", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).length = 0;
         t.array(T::kUtf8).length = 0;
         t.SetBuffer(T::kUtf8, 1, nullptr);
         t.SetBuffer(T::kUtf8, 2, nullptr);
         t.array(T::kInt32).length = 0;
         t.SetBuffer(T::kInt32, 1, nullptr);
       }},
      {"empty_with_a_dangling_buffer", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).length = 0;
         t.array(T::kInt32).length = 0;
         t.SetBuffer(T::kInt32, 1, reinterpret_cast<const void*>(uintptr_t{64}));
       }},
  };
  return kCases;
}

// Faults of a schema, as a host binds with it or a backend gives it.
inline std::span<const Case> SchemaCases() {
  using T = Tree;
  static constexpr Case kCases[] = {
      {"schema_released", ALLOY_REASON_SCHEMA_RELEASED, T::kRoot,
       [](T& t) {
         ArrowSchema gone;
         t.MoveSchema(&gone);
         gone.release(&gone);
       }},
      {"child_schema_released", ALLOY_REASON_SCHEMA_RELEASED, T::kUtf8,
       [](T& t) { t.schema(T::kUtf8).release(&t.schema(T::kUtf8)); }},
      {"format_null", ALLOY_REASON_FORMAT_NULL, T::kInt32,
       [](T& t) { t.SetFormat(T::kInt32, nullptr); }},
      {"format_empty", ALLOY_REASON_FORMAT_UNKNOWN, T::kInt32,
       [](T& t) { t.SetFormat(T::kInt32, ""); }},
      {"format_unknown", ALLOY_REASON_FORMAT_UNKNOWN, T::kInt32,
       [](T& t) { t.SetFormat(T::kInt32, "?"); }},
      {"format_with_a_tail", ALLOY_REASON_FORMAT_UNKNOWN, T::kInt32,
       [](T& t) { t.SetFormat(T::kInt32, "ii"); }},
      {"union_without_colon", kAnyFormatReason, T::kSparseUnion,
       [](T& t) { t.SetFormat(T::kSparseUnion, "+us"); }},
      {"union_id_negative", ALLOY_REASON_FORMAT_PARAMETER, T::kSparseUnion,
       [](T& t) { t.SetFormat(T::kSparseUnion, "+us:-1"); }},
      {"union_id_twice", kAnyFormatReason, T::kSparseUnion,
       [](T& t) { t.SetFormat(T::kSparseUnion, "+us:0,0"); }},
      {"binary_width_negative", ALLOY_REASON_FORMAT_PARAMETER, T::kFixedSizeBinary,
       [](T& t) { t.SetFormat(T::kFixedSizeBinary, "w:-1"); }},
      {"decimal_without_scale", ALLOY_REASON_FORMAT_PARAMETER, T::kDecimal,
       [](T& t) { t.SetFormat(T::kDecimal, "d:5"); }},
      {"list_size_negative", ALLOY_REASON_FORMAT_PARAMETER, T::kFixedSizeList,
       [](T& t) { t.SetFormat(T::kFixedSizeList, "+w:-2"); }},
      {"list_without_child", ALLOY_REASON_CHILD_COUNT, T::kList,
       [](T& t) { t.schema(T::kList).n_children = 0; }},
      {"number_with_child", ALLOY_REASON_CHILD_COUNT, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).n_children = 1;
         t.schema(T::kInt32).children = t.schema(T::kList).children;
       }},
      {"schema_children_negative", ALLOY_REASON_CHILD_COUNT, T::kRoot,
       [](T& t) { t.schema(T::kRoot).n_children = -1; }},
      {"schema_children_null", ALLOY_REASON_CHILDREN_NULL, T::kStruct,
       [](T& t) { t.schema(T::kStruct).children = nullptr; }},
      {"schema_child_null", ALLOY_REASON_CHILD_NULL, T::kStructField,
       [](T& t) { t.schema(T::kStruct).children[0] = nullptr; }},
      {"schema_children_2_40", ALLOY_REASON_TOO_MANY_COLUMNS, T::kRoot,
       [](T& t) {
         t.schema(T::kRoot).n_children = data::kHuge;
         t.schema(T::kRoot).children = nullptr;
       }},
      {"dictionary_index_is_text", ALLOY_REASON_DICTIONARY_INDEX, T::kDictionary,
       [](T& t) { t.SetFormat(T::kDictionary, "u"); }},
      {"metadata_count_negative", ALLOY_REASON_METADATA, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).metadata =
             reinterpret_cast<const char*>(&data::kMetadataCount);
       }},
      {"run_ends_are_floats", ALLOY_REASON_RUN_ENDS_TYPE, T::kRunEnds,
       [](T& t) { t.SetFormat(T::kRunEnds, "f"); }},
      {"map_entries_are_numbers", ALLOY_REASON_MAP_ENTRIES, T::kMapEntries,
       [](T& t) { t.schema(T::kMapEntries).n_children = 1; }},
      {"not_a_batch", ALLOY_REASON_NOT_A_BATCH, T::kRoot,
       [](T& t) {
         t.SetFormat(T::kRoot, "i");
         t.schema(T::kRoot).n_children = 0;
       }},
      {"recursive", ALLOY_REASON_TOO_DEEP, kAnyColumn,
       [](T& t) { t.schema(T::kList).children[0] = &t.schema(T::kList); }},
      {"untouched_schema", ALLOY_REASON_NONE, T::kRoot, [](T&) {}},
      {"time_zone_with_a_colon", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.SetFormat(T::kInt32, "tsu:+01:00"); }},
      {"name_is_not_utf8", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.schema(T::kInt32).name = "\xff\xfe"; }},
      {"name_null", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.schema(T::kInt32).name = nullptr; }},
  };
  return kCases;
}

inline const Case* FindCase(std::string_view name) {
  for (const auto cases : {ArrayCases(), SchemaCases()}) {
    for (const Case& one : cases) {
      if (one.name == name) return &one;
    }
  }
  return nullptr;
}

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_CASES_H_
