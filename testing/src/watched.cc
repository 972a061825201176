// SPDX-License-Identifier: MIT
#include "watched.h"

#include <cstring>
#include <functional>

#include "values.h"

namespace alloy::testing {
namespace {

constexpr uint8_t kGone = 0xa5;

// Trusts the node and never the struct, which a backend may have copied or spoilt.
void ReleaseWatched(ArrowArray* array) {
  auto* node = static_cast<WatchedNode*>(array->private_data);
  array->release = nullptr;
  if (node->releases.fetch_add(1) > 0) return;
  for (ArrowArray* child : node->children) {
    if (child->release != nullptr) child->release(child);
  }
  if (node->dictionary != nullptr && node->dictionary->release != nullptr) {
    node->dictionary->release(node->dictionary);
  }
  if (node->Sum() != node->sum) node->changed.store(true);
  for (Buffer& buffer : node->buffers) std::memset(buffer.data(), kGone, buffer.size());
}

}  // namespace

uint64_t WatchedNode::Sum() const {
  uint64_t total = 0;
  for (const Buffer& buffer : buffers) {
    for (size_t i = 0; i < buffer.size(); i += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, buffer.data() + i, sizeof(word));
      total = Mix(total, word);
    }
  }
  return total;
}

bool WatchedNode::Changed() const {
  return changed.load() || (releases.load() == 0 && Sum() != sum);
}

bool WatchedNode::Holds(const void* address) const {
  const std::less_equal<> at_most;
  for (const Buffer& buffer : buffers) {
    const uint8_t* begin = buffer.data();
    if (at_most(begin, address) && !at_most(begin + buffer.size(), address)) return true;
  }
  return false;
}

void WatchedTree::Finish() {
  for (WatchedNode& node : nodes_) {
    node.array.n_buffers = static_cast<int64_t>(node.pointers.size());
    node.array.buffers = node.pointers.data();
    node.array.n_children = static_cast<int64_t>(node.children.size());
    node.array.children = node.children.data();
    node.array.dictionary = node.dictionary;
    node.array.release = &ReleaseWatched;
    node.array.private_data = &node;
    node.sum = node.Sum();
  }
}

}  // namespace alloy::testing
