// SPDX-License-Identifier: MIT
#include "alloy/testing/sample.hpp"

#include <cstring>
#include <string>
#include <utility>

#include "watched.h"

namespace alloy::testing {

struct Sample::State {
  WatchedTree tree;
  mutable bool given = false;
};

Sample::Sample(const Spec& batch, const SampleOptions& options)
    : state_(std::make_unique<State>()) {
  FillBatch(batch, options, &state_->tree);
}
Sample::Sample(Sample&&) noexcept = default;
Sample& Sample::operator=(Sample&&) noexcept = default;
Sample::~Sample() = default;

void Sample::MoveArray(ArrowArray* out) const {
  ArrowArray& root = state_->tree.root().array;
  *out = root;
  root.release = nullptr;
  state_->given = true;
}

const ArrowArray& Sample::array() const { return state_->tree.root().array; }

int64_t Sample::unreleased() const {
  return state_->given ? state_->tree.Count([](const WatchedNode& node) {
    return node.releases.load() == 0;
  })
                       : 0;
}

int64_t Sample::released_again() const {
  return state_->tree.Count(
      [](const WatchedNode& node) { return node.releases.load() > 1; });
}

int64_t Sample::written() const {
  return state_->tree.Count([](const WatchedNode& node) { return node.Changed(); });
}

bool Sample::IsGone(const void* address) const {
  return state_->tree.Count([address](const WatchedNode& node) {
    return node.releases.load() > 0 && node.Holds(address);
  }) > 0;
}

Status Sample::verdict() const {
  if (const int64_t n = released_again(); n > 0) {
    return Status::Invalid(std::to_string(n) +
                           " structs of an input were released more than once");
  }
  if (const int64_t n = unreleased(); n > 0) {
    return Status::Invalid(std::to_string(n) +
                           " structs of an input were never released: they leak");
  }
  if (const int64_t n = written(); n > 0) {
    return Status::Invalid("the memory of " + std::to_string(n) +
                           " columns of an input was written to; inputs are borrowed");
  }
  return Status();
}

}  // namespace alloy::testing
