// SPDX-License-Identifier: MIT
#include "alloy/testing/spec.hpp"

#include <utility>

namespace alloy::testing {
namespace {

// A schema that owns the value it was made from, node by node.
struct Held {
  Spec spec;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  ArrowSchema dictionary{};
};

void Release(ArrowSchema* schema) {
  auto* held = static_cast<Held*>(schema->private_data);
  for (ArrowSchema& child : held->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (held->dictionary.release != nullptr) held->dictionary.release(&held->dictionary);
  delete held;
  schema->release = nullptr;
}

void Fill(const Spec& spec, ArrowSchema* out) {
  auto held = std::make_unique<Held>();
  held->spec = spec;
  held->children.resize(spec.children.size());
  for (size_t i = 0; i < spec.children.size(); ++i) {
    Fill(spec.children[i], &held->children[i]);
    held->pointers.push_back(&held->children[i]);
  }
  *out = ArrowSchema{};
  if (!spec.dictionary.empty()) {
    Fill(spec.dictionary[0], &held->dictionary);
    out->dictionary = &held->dictionary;
  }
  out->format = held->spec.format.c_str();
  out->name = held->spec.name.c_str();
  out->metadata = held->spec.metadata.empty() ? nullptr : held->spec.metadata.data();
  out->flags = spec.flags;
  out->n_children = static_cast<int64_t>(held->pointers.size());
  out->children = held->pointers.data();
  out->release = &Release;
  out->private_data = held.release();
}

Status Malformed(std::string_view column, std::string_view why) {
  return Status::Invalid("column `" + std::string(column) + "`: " + std::string(why) +
                         "; write name:format, such as x:l or t:tsu:UTC");
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<Spec> ParseColumn(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) {
    return Malformed(text, "it has no format");
  }
  std::string_view name = text.substr(0, colon), format = text.substr(colon + 1);
  Spec spec;
  if (name.starts_with('!')) {
    name.remove_prefix(1);
    spec.flags = 0;
  }
  spec.name = name;
  if (format.starts_with('?')) {
    spec.format = "i";
    spec.dictionary.push_back({.format = std::string(format.substr(1))});
  } else {
    spec.format = format;
  }
  const std::string& flat =
      spec.dictionary.empty() ? spec.format : spec.dictionary[0].format;
  if (flat.empty() || flat.starts_with('+')) {
    return Malformed(text, "only flat types can be written in a line");
  }
  return spec;
}

}  // namespace

Spec SpecOf(const ArrowSchema& schema) {
  Spec spec{.format = schema.format,
            .name = schema.name == nullptr ? "" : schema.name,
            .flags = schema.flags};
  for (int64_t i = 0; i < schema.n_children; ++i) {
    spec.children.push_back(SpecOf(*schema.children[i]));
  }
  if (schema.dictionary != nullptr) spec.dictionary.push_back(SpecOf(*schema.dictionary));
  if (schema.metadata != nullptr) {
    spec.metadata = detail::MetadataOf(schema.metadata);
  }
  return spec;
}

alloy::Schema SchemaOf(const Spec& spec) {
  ArrowSchema schema;
  Fill(spec, &schema);
  return alloy::Schema(&schema);
}

std::string TextOf(const Spec& spec) {
  std::string text = spec.format;
  if (!spec.dictionary.empty()) text += "?" + TextOf(spec.dictionary[0]);
  if (spec.children.empty()) return text;
  text += "<";
  for (size_t i = 0; i < spec.children.size(); ++i) {
    if (i > 0) text += ", ";
    text += spec.children[i].name + ": " + TextOf(spec.children[i]);
  }
  return text + ">";
}

Result<Spec> ParseColumns(std::string_view text) {
  std::vector<Spec> columns;
  while (!Trim(text).empty()) {
    // A comma inside of a format (d:10,2) is followed by a digit.
    size_t end = 0;
    do {
      end = text.find(',', end == 0 ? 0 : end + 1);
    } while (end != std::string_view::npos && end + 1 < text.size() &&
             text[end + 1] >= '0' && text[end + 1] <= '9');
    auto column = ParseColumn(Trim(text.substr(0, end)));
    if (!column.ok()) return column.status();
    columns.push_back(std::move(*column));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return BatchOf(std::move(columns));
}

}  // namespace alloy::testing
