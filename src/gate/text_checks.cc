// SPDX-License-Identifier: MIT
#include "gate/text_checks.h"

#include <cstring>
#include <string_view>

#include "arrow/load_value.h"
#include "arrow/view.h"
#include "base/block_scan.h"
#include "base/utf8.h"
#include "base/utf8_scan.h"
#include "gate/row_checks.h"

namespace alloy::core {
namespace {

// The texts of consecutive rows behind offsets.
template <typename Offset>
class Texts {
 public:
  Texts(const ArrowArray& array, RowRange rows)
      : offsets_(static_cast<const char*>(array.buffers[1]) +
                 rows.begin * int64_t{sizeof(Offset)}),
        bytes_(static_cast<const char*>(array.buffers[2])),
        rows_(rows.count) {}

  int64_t offset(int64_t i) const { return LoadValue<Offset>(offsets_, i); }
  std::string_view Between(int64_t begin, int64_t end) const {
    if (begin == end) return {};  // then the bytes may be NULL
    return {bytes_ + begin, static_cast<size_t>(end - begin)};
  }
  std::string_view all() const { return Between(offset(0), offset(rows_)); }
  std::string_view text(int64_t i) const { return Between(offset(i), offset(i + 1)); }

  // Of texts that are UTF-8 all together: true if no row begins inside a character.
  bool BeginAtCharacters() const {
    const int64_t end = offset(rows_);
    int64_t rows = rows_;
    while (rows > 0 && offset(rows - 1) == end) --rows;  // empty texts at the end
    const int64_t inside = FirstWrong(rows, [this](int64_t i) {
      // Continuation bytes are 0x80 to 0xBF: as signed numbers, those below -64.
      const auto byte = static_cast<int8_t>(bytes_[offset(i)]);
      return static_cast<int32_t>(byte < -64 ? -1 : 0);
    });
    return inside < 0;
  }

 private:
  const char* offsets_;
  const char* bytes_;
  int64_t rows_;
};

template <typename Offset>
TextFault FirstInvalidTextOf(const ArrowArray& array, RowRange rows) {
  const Texts<Offset> texts(array, rows);
  // The texts of all rows lie next to each other, so they are scanned as one.
  const TextKind kind = ScanText(texts.all());
  if (kind == TextKind::kAscii) return {};
  if (kind == TextKind::kUtf8 && texts.BeginAtCharacters()) return {};
  // Find the row, or learn that only null rows are wrong.
  const Nulls nulls(array);
  for (int64_t i = 0; i < rows.count; ++i) {
    if (!nulls.At(rows.begin + i) && ScanText(texts.text(i)) == TextKind::kInvalid) {
      return {.row = i, .not_utf8 = true};
    }
  }
  return {.below_nulls = true};
}

// A view of 16 bytes: the length, then 12 bytes of text and padding. Or the length, 4
// bytes of text, the number of a buffer, and an offset.
enum class ViewFault : uint8_t { kNone, kPrefix, kUtf8 };

ViewFault CheckViewText(const ArrowArray& array, const char* view, bool utf8) {
  constexpr size_t kInline = kMostInline;
  constexpr char kZeros[kInline] = {};
  const auto size = static_cast<size_t>(LoadValue<int32_t>(view, 0));
  if (size <= kInline) {
    if (std::memcmp(view + 4 + size, kZeros, kInline - size) != 0) {
      return ViewFault::kPrefix;
    }
    // The padding is zero, so a scan of all 12 bytes finds the same.
    constexpr uint64_t kHighBits = 0x8080808080808080U;
    const uint64_t bytes =
        LoadValue<uint64_t>(view + 4, 0) | LoadValue<uint32_t>(view, 3);
    if (!utf8 || (bytes & kHighBits) == 0) return ViewFault::kNone;
    return ScanText({view + 4, size}) == TextKind::kInvalid ? ViewFault::kUtf8
                                                            : ViewFault::kNone;
  }
  const auto buffer = LoadValue<int32_t>(view, 2);
  const auto* text =
      static_cast<const char*>(array.buffers[2 + buffer]) + LoadValue<int32_t>(view, 3);
  if (std::memcmp(view + 4, text, 4) != 0) return ViewFault::kPrefix;
  return utf8 && ScanText({text, size}) == TextKind::kInvalid ? ViewFault::kUtf8
                                                              : ViewFault::kNone;
}

}  // namespace

TextFault FirstInvalidText(const ArrowArray& array, uint8_t bytes, RowRange rows) {
  if (rows.count == 0) return {};
  return bytes == 4 ? FirstInvalidTextOf<int32_t>(array, rows)
                    : FirstInvalidTextOf<int64_t>(array, rows);
}

TextFault FirstInvalidViewText(const ArrowArray& array, RowRange rows, bool utf8) {
  const Nulls nulls(array);
  const auto* views =
      static_cast<const char*>(array.buffers[1]) + rows.begin * kViewBytes;
  bool below_nulls = false;
  for (int64_t i = 0; i < rows.count; ++i, views += kViewBytes) {
    if (nulls.At(rows.begin + i)) {
      below_nulls |= !IsValidView(array, views) ||
                     CheckViewText(array, views, utf8) != ViewFault::kNone;
      continue;
    }
    const ViewFault fault = CheckViewText(array, views, utf8);
    if (fault != ViewFault::kNone) {
      return {.row = i, .not_utf8 = fault == ViewFault::kUtf8};
    }
  }
  return {.below_nulls = below_nulls};
}

}  // namespace alloy::core
