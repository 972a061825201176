// SPDX-License-Identifier: MIT
//
// Faults of an array that the gate finds at level shape. The schema is valid.
#ifndef ALLOY_TESTS_FAULTS_SHAPE_CASES_H_
#define ALLOY_TESTS_FAULTS_SHAPE_CASES_H_

#include "tests/faults/case.h"
#include "tests/faults/fault_data.h"

namespace faults {

inline std::span<const Case> ShapeCases() {
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
      {"children_2_31", ALLOY_REASON_CHILD_COUNT, T::kStruct,
       [](T& t) {
         t.array(T::kStruct).n_children = int64_t{1} << 31;
         t.array(T::kStruct).children = nullptr;
       }},
      {"its_own_child", ALLOY_REASON_CHILD_COUNT, T::kListItem,
       [](T& t) { t.array(T::kList).children[0] = &t.array(T::kList); }},
      {"its_own_dictionary", ALLOY_REASON_DICTIONARY_UNEXPECTED, T::kDictionaryValues,
       [](T& t) { t.array(T::kDictionary).dictionary = &t.array(T::kDictionary); }},
  };
  return kCases;
}

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_SHAPE_CASES_H_
