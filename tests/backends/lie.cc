// SPDX-License-Identifier: MIT
//
// Results with exactly one fault, named by the option `fault`, and a ledger of how often
// what was given has been released.
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "alloy/backend.hpp"
#include "tests/faults/cases.h"

namespace {

// Every tree that was ever given out. A test backend may have globals.
class Ledger {
 public:
  static Ledger& Instance() {
    static Ledger& ledger = *std::make_unique<Ledger>().release();
    return ledger;
  }

  faults::Tree& NewTree() {
    const std::lock_guard lock(mutex_);
    return *trees_.emplace_back(std::make_unique<faults::Tree>());
  }

  struct Sums {
    int64_t trees = 0;
    int64_t arrays_released = 0;
    int64_t schemas_released = 0;
    bool twice = false;
  };
  Sums Count() {
    const std::lock_guard lock(mutex_);
    Sums sums;
    for (const auto& tree : trees_) {
      ++sums.trees;
      sums.arrays_released += tree->releases();
      sums.schemas_released += tree->schema_releases();
      sums.twice |= !tree->ReleasedAtMostOnce();
    }
    return sums;
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<faults::Tree>> trees_;
};

const faults::Case& CaseOf(const alloy::Options& options) {
  const faults::Case* found = faults::FindCase(options["fault"]);
  if (found == nullptr) {
    throw alloy::Failure(ALLOY_INVALID, "no fault '" + options["fault"] + "'");
  }
  return *found;
}

// An array with a fault behind a schema without one.
class LieInArray {
 public:
  LieInArray(alloy::Scope&, const alloy::Options& options, std::span<const ArrowSchema>)
      : case_(CaseOf(options)) {}
  alloy::Schema OutputSchema() const {
    return alloy::Schema::Copy(faults::Tree().schema(faults::Tree::kRoot));
  }
  void Run(alloy::Scope&, std::span<ArrowArray>, ArrowArray* output) const {
    faults::Tree& tree = Ledger::Instance().NewTree();
    case_.spoil(tree);
    tree.MoveArray(output);
  }

 private:
  const faults::Case& case_;
};

// A stream of a batch without a fault, and of one with it.
class LieInStream {
 public:
  LieInStream(alloy::Scope&, const alloy::Options& options, std::span<const ArrowSchema>)
      : case_(CaseOf(options)) {}
  static alloy::Schema OutputSchema() {
    return alloy::Schema::Copy(faults::Tree().schema(faults::Tree::kRoot));
  }
  bool Next(alloy::Scope&, std::span<alloy::Input>, ArrowArray* output) {
    if (given_ == 2) return false;
    faults::Tree& tree = Ledger::Instance().NewTree();
    if (given_++ == 1) case_.spoil(tree);
    tree.MoveArray(output);
    return true;
  }

 private:
  const faults::Case& case_;
  int given_ = 0;
};

// A schema with a fault.
class LieInSchema {
 public:
  LieInSchema(alloy::Scope&, const alloy::Options& options, std::span<const ArrowSchema>)
      : case_(CaseOf(options)) {}
  alloy::Schema OutputSchema() const {
    faults::Tree& tree = Ledger::Instance().NewTree();
    case_.spoil(tree);
    ArrowSchema schema;
    tree.MoveSchema(&schema);
    return alloy::Schema(&schema);
  }
  void Run(alloy::Scope& scope, std::span<ArrowArray>, ArrowArray*) const {
    scope.Fail("a schema with a fault was bound");
  }

 private:
  const faults::Case& case_;
};

// Gives the structs of this process at two addresses, whatever they are.
class HandOver {
 public:
  HandOver(alloy::Scope&, const alloy::Options& options, std::span<const ArrowSchema>)
      : schema_(At<ArrowSchema>(options["schema"])),
        array_(At<ArrowArray>(options["array"])) {}
  alloy::Schema OutputSchema() const { return alloy::Schema(schema_); }
  void Run(alloy::Scope&, std::span<ArrowArray>, ArrowArray* output) const {
    *output = *array_;
    array_->release = nullptr;
  }

 private:
  template <typename T>
  static T* At(const std::string& address) {
    return reinterpret_cast<T*>(std::stoull(address));
  }

  ArrowSchema* schema_;
  ArrowArray* array_;
};

}  // namespace

ALLOY_BACKEND(
    "test.lie", "1.0.0", alloy::Raw<LieInArray>("lie").Option("fault", "untouched"),
    alloy::Streams<LieInStream>("lie_in_stream", 0, 0).Option("fault", "untouched"),
    alloy::Raw<LieInSchema>("lie_in_schema").Option("fault", "untouched"),
    alloy::Raw<HandOver>("hand_over").RequiredOption("schema").RequiredOption("array"),
    alloy::Function(
        "ledger", {}, {"trees", "arrays_released", "schemas_released", "twice"},
        [](alloy::Output<int64_t>& trees, alloy::Output<int64_t>& arrays_released,
           alloy::Output<int64_t>& schemas_released, alloy::Output<bool>& twice) {
          const auto sums = Ledger::Instance().Count();
          trees.Append(sums.trees);
          arrays_released.Append(sums.arrays_released);
          schemas_released.Append(sums.schemas_released);
          twice.Append(sums.twice);
        }))
