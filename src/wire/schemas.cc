// SPDX-License-Identifier: MIT
#include "wire/schemas.h"

#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "arrow/schema.h"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

constexpr int kDeepest = 64;

// The size of metadata in the form of the C data interface; -1: there is none.
int64_t MetadataBytes(const char* metadata) {
  if (metadata == nullptr) return -1;
  int32_t n = 0;
  std::memcpy(&n, metadata, sizeof(n));
  int64_t size = 4;
  for (int64_t i = 0; i < 2 * int64_t{n}; ++i) {
    int32_t length = 0;
    std::memcpy(&length, metadata + size, sizeof(length));
    size += 4 + int64_t{length};
  }
  return size;
}

void WriteNode(const ArrowSchema& schema, ByteWriter& out) {
  out.PutText(schema.format);
  out.Put(static_cast<uint8_t>(schema.name != nullptr));
  if (schema.name != nullptr) out.PutText(schema.name);
  const int64_t metadata = MetadataBytes(schema.metadata);
  out.Put(metadata);
  if (metadata > 0) out.PutBytes(schema.metadata, static_cast<size_t>(metadata));
  out.Put(schema.flags);
  out.Put(schema.n_children);
  for (int64_t i = 0; i < schema.n_children; ++i) WriteNode(*schema.children[i], out);
  out.Put(static_cast<uint8_t>(schema.dictionary != nullptr));
  if (schema.dictionary != nullptr) WriteNode(*schema.dictionary, out);
}

// Holds what is read until it is copied.
struct SchemaParts {
  std::deque<std::string> texts;
  std::deque<ArrowSchema> schemas;
  std::deque<std::vector<ArrowSchema*>> lists;

  void Fill(ByteReader& in, int depth, ArrowSchema* schema) {
    if (depth > kDeepest) in.Fail();
    schema->format = texts.emplace_back(in.GetText()).c_str();
    if (in.Get<uint8_t>() != 0) schema->name = texts.emplace_back(in.GetText()).c_str();
    const auto metadata = in.Get<int64_t>();
    if (metadata > 0) {
      schema->metadata =
          texts.emplace_back(in.GetBytes(static_cast<size_t>(metadata))).c_str();
      if (!IsMetadata(texts.back())) in.Fail();
    }
    schema->flags = in.Get<int64_t>();
    schema->n_children = in.Get<int64_t>();
    schema->release = [](ArrowSchema* s) { s->release = nullptr; };
    if (schema->n_children < 0 || static_cast<uint64_t>(schema->n_children) > in.left()) {
      in.Fail();
      schema->n_children = 0;
    }
    auto& list = lists.emplace_back();
    for (int64_t i = 0; i < schema->n_children && in.ok(); ++i) {
      list.push_back(&schemas.emplace_back(ArrowSchema{}));
      Fill(in, depth + 1, list.back());
    }
    schema->children = list.empty() ? nullptr : list.data();
    if (in.Get<uint8_t>() != 0 && in.ok()) {
      schema->dictionary = &schemas.emplace_back(ArrowSchema{});
      Fill(in, depth + 1, schema->dictionary);
    }
  }

  // Whether the lengths inside fit: CopySchema follows them.
  static bool IsMetadata(const std::string& bytes) {
    ByteReader in({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
    const auto n = in.Get<int32_t>();
    if (n < 0) return false;
    for (int64_t i = 0; i < 2 * int64_t{n} && in.ok(); ++i) {
      const auto length = in.Get<int32_t>();
      if (length < 0) return false;
      in.GetBytes(static_cast<size_t>(length));
    }
    return in.AtEnd();
  }
};

}  // namespace

Status WriteSchema(const ArrowSchema& schema, ByteWriter& out) {
  ALLOY_TRY(CopySchema(schema).status());
  WriteNode(schema, out);
  return Status();
}

Result<OwnedSchema> ReadSchema(ByteReader& in) {
  SchemaParts parts;
  ArrowSchema root{};
  parts.Fill(in, 0, &root);
  if (!in.ok()) return Fail(ALLOY_BAD_DATA, "a schema in a message is cut or malformed");
  return CopySchema(root);
}

}  // namespace alloy::core
