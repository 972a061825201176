// SPDX-License-Identifier: MIT
#include "keys.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "cells.h"
#include "hash.h"
#include "names.h"
#include "text_column.h"

namespace aggregate {
namespace {

size_t BytesOf(const Type& type) {
  if (type.storage == Storage::kText) return sizeof(uint32_t);
  return WithFixed(type.storage,
                   [](auto tag) { return sizeof(typename decltype(tag)::Type); });
}

// As bytes there are two zeros and many NaNs; as keys one of each.
template <typename T>
T Canonical(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value + T(0);
  }
  return value;
}

}  // namespace

Keys::Keys(const ArrowSchema& batch, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    const int64_t index = IndexOf("keys", batch, name);
    const ArrowSchema& column = *batch.children[index];
    Type type = ValueTypeOf(column);
    if (!type.is_fixed() && type.storage != Storage::kText) {
      throw Invalid("option keys: column " + std::string(name) + " is " +
                    TypeOf(column).name +
                    "; keys are integers, floats, decimal128, booleans, strings, dates, "
                    "times, and dictionaries of these");
    }
    const size_t bytes = BytesOf(type);
    keys_.push_back({.index = index, .type = std::move(type), .at = bits_at_});
    bits_at_ += bytes;
  }
}

std::vector<alloy::Field> Keys::Fields(const ArrowSchema& batch) const {
  std::vector<alloy::Field> fields;
  fields.reserve(keys_.size());
  for (const Key& key : keys_) {
    const ArrowSchema& column = *batch.children[key.index];
    fields.push_back({.name = column.name == nullptr ? "" : column.name,
                      .format = key.type.format,
                      .nullable = (column.flags & ARROW_FLAG_NULLABLE) != 0});
  }
  return fields;
}

Groups::Groups(const Keys& keys) : keys_(&keys), table_(keys.words(), RandomSeed()) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool is_text = keys[i].type.storage == Storage::kText;
    texts_.push_back(is_text ? std::make_unique<Texts>(RandomSeed()) : nullptr);
  }
}

size_t Groups::size() const {
  if (keys_->empty()) return 1;
  return IsOneText() ? texts_[0]->size() : table_.size();
}

void Groups::Number(const ArrowSchema& schema, const ArrowArray& batch,
                    std::vector<uint32_t>* numbers) {
  numbers->assign(static_cast<size_t>(batch.length), 0);
  if (keys_->empty()) return;
  if (IsOneText()) {
    const int64_t index = (*keys_)[0].index;
    texts_[0]->Number({*schema.children[index], *batch.children[index]}, *numbers);
    return;
  }
  Pack(schema, batch);
  table_.Number(packed_.data(), has_value_.empty() ? nullptr : has_value_.data(),
                *numbers);
}

void Groups::Pack(const ArrowSchema& schema, const ArrowArray& batch) {
  packed_.assign(static_cast<size_t>(batch.length) * keys_->words(), 0);
  has_value_.clear();
  for (size_t i = 0; i < keys_->size(); ++i) PackOne((*keys_)[i], i, schema, batch);
}

void Groups::PackOne(const Key& key, size_t i, const ArrowSchema& schema,
                     const ArrowArray& batch) {
  const size_t stride = keys_->words() * sizeof(uint64_t);
  auto* bytes = reinterpret_cast<unsigned char*>(packed_.data());
  const alloy::AnyColumn column{*schema.children[key.index], *batch.children[key.index]};
  if (texts_[i] != nullptr) {  // null has a number as well
    codes_.resize(static_cast<size_t>(batch.length));
    texts_[i]->Number(column, codes_);
    for (size_t row = 0; row < codes_.size(); ++row) {
      std::memcpy(bytes + row * stride + key.at, &codes_[row], sizeof(uint32_t));
    }
    return;
  }
  const Cells cells(column);
  WithFixed(key.type.storage, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    const auto put = [&](int64_t row, T value) {
      value = Canonical(value);
      std::memcpy(bytes + static_cast<size_t>(row) * stride + key.at, &value, sizeof(T));
    };
    if (keys_->size() > 1) {
      const size_t byte = keys_->bits_at() + i / 8;
      const auto bit = static_cast<unsigned char>(1U << i % 8);
      ForEachValue<T>(cells, [&](int64_t row, T value) {
        put(row, value);
        bytes[static_cast<size_t>(row) * stride + byte] |= bit;
      });
    } else if (cells.is_dictionary() || Nulls(column).MayBe()) {
      has_value_.assign(static_cast<size_t>(batch.length), 0);
      ForEachValue<T>(cells, [&](int64_t row, T value) {
        put(row, value);
        has_value_[static_cast<size_t>(row)] = 1;
      });
    } else {
      ForEachValue<T>(cells, put);
    }
  });
}

std::vector<alloy::AnyOutput> Groups::Columns(alloy::detail::Resize resize) const {
  std::vector<alloy::AnyOutput> columns;
  columns.reserve(keys_->size());
  for (size_t i = 0; i < keys_->size(); ++i) columns.push_back(Column(i, resize));
  return columns;
}

alloy::AnyOutput Groups::Column(size_t i, alloy::detail::Resize resize) const {
  const Key& key = (*keys_)[i];
  const auto bytes_of = [this](size_t number) {
    return reinterpret_cast<const unsigned char*>(table_[number]);
  };
  if (const Texts* texts = texts_[i].get()) {
    return TextColumn(key.type, size(), resize, [&](size_t number) {
      if (IsOneText()) return (*texts)[number];
      uint32_t code = 0;
      std::memcpy(&code, bytes_of(number) + key.at, sizeof(code));
      return (*texts)[code];
    });
  }
  return WithFixed(key.type.storage, [&](auto tag) -> alloy::AnyOutput {
    using T = typename decltype(tag)::Type;
    alloy::Output<T> column(resize);
    column.Reserve(static_cast<int64_t>(size()));
    for (size_t number = 0; number < size(); ++number) {
      const unsigned char* bytes = bytes_of(number);
      const bool has_value = keys_->size() == 1
                                 ? !table_.IsNull(number)
                                 : (bytes[keys_->bits_at() + i / 8] >> i % 8 & 1) != 0;
      T value{};
      std::memcpy(&value, bytes + key.at, sizeof(T));
      has_value ? column.Append(value) : column.AppendNull();
    }
    return column;
  });
}

}  // namespace aggregate
