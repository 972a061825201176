// SPDX-License-Identifier: MIT
#include "wire/schemas.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "alloy/reason.h"
#include "arrow/fault.h"
#include "arrow/schema.h"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

// A node: what it has, the flags of Arrow, the number of children, and its texts, each with
// its NUL. Then its dictionary, and its children.
struct NodeHead {
  uint64_t has;
  int64_t flags;
  int64_t n_children;
};
constexpr uint64_t kHasName = 1;
constexpr uint64_t kHasMetadata = 2;
constexpr uint64_t kHasDictionary = 4;

// The fewest bytes of a node: a head, and a format.
constexpr size_t kLeastNode = sizeof(NodeHead) + sizeof(uint64_t) + 1;

Status RefuseMessage(const char* what) {
  return DataFault(ALLOY_REASON_SCHEMA_SIZE, {}, what);
}

void PutString(const char* text, ByteWriter& out) {
  out.PutText({text, std::strlen(text) + 1});
}

// Makes a tree of structs whose strings are in the message, for CopySchema to copy. It lives
// as long as the reader.
class TreeReader {
 public:
  explicit TreeReader(ByteReader& in) : in_(in) {}

  Status ReadAll() { return Read(0); }
  // Its pointers are set here, when no node moves any more.
  const ArrowSchema& root() {
    for (Node& node : nodes_) {
      node.schema.children = children_.data() + node.children;
      if (node.dictionary != 0) node.schema.dictionary = &nodes_[node.dictionary].schema;
    }
    for (size_t i = 0; i < children_.size(); ++i) {
      children_[i] = &nodes_[child_nodes_[i]].schema;
    }
    return nodes_[0].schema;
  }

 private:
  struct Node {
    ArrowSchema schema{};
    size_t children = 0;    // the first one in children_
    size_t dictionary = 0;  // a node; 0: none
  };

  Status Read(int32_t depth) {
    // CheckSchemaNode has the same limits. They are here too, since this walk comes first.
    if (depth > kMostLevels) {
      return DataFault(ALLOY_REASON_TOO_DEEP, {},
                       "the schema in the message has too many levels");
    }
    const size_t at = nodes_.size();
    nodes_.emplace_back();
    const auto head = in_.Get<NodeHead>();
    const char* format = GetString();
    const char* name = (head.has & kHasName) != 0 ? GetString() : nullptr;
    const char* metadata = nullptr;
    if ((head.has & kHasMetadata) != 0) {
      const std::string_view block = in_.GetText();
      const int64_t bytes = BlockBytes(block);
      if (bytes != static_cast<int64_t>(block.size())) {
        return RefuseMessage("the metadata in the message is malformed");
      }
      metadata = block.data();
    }
    if (!in_.ok()) return RefuseMessage("the message with the schema is cut");
    if (head.n_children < 0 ||
        static_cast<uint64_t>(head.n_children) > in_.left() / kLeastNode) {
      return RefuseMessage("the schema in the message has more children than bytes");
    }
    const auto n = static_cast<size_t>(head.n_children);
    const size_t children = child_nodes_.size();
    child_nodes_.resize(children + n);
    children_.resize(children + n);
    nodes_[at].children = children;
    ArrowSchema& schema = nodes_[at].schema;
    schema.format = format;
    schema.name = name;
    schema.metadata = metadata;
    schema.flags = head.flags;
    schema.n_children = head.n_children;
    schema.release = [](ArrowSchema*) {};
    if ((head.has & kHasDictionary) != 0) {
      nodes_[at].dictionary = nodes_.size();
      ALLOY_TRY(Read(depth + 1));
    }
    for (size_t i = 0; i < n; ++i) {
      child_nodes_[children + i] = nodes_.size();
      ALLOY_TRY(Read(depth + 1));
    }
    return Status();
  }

  // A text that ends with its only NUL.
  const char* GetString() {
    const std::string_view text = in_.GetText();
    if (text.find('\0') + 1 == text.size() && !text.empty()) return text.data();
    in_.Fail();
    return nullptr;
  }

  // The size of a metadata block that nobody has checked; -1 if it leaves `block`.
  static int64_t BlockBytes(std::string_view block) {
    return block.size() > static_cast<size_t>(kMostMetadata)
               ? -1
               : MetadataBytes(block.data(), static_cast<int64_t>(block.size()));
  }

  ByteReader& in_;
  std::vector<Node> nodes_;
  std::vector<size_t> child_nodes_;
  std::vector<ArrowSchema*> children_;
};

}  // namespace

Status WriteSchema(const ArrowSchema& schema, ByteWriter& out) {
  return WalkSchema(schema, [&out](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    out.Put(NodeHead{.has = (node.name != nullptr ? kHasName : 0) |
                            (place.metadata_bytes > 0 ? kHasMetadata : 0) |
                            (node.dictionary != nullptr ? kHasDictionary : 0),
                     .flags = node.flags,
                     .n_children = node.n_children});
    PutString(node.format, out);
    if (node.name != nullptr) PutString(node.name, out);
    if (place.metadata_bytes > 0) {
      out.PutText({node.metadata, static_cast<size_t>(place.metadata_bytes)});
    }
    return Status();
  });
}

Result<OwnedSchema> ReadSchema(ByteReader& in) {
  TreeReader reader(in);
  ALLOY_TRY(reader.ReadAll());
  return CopySchema(reader.root());
}

}  // namespace alloy::core
