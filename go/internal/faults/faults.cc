// SPDX-License-Identifier: MIT
#include "faults.h"

#include <span>

#include "tests/faults/cases.h"

namespace {

fault_case At(std::span<const faults::Case> cases, int64_t i) {
  if (i >= static_cast<int64_t>(cases.size())) return {};
  const faults::Case& one = cases[static_cast<size_t>(i)];
  return {
      .name = one.name, .reason = one.reason, .column = one.column, .level = one.level};
}

faults::Tree& AsTree(void* tree) { return *static_cast<faults::Tree*>(tree); }

}  // namespace

fault_case fault_array_case(int64_t i) { return At(faults::ArrayCases(), i); }
fault_case fault_schema_case(int64_t i) { return At(faults::SchemaCases(), i); }

void* fault_tree_new(const char* name) {
  auto* tree = new faults::Tree;
  if (name != nullptr) faults::FindCase(name)->spoil(*tree);
  return tree;
}
void fault_tree_free(void* tree) { delete &AsTree(tree); }

void* fault_tree_schema(void* tree) { return &AsTree(tree).schema(faults::Tree::kRoot); }
void* fault_tree_array(void* tree) { return &AsTree(tree).array(faults::Tree::kRoot); }

int32_t fault_tree_releases(void* tree) {
  return AsTree(tree).ReleasedAtMostOnce() ? AsTree(tree).releases() : -1;
}

void fault_tree_release_schema(void* tree) {
  ArrowSchema& schema = AsTree(tree).schema(faults::Tree::kRoot);
  if (schema.release != nullptr) schema.release(&schema);
}
