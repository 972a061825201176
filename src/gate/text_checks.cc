// SPDX-License-Identifier: MIT
#include "gate/text_checks.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "arrow/load_value.h"
#include "base/utf8.h"

namespace alloy::core {
namespace {

constexpr size_t kAsciiBlock = 64;

// The length of the longest prefix that consists of whole blocks of ASCII. The inner loop
// has no branch, so that compilers use vector instructions.
size_t AsciiPrefix(std::string_view bytes) {
  size_t done = 0;
  for (; bytes.size() - done >= kAsciiBlock; done += kAsciiBlock) {
    unsigned char any = 0;
    for (size_t i = 0; i < kAsciiBlock; ++i) {
      any = static_cast<unsigned char>(any | bytes[done + i]);
    }
    if (any >= 0x80) break;
  }
  return done;
}

bool IsAscii(std::string_view bytes) {
  bytes.remove_prefix(AsciiPrefix(bytes));
  return std::ranges::all_of(bytes,
                             [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUtf8(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(AsciiPrefix(bytes));
    // Read the next block, which is not ASCII or the last one, character by character.
    const size_t target = bytes.size() - std::min(bytes.size(), kAsciiBlock);
    while (bytes.size() > target) {
      const size_t length = Utf8Length(bytes);
      if (length == 0) return false;
      bytes.remove_prefix(length);
    }
    if (bytes.empty()) return true;
  }
}

template <typename Offset>
int64_t FirstInvalidTextOf(const ArrowArray& array, RowRange rows) {
  const auto offset = [&](int64_t i) {
    return int64_t{LoadValue<Offset>(array.buffers[1], rows.begin + i)};
  };
  const char* bytes = static_cast<const char*>(array.buffers[2]);
  const auto text = [&](int64_t begin, int64_t end) {
    if (begin == end) return std::string_view();  // then `bytes` may be NULL
    return std::string_view(bytes + begin, static_cast<size_t>(end - begin));
  };
  const int64_t end = offset(rows.count);
  const std::string_view all = text(offset(0), end);
  // Scan the texts of all rows as one, which is much faster than row by row.
  if (IsAscii(all)) return -1;
  if (IsUtf8(all)) {
    // Then each row is UTF-8, unless one begins in the middle of a character.
    int64_t i = 0;
    while (i < rows.count && offset(i) < end && !IsContinuation(bytes[offset(i)])) ++i;
    if (i == rows.count || offset(i) == end) return -1;
  }
  // Find the row. A null row may hold any bytes.
  const Nulls nulls(array);
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!nulls.At(rows.begin + i) && !IsUtf8(text(offset(i), offset(i + 1)))) return i;
  }
  return -1;
}

}  // namespace

int64_t FirstInvalidText(const ArrowArray& array, uint8_t bytes, RowRange rows) {
  if (rows.count == 0) return -1;
  return bytes == 4 ? FirstInvalidTextOf<int32_t>(array, rows)
                    : FirstInvalidTextOf<int64_t>(array, rows);
}

TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8) {
  // A view of 16 bytes: the length, then 12 bytes of text and padding. Or the length, 4
  // bytes of text, the number of a buffer, and an offset.
  constexpr char kZeros[12] = {};
  const Nulls nulls(array);
  const auto* views = static_cast<const char*>(array.buffers[1]) + rows.begin * 16;
  for (int64_t i = 0; i < rows.count; ++i, views += 16) {
    if (nulls.At(rows.begin + i)) continue;
    const auto size = static_cast<size_t>(LoadValue<int32_t>(views, 0));
    std::string_view text(views + 4, std::min<size_t>(size, 12));
    if (size <= 12) {
      if (std::memcmp(text.data() + size, kZeros, 12 - size) != 0)
        return {.row = i, .not_utf8 = false};
    } else {
      const auto buffer = LoadValue<int32_t>(views, 2);
      const auto* from = static_cast<const char*>(array.buffers[2 + buffer]);
      text = std::string_view(from + LoadValue<int32_t>(views, 3), size);
      if (std::memcmp(views + 4, text.data(), 4) != 0)
        return {.row = i, .not_utf8 = false};
    }
    if (utf8 && !IsUtf8(text)) return {.row = i, .not_utf8 = true};
  }
  return {};
}

}  // namespace alloy::core
