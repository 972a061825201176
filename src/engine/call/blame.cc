// SPDX-License-Identifier: MIT
#include "engine/call/blame.h"

#include <cstddef>

#include "alloy/reason.h"
#include "arrow/layout.h"
#include "gate/nullability.h"
#include "gate/rows.h"
#include "gate/shape.h"

namespace alloy::core {
namespace {

const char* LevelName(Level level) {
  return level == Level::kShape ? "shape" : level == Level::kSafe ? "safe" : "full";
}

// Column `left` of a tree that has passed level shape, counted down in preorder; -1 is the
// root itself.
const ArrowArray* ColumnAt(const ArrowArray& array, int32_t* left) {
  if (--*left < -1) return &array;
  if (array.dictionary != nullptr) {
    if (const ArrowArray* found = ColumnAt(*array.dictionary, left)) return found;
  }
  for (int64_t i = 0; i < array.n_children; ++i) {
    if (const ArrowArray* found = ColumnAt(*array.children[i], left)) return found;
  }
  return nullptr;
}

// Whether `wanted` was moved out of this tree, or out of a part of it.
bool WasMovedOutOf(const ArrowArray& tree, const ArrowArray& wanted) {
  if (tree.release == nullptr) return IsSameStruct(tree, wanted);
  if (tree.dictionary != nullptr && WasMovedOutOf(*tree.dictionary, wanted)) return true;
  for (int64_t i = 0; i < tree.n_children; ++i) {
    if (WasMovedOutOf(*tree.children[i], wanted)) return true;
  }
  return false;
}

// The input of which a struct of the result is a part; -1: none that can be recognised.
int32_t OriginOf(const RunInputs& inputs, const ArrowArray& part) {
  for (size_t i = 0; i < inputs.given.size(); ++i) {
    const ArrowArray& given = inputs.given[i];
    if (IsSameStruct(given, part)) return static_cast<int32_t>(i);
    // Many producers have one owner for all structs of a batch.
    if (given.private_data != nullptr && given.private_data == part.private_data &&
        given.release == part.release) {
      return static_cast<int32_t>(i);
    }
  }
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    if (inputs.left[i].release != nullptr && WasMovedOutOf(inputs.left[i], part)) {
      return static_cast<int32_t>(i);
    }
  }
  return -1;
}

// What an input that is whole still has against it at the level of results; ok also if
// parts of it were moved out.
Status CheckLeft(const ArrowSchema& schema, Level level, const ArrowArray& input,
                 bool* is_whole) {
  *is_whole = false;
  if (input.release == nullptr) return Status();
  const auto layout = Layout::OfBatch(schema);
  if (!layout.ok() || !CheckShape(*layout, input).ok()) return Status();
  *is_whole = true;
  ALLOY_TRY(CheckRows(*layout, level, input));
  return CheckNullability(*layout, level, input);
}

}  // namespace

Status BlameResult(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                   const ArrowArray& output, const Status& fault) {
  const std::string function = std::string(binding.function().name) + " of " +
                               binding.channel().table()->backend().name;
  Status of_backend =
      fault.WithSide(ALLOY_SIDE_BACKEND).WithPrefix("the result of " + function + ": ");
  // What inputs were checked for cannot come from them.
  if (levels.inputs >= levels.results || inputs.given.empty() ||
      !CheckShape(binding.output_layout(), output).ok()) {
    return of_backend;
  }
  const ArrowArray* part = &output;
  int32_t column = fault.fault().column;
  if (column >= 0) part = ColumnAt(output, &column);
  int32_t origin = part == nullptr ? -1 : OriginOf(inputs, *part);
  if (origin < 0) origin = OriginOf(inputs, output);
  if (origin >= 0) {
    Status of_caller =
        fault.WithInput(origin)
            .WithSide(ALLOY_SIDE_CALLER)
            .WithPrefix("data of input " + std::to_string(origin) + ", which " +
                        function + " returned as it got it: ");
    if (!inputs.left.empty()) return of_caller;
    // An earlier batch of a stream may be gone, and its address used for another one.
    return of_caller.WithSuffix(
        "; if the function made this data itself, the fault is its own: set check_inputs "
        "to " +
        std::to_string(static_cast<int>(levels.results)) + " to know");
  }
  bool all_whole = !inputs.left.empty();
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    bool is_whole = false;
    const Status found =
        CheckLeft(binding.read_schema(i), levels.results, inputs.left[i], &is_whole);
    all_whole = all_whole && is_whole;
    if (found.ok()) continue;
    return found.WithInput(static_cast<int32_t>(i))
        .WithSide(ALLOY_SIDE_CALLER)
        .WithPrefix("the result of " + function + " has a fault (" + fault.fault().text +
                    "), and so has input " + std::to_string(i) + ": ");
  }
  if (all_whole) return of_backend;
  return of_backend.WithSuffix(
      std::string("; the fault may be one of an input, which the function moved away: "
                  "inputs were checked at level ") +
      LevelName(levels.inputs) + " and this is level " + LevelName(levels.results) +
      "; set check_inputs to " + std::to_string(static_cast<int>(levels.results)) +
      " to know");
}

Status BlameRun(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                const Status& fault) {
  const bool is_of_gate =
      fault.code() == ALLOY_BAD_DATA && fault.fault().side == ALLOY_SIDE_BACKEND &&
      fault.reason() != ALLOY_REASON_NONE && fault.reason() != ALLOY_REASON_COPIED;
  if (!is_of_gate || levels.inputs >= levels.results) return fault;
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    bool is_whole = false;
    const Status found =
        CheckLeft(binding.read_schema(i), levels.results, inputs.left[i], &is_whole);
    if (found.ok()) continue;
    return found.WithInput(static_cast<int32_t>(i))
        .WithSide(ALLOY_SIDE_CALLER)
        .WithPrefix(fault.fault().text + "; and so has input " + std::to_string(i) +
                    ": ");
  }
  return fault;
}

}  // namespace alloy::core
