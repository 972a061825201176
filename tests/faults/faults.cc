// SPDX-License-Identifier: MIT
#include "tests/faults/faults.h"

#include <memory>
#include <vector>

#include "alloy/alloy.h"
#include "tests/faults/cases.h"

// The C name of a tree.
struct fault_tree : faults::Tree {};

namespace {

std::vector<fault_case> AllCases() {
  std::vector<fault_case> all;
  const auto add = [&all](std::span<const faults::Case> cases, int32_t kind) {
    for (const faults::Case& one : cases) {
      all.push_back({.name = one.name,
                     .kind = kind,
                     .code = one.reason == ALLOY_REASON_NONE ? ALLOY_OK : ALLOY_BAD_DATA,
                     .reason = one.reason,
                     .column = one.column,
                     .level = one.level});
    }
  };
  add(faults::ArrayCases(), FAULT_ARRAY);
  add(faults::SchemaCases(), FAULT_SCHEMA);
  return all;
}

const std::vector<fault_case>& Cases() {
  static const std::vector<fault_case> cases = AllCases();
  return cases;
}

}  // namespace

int64_t fault_count(void) { return static_cast<int64_t>(Cases().size()); }

const fault_case* fault_at(int64_t index) {
  return index >= 0 && index < fault_count() ? &Cases()[static_cast<size_t>(index)]
                                             : nullptr;
}

fault_tree* fault_tree_new(const char* name) {
  auto tree = std::make_unique<fault_tree>();
  if (name != nullptr) {
    const faults::Case* found = faults::FindCase(name);
    if (found == nullptr) return nullptr;
    found->spoil(*tree);
  }
  return tree.release();
}

void fault_tree_free(fault_tree* tree) { std::unique_ptr<fault_tree>(tree).reset(); }

ArrowArray* fault_tree_array(fault_tree* tree) {
  return &tree->array(faults::Tree::kRoot);
}
ArrowSchema* fault_tree_schema(fault_tree* tree) {
  return &tree->schema(faults::Tree::kRoot);
}

void fault_tree_release_schema(fault_tree* tree) {
  ArrowSchema* schema = fault_tree_schema(tree);
  if (schema->release != nullptr) schema->release(schema);
}

int32_t fault_tree_releases(fault_tree* tree) {
  return tree->ReleasedAtMostOnce() ? tree->releases() : -1;
}
int32_t fault_tree_schema_releases(fault_tree* tree) {
  return tree->ReleasedAtMostOnce() ? tree->schema_releases() : -1;
}
