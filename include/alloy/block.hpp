// SPDX-License-Identifier: MIT
//
// A tree of ArrowArrays in one allocation: how Alloy exports.
//
// Use it to give out memory that something else owns. A block holds every struct, child
// pointer and buffer pointer of an array, and one owner that keeps the buffers alive.
// Children and dictionaries may be moved out and released on their own, in any order
// and on any thread ("The Arrow C data interface", "Moving an array" and "Moving child
// arrays"). The owner is destroyed when the last of them is released. From
// src/arrow/block_test.cc:
//
//   auto block = Block<Owner>::Make(4, 7, std::move(owner));
//   ArrowArray root;
//   block.Init(&root, {.length = 3, .n_buffers = 1, .n_children = 2});
//   block.Init(root.children[0], {.length = 3, .n_buffers = 2});
//   block.Init(root.children[1], {.length = 3, .n_buffers = 2, .dictionary = true});
//   block.Init(root.children[1]->dictionary, {.length = 1, .n_buffers = 2});
//
// Then set the buffers of each node, and call Finish. A block without memory is false.
//
// Threads  building: serial. The finished tree: as the Arrow specification has it.
#ifndef ALLOY_BLOCK_HPP_
#define ALLOY_BLOCK_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "alloy/arrow_abi.h"

namespace alloy {
namespace detail {

struct BlockHeader {
  std::atomic<int64_t> live;      // nodes of this block that are not released
  void (*destroy)(BlockHeader*);  // destroys the owner and frees the block
  // Compares the types of the owner with a declared schema, for people; empty if they are
  // the same. NULL: the owner does not know its types.
  std::string (*check)(const BlockHeader*, const ArrowSchema& declared);
  const ArrowArray* slots;  // the structs of the descendants
  const ArrowArray* slots_end;
};

inline void ReleaseBlockNode(ArrowArray* array);

inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header);

inline int64_t ReleaseBlockSlot(ArrowArray* slot, BlockHeader* header) {
  if (slot == nullptr || slot->release == nullptr) return 0;  // moved out, or released
  if (slot->release == &ReleaseBlockNode && slot->private_data == header) {
    return ReleaseBlockTree(slot, header);
  }
  // A foreign struct. If it was moved into a slot, it is released here. If the owner
  // holds it, the owner releases it.
  if (slot >= header->slots && slot < header->slots_end) slot->release(slot);
  return 0;
}

// Mark a node and everything that is still below it as released. Returns how many nodes
// of this block these were.
inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header) {
  int64_t released = 1;
  for (int64_t i = 0; i < array->n_children; ++i) {
    released += ReleaseBlockSlot(array->children[i], header);
  }
  released += ReleaseBlockSlot(array->dictionary, header);
  array->release = nullptr;
  return released;
}

inline void ReleaseBlockNode(ArrowArray* array) {
  auto* header = static_cast<BlockHeader*>(array->private_data);
  const int64_t released = ReleaseBlockTree(array, header);
  // A thread that holds all remaining nodes needs no atomic subtraction.
  if (header->live.load(std::memory_order_acquire) == released ||
      header->live.fetch_sub(released, std::memory_order_acq_rel) == released) {
    header->destroy(header);
  }
}

}  // namespace detail

struct BlockNode {
  int64_t length = 0;
  int64_t null_count = 0;
  int64_t offset = 0;
  int64_t n_buffers = 0;
  int64_t n_children = 0;
  bool dictionary = false;
};

// Owner is destroyed on the thread that releases the last node. Its move constructor does
// not throw.
template <typename Owner>
class Block {
  static_assert(std::is_nothrow_move_constructible_v<Owner>);
  static_assert(alignof(Owner) <= alignof(std::max_align_t));

 public:
  // Make room for `nodes` nodes, the root among them, with `buffers` buffers together.
  // Without memory the block is false, and `owner` is unchanged.
  static Block Make(int64_t nodes, int64_t buffers, Owner&& owner) {
    const auto descendants = static_cast<size_t>(nodes - 1);
    const size_t bytes = sizeof(Layout) +
                         descendants * (sizeof(ArrowArray) + sizeof(ArrowArray*)) +
                         static_cast<size_t>(buffers) * sizeof(const void*);
    void* memory = std::malloc(bytes);
    if (memory == nullptr) return Block();
    auto* layout = ::new (memory) Layout(std::move(owner));
    Block block;
    block.layout_ = layout;
    block.slot_ = reinterpret_cast<ArrowArray*>(layout + 1);
    block.child_ = reinterpret_cast<ArrowArray**>(block.slot_ + descendants);
    block.buffer_ =
        const_cast<const void**>(reinterpret_cast<void**>(block.child_ + descendants));
    layout->header.destroy = &Destroy;
    layout->header.slots = block.slot_;
    layout->header.slots_end = block.slot_ + descendants;
    return block;
  }

  Block(Block&& other) noexcept { *this = std::move(other); }
  Block& operator=(Block&& other) noexcept {
    std::swap(layout_, other.layout_);
    std::swap(slot_, other.slot_);
    std::swap(child_, other.child_);
    std::swap(buffer_, other.buffer_);
    std::swap(live_, other.live_);
    return *this;
  }
  // Frees a block that was not finished, and its owner. Nodes made in it are invalid
  // then.
  ~Block() {
    if (layout_ != nullptr) Destroy(&layout_->header);
  }

  explicit operator bool() const { return layout_ != nullptr; }
  Owner& owner() { return layout_->owner; }

  // Let the owner compare its types with a schema: a lambda of owner and schema that
  // captures nothing.
  template <typename Check>
  void Describe(Check) {
    layout_->header.check = [](const detail::BlockHeader* header,
                               const ArrowSchema& declared) {
      return Check()(reinterpret_cast<const Layout*>(header)->owner, declared);
    };
  }

  // Fill `array`: the root, which may be anywhere, or a slot of this block. Its children
  // and its dictionary get the next free slots; fill these too. Its buffers are NULL.
  void Init(ArrowArray* array, const BlockNode& node) {
    array->length = node.length;
    array->null_count = node.null_count;
    array->offset = node.offset;
    array->n_buffers = node.n_buffers;
    array->n_children = node.n_children;
    array->buffers = node.n_buffers > 0 ? buffer_ : nullptr;
    for (int64_t i = 0; i < node.n_buffers; ++i) *buffer_++ = nullptr;
    array->children = node.n_children > 0 ? child_ : nullptr;
    for (int64_t i = 0; i < node.n_children; ++i) *child_++ = slot_++;
    array->dictionary = node.dictionary ? slot_++ : nullptr;
    array->release = &detail::ReleaseBlockNode;
    array->private_data = &layout_->header;
    ++live_;
  }

  // Move a foreign struct into a slot of this block.
  static void Adopt(ArrowArray* slot, ArrowArray* source) {
    *slot = *source;
    source->release = nullptr;
  }

  // The tree is complete. From now on it lives until it is released.
  void Finish() {
    layout_->header.live.store(live_, std::memory_order_release);
    layout_ = nullptr;
  }

 private:
  struct Layout {
    explicit Layout(Owner&& value) : owner(std::move(value)) {}
    detail::BlockHeader header{};
    Owner owner;
  };
  static_assert(sizeof(Layout) % alignof(ArrowArray) == 0);

  Block() = default;

  static void Destroy(detail::BlockHeader* header) {
    auto* layout = reinterpret_cast<Layout*>(header);
    std::destroy_at(layout);
    std::free(layout);
  }

  Layout* layout_ = nullptr;
  ArrowArray* slot_ = nullptr;
  ArrowArray** child_ = nullptr;
  const void** buffer_ = nullptr;
  int64_t live_ = 0;
};

}  // namespace alloy

#endif  // ALLOY_BLOCK_HPP_
