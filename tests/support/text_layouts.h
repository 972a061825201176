// SPDX-License-Identifier: MIT
//
// Columns of text in the layouts that alloy.hpp does not make: large utf8 and views.
#ifndef ALLOY_TESTS_SUPPORT_TEXT_LAYOUTS_H_
#define ALLOY_TESTS_SUPPORT_TEXT_LAYOUTS_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/testing/tree.hpp"

namespace support {

using OptionalTexts = std::vector<std::optional<std::string>>;

// The memory of a column of text, in either layout.
struct TextColumn {
  std::vector<uint8_t> validity;
  std::vector<int64_t> offsets{0};
  std::vector<std::array<char, 16>> views;
  std::string data;
  int64_t data_bytes = 0;
  std::optional<alloy::testing::Tree> tree;  // over these
};

// The format is "U" or "vu".
inline alloy::Array MakeTexts(const std::string& format, const OptionalTexts& texts) {
  auto held = std::make_shared<TextColumn>();
  held->validity.assign(texts.size() / 8 + 1, 0);
  int64_t nulls = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i].value_or("");
    std::array<char, 16> view{};
    const auto bytes = static_cast<int32_t>(text.size());
    const auto start = static_cast<int32_t>(held->data.size());
    std::memcpy(view.data(), &bytes, 4);
    std::memcpy(view.data() + 4, text.data(), std::min<size_t>(text.size(), 12));
    if (bytes > 12) {
      std::memset(view.data() + 8, 0, 4);  // the first buffer
      std::memcpy(view.data() + 12, &start, 4);
    }
    held->views.push_back(view);
    held->data += text;
    held->offsets.push_back(static_cast<int64_t>(held->data.size()));
    nulls += texts[i] ? 0 : 1;
    if (texts[i]) held->validity[i / 8] |= static_cast<uint8_t>(1 << (i % 8));
  }
  held->data += '\0';  // so that the buffer is never empty
  held->data_bytes = static_cast<int64_t>(held->data.size());
  std::vector<const void*> buffers = {nulls > 0 ? held->validity.data() : nullptr};
  if (format == "vu") {
    buffers.insert(buffers.end(),
                   {held->views.data(), held->data.data(), &held->data_bytes});
  } else {
    buffers.insert(buffers.end(), {held->offsets.data(), held->data.data()});
  }
  held->tree.emplace(
      alloy::testing::Spec{.format = format},
      alloy::testing::RawArray{.length = static_cast<int64_t>(texts.size()),
                               .buffers = std::move(buffers),
                               .null_count = nulls});
  auto& tree = *held->tree;
  return {&tree.schema(-1), &tree.array(-1), std::move(held)};
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_TEXT_LAYOUTS_H_
