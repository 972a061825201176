// SPDX-License-Identifier: MIT
//
// What level full asks beyond level safe, of one array: see follow.h.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "arrow/load_value.h"
#include "base/utf8.h"
#include "gate/follow.h"

namespace alloy::core {
namespace {

constexpr size_t kAsciiBlock = 64;

// The length of the longest prefix made of whole blocks of ASCII, in few instructions.
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
    // A block with other characters in it, or the end.
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
int64_t FirstBadTextOf(const ArrowArray& array, RowRange rows) {
  const auto offset = [&](int64_t i) {
    return int64_t{LoadValue<Offset>(array.buffers[1], rows.begin + i)};
  };
  const char* bytes = static_cast<const char*>(array.buffers[2]);
  const auto text = [&](int64_t begin, int64_t end) {
    if (begin == end) return std::string_view();  // bytes may be NULL
    return std::string_view(bytes + begin, static_cast<size_t>(end - begin));
  };
  const int64_t end = offset(rows.count);
  const std::string_view all = text(offset(0), end);
  if (IsAscii(all)) return -1;
  if (IsUtf8(all)) {
    // Then each value is, unless it begins in the middle of a character.
    int64_t i = 0;
    while (i < rows.count && offset(i) < end && !IsContinuation(bytes[offset(i)])) ++i;
    if (i == rows.count || offset(i) == end) return -1;
  }
  const Nulls nulls(array);
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!nulls.At(rows.begin + i) && !IsUtf8(text(offset(i), offset(i + 1)))) return i;
  }
  return -1;
}

}  // namespace

int64_t FirstBadText(const ArrowArray& array, uint8_t bytes, RowRange rows) {
  if (rows.count == 0) return -1;
  return bytes == 4 ? FirstBadTextOf<int32_t>(array, rows)
                    : FirstBadTextOf<int64_t>(array, rows);
}

ViewFault FirstBadView(const ArrowArray& array, RowRange rows, bool utf8) {
  constexpr char kZeros[12] = {};
  const Nulls nulls(array);
  const auto* views = static_cast<const char*>(array.buffers[1]) + rows.begin * 16;
  for (int64_t i = 0; i < rows.count; ++i, views += 16) {
    if (nulls.At(rows.begin + i)) continue;
    const auto size = static_cast<size_t>(LoadValue<int32_t>(views, 0));
    std::string_view text(views + 4, std::min<size_t>(size, 12));
    if (size <= 12) {
      if (std::memcmp(text.data() + size, kZeros, 12 - size) != 0) return {i, false};
    } else {
      const auto buffer = LoadValue<int32_t>(views, 2);
      const auto* from = static_cast<const char*>(array.buffers[2 + buffer]);
      text = std::string_view(from + LoadValue<int32_t>(views, 3), size);
      if (std::memcmp(views + 4, text.data(), 4) != 0) return {i, false};
    }
    if (utf8 && !IsUtf8(text)) return {i, true};
  }
  return {};
}

int64_t CountNulls(const void* bitmap, RowRange rows) {
  const auto* bytes = static_cast<const unsigned char*>(bitmap);
  const int64_t end = rows.begin + rows.count;
  int64_t valid = 0, i = rows.begin;
  for (; i < end && i % 8 != 0; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  for (; end - i >= 64; i += 64) {
    valid += std::popcount(static_cast<uint64_t>(LoadValue<uint64_t>(bytes + i / 8, 0)));
  }
  for (; i < end; ++i) valid += BitAt(bitmap, i) ? 1 : 0;
  return rows.count - valid;
}

}  // namespace alloy::core
