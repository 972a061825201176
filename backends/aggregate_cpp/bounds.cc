// SPDX-License-Identifier: MIT
//
// The least and the greatest.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "order.h"
#include "state.h"
#include "text_column.h"

namespace aggregate {
namespace {

// Of numbers, dates and times.
template <typename T, bool is_max>
class NumberBounds final : public State {
 public:
  void Grow(size_t groups) override { slots_.resize(groups); }

  void Add(const Cells& cells, std::span<const uint32_t> numbers) override {
    ForEachValue<T>(cells, [&](int64_t row, T value) {
      Slot& slot = slots_[numbers[static_cast<size_t>(row)]];
      const bool is_better =
          is_max ? IsLess(slot.bound, value) : IsLess(value, slot.bound);
      if (is_better || !slot.has_value) slot = {value, true};
    });
  }

  alloy::AnyOutput Finish(alloy::detail::Resize resize) override {
    alloy::Output<T> column(resize);
    column.Reserve(static_cast<int64_t>(slots_.size()));
    for (const Slot& slot : slots_) {
      slot.has_value ? column.Append(slot.bound) : column.AppendNull();
    }
    return column;
  }

 private:
  struct Slot {
    T bound{};
    bool has_value = false;
  };

  std::vector<Slot> slots_;
};

// Of strings, by their bytes.
class TextBounds final : public State {
 public:
  TextBounds(Type type, bool is_max) : type_(std::move(type)), is_max_(is_max) {}

  void Grow(size_t groups) override { bounds_.resize(groups); }

  void Add(const Cells& cells, std::span<const uint32_t> numbers) override {
    ForEachText(cells, [&](int64_t row, std::string_view text) {
      auto& bound = bounds_[numbers[static_cast<size_t>(row)]];
      if (!bound || (is_max_ ? *bound < text : text < *bound)) bound = text;
    });
  }

  alloy::AnyOutput Finish(alloy::detail::Resize resize) override {
    return TextColumn(type_, bounds_.size(), resize,
                      [this](size_t row) { return bounds_[row]; });
  }

 private:
  Type type_;
  bool is_max_;
  std::vector<std::optional<std::string>> bounds_;
};

}  // namespace

std::unique_ptr<State> MakeBound(const Type& of, bool is_max) {
  if (of.storage == Storage::kText) return std::make_unique<TextBounds>(of, is_max);
  return WithNumber(of.storage, [is_max](auto tag) -> std::unique_ptr<State> {
    using T = typename decltype(tag)::Type;
    if (is_max) return std::make_unique<NumberBounds<T, true>>();
    return std::make_unique<NumberBounds<T, false>>();
  });
}

}  // namespace aggregate
