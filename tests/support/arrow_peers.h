// SPDX-License-Identifier: MIT
//
// What the tests over arrow.hpp share: the backends that return their batch, and how to
// compare a batch with the one that came back.
#ifndef ALLOY_TESTS_SUPPORT_ARROW_PEERS_H_
#define ALLOY_TESTS_SUPPORT_ARROW_PEERS_H_

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "alloy/arrow.hpp"
#include "tests/support/support.h"

namespace support {

struct Identity {
  const char* name;
  const char* library;  // empty: the built-in echo
  const char* function;
  bool is_partial = false;  // its Arrow library has few types
};

inline std::ostream& operator<<(std::ostream& out, const Identity& identity) {
  return out << identity.name;
}

// One in each language; in Rust, one for each major version of arrow-rs.
inline std::vector<Identity> Identities() {
  return {
      {"BuiltIn", "", "echo"},
      {"Cpp", "tests/identity", "identity"},
      {"C", "echo_c", "echo"},
#ifdef ALLOY_TEST_RUST
      {"Rust60", "identity_rust", "identity"},
      {"Rust59", "identity_arrow59_rust", "identity"},
#endif
  };
}

// The same, and those on Arrow libraries that support few types.
inline std::vector<Identity> PartialIdentities() {
  std::vector<Identity> identities = Identities();
#ifdef ALLOY_TEST_RUST
  identities.push_back({"Arrow2", "echo_arrow2_rust", "echo", true});
  identities.push_back({"Arrow2_014", "echo_arrow2_014_rust", "echo", true});
#endif
  return identities;
}

inline alloy::Bridge Open(const Identity& identity) {
  return Load(identity.library, TestHost(nullptr, alloy::LogMode::kNever));
}

// NaN compares equal to itself here: a round trip must keep it.
inline arrow::EqualOptions BitForBit() {
  return arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
}

// The batch that came back is valid, and Arrow's own comparison finds no difference.
inline testing::AssertionResult Same(
    const alloy::Result<alloy::arrow::RecordBatchPtr>& came,
    const arrow::RecordBatch& went) {
  if (!came.ok()) return testing::AssertionFailure() << came.status();
  const arrow::RecordBatch& batch = **came;
  const arrow::Status valid = batch.ValidateFull();
  if (!valid.ok()) return testing::AssertionFailure() << valid;
  if (!batch.schema()->Equals(*went.schema(), /*check_metadata=*/true)) {
    return testing::AssertionFailure() << "schema: " << batch.schema()->ToString(true)
                                       << "\nbut went: " << went.schema()->ToString(true);
  }
  if (!batch.Equals(went, /*check_metadata=*/true, BitForBit())) {
    return testing::AssertionFailure()
           << "came: " << batch.ToString() << "\nwent: " << went.ToString();
  }
  return testing::AssertionSuccess();
}

// Every buffer came back with the same bytes, also under nulls. It may be shorter by the
// padding at its end.
inline testing::AssertionResult SameBytes(const arrow::ArrayData& came,
                                          const arrow::ArrayData& went) {
  const auto differ = [](const char* what) {
    return testing::AssertionFailure() << what << " differ";
  };
  if (came.length != went.length || came.offset != went.offset) return differ("bounds");
  if (came.GetNullCount() != went.GetNullCount()) return differ("null counts");
  if (came.buffers.size() != went.buffers.size()) return differ("numbers of buffers");
  for (size_t i = 0; i < went.buffers.size(); ++i) {
    const auto& back = came.buffers[i];
    const auto& there = went.buffers[i];
    const int64_t size = back == nullptr ? 0 : back->size();
    if (size > (there == nullptr ? 0 : there->size())) {
      // An empty array may have had no offsets.
      if (went.length > 0) return differ("sizes of buffers");
      continue;
    }
    if (size == 0 && i > 0 && went.length > 0 && there != nullptr && there->size() > 64) {
      return differ("sizes of buffers");
    }
    if (size > 0 && std::memcmp(back->data(), there->data(), size) != 0) {
      return differ("bytes of buffers");
    }
  }
  if (came.child_data.size() != went.child_data.size()) return differ("children");
  for (size_t i = 0; i < went.child_data.size(); ++i) {
    const auto same = SameBytes(*came.child_data[i], *went.child_data[i]);
    if (!same) return testing::AssertionFailure() << i << ": " << same.message();
  }
  if ((came.dictionary == nullptr) != (went.dictionary == nullptr)) {
    return differ("dictionaries");
  }
  if (went.dictionary == nullptr) return testing::AssertionSuccess();
  return SameBytes(*came.dictionary, *went.dictionary);
}

inline testing::AssertionResult SameBytes(const arrow::RecordBatch& came,
                                          const arrow::RecordBatch& went) {
  for (int i = 0; i < went.num_columns(); ++i) {
    const auto same = SameBytes(*came.column_data(i), *went.column_data(i));
    if (!same) {
      return testing::AssertionFailure()
             << "column " << went.column_name(i) << ": " << same.message();
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_ARROW_PEERS_H_
