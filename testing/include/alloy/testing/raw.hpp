// SPDX-License-Identifier: MIT
//
// Arrow structs written field by field, for tests of code that checks structs. They may be
// malformed from the start, or be broken after they were made. For well-formed batches
// with values, use sample.hpp. To count the releases of each struct, use tree.hpp.
//
//   const OwnedSchema schema = Make(Spec{.format = "u"});
//   OwnedArray array = Make(RawArray{.length = 2, .buffers = {nullptr, offsets, bytes}});
//   array->length = -1;
//
// Each struct is made as ordinary producers make it, in one allocation for each node. Its
// release does not read the fields of the struct, so a broken one is released correctly.
//
// Threads  making: one. Releases: any.
#ifndef ALLOY_TESTING_RAW_HPP_
#define ALLOY_TESTING_RAW_HPP_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "alloy/owned.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

// The fields of an ArrowArray. The buffers are borrowed: they must outlive the array.
struct RawArray {
  int64_t length = 0;
  std::vector<const void*> buffers = {};
  std::vector<RawArray> children = {};
  std::vector<RawArray> dictionary = {};  // the values; none, or one
  int64_t offset = 0;
  int64_t null_count = 0;
};

using ReleaseCount = std::atomic<int>;

// Make the structs of a tree. `released`, if given, counts the nodes that were released;
// it must outlive the tree.
OwnedSchema Make(const Spec& spec, ReleaseCount* released = nullptr);
OwnedArray Make(const RawArray& array, ReleaseCount* released = nullptr);

// 64 KiB of zeros: enough for any buffer of a small test.
const void* Zeros();

// An array of `length` zeros of fixed width: no bitmap, and a buffer of values.
RawArray RawFixed(int64_t length);

// The array of a struct or a batch.
inline RawArray RawRows(int64_t length, std::vector<RawArray> columns) {
  return {.length = length, .buffers = {nullptr}, .children = std::move(columns)};
}

// The bytes of a metadata block with one pair.
std::string RawMetadata(const std::string& key, const std::string& value);

// A well-formed column of 4 rows, without nulls, whose buffers are all zeros as far as the
// type allows.
struct RawColumn {
  Spec spec;
  RawArray array;
};

// A RawColumn of every type: those of EveryType(), and the edges of the specification,
// such as values of no bytes and a union without type ids (which has no rows).
std::vector<RawColumn> EveryRawColumn();

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_RAW_HPP_
