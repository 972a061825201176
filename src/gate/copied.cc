// SPDX-License-Identifier: MIT
#include "gate/copied.h"

#include <array>
#include <cstddef>
#include <utility>

#include "alloy/reason.h"
#include "arrow/schema_walk.h"

namespace alloy::core {
namespace {

using Node = Layout::Node;

Status CopyFault(std::string text) {
  return Fail(ALLOY_BAD_DATA, ALLOY_REASON_COPIED, std::move(text))
      .WithSide(ALLOY_SIDE_BACKEND);
}

bool SameParts(const ArrowArray& a, const ArrowArray& b) {
  return (a.n_buffers > 0 && a.buffers != nullptr && a.buffers == b.buffers) ||
         (a.n_children > 0 && a.children != nullptr && a.children == b.children) ||
         (a.dictionary != nullptr && a.dictionary == b.dictionary);
}

bool SameOwner(const ArrowArray& a, const ArrowArray& b) {
  return a.release == b.release && a.private_data == b.private_data;
}

// What a visit wants next: what is below, what comes after, or nothing more.
enum class WalkOn { kBelow, kAfter, kEnd };

// Call visit(struct) for an output and all below it that the layout knows. Returns false if
// a visit has ended it. Nothing about the output has been checked.
template <typename Visit>
bool VisitOutput(const Node* node, ArrowArray* array, Visit& visit) {
  const WalkOn wanted = visit(*array);
  if (wanted != WalkOn::kBelow) return wanted == WalkOn::kAfter;
  const Node* next = node + 1;
  if (node->dictionary) {
    if (array->dictionary != nullptr && !VisitOutput(next, array->dictionary, visit)) {
      return false;
    }
    next += next->subtree;
  }
  if (array->n_children != node->n_children || array->children == nullptr) return true;
  for (int64_t i = 0; i < array->n_children; ++i) {
    ArrowArray* child = array->children[i];
    if (child != nullptr && !VisitOutput(next, child, visit)) return false;
    next += next->subtree;
  }
  return true;
}

// Call visit(struct) for what is left of an input, until it returns false. Below a struct
// that was moved out, nothing belongs to the input.
template <typename Visit>
bool VisitLeft(ArrowArray* array, Visit& visit) {
  if (!visit(*array)) return false;
  if (array->release == nullptr) return true;
  if (array->dictionary != nullptr && !VisitLeft(array->dictionary, visit)) return false;
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (!VisitLeft(array->children[i], visit)) return false;
  }
  return true;
}

template <typename Visit>
bool VisitLeft(std::span<ArrowArray> inputs, Visit visit) {
  for (ArrowArray& input : inputs) {
    if (input.release != nullptr && !VisitLeft(&input, visit)) return false;
  }
  return true;
}

// A set of addresses without memory of its own: it may say yes for one that is not in it.
class Filter {
 public:
  void Add(const void* address) { Word(address) |= Bit(address); }
  bool MayHave(const void* address) { return (Word(address) & Bit(address)) != 0; }

 private:
  static uint64_t Hash(const void* address) {
    return reinterpret_cast<uintptr_t>(address) * 0x9e3779b97f4a7c15U;
  }
  uint64_t& Word(const void* address) { return words_[Hash(address) >> 58]; }
  static uint64_t Bit(const void* address) {
    return uint64_t{1} << (Hash(address) >> 52 & 63);
  }

  std::array<uint64_t, 64> words_{};
};

// Where nearly every run ends: no struct of the output has the release callback of a struct
// that is left.
bool MayHaveCopies(const Layout& layout, std::span<ArrowArray> left, ArrowArray* output) {
  bool any = false;
  for (const ArrowArray& input : left) any = any || input.release != nullptr;
  if (!any) return false;
  const auto release = output->release;
  const auto same = [release](const ArrowArray& array) {
    return array.release == release ? WalkOn::kBelow : WalkOn::kEnd;
  };
  if (!VisitOutput(layout.nodes().data(), output, same)) return true;
  return !VisitLeft(
      left, [release](const ArrowArray& array) { return array.release != release; });
}

class Finder {
 public:
  explicit Finder(const RunInputs& inputs) : inputs_(inputs) {
    for (const ArrowArray& left : inputs_.left) {
      moved_ = moved_ || left.release == nullptr;
    }
    VisitLeft(inputs_.left, [this](const ArrowArray& left) {
      if (left.release == nullptr) {
        moved_ = true;
      } else {
        owners_.Add(left.private_data);
        AddParts(left);
      }
      return true;
    });
  }

  // Whether an input was moved to here as a whole, with all that is below.
  bool IsMovedRoot(const ArrowArray& array) const {
    for (size_t i = 0; i < inputs_.left.size(); ++i) {
      if (inputs_.left[i].release == nullptr && SameOwner(inputs_.given[i], array) &&
          SameParts(inputs_.given[i], array)) {
        return true;
      }
    }
    return false;
  }

  // The struct that is left and of which `array` is a copy; NULL: it is not a copy.
  const ArrowArray* Original(const ArrowArray& array) {
    if (array.release == nullptr || !owners_.MayHave(array.private_data)) return nullptr;
    // All parts replaced, or none there: a copy only if nothing was moved at all.
    const bool by_owner = !moved_ && array.private_data != nullptr;
    if (!by_owner && !MayHaveParts(array)) return nullptr;
    const ArrowArray* original = nullptr;
    VisitLeft(inputs_.left, [&](const ArrowArray& left) {
      if (left.release == nullptr || !SameOwner(left, array)) return true;
      const bool is_same = &left == &array || SameParts(left, array);
      if (is_same || (by_owner && original == nullptr)) original = &left;
      return !is_same;
    });
    return original != nullptr && WasMoved(array) ? nullptr : original;
  }

  int32_t InputOf(const ArrowArray* original) {
    for (size_t i = 0; i < inputs_.left.size(); ++i) {
      const bool goes_on =
          VisitLeft(inputs_.left.subspan(i, 1),
                    [original](const ArrowArray& left) { return &left != original; });
      if (!goes_on) return static_cast<int32_t>(i);
    }
    return 0;
  }

 private:
  // Whether a struct with the same parts has left its place: then `array` is that one. Two
  // exports of one object have the same parts.
  bool WasMoved(const ArrowArray& array) const {
    return moved_ && !VisitLeft(inputs_.left, [&array](const ArrowArray& left) {
             return left.release != nullptr || left.private_data != array.private_data ||
                    !SameParts(left, array);
           });
  }

  void AddParts(const ArrowArray& array) {
    if (array.buffers != nullptr) parts_.Add(array.buffers);
    if (array.children != nullptr) parts_.Add(array.children);
    if (array.dictionary != nullptr) parts_.Add(array.dictionary);
  }
  bool MayHaveParts(const ArrowArray& array) {
    return (array.buffers != nullptr && parts_.MayHave(array.buffers)) ||
           (array.children != nullptr && parts_.MayHave(array.children)) ||
           (array.dictionary != nullptr && parts_.MayHave(array.dictionary));
  }

  const RunInputs& inputs_;
  bool moved_ = false;  // anything is not in its place any more
  Filter owners_;
  Filter parts_;
};

}  // namespace

bool IsSameStruct(const ArrowArray& a, const ArrowArray& b) {
  return a.private_data == b.private_data && SameParts(a, b) &&
         (a.release == b.release || a.release == nullptr || b.release == nullptr);
}

int32_t DisarmCopies(const Layout& layout, const RunInputs& inputs, ArrowArray* output) {
  if (output->release == nullptr || !MayHaveCopies(layout, inputs.left, output))
      [[likely]] {
    return -1;
  }
  Finder finder(inputs);
  int32_t input = -1;
  bool is_shared = false;
  const auto disarm = [&](ArrowArray& array) {
    // What is below a struct belongs to whom the struct belongs to.
    if (finder.IsMovedRoot(array)) return WalkOn::kAfter;
    const ArrowArray* original = finder.Original(array);
    if (original == nullptr) return WalkOn::kBelow;
    input = finder.InputOf(original);
    // A struct of the input itself, which the output points to: to mark it would lose it.
    is_shared = is_shared || original == &array;
    if (original != &array) array.release = nullptr;
    return WalkOn::kAfter;
  };
  VisitOutput(layout.nodes().data(), output, disarm);
  if (is_shared) *output = ArrowArray{};
  return input;
}

int32_t DisarmOverwritten(const RunInputs& inputs) {
  for (size_t i = 1; i < inputs.left.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      ArrowArray& a = inputs.left[k];
      ArrowArray& b = inputs.left[i];
      if (a.release == nullptr || !SameOwner(a, b) || !SameParts(a, b)) continue;
      // Two that were the same before are two exports of one object.
      const bool was_same = SameOwner(inputs.given[k], inputs.given[i]) &&
                            SameParts(inputs.given[k], inputs.given[i]);
      if (was_same) continue;
      const bool is_second = !IsSameStruct(b, inputs.given[i]);
      (is_second ? b : a) = ArrowArray{};
      return static_cast<int32_t>(is_second ? i : k);
    }
  }
  return -1;
}

Copied Disarm(const Layout& layout, const RunInputs& inputs, ArrowArray* output) {
  return {.returned = DisarmCopies(layout, inputs, output),
          .overwritten = inputs.left.size() < 2 ? -1 : DisarmOverwritten(inputs)};
}

Status Copied::Describe(const std::string& function, const std::string& run_error) const {
  std::string text = function;
  text += returned >= 0
              ? " returned a copy of a struct of input " + std::to_string(returned) +
                    " and left the input in place; move it out instead"
              : " overwrote input " + std::to_string(overwritten) +
                    " with a copy of another input; move inputs out instead";
  if (!run_error.empty()) text += "; it also failed: " + run_error;
  return CopyFault(std::move(text));
}

Status DisarmStreams(const std::string& function, std::span<ArrowArrayStream> inputs,
                     ArrowArrayStream* output) {
  for (size_t i = 1; i < inputs.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (inputs[k].release == nullptr ||
          inputs[k].private_data != inputs[i].private_data) {
        continue;
      }
      inputs[i] = ArrowArrayStream{};
      return CopyFault(function + " overwrote an input stream with a copy of input " +
                       std::to_string(k) + "; move inputs out instead");
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].release == nullptr || inputs[i].release != output->release ||
        inputs[i].private_data != output->private_data) {
      continue;
    }
    *output = ArrowArrayStream{};
    return CopyFault(function + " returned a copy of the struct of input stream " +
                     std::to_string(i) +
                     " and left the input in place; move it out instead");
  }
  return Status();
}

// The engine releases its copies of the inputs' schemas. So a schema that has their owner
// would be released twice: a bind must copy what they own.
Status DisarmSchema(const std::string& function, std::span<const ArrowSchema> inputs,
                    ArrowSchema* output) {
  if (output->release == nullptr) return Status();
  int32_t input = -1;
  bool is_shared = false;
  const auto find = [&](const ArrowSchema& schema) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (schema.release == inputs[i].release &&
          schema.private_data == inputs[i].private_data) {
        input = static_cast<int32_t>(i);
        return true;
      }
    }
    return false;
  };
  if (find(*output)) {
    *output = ArrowSchema{};
  } else {
    // What is not a schema ends the walk; the layout names the fault later.
    (void)WalkSchema(*output, [&](const SchemaPlace& place) {
      if (find(*place.schema)) is_shared = true;
      return Status();
    });
    // A part of the output belongs to an input. To release the rest could reach it.
    if (is_shared) *output = ArrowSchema{};
  }
  if (input < 0) return Status();
  return CopyFault(function + " returned a copy of the struct of the schema of input " +
                   std::to_string(input) +
                   ", which the engine owns; copy what the schema owns instead");
}

}  // namespace alloy::core
