// SPDX-License-Identifier: MIT
//
// Faults of an array that the gate finds when it checks rows, and arrays that are unusual
// but valid. The schema is valid.
#ifndef ALLOY_TESTS_FAULTS_ROW_CASES_H_
#define ALLOY_TESTS_FAULTS_ROW_CASES_H_

#include "tests/faults/case.h"
#include "tests/faults/fault_data.h"

namespace faults {

inline std::span<const Case> RowCases() {
  using T = Tree;
  static constexpr Case kCases[] = {
      {"offsets_fall_inside", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kInsideFallen); }, 2},
      {"offset_negative_inside", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kInsideNegative); }, 2},
      {"offset_beyond_the_text", ALLOY_REASON_OFFSETS, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 1, data::kInsideBeyond); }, 2},
      {"large_offsets_fall_inside", ALLOY_REASON_OFFSETS, T::kLargeUtf8,
       [](T& t) { t.SetBuffer(T::kLargeUtf8, 1, data::kLargeInsideFallen); }, 2},
      {"list_offsets_fall_inside", ALLOY_REASON_OFFSETS, T::kList,
       [](T& t) { t.SetBuffer(T::kList, 1, data::kInsideFallen); }, 2},
      {"list_offset_leaves_its_child", ALLOY_REASON_OFFSETS, T::kList,
       [](T& t) { t.SetBuffer(T::kList, 1, data::kInsideBeyond); }, 2},
      {"map_offset_leaves_its_child", ALLOY_REASON_OFFSETS, T::kMap,
       [](T& t) { t.SetBuffer(T::kMap, 1, data::kInsideBeyond); }, 2},
      {"list_view_leaves_its_child", ALLOY_REASON_LIST_VIEW, T::kListView,
       [](T& t) { t.SetBuffer(T::kListView, 2, data::kOnly5); }, 2},
      {"list_view_begins_outside", ALLOY_REASON_LIST_VIEW, T::kListView,
       [](T& t) { t.SetBuffer(T::kListView, 1, data::kOnly5); }, 2},
      {"list_view_size_negative", ALLOY_REASON_LIST_VIEW, T::kListView,
       [](T& t) { t.SetBuffer(T::kListView, 2, data::kOnlyNegative); }, 2},
      {"list_view_offset_negative", ALLOY_REASON_LIST_VIEW, T::kListView,
       [](T& t) { t.SetBuffer(T::kListView, 1, data::kOnlyNegative); }, 2},
      {"index_beyond_the_dictionary", ALLOY_REASON_INDEX, T::kDictionary,
       [](T& t) { t.SetBuffer(T::kDictionary, 1, data::kIndexBeyond); }, 2},
      {"index_negative", ALLOY_REASON_INDEX, T::kDictionary,
       [](T& t) { t.SetBuffer(T::kDictionary, 1, data::kIndexNegative); }, 2},
      {"offsets_of_a_dictionary_fall", ALLOY_REASON_OFFSETS, T::kDictionaryValues,
       [](T& t) { t.SetBuffer(T::kDictionaryValues, 1, data::kInsideFallen); }, 2},
      {"type_id_unknown", ALLOY_REASON_TYPE_ID, T::kSparseUnion,
       [](T& t) { t.SetBuffer(T::kSparseUnion, 0, data::kTypeIdUnknown); }, 2},
      {"type_id_negative", ALLOY_REASON_TYPE_ID, T::kSparseUnion,
       [](T& t) { t.SetBuffer(T::kSparseUnion, 0, data::kTypeIdNegative); }, 2},
      {"type_id_of_a_dense_union_unknown", ALLOY_REASON_TYPE_ID, T::kDenseUnion,
       [](T& t) { t.SetBuffer(T::kDenseUnion, 0, data::kTypeIdUnknown); }, 2},
      {"union_offset_beyond", ALLOY_REASON_UNION_OFFSET, T::kDenseUnion,
       [](T& t) { t.SetBuffer(T::kDenseUnion, 1, data::kDenseBeyond); }, 2},
      {"union_offset_negative", ALLOY_REASON_UNION_OFFSET, T::kDenseUnion,
       [](T& t) { t.SetBuffer(T::kDenseUnion, 1, data::kDenseNegative); }, 2},
      {"run_ends_repeat", ALLOY_REASON_RUN_ENDS, T::kRunEnds,
       [](T& t) { t.SetBuffer(T::kRunEnds, 1, data::kRunsRepeat); }, 2},
      {"run_end_of_zero", ALLOY_REASON_RUN_ENDS, T::kRunEnds,
       [](T& t) { t.SetBuffer(T::kRunEnds, 1, data::kRunsFromZero); }, 2},
      {"view_buffer_beyond", ALLOY_REASON_VIEW, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewBuffer1); }, 2},
      {"view_buffer_negative", ALLOY_REASON_VIEW, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewBufferNegative); }, 2},
      {"view_length_negative", ALLOY_REASON_VIEW, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewLengthNegative); }, 2},
      {"view_beyond_its_buffer", ALLOY_REASON_VIEW, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewBeyond); }, 2},
      {"view_offset_negative", ALLOY_REASON_VIEW, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewOffsetNegative); }, 2},
      {"null_in_a_column_that_is_not_nullable", ALLOY_REASON_NOT_NULLABLE, T::kRequired,
       [](T& t) {
         t.array(T::kRequired).null_count = 1;
         t.SetBuffer(T::kRequired, 0, data::kRow1Null);
       },
       2},
      {"uncounted_null_in_a_column_that_is_not_nullable", ALLOY_REASON_NOT_NULLABLE,
       T::kRequired,
       [](T& t) {
         t.array(T::kRequired).null_count = -1;
         t.SetBuffer(T::kRequired, 0, data::kRow1Null);
       },
       2},
      {"map_key_null", ALLOY_REASON_NOT_NULLABLE, T::kMapKey,
       [](T& t) {
         t.array(T::kMapKey).null_count = -1;
         t.SetBuffer(T::kMapKey, 0, data::kRow1Null);
       },
       2},
      {"map_entry_null", ALLOY_REASON_NOT_NULLABLE, T::kMapEntries,
       [](T& t) {
         t.array(T::kMapEntries).null_count = -1;
         t.SetBuffer(T::kMapEntries, 0, data::kRow1Null);
       },
       2},
      // The content of text.
      {"text_not_utf8", ALLOY_REASON_UTF8, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 2, data::kNotUtf8); }, 3},
      {"text_cut_in_a_character", ALLOY_REASON_UTF8, T::kUtf8,
       [](T& t) { t.SetBuffer(T::kUtf8, 2, data::kCutCharacter); }, 3},
      {"large_text_not_utf8", ALLOY_REASON_UTF8, T::kLargeUtf8,
       [](T& t) { t.SetBuffer(T::kLargeUtf8, 2, data::kNotUtf8); }, 3},
      {"dictionary_not_utf8", ALLOY_REASON_UTF8, T::kDictionaryValues,
       [](T& t) { t.SetBuffer(T::kDictionaryValues, 2, data::kNotUtf8); }, 3},
      {"view_not_utf8", ALLOY_REASON_UTF8, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewNotUtf8); }, 3},
      {"view_of_another_prefix", ALLOY_REASON_VIEW_PREFIX, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewOtherPrefix); }, 3},
      {"view_with_padding", ALLOY_REASON_VIEW_PREFIX, T::kView,
       [](T& t) { t.SetBuffer(T::kView, 1, data::kViewPadding); }, 3},
      {"null_count_not_that_of_the_bitmap", ALLOY_REASON_NULL_COUNT, T::kInt32,
       [](T& t) {
         t.array(T::kInt32).null_count = 2;
         t.SetBuffer(T::kInt32, 0, data::kBits);
       },
       3},
  };
  return kCases;
}

inline std::span<const Case> ValidCases() {
  using T = Tree;
  static constexpr Case kCases[] = {
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
      {"indices_of_nulls", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         static const uint8_t kValid[] = {0b1001};
         t.array(T::kDictionary).null_count = 2;
         t.SetBuffer(T::kDictionary, 0, kValid);
         t.SetBuffer(T::kDictionary, 1, data::kIndexBelowNulls);
       }},
      {"views_of_nulls", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kView).null_count = 1;
         t.SetBuffer(T::kView, 0, data::kRow3Null);
         t.SetBuffer(T::kView, 1, data::kViewFarAway);
       }},
      {"text_of_nulls", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kUtf8).null_count = 1;
         t.SetBuffer(T::kUtf8, 0, data::kRow1Null);
         t.SetBuffer(T::kUtf8, 2, data::kRow1NotUtf8);
       }},
      {"null_below_a_null", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kStruct).null_count = 1;
         t.SetBuffer(T::kStruct, 0, data::kRow1Null);
         t.array(T::kStructField).null_count = 1;
         t.SetBuffer(T::kStructField, 0, data::kRow1Null);
       }},
      {"sliced_columns", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         for (const auto column : {T::kInt32, T::kUtf8, T::kList, T::kStruct, T::kView,
                                   T::kDictionary, T::kRunEnd, T::kSparseUnion, T::kMap,
                                   T::kBool, T::kDenseUnion, T::kListView}) {
           t.array(column).offset = 1;
           t.array(column).length = 3;
         }
         t.array(T::kRoot).length = 3;
       }},
      {"columns_longer_than_the_batch", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.array(T::kRoot).length = 2; }},
      {"empty_text_with_one_offset", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.array(T::kRoot).length = 0;
         t.array(T::kUtf8).length = 0;
         t.SetBuffer(T::kUtf8, 1, data::kFirstOnly);
         t.SetBuffer(T::kUtf8, 2, nullptr);
       }},
      {"misaligned", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) {
         t.SetBuffer(T::kInt32, 1, Tree::kBytes + 1);
         t.SetBuffer(T::kDecimal, 1, reinterpret_cast<const char*>(Tree::kZeros) + 1);
         t.SetBuffer(T::kListView, 1, reinterpret_cast<const char*>(Tree::kZeros) + 1);
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

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_ROW_CASES_H_
