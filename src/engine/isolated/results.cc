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

std::unique_ptr<ReleasedResults::Node> ReleasedResults::NewNode() {
  return spare_ != nullptr ? std::move(spare_) : std::make_unique<Node>();
}

std::span<const uint64_t> ReleasedResults::Take(size_t most) {
  taken_.clear();
  if (waiting_ == nullptr) {
    if (added_.load(std::memory_order_relaxed) == nullptr) return taken_;
    waiting_ = added_.exchange(nullptr, std::memory_order_acquire);
  }
  while (waiting_ != nullptr && taken_.size() < most) {
    std::unique_ptr<Node> node(waiting_);
    waiting_ = node->next;
    taken_.push_back(node->result);
    spare_ = std::move(node);
  }
  return taken_;
}

ResultOwner::~ResultOwner() {
  if (mark_->Number() != process_) {
    (void)node_.release();  // NOLINT(bugprone-unused-return-value): lost on purpose
    return;
  }
  // What is in the list keeps nothing.
  node_->segments.clear();
  node_->inputs.clear();
  released_->Add(std::move(node_));
}

}  // namespace alloy::core
