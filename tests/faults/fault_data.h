// SPDX-License-Identifier: MIT
//
// The buffers, metadata and texts that the cases put into a tree.
#ifndef ALLOY_TESTS_FAULTS_FAULT_DATA_H_
#define ALLOY_TESTS_FAULTS_FAULT_DATA_H_

#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "alloy/arrow_abi.h"

namespace faults {

namespace data {
alignas(64) inline constexpr int32_t kLastNegative[8] = {0, 1, 3, 6, -10};
alignas(64) inline constexpr int32_t kFirstNegative[8] = {-1, 1, 3, 6, 10};
alignas(64) inline constexpr int32_t kFallen[8] = {5, 5, 5, 5, 4};
alignas(64) inline constexpr int64_t kLargeLastNegative[8] = {0, 1, 3, 6, -10};
alignas(64) inline constexpr int32_t kBeyond[8] = {0, 1, 3, 6, 11};
alignas(64) inline constexpr int64_t kNegativeSize[1] = {-1};
alignas(64) inline constexpr int32_t kShortRuns[2] = {2, 3};
alignas(64) inline constexpr int32_t kInsideFallen[8] = {0, 6, 3, 6, 10};
alignas(64) inline constexpr int32_t kInsideNegative[8] = {0, -1, 3, 6, 10};
alignas(64) inline constexpr int32_t kInsideBeyond[8] = {0, 11, 11, 11, 10};
alignas(64) inline constexpr int64_t kLargeInsideFallen[8] = {0, 6, 3, 6, 10};
alignas(64) inline constexpr int32_t kOnly5[4] = {0, 5, 0, 0};
alignas(64) inline constexpr int32_t kOnlyNegative[4] = {0, -1, 0, 0};
alignas(64) inline constexpr int8_t kIndexBeyond[4] = {0, 3, 4, 2};
alignas(64) inline constexpr int8_t kIndexNegative[4] = {0, 3, -1, 2};
alignas(64) inline constexpr int8_t kIndexBelowNulls[4] = {0, 99, -1, 2};
alignas(64) inline constexpr int8_t kTypeIdUnknown[4] = {0, 0, 1, 0};
alignas(64) inline constexpr int8_t kTypeIdNegative[4] = {0, 0, -128, 0};
alignas(64) inline constexpr int32_t kDenseBeyond[4] = {0, 1, 4, 3};
alignas(64) inline constexpr int32_t kDenseNegative[4] = {0, 1, -2, 3};
alignas(64) inline constexpr int32_t kRunsRepeat[2] = {4, 4};
alignas(64) inline constexpr int32_t kRunsFromZero[2] = {0, 4};
// Tree::kViews with another last view.
#define ALLOY_FAULTS_VIEWS(...) {1, 'a', 0, 0, 1, 'b', 0, 0, 0, 0, 0, 0, __VA_ARGS__}
alignas(64) inline constexpr int32_t kViewBuffer1[16] = ALLOY_FAULTS_VIEWS(20, 0x64636261,
                                                                           1, 10);
alignas(64) inline constexpr int32_t kViewBufferNegative[16] =
    ALLOY_FAULTS_VIEWS(20, 0x64636261, -1, 10);
alignas(64) inline constexpr int32_t kViewLengthNegative[16] =
    ALLOY_FAULTS_VIEWS(-1, 0x64636261, 0, 10);
alignas(64) inline constexpr int32_t kViewBeyond[16] = ALLOY_FAULTS_VIEWS(55, 0x64636261,
                                                                          0, 10);
alignas(64) inline constexpr int32_t kViewOffsetNegative[16] =
    ALLOY_FAULTS_VIEWS(20, 0x64636261, 0, -1);
alignas(64) inline constexpr int32_t kViewOtherPrefix[16] = ALLOY_FAULTS_VIEWS(20,
                                                                               0x64636265,
                                                                               0, 10);
alignas(64) inline constexpr int32_t kViewPadding[16] = ALLOY_FAULTS_VIEWS(1, 'a', 0, 1);
alignas(64) inline constexpr int32_t kViewNotUtf8[16] = ALLOY_FAULTS_VIEWS(1, 0xff, 0, 0);
alignas(64) inline constexpr int32_t kViewFarAway[16] = ALLOY_FAULTS_VIEWS(20, 0x64636261,
                                                                           0, 0x7ffff000);
#undef ALLOY_FAULTS_VIEWS
alignas(64) inline constexpr char kNotUtf8[65] = "ab\xff";
alignas(64) inline constexpr char kCutCharacter[65] = "\xc3\xa5";
alignas(64) inline constexpr char kRow1NotUtf8[65] =
    "a\xff\xfe"
    "bcdefgh";
alignas(64) inline constexpr int32_t kFirstOnly[1] = {0};
inline constexpr int32_t kMetadataCount = -1;
inline constexpr int32_t kMetadataKeyNegative[] = {1, -1, 0};
inline constexpr int32_t kMetadataValueNegative[] = {1, 0, -5};
inline constexpr int32_t kMetadataKeyHuge[] = {1, 0x7fffffff, 0};
// Nothing follows these counts.
inline constexpr int32_t kMetadataPairs2Gi = 0x7fffffff;
inline constexpr int32_t kMetadataPairs9M = 9'000'000;
// The lengths of two keys and one value: too much for what must follow.
inline constexpr int32_t kMetadataNoRoom[] = {8'388'000, 5000};
alignas(4) inline constexpr char kBits[4] = {0x0f, 0, 0, 0};
alignas(4) inline constexpr char kRow1Null[4] = {~0x02, ~0, 0, 0};
alignas(4) inline constexpr char kRow3Null[4] = {0x07, 0, 0, 0};
alignas(4) inline constexpr char kNoBits[4] = {0, 0, 0, 0};
inline constexpr int64_t kHuge = int64_t{1} << 40;
inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

// A format string of 1 MiB that begins like this.
inline const char* Long(const char* begin) {
  static std::deque<std::string> texts;
  return texts.emplace_back(begin).append(size_t{1} << 20, '1').c_str();
}

// A name of 40 MiB.
inline const char* HugeName() {
  static const std::string name(size_t{40} << 20, 'n');
  return name.c_str();
}

// Lists in lists, 10,000 deep.
inline ArrowSchema* Deep() {
  static constexpr size_t kDeep = 10000;
  static std::vector<ArrowSchema> nodes(kDeep);
  static std::vector<ArrowSchema*> children(kDeep);
  for (size_t i = 0; i < kDeep; ++i) {
    children[i] = &nodes[i + 1 < kDeep ? i + 1 : i];
    nodes[i] = {.format = i + 1 < kDeep ? "+l" : "i",
                .name = "item",
                .metadata = nullptr,
                .flags = ARROW_FLAG_NULLABLE,
                .n_children = i + 1 < kDeep ? 1 : 0,
                .children = &children[i],
                .dictionary = nullptr,
                .release = [](ArrowSchema* schema) { schema->release = nullptr; },
                .private_data = nullptr};
  }
  return nodes.data();
}
}  // namespace data

}  // namespace faults

#endif  // ALLOY_TESTS_FAULTS_FAULT_DATA_H_
