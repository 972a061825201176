// SPDX-License-Identifier: MIT
#include "watched.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>

#include "values.h"

namespace alloy::testing {
namespace {

constexpr uint8_t kGone = 0xa5;

size_t Pages(size_t bytes) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// Buffers that have ended stay out of reach for a while, so that their addresses are not
// given out again: a late use of one is then no use of another.
class Quarantine {
 public:
  void Add(void* memory, size_t bytes) {
    const std::lock_guard lock(mutex_);
    Region& oldest = regions_[next_++ % regions_.size()];
    if (oldest.memory != nullptr) ::munmap(oldest.memory, oldest.bytes);
    oldest = {memory, bytes};
  }

 private:
  struct Region {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  std::mutex mutex_;
  std::array<Region, 1024> regions_{};
  size_t next_ = 0;
};

Quarantine& EndedBuffers() {
  static Quarantine& quarantine = *std::make_unique<Quarantine>().release();
  return quarantine;
}

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
  for (Buffer& buffer : node->buffers) buffer.TakeAway();
}

}  // namespace

Buffer::Buffer(int64_t bytes)
    : data_(nullptr), size_((static_cast<size_t>(bytes) / 64 + 1) * 64) {
  void* memory = ::mmap(nullptr, Pages(size_), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<uint8_t*>(memory);
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  TakeAway();
  EndedBuffers().Add(data_, Pages(size_));
}

void Buffer::TakeAway() {
  // The bytes go first: where the protection fails, late readers find other values.
  if (::mprotect(data_, Pages(size_), PROT_READ | PROT_WRITE) == 0) {
    std::memset(data_, kGone, size_);
  }
  ::mprotect(data_, Pages(size_), PROT_NONE);
}

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
