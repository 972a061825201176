// SPDX-License-Identifier: MIT
#include "texts.h"

#include <algorithm>
#include <array>
#include <limits>

#include "cells.h"
#include "hash.h"

namespace aggregate {

uint32_t Texts::NumberOf(uint32_t hash, std::string_view text) {
  return slots_.FindOrAdd(
      hash, ends_.size(), [&](uint32_t number) { return At(number) == text; },
      [&] {
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        ends_.push_back(bytes_.size());
      });
}

uint32_t Texts::NumberOfNull() {
  if (!null_) {
    null_ = ends_.size();
    ends_.push_back(bytes_.size());
  }
  return static_cast<uint32_t>(*null_);
}

uint32_t Texts::NumberOf(const std::optional<std::string_view>& text) {
  return text ? NumberOf(HashOf(*text, seed_), *text) : NumberOfNull();
}

void Texts::Number(const alloy::AnyColumn& column, std::span<uint32_t> numbers) {
  const ArrowArray* dictionary = column.array.dictionary;
  if (dictionary != nullptr && dictionary->length <= column.size()) {
    NumberDictionary(column, numbers);
  } else {
    NumberRows(alloy::Strings(column.schema, column.array), numbers);
  }
}

void Texts::NumberRows(const alloy::Strings& strings, std::span<uint32_t> numbers) {
  // Read a block before any of its slots is looked at: they come from memory meanwhile.
  constexpr size_t kBlock = 64;
  std::array<std::optional<std::string_view>, kBlock> texts;
  std::array<uint32_t, kBlock> hashes{};
  for (size_t first = 0; first < numbers.size(); first += kBlock) {
    const size_t rows = std::min(kBlock, numbers.size() - first);
    for (size_t i = 0; i < rows; ++i) {
      texts[i] = strings.Get(static_cast<int64_t>(first + i));
      if (!texts[i]) continue;
      hashes[i] = HashOf(*texts[i], seed_);
      slots_.Prefetch(hashes[i]);
    }
    for (size_t i = 0; i < rows; ++i) {
      numbers[first + i] = texts[i] ? NumberOf(hashes[i], *texts[i]) : NumberOfNull();
    }
  }
}

// Each text once, when the first row asks for it: so that numbers come in the order of
// the rows.
void Texts::NumberDictionary(const alloy::AnyColumn& column,
                             std::span<uint32_t> numbers) {
  constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();
  const Cells cells(column);
  const auto [schema, array] = cells.values();
  const alloy::Strings strings(schema, array);
  std::vector<uint32_t> known(static_cast<size_t>(strings.size()), kUnknown);
  for (size_t row = 0; row < numbers.size(); ++row) {
    const int64_t place = cells.places()[row];
    if (place == Cells::kNull) {
      numbers[row] = NumberOfNull();
      continue;
    }
    uint32_t& number = known[static_cast<size_t>(place)];
    if (number == kUnknown) number = NumberOf(strings.Get(place));
    numbers[row] = number;
  }
}

}  // namespace aggregate
