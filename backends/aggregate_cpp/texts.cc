// SPDX-License-Identifier: MIT
#include "texts.h"

#include <algorithm>
#include <array>
#include <limits>

#include "cells.h"
#include "hash.h"

namespace aggregate {
namespace {

constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();

}  // namespace

uint32_t Texts::NumberOf(uint32_t hash, std::string_view text) {
  return slots_.FindOrAdd(
      hash, ends_.size(), [&](uint32_t number) { return IsSame(At(number), text); },
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
  if (NumberBytes(strings, numbers)) return;
  // Read a block before any of its slots is looked at: they come from memory meanwhile.
  constexpr size_t kBlock = 64;
  constexpr size_t kNull = std::string_view::npos;
  std::array<const char*, kBlock> texts{};
  std::array<size_t, kBlock> sizes{};  // kNull: null
  std::array<uint32_t, kBlock> hashes{};
  for (size_t first = 0; first < numbers.size(); first += kBlock) {
    const size_t rows = std::min(kBlock, numbers.size() - first);
    for (size_t i = 0; i < rows; ++i) {
      const auto text = strings.Get(static_cast<int64_t>(first + i));
      sizes[i] = text ? text->size() : kNull;
      if (!text) continue;
      texts[i] = text->data();
      hashes[i] = HashOf(*text, seed_);
      slots_.Prefetch(hashes[i]);
    }
    for (size_t i = 0; i < rows; ++i) {
      numbers[first + i] =
          sizes[i] == kNull ? NumberOfNull() : NumberOf(hashes[i], {texts[i], sizes[i]});
    }
  }
}

// Columns of flags, texts of one byte without nulls: each byte is looked up once. False:
// it is none, and nothing was done.
bool Texts::NumberBytes(const alloy::Strings& strings, std::span<uint32_t> numbers) {
  if (numbers.empty()) return true;
  const auto first = strings.Get(0);
  if (!first || first->size() != 1) return false;
  std::vector<char> bytes(numbers.size());
  if (!strings.ReadBytes(0, bytes)) return false;
  std::array<uint32_t, 256> known{};
  known.fill(kUnknown);
  for (size_t row = 0; row < bytes.size(); ++row) {
    uint32_t& number = known[static_cast<unsigned char>(bytes[row])];
    if (number == kUnknown) number = NumberOf(std::string_view(&bytes[row], 1));
    numbers[row] = number;
  }
  return true;
}

// Each text once, when the first row asks for it: so that numbers come in the order of
// the rows.
void Texts::NumberDictionary(const alloy::AnyColumn& column,
                             std::span<uint32_t> numbers) {
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
