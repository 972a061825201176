// SPDX-License-Identifier: MIT
#include "arrow/layout.h"

#include <limits>
#include <optional>

#include "arrow/schema_walk.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// The largest offset + length for which no buffer has more than 2^63 - 1 bytes, and no
// child more rows.
int64_t MaxEnd(const Format& format) {
  switch (format.form) {
    case Form::kFixed:
      return format.bits < 8 ? kMax : kMax / (format.bits / 8);
    case Form::kOffsets:
    case Form::kList:
      return kMax / format.offset_bytes - 1;  // one offset more than rows
    case Form::kViews:
      return kMax / 16;
    case Form::kListView:
    case Form::kDenseUnion:
      return kMax / format.offset_bytes;
    case Form::kFixedSizeList:
      return format.size == 0 ? kMax : kMax / format.size;
    case Form::kStruct:
    case Form::kSparseUnion:
    case Form::kRunEnd:
    case Form::kNull:
      break;
  }
  return kMax;
}

uint8_t BufferCount(Form form) {
  switch (form) {
    case Form::kOffsets:
    case Form::kViews:
    case Form::kListView:
      return 3;
    case Form::kFixed:
    case Form::kList:
    case Form::kDenseUnion:
      return 2;
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kSparseUnion:
      return 1;
    case Form::kRunEnd:
    case Form::kNull:
      break;
  }
  return 0;
}

// NULL: any number.
std::optional<int64_t> ChildCount(const Format& format) {
  switch (format.form) {
    case Form::kStruct:
      return std::nullopt;
    case Form::kList:
    case Form::kListView:
    case Form::kFixedSizeList:
      return 1;
    case Form::kSparseUnion:
    case Form::kDenseUnion:
      return format.n_type_ids;
    case Form::kRunEnd:
      return 2;
    default:
      return 0;
  }
}

// Whether what a row holds says where to read on.
bool LeadsOn(Form form) {
  switch (form) {
    case Form::kFixed:
    case Form::kNull:
    case Form::kStruct:
    case Form::kFixedSizeList:
      return false;
    default:
      return true;
  }
}

bool IsInteger(Type type) { return type >= Type::kInt8 && type <= Type::kUInt64; }

}  // namespace

class LayoutReader {
 public:
  Status Visit(const SchemaPlace& place) {
    const ArrowSchema& schema = *place.schema;
    Format format;
    const FormatFault fault = ParseFormat(schema.format, &format);
    if (fault.reason != 0) {
      return SchemaFault(place, fault.reason, fault.wanted, Quoted(schema.format));
    }
    const auto children = ChildCount(format);
    if (children && schema.n_children != *children) {
      return SchemaFault(place, ALLOY_REASON_CHILD_COUNT, std::to_string(*children),
                         std::to_string(schema.n_children));
    }
    if (schema.dictionary != nullptr && !IsInteger(format.type)) {
      return SchemaFault(place, ALLOY_REASON_DICTIONARY_INDEX, "an integer",
                         Quoted(schema.format));
    }
    ALLOY_TRY(CheckUnderParent(place, format));
    Add(place, format);
    return Status();
  }

  Layout Finish() {
    // Preorder: whatever belongs to a node comes behind it.
    for (size_t i = layout_.nodes_.size() - 1; i > 0; --i) {
      Layout::Node& parent =
          layout_.nodes_[static_cast<size_t>(layout_.places_[i].parent)];
      parent.subtree += layout_.nodes_[i].subtree;
      parent.followed |= layout_.nodes_[i].followed;
    }
    return std::move(layout_);
  }

 private:
  // What the parent asks of this node.
  Status CheckUnderParent(const SchemaPlace& place, const Format& format) {
    if (place.parent == nullptr) return Status();
    const Type parent =
        layout_.nodes_[static_cast<size_t>(place.parent->column + 1)].type;
    const ArrowSchema& schema = *place.schema;
    if (parent == Type::kRunEndEncoded && place.ordinal == 0) {
      const bool fits = format.type == Type::kInt16 || format.type == Type::kInt32 ||
                        format.type == Type::kInt64;
      if (!fits || schema.dictionary != nullptr) {
        return SchemaFault(
            place, ALLOY_REASON_RUN_ENDS_TYPE, "\"s\", \"i\" or \"l\"",
            schema.dictionary != nullptr ? "a dictionary" : Quoted(schema.format));
      }
    }
    if (parent == Type::kMap &&
        (format.type != Type::kStruct || schema.n_children != 2)) {
      return SchemaFault(
          place, ALLOY_REASON_MAP_ENTRIES, "\"+s\" with 2 fields",
          Quoted(schema.format) + " with " + std::to_string(schema.n_children));
    }
    return Status();
  }

  void Add(const SchemaPlace& place, const Format& format) {
    const ArrowSchema& schema = *place.schema;
    Layout::Node node{.max_end = MaxEnd(format),
                      .size = format.size,
                      .n_children = static_cast<int32_t>(schema.n_children),
                      .type = format.type,
                      .form = format.form,
                      .n_buffers = BufferCount(format.form),
                      .offset_bytes = format.offset_bytes,
                      .sized = format.bits > 0,
                      .nullable = (schema.flags & ARROW_FLAG_NULLABLE) != 0,
                      .dictionary = schema.dictionary != nullptr};
    node.followed = node.dictionary || LeadsOn(format.form);
    if (format.form == Form::kSparseUnion || format.form == Form::kDenseUnion) {
      node.size = static_cast<int64_t>(layout_.type_ids_.size());
      layout_.type_ids_.push_back({ChildrenByTypeId(format)});
    }
    if (IsInteger(format.type)) node.offset_bytes = static_cast<uint8_t>(format.bits / 8);
    const std::string_view name = schema.name == nullptr ? "" : schema.name;
    layout_.nodes_.push_back(node);
    layout_.places_.push_back(
        {.begin = layout_.names_.size(),
         .length = name.size(),
         .parent = place.parent == nullptr ? -1 : place.parent->column + 1,
         .ordinal = static_cast<int32_t>(place.ordinal)});
    layout_.names_ += name;
  }

  Layout layout_;
};

Result<Layout> Layout::Of(const ArrowSchema& schema) {
  LayoutReader reader;
  ALLOY_TRY(
      WalkSchema(schema, [&](const SchemaPlace& place) { return reader.Visit(place); }));
  return reader.Finish();
}

Result<Layout> Layout::OfBatch(const ArrowSchema& schema) {
  ALLOY_ASSIGN_OR_RETURN(Layout layout, Of(schema));
  if (layout.nodes_[0].type != Type::kStruct) {
    return SchemaFault(
        {.schema = &schema}, ALLOY_REASON_NOT_A_BATCH, "\"+s\"",
        schema.dictionary != nullptr ? "a dictionary" : Quoted(schema.format));
  }
  return layout;
}

std::string_view Layout::name(int32_t column) const {
  const Name& place = places_[static_cast<size_t>(column + 1)];
  return std::string_view(names_).substr(place.begin, place.length);
}

std::string Layout::Path(int32_t column) const {
  std::vector<int32_t> steps;
  for (int32_t node = column + 1; node > 0;) {
    steps.push_back(node);
    node = places_[static_cast<size_t>(node)].parent;
  }
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    AppendPathPart(name(*step - 1), places_[static_cast<size_t>(*step)].ordinal, &path);
  }
  return path;
}

}  // namespace alloy::core
