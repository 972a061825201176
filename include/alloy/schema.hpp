// SPDX-License-Identifier: MIT
//
// The schema of a column or a batch, as its owner. Make one of Fields, or copy one.
//
// Threads  serial; a constant schema may be read on any thread.
#ifndef ALLOY_SCHEMA_HPP_
#define ALLOY_SCHEMA_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/detail/schema_node.hpp"
#include "alloy/owned.hpp"

namespace alloy {

// A column, for a schema that is made by hand.
struct Field {
  std::string name;
  std::string format;  // of the C data interface: "l", "u", "tsu:UTC"
  bool nullable = true;
};

// The owner of an ArrowSchema.
class Schema : public Owned<ArrowSchema> {
 public:
  using Owned::Owned;

  // The schema of one column without children.
  static Schema Of(const Field& field) { return Make(field, {}); }

  // The schema of a batch.
  static Schema Batch(const std::vector<Field>& fields) {
    std::vector<Schema> columns;
    columns.reserve(fields.size());
    for (const Field& field : fields) columns.push_back(Of(field));
    return Batch(std::move(columns));
  }
  static Schema Batch(std::vector<Schema> columns) {
    return Make({.name = "", .format = "+s", .nullable = false}, std::move(columns));
  }

  // Types with children or a dictionary, as columns of a batch or inside of others:
  //
  //   Schema::List("tags", Schema::Of({.name = "item", .format = "u"}))
  //
  // SchemaOf (made_type.hpp) makes the schema of a C++ type.
  static Schema List(std::string name, Schema item) {
    std::vector<Schema> children;
    children.push_back(std::move(item));
    return Make({.name = std::move(name), .format = "+l"}, std::move(children));
  }
  static Schema Struct(std::string name, std::vector<Schema> fields) {
    return Make({.name = std::move(name), .format = "+s"}, std::move(fields));
  }
  // `index` is the format of the indices, such as "i" for int32.
  static Schema Dictionary(std::string name, std::string index, Schema values) {
    Schema schema = Of({.name = std::move(name), .format = std::move(index)});
    auto* node = static_cast<detail::SchemaNode*>(schema->private_data);
    values.MoveTo(&node->dictionary);
    schema->dictionary = &node->dictionary;
    return schema;
  }

  // A deep copy. `schema` must be well-formed; the engine passes no other.
  static Schema Copy(const ArrowSchema& schema) {
    std::vector<Schema> children;
    children.reserve(static_cast<size_t>(schema.n_children));
    for (int64_t i = 0; i < schema.n_children; ++i) {
      children.push_back(Copy(*schema.children[i]));
    }
    Schema copy = Make({.name = schema.name == nullptr ? "" : schema.name,
                        .format = schema.format,
                        .nullable = true},
                       std::move(children));
    copy->flags = schema.flags;
    auto* node = static_cast<detail::SchemaNode*>(copy->private_data);
    if (schema.metadata != nullptr) {
      node->metadata = detail::MetadataOf(schema.metadata);
      copy->metadata = node->metadata.data();
    }
    if (schema.dictionary != nullptr) {
      Copy(*schema.dictionary).MoveTo(&node->dictionary);
      copy->dictionary = &node->dictionary;
    }
    return copy;
  }

  // The same type under another name, with nulls allowed or not.
  static Schema Copy(const ArrowSchema& schema, std::string_view name, bool nullable) {
    Schema copy = Copy(schema);
    auto* node = static_cast<detail::SchemaNode*>(copy->private_data);
    node->name = name;
    copy->name = node->name.c_str();
    copy->flags &= ~static_cast<int64_t>(ARROW_FLAG_NULLABLE);
    if (nullable) copy->flags |= ARROW_FLAG_NULLABLE;
    return copy;
  }

  // Change the type of a column of this batch; the new type has no children.
  void SetFormat(int64_t column, std::string_view format) {
    ArrowSchema& schema = *get()->children[column];
    auto* node = static_cast<detail::SchemaNode*>(schema.private_data);
    node->format = format;
    schema.format = node->format.c_str();
  }

 private:
  static Schema Make(const Field& field, std::vector<Schema> children) {
    auto node = std::make_unique<detail::SchemaNode>();
    node->format = field.format;
    node->name = field.name;
    node->children.resize(children.size());
    node->child_pointers.reserve(children.size());
    for (size_t i = 0; i < children.size(); ++i) {
      children[i].MoveTo(&node->children[i]);
      node->child_pointers.push_back(&node->children[i]);
    }
    Schema schema;
    schema->format = node->format.c_str();
    schema->name = node->name.c_str();
    schema->flags = field.nullable ? ARROW_FLAG_NULLABLE : 0;
    schema->n_children = static_cast<int64_t>(node->children.size());
    schema->children = node->child_pointers.data();
    schema->release = &detail::ReleaseSchemaNode;
    schema->private_data = node.release();
    return schema;
  }
};

}  // namespace alloy

#endif  // ALLOY_SCHEMA_HPP_
