// SPDX-License-Identifier: MIT
//
// Faults of a schema that a host binds or a backend returns, and valid schemas.
#ifndef ALLOY_TESTS_FAULTS_SCHEMA_CASES_H_
#define ALLOY_TESTS_FAULTS_SCHEMA_CASES_H_

#include "tests/faults/case.h"
#include "tests/faults/fault_data.h"

namespace faults {

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
      {"schema_children_2_31", ALLOY_REASON_TOO_MANY_COLUMNS, T::kStruct,
       [](T& t) {
         t.schema(T::kStruct).n_children = int64_t{1} << 31;
         t.schema(T::kStruct).children = nullptr;
       }},
      {"format_of_1_mib", ALLOY_REASON_FORMAT_UNKNOWN, T::kInt32,
       [](T& t) { t.SetFormat(T::kInt32, data::Long("i")); }},
      {"union_of_1_mib", ALLOY_REASON_FORMAT_PARAMETER, T::kSparseUnion,
       [](T& t) { t.SetFormat(T::kSparseUnion, data::Long("+us:")); }},
      {"depth_10000", ALLOY_REASON_TOO_DEEP, kAnyColumn,
       [](T& t) { t.schema(T::kList).children[0] = data::Deep(); }},
      {"dictionary_index_is_text", ALLOY_REASON_DICTIONARY_INDEX, T::kDictionary,
       [](T& t) { t.SetFormat(T::kDictionary, "u"); }},
      {"metadata_count_negative", ALLOY_REASON_METADATA, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).metadata =
             reinterpret_cast<const char*>(&data::kMetadataCount);
       }},
      {"metadata_key_negative", ALLOY_REASON_METADATA, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).metadata =
             reinterpret_cast<const char*>(data::kMetadataKeyNegative);
       }},
      {"metadata_value_negative", ALLOY_REASON_METADATA, T::kRoot,
       [](T& t) {
         t.schema(T::kRoot).metadata =
             reinterpret_cast<const char*>(data::kMetadataValueNegative);
       }},
      {"metadata_key_of_2_gib", ALLOY_REASON_METADATA, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).metadata =
             reinterpret_cast<const char*>(data::kMetadataKeyHuge);
       }},
      {"metadata_of_2_gi_pairs", ALLOY_REASON_METADATA, T::kInt32,
       [](T& t) {
         t.schema(T::kInt32).metadata =
             reinterpret_cast<const char*>(&data::kMetadataPairs2Gi);
       }},
      {"metadata_of_9_million_pairs", ALLOY_REASON_METADATA, T::kRoot,
       [](T& t) {
         t.schema(T::kRoot).metadata =
             reinterpret_cast<const char*>(&data::kMetadataPairs9M);
       }},
      {"metadata_without_room", ALLOY_REASON_METADATA, T::kUtf8,
       [](T& t) {
         t.schema(T::kUtf8).metadata =
             reinterpret_cast<const char*>(data::kMetadataNoRoom);
       }},
      {"names_of_80_mib", ALLOY_REASON_SCHEMA_SIZE, T::kUtf8,
       [](T& t) {
         t.schema(T::kInt32).name = data::HugeName();
         t.schema(T::kUtf8).name = data::HugeName();
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
      {"its_own_dictionary_by_schema", ALLOY_REASON_TOO_DEEP, kAnyColumn,
       [](T& t) { t.schema(T::kDictionary).dictionary = &t.schema(T::kDictionary); }},
      {"below_a_name_that_is_not_utf8", ALLOY_REASON_FORMAT_UNKNOWN, T::kListItem,
       [](T& t) {
         t.schema(T::kList).name = "\xff\xfe\xc3";
         t.SetFormat(T::kListItem, "\xff");
       }},
      {"untouched_schema", ALLOY_REASON_NONE, T::kRoot, [](T&) {}},
      {"time_zone_with_a_colon", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.SetFormat(T::kInt32, "tsu:+01:00"); }},
      {"time_zone_of_1_mib", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.SetFormat(T::kInt32, data::Long("tsu:")); }},
      {"name_is_not_utf8", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.schema(T::kInt32).name = "\xff\xfe"; }},
      {"name_null", ALLOY_REASON_NONE, T::kRoot,
       [](T& t) { t.schema(T::kInt32).name = nullptr; }},
  };
  return kCases;
}

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_SCHEMA_CASES_H_
