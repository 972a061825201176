// SPDX-License-Identifier: MIT
#include "arrow/layout.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "arrow/fault.h"
#include "arrow/layout_rules.h"
#include "arrow/schema_walk.h"
#include "base/text.h"

namespace alloy::core {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// The largest offset + length for which no buffer has more than 2^63 - 1 bytes, and no
// child more rows than that.
int64_t MaxEndOfBytes(const Format& format) {
  switch (RuleOf(format.form).row_bytes) {
    case RowBytes::kNone:
      break;
    case RowBytes::kValue:
      return format.bits < 8 ? kMax : kMax / (format.bits / 8);
    case RowBytes::kInteger:
      return kMax / format.offset_bytes;
    case RowBytes::kOffset:
      return kMax / format.offset_bytes - 1;
    case RowBytes::kView:
      return kMax / 16;
    case RowBytes::kListSize:
      return format.size == 0 ? kMax : kMax / format.size;
  }
  return kMax;
}

// Readers round the end of a bitmap up to whole bytes and words; that must not overflow.
int64_t MaxEnd(const Format& format) {
  const int64_t end = MaxEndOfBytes(format);
  return HasBitmap(format.form) ? std::min(end, kMax - 63) : end;
}

// The number of children that the schema must have; nothing if any number is right.
std::optional<int64_t> ExpectedChildren(const Format& format) {
  switch (RuleOf(format.form).children) {
    case ChildCount::kZero:
      return 0;
    case ChildCount::kOne:
      return 1;
    case ChildCount::kTwo:
      return 2;
    case ChildCount::kOnePerTypeId:
      return format.n_type_ids;
    case ChildCount::kAny:
      break;
  }
  return std::nullopt;
}

std::string FoundFormat(const ArrowSchema& schema) {
  return schema.dictionary == nullptr ? Quoted(schema.format) : "a dictionary";
}

}  // namespace

class LayoutReader {
 public:
  // WalkSchema has checked the pointers of the node.
  Status Visit(const SchemaPlace& place) {
    const ArrowSchema& schema = *place.schema;
    Format format;
    const FormatFault fault = ParseFormat(schema.format, &format);
    if (fault.reason != 0) return RefuseFormat(place, fault);
    const auto children = ExpectedChildren(format);
    if (children && schema.n_children != *children) {
      return SchemaFault(place, ALLOY_REASON_CHILD_COUNT,
                         "expected " + CountText(*children, "child") + ", found " +
                             std::to_string(schema.n_children));
    }
    if (schema.dictionary != nullptr && !IsInteger(format.type)) {
      return SchemaFault(place, ALLOY_REASON_DICTIONARY_INDEX,
                         "expected an integer type for the indices of a dictionary, "
                         "found " +
                             Quoted(schema.format));
    }
    ALLOY_TRY(CheckUnderParent(place, format));
    Add(place, format);
    return Status();
  }

  Layout Finish() {
    // In preorder all nodes below a node come after it. So, from the last node to the
    // first, each node is complete before it is added to its parent.
    for (size_t i = layout_.nodes_.size() - 1; i > 0; --i) {
      Layout::Node& parent =
          layout_.nodes_[static_cast<size_t>(layout_.node_names_[i].parent)];
      parent.subtree += layout_.nodes_[i].subtree;
      const Layout::Node& node = layout_.nodes_[i];
      parent.points_elsewhere |= node.points_elsewhere;
      parent.has_required = parent.has_required || node.has_required;
      parent.has_map = parent.has_map || node.has_map;
    }
    return std::move(layout_);
  }

 private:
  static Status RefuseFormat(const SchemaPlace& place, const FormatFault& fault) {
    const std::string found = Quoted(place.schema->format);
    if (fault.reason == ALLOY_REASON_FORMAT_PARAMETER) {
      return SchemaFault(place, fault.reason,
                         std::string("expected ") + fault.expected + ", found " + found);
    }
    return SchemaFault(place, fault.reason,
                       "the format " + found + " is not in the Arrow C data interface");
  }

  // The types that the parent allows for this child.
  Status CheckUnderParent(const SchemaPlace& place, const Format& format) {
    if (place.parent == nullptr) return Status();
    const Type parent =
        layout_.nodes_[static_cast<size_t>(place.parent->column + 1)].type;
    const ArrowSchema& schema = *place.schema;
    if (parent == Type::kRunEndEncoded && place.ordinal == 0) {
      const bool fits = format.type == Type::kInt16 || format.type == Type::kInt32 ||
                        format.type == Type::kInt64;
      if (!fits || schema.dictionary != nullptr) {
        return SchemaFault(place, ALLOY_REASON_RUN_ENDS_TYPE,
                           "expected run ends of the format \"s\", \"i\" or \"l\", "
                           "found " +
                               FoundFormat(schema));
      }
    }
    if (parent == Type::kMap &&
        (format.type != Type::kStruct || schema.n_children != 2)) {
      return SchemaFault(place, ALLOY_REASON_MAP_ENTRIES,
                         "expected map entries of the format \"+s\" with 2 children, "
                         "found " +
                             Quoted(schema.format) + " with " +
                             CountText(schema.n_children, "child"));
    }
    return Status();
  }

  void Add(const SchemaPlace& place, const Format& format) {
    const ArrowSchema& schema = *place.schema;
    const LayoutRule& rule = RuleOf(format.form);
    const bool dictionary = schema.dictionary != nullptr;
    Layout::Node node{.max_end = MaxEnd(format),
                      .size = format.size,
                      .bits = format.bits,
                      .n_children = static_cast<int32_t>(schema.n_children),
                      .type = format.type,
                      .form = format.form,
                      .n_buffers = rule.n_buffers,
                      .integer_bytes = format.offset_bytes,
                      .has_bytes = format.bits > 0,
                      .dictionary = dictionary,
                      .points_elsewhere = dictionary || rule.points_elsewhere,
                      .nullable = (schema.flags & ARROW_FLAG_NULLABLE) != 0,
                      .has_required = place.parent != nullptr && HasBitmap(format.form) &&
                                      (schema.flags & ARROW_FLAG_NULLABLE) == 0,
                      .has_map = format.type == Type::kMap};
    if (rule.children == ChildCount::kOnePerTypeId) {
      node.size = static_cast<int64_t>(layout_.type_ids_.size());
      layout_.type_ids_.push_back({ChildrenByTypeId(format)});
    }
    // The checks of indices and run ends need the width of the integers.
    if (IsInteger(format.type))
      node.integer_bytes = static_cast<uint8_t>(format.bits / 8);
    const std::string_view name = schema.name == nullptr ? "" : schema.name;
    layout_.nodes_.push_back(node);
    layout_.node_names_.push_back(
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
        {.schema = &schema}, ALLOY_REASON_NOT_A_BATCH,
        "expected a batch, whose format is \"+s\"; found " + FoundFormat(schema));
  }
  return layout;
}

std::string_view Layout::name(int32_t column) const {
  const Name& name = node_names_[static_cast<size_t>(column + 1)];
  return std::string_view(names_).substr(name.begin, name.length);
}

std::string Layout::Path(int32_t column) const {
  std::vector<int32_t> steps;
  for (int32_t node = column + 1; node > 0;) {
    steps.push_back(node);
    node = node_names_[static_cast<size_t>(node)].parent;
  }
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    AppendPathPart(name(*step - 1), node_names_[static_cast<size_t>(*step)].ordinal,
                   &path);
  }
  return path;
}

}  // namespace alloy::core
