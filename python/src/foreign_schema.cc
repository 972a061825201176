// SPDX-License-Identifier: MIT
#include "foreign_schema.h"

#include <string_view>

#include "alloy/detail/harmless.hpp"
#include "alloy/detail/schema_node.hpp"
#include "alloy/owned.hpp"
#include "errors.h"

namespace alloy::python {
namespace {

// Those of the engine; see TOO_DEEP, TOO_MANY_COLUMNS and SCHEMA_SIZE in alloy/reason.h.
// They also end the walk of a schema that contains itself.
constexpr int kMostLevels = 64;
constexpr int64_t kMostColumns = 1 << 20;
constexpr size_t kMostBytes = 64 << 20;

// Whether the fields of one schema may be followed. `columns` may still come.
bool IsReadable(const ArrowSchema& schema, int depth, int64_t* columns) {
  if (depth > kMostLevels || schema.release == nullptr || schema.format == nullptr ||
      schema.n_children < 0 || schema.n_children > *columns ||
      (schema.n_children > 0 && schema.children == nullptr)) {
    return false;
  }
  *columns -= schema.n_children;
  return true;
}

bool AppendKey(std::string* key, const ArrowSchema& schema, int depth, int64_t* columns) {
  const auto append = [key](std::string_view part) {
    const uint64_t size = part.size();
    key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(part);
  };
  if (!IsReadable(schema, depth, columns)) return false;
  append(schema.format);
  append(schema.name == nullptr ? "" : schema.name);
  append(schema.metadata == nullptr ? std::string_view()
                                    : detail::MetadataOf(schema.metadata));
  const int64_t rest[] = {schema.flags, schema.n_children, schema.dictionary != nullptr};
  key->append(reinterpret_cast<const char*>(rest), sizeof(rest));
  if (key->size() > kMostBytes) return false;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i] == nullptr) return false;
    if (!AppendKey(key, *schema.children[i], depth + 1, columns)) return false;
  }
  return schema.dictionary == nullptr ||
         AppendKey(key, *schema.dictionary, depth + 1, columns);
}

bool HasFixedBytes(const ArrowSchema& schema, int depth, int64_t* columns) {
  if (!IsReadable(schema, depth, columns)) return false;
  if (std::string_view(schema.format).starts_with("w:")) return true;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i] != nullptr &&
        HasFixedBytes(*schema.children[i], depth + 1, columns)) {
      return true;
    }
  }
  return schema.dictionary != nullptr &&
         HasFixedBytes(*schema.dictionary, depth + 1, columns);
}

}  // namespace

bool AppendKey(std::string* key, const ArrowSchema& schema) {
  int64_t columns = kMostColumns;
  return AppendKey(key, schema, 0, &columns);
}

void RaiseMalformed(State& state, const ArrowSchema& schema, int32_t at) {
  OwnedArrayStream stream;
  alloy_error error;
  const alloy_code code = alloy_stream_of(&schema, nullptr, 0, stream.get(), &error);
  error.input = at;
  CheckCode(state, code, error);
  RaiseError(state, ALLOY_BAD_DATA, "the schema is malformed", at);
}

bool HasFixedBytes(const ArrowSchema& schema) {
  int64_t columns = kMostColumns;
  return HasFixedBytes(schema, 0, &columns);
}

bool IsStruct(const ArrowSchema& schema) {
  return schema.format != nullptr && std::string_view(schema.format) == "+s";
}

std::string TypeName(const ArrowSchema& schema) {
  if (schema.format == nullptr) return "without a format";
  // The engine has the names: it describes an array of no rows as `Int32[]`.
  if (schema.n_children == 0 && schema.dictionary == nullptr) {
    const void* buffers[3] = {};
    for (const int64_t n_buffers : {2, 3, 0}) {
      ArrowArray empty{};
      empty.n_buffers = n_buffers;
      empty.buffers = buffers;
      empty.release = [](ArrowArray* array) { array->release = nullptr; };
      char text[128];
      int64_t length = 0;
      alloy_error error;
      if (alloy_describe(&schema, &empty, text, sizeof(text), &length, &error) !=
          ALLOY_OK) {
        continue;
      }
      std::string name(text);
      return name.substr(0, name.rfind('['));
    }
  }
  return detail::Harmless(schema.format);
}

}  // namespace alloy::python
