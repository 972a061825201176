// SPDX-License-Identifier: MIT
#include "arrow/schema.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

// The memory of a copied tree begins with this. The nodes below the root follow, then the
// pointers to them, then metadata and strings. The root is in the caller's struct.
struct SchemaBlock {
  std::atomic<int64_t> live;  // nodes that are not yet released
  const ArrowSchema* slots;
  const ArrowSchema* slots_end;
};
static_assert(sizeof(SchemaBlock) % alignof(ArrowSchema) == 0);

// The release of every node of a copy, of the root as well as of a node that was moved
// out. The block is freed with the last of its nodes.
void ReleaseCopy(ArrowSchema* schema);

int64_t ReleaseTree(ArrowSchema* schema, SchemaBlock* block);

int64_t ReleaseBelow(ArrowSchema* schema, SchemaBlock* block) {
  if (schema == nullptr || schema->release == nullptr) return 0;  // moved out
  if (schema->release == &ReleaseCopy && schema->private_data == block) {
    return ReleaseTree(schema, block);
  }
  // The caller has moved a foreign schema into a node of this block.
  if (schema >= block->slots && schema < block->slots_end) schema->release(schema);
  return 0;
}

// Mark a node, and those below it that were not moved out, as released. Returns how many
// nodes of the block these were.
int64_t ReleaseTree(ArrowSchema* schema, SchemaBlock* block) {
  int64_t released = 1;
  for (int64_t i = 0; i < schema->n_children; ++i) {
    released += ReleaseBelow(schema->children[i], block);
  }
  released += ReleaseBelow(schema->dictionary, block);
  schema->release = nullptr;
  return released;
}

void ReleaseCopy(ArrowSchema* schema) {
  auto* block = static_cast<SchemaBlock*>(schema->private_data);
  const int64_t released = ReleaseTree(schema, block);
  if (block->live.fetch_sub(released, std::memory_order_acq_rel) == released) {
    std::free(block);
  }
}

constexpr size_t kMetadataAlignment = 8;

size_t Aligned(size_t bytes) {
  return (bytes + kMetadataAlignment - 1) / kMetadataAlignment * kMetadataAlignment;
}

// What the block must have room for.
struct Room {
  size_t nodes = 0;
  size_t metadata = 0;
  size_t strings = 0;
};

// Fills the block. Metadata comes before the strings, so that each block of it is aligned
// to 8 bytes, although the format does not require it.
class SchemaCopier {
 public:
  SchemaCopier(SchemaBlock* block, const Room& room) : block_(block) {
    const size_t descendants = room.nodes - 1;
    slot_ = reinterpret_cast<ArrowSchema*>(block + 1);
    child_ = reinterpret_cast<ArrowSchema**>(slot_ + descendants);
    metadata_ = reinterpret_cast<char*>(child_ + descendants);
    string_ = metadata_ + room.metadata;
    block->slots = slot_;
    block->slots_end = slot_ + descendants;
  }

  void Copy(const ArrowSchema& from, ArrowSchema* to) {
    to->format = CopyString(from.format);
    to->name = CopyString(from.name);
    to->metadata = CopyMetadata(from.metadata);
    to->flags = from.flags;
    to->n_children = from.n_children;
    to->children = from.n_children > 0 ? child_ : nullptr;
    to->dictionary = from.dictionary != nullptr ? slot_++ : nullptr;
    to->release = &ReleaseCopy;
    to->private_data = block_;
    for (int64_t i = 0; i < from.n_children; ++i) *child_++ = slot_++;
    if (from.dictionary != nullptr) Copy(*from.dictionary, to->dictionary);
    for (int64_t i = 0; i < from.n_children; ++i) {
      Copy(*from.children[i], to->children[i]);
    }
  }

 private:
  const char* CopyString(const char* from) {
    return from == nullptr ? nullptr : CopyBytes(&string_, from, std::strlen(from) + 1);
  }

  const char* CopyMetadata(const char* from) {
    if (from == nullptr) return nullptr;
    const auto bytes = static_cast<size_t>(MetadataBytes(from));
    const char* copy = CopyBytes(&metadata_, from, bytes);
    metadata_ += Aligned(bytes) - bytes;
    return copy;
  }

  static const char* CopyBytes(char** at, const char* from, size_t bytes) {
    char* copy = *at;
    std::memcpy(copy, from, bytes);
    *at += bytes;
    return copy;
  }

  SchemaBlock* block_;
  ArrowSchema* slot_;
  ArrowSchema** child_;
  char* metadata_;
  char* string_;
};

}  // namespace

Result<OwnedSchema> CopySchema(const ArrowSchema& schema) {
  Room room;
  ALLOY_TRY(WalkSchema(schema, [&room](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    ++room.nodes;
    room.metadata += Aligned(static_cast<size_t>(place.metadata_bytes));
    room.strings += std::strlen(node.format) + 1;
    room.strings += node.name == nullptr ? 0 : std::strlen(node.name) + 1;
    return Status();
  }));
  const size_t bytes = sizeof(SchemaBlock) +
                       (room.nodes - 1) * (sizeof(ArrowSchema) + sizeof(ArrowSchema*)) +
                       room.metadata + room.strings;
  void* memory = std::malloc(bytes);
  if (memory == nullptr) return Fail(ALLOY_EXHAUSTED, "out of memory to copy a schema");
  auto* block = ::new (memory) SchemaBlock{};
  block->live.store(static_cast<int64_t>(room.nodes), std::memory_order_relaxed);
  ArrowSchema copy{};
  SchemaCopier(block, room).Copy(schema, &copy);
  return OwnedSchema(&copy);
}

Status AppendFingerprint(const ArrowSchema& schema, SchemaBudget* budget,
                         std::string* key) {
  const auto visit = [key](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    // No two schemas have the same key: a NUL ends each string, and every other part has
    // a fixed length or a length in front.
    const int64_t numbers[] = {
        node.flags, node.n_children, place.metadata_bytes,
        (node.name != nullptr ? 1 : 0) | (node.dictionary != nullptr ? 2 : 0)};
    key->append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
    key->append(node.format, std::strlen(node.format) + 1);
    if (node.name != nullptr) key->append(node.name, std::strlen(node.name) + 1);
    if (place.metadata_bytes > 0) {
      key->append(node.metadata, static_cast<size_t>(place.metadata_bytes));
    }
    return Status();
  };
  return WalkSchema(schema, visit, budget);
}

}  // namespace alloy::core
