// SPDX-License-Identifier: MIT
#include "gate/shape_fault.h"

#include <string>

#include "alloy/reason.h"
#include "arrow/fault.h"

namespace alloy::core {
namespace {

struct Words {
  int32_t reason = 0;
  std::string text;
};

std::string AtLeast(const std::string& what, const ShapeFault& fault) {
  return "expected " + what + " of at least " + std::to_string(fault.expected) +
         ", found " + std::to_string(fault.found);
}

std::string Count(const ShapeFault& fault, std::string_view noun) {
  return "expected " + CountText(fault.expected, noun) + ", found " +
         std::to_string(fault.found);
}

std::string Bounded(const ShapeFault& fault, const std::string& bound,
                    std::string_view noun) {
  return "expected " + bound + CountText(fault.expected, noun) + ", found " +
         std::to_string(fault.found);
}

// The faults of one struct: its numbers and its dictionary.
Words NumberWords(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kReleased:
      return {ALLOY_REASON_ARRAY_RELEASED, "the array is released, or was never filled"};
    case ShapeFault::kNegativeLength:
      return {ALLOY_REASON_LENGTH, AtLeast("a length", fault)};
    case ShapeFault::kNegativeOffset:
      return {ALLOY_REASON_OFFSET, AtLeast("an offset", fault)};
    case ShapeFault::kOverflow:
      return {ALLOY_REASON_OVERFLOW,
              "offset " + std::to_string(fault.found) + " and length " +
                  std::to_string(fault.expected) + " add up to more than " +
                  std::to_string(node.max_end) + ", the most that this type allows"};
    case ShapeFault::kLowNullCount:
      return {ALLOY_REASON_NULL_COUNT, AtLeast("a null count", fault)};
    case ShapeFault::kHighNullCount:
      return {ALLOY_REASON_NULL_COUNT, "expected a null count of at most " +
                                           std::to_string(fault.expected) + ", found " +
                                           std::to_string(fault.found)};
    case ShapeFault::kDictionaryMissing:
      return {ALLOY_REASON_DICTIONARY_MISSING,
              "the schema has a dictionary here, but the array does not"};
    case ShapeFault::kDictionaryUnexpected:
      return {ALLOY_REASON_DICTIONARY_UNEXPECTED,
              "the array has a dictionary, but the schema has none here"};
    case ShapeFault::kNullsWithoutBitmap:
      return {ALLOY_REASON_NULLS_WITHOUT_BITMAP, "the null count is " +
                                                     std::to_string(fault.found) +
                                                     ", but there is no validity bitmap"};
    default:  // kUnexpectedNulls
      return {ALLOY_REASON_UNEXPECTED_NULLS,
              "the null count is " + std::to_string(fault.found) +
                  ", but arrays of this type have no nulls; only their children do"};
  }
}

// The faults of buffers and of the values that level shape reads.
Words BufferWords(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kBufferCount:
      return {ALLOY_REASON_BUFFER_COUNT, Count(fault, "buffer")};
    case ShapeFault::kBuffersNull:
      return {ALLOY_REASON_BUFFERS_NULL, "the pointer to the buffers is NULL"};
    case ShapeFault::kBufferNull:
      return {ALLOY_REASON_BUFFER_NULL,
              "buffer " + std::to_string(fault.found) + " is NULL, but the rows need it"};
    case ShapeFault::kNegativeFirstOffset:
      return {ALLOY_REASON_OFFSETS, AtLeast("a first offset", fault)};
    case ShapeFault::kLowLastOffset:
      return {ALLOY_REASON_OFFSETS, AtLeast("a last offset", fault)};
    case ShapeFault::kTooFewViewBuffers:
      return {ALLOY_REASON_VIEW_BUFFER_COUNT, Bounded(fault, "at least ", "buffer")};
    case ShapeFault::kTooManyViewBuffers:
      return {ALLOY_REASON_VIEW_BUFFER_COUNT, Bounded(fault, "at most ", "buffer")};
    case ShapeFault::kViewSizesNull:
      return {ALLOY_REASON_VIEW_SIZES,
              "the last buffer, with the sizes of the variadic buffers, is NULL"};
    case ShapeFault::kNegativeViewSize:
      return {ALLOY_REASON_VIEW_SIZES, AtLeast("sizes of variadic buffers", fault)};
    default:
      return NumberWords(fault, node);
  }
}

Words WordsOf(const ShapeFault& fault, const Layout::Node& node) {
  switch (fault.kind) {
    case ShapeFault::kChildCount:
      return {ALLOY_REASON_CHILD_COUNT, Count(fault, "child")};
    case ShapeFault::kChildrenNull:
      return {ALLOY_REASON_CHILDREN_NULL, "the pointer to the children is NULL"};
    case ShapeFault::kChildNull:
      return {ALLOY_REASON_CHILD_NULL, "the pointer to this array is NULL"};
    case ShapeFault::kChildTooShort:
      return {ALLOY_REASON_CHILD_LENGTH, Bounded(fault, "at least ", "row")};
    case ShapeFault::kRunEndsOffset:
      return {
          ALLOY_REASON_RUN_ENDS_NULLS,
          "expected run ends with an offset of 0, found " + std::to_string(fault.found)};
    case ShapeFault::kRunEndsNulls:
      return {ALLOY_REASON_RUN_ENDS_NULLS,
              "run ends cannot be null, but the null count or the bitmap has nulls"};
    case ShapeFault::kRunEndsTooShort:
      return {ALLOY_REASON_CHILD_LENGTH, AtLeast("a last run end", fault)};
    default:
      return BufferWords(fault, node);
  }
}

}  // namespace

Status ShapeStatus(const Layout& layout, const ShapeFault& fault) {
  const int32_t column = fault.node - 1;
  const Words words = WordsOf(fault, layout.nodes()[static_cast<size_t>(fault.node)]);
  return DataFault(words.reason, {.column = column, .path = layout.Path(column)},
                   words.text);
}

}  // namespace alloy::core
