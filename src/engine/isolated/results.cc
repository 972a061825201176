// SPDX-License-Identifier: MIT
#include "engine/isolated/results.h"

namespace alloy::core {
namespace {

void FreeNodes(ReleasedResults::Node* node) {
  while (node != nullptr) {
    const std::unique_ptr<ReleasedResults::Node> gone(node);
    node = gone->next;
  }
}

}  // namespace

ReleasedResults::~ReleasedResults() {
  FreeNodes(added_.load(std::memory_order_acquire));
  FreeNodes(waiting_);
}

void ReleasedResults::Add(std::unique_ptr<Node> node) noexcept {
  Node* const added = node.release();
  added->next = added_.load(std::memory_order_relaxed);
  while (!added_.compare_exchange_weak(added->next, added, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

std::vector<uint64_t> ReleasedResults::Take(size_t most) {
  std::vector<uint64_t> results;
  if (waiting_ == nullptr) {
    if (added_.load(std::memory_order_relaxed) == nullptr) return results;
    waiting_ = added_.exchange(nullptr, std::memory_order_acquire);
  }
  while (waiting_ != nullptr && results.size() < most) {
    const std::unique_ptr<Node> node(waiting_);
    waiting_ = node->next;
    results.push_back(node->result);
  }
  return results;
}

ResultOwner::~ResultOwner() {
  if (parts_->mark->Number() != parts_->process) {
    (void)parts_.release();  // NOLINT(bugprone-unused-return-value): lost on purpose
    return;
  }
  parts_->released->Add(std::move(parts_->node));
}

}  // namespace alloy::core
