// SPDX-License-Identifier: MIT
//
// All cases. One list serves the tests of every language: as the input of hosts, and as the
// result of backends. Other languages reach it through faults.h.
#ifndef ALLOY_TESTS_FAULTS_CASES_H_
#define ALLOY_TESTS_FAULTS_CASES_H_

#include <span>
#include <string_view>
#include <vector>

#include "tests/faults/row_cases.h"
#include "tests/faults/schema_cases.h"
#include "tests/faults/shape_cases.h"

namespace faults {

// Faults of an array whose schema is valid, and valid arrays.
inline std::span<const Case> ArrayCases() {
  static const std::vector<Case> cases = [] {
    std::vector<Case> all;
    for (const auto part : {ShapeCases(), RowCases(), ValidCases()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return cases;
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
