// SPDX-License-Identifier: MIT
#include "gate/mend.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "alloy/detail/resize.hpp"
#include "arrow/layout_rules.h"
#include "arrow/load_value.h"
#include "arrow/view.h"
#include "gate/row_checks.h"

namespace alloy::core {
namespace {

// The size and the alignment of the numbers of one buffer, as the strictest library has
// them: Rust aligns integers of 128 bits to 16 bytes.
struct Numbers {
  int64_t bytes = 1;
  uint8_t alignment = 1;
};

Numbers NumbersOfType(Type type) {
  switch (type) {
    case Type::kInt16:
    case Type::kUInt16:
    case Type::kFloat16:
      return {.bytes = 2, .alignment = 2};
    case Type::kInt32:
    case Type::kUInt32:
    case Type::kFloat32:
    case Type::kDecimal32:
    case Type::kDate32:
    case Type::kTime32:
    case Type::kIntervalYearMonth:
      return {.bytes = 4, .alignment = 4};
    case Type::kIntervalDayTime:  // two of 32 bits
      return {.bytes = 8, .alignment = 4};
    case Type::kInt64:
    case Type::kUInt64:
    case Type::kFloat64:
    case Type::kDecimal64:
    case Type::kDate64:
    case Type::kTime64:
    case Type::kTimestamp:
    case Type::kDuration:
      return {.bytes = 8, .alignment = 8};
    case Type::kIntervalMonthDayNano:  // the widest part has 64 bits
      return {.bytes = 16, .alignment = 8};
    case Type::kDecimal128:
      return {.bytes = 16, .alignment = 16};
    case Type::kDecimal256:
      return {.bytes = 32, .alignment = 16};
    default:  // bits and bytes
      return {};
  }
}

Numbers NumbersOf(const Layout::Node& node) {
  switch (node.form) {
    case Form::kFixed:
      return NumbersOfType(node.type);
    case Form::kViews:
      return {.bytes = kViewBytes, .alignment = 16};
    case Form::kOffsets:
    case Form::kList:
    case Form::kListView:
      return {.bytes = node.integer_bytes, .alignment = node.integer_bytes};
    case Form::kDenseUnion:
      return {.bytes = 4, .alignment = 4};
    default:
      return {};
  }
}

// Makes the copies of one array.
class Mender {
 public:
  explicit Mender(const Mend& mend)
      : node_(*mend.node), array_(*mend.array), rows_(mend.rows), kind_(mend.kind) {
    mended_.node = mend.node;
    // A bitmap cannot begin inside a byte, so up to 7 rows stay before the first one.
    mended_.offset = HasBitmap(node_.form) ? rows_.begin % 8 : 0;
    if (array_.buffers[0] != nullptr) {
      mended_.buffers[0] = static_cast<const char*>(array_.buffers[0]) +
                           (HasBitmap(node_.form) ? rows_.begin / 8 : rows_.begin);
    }
  }

  // False without enough memory.
  bool Run() {
    if (kind_ == Mend::Kind::kNullTexts) return MendTexts();
    const Numbers numbers = NumbersOf(node_);
    const bool has_end = node_.form == Form::kOffsets || node_.form == Form::kList;
    if (!Copy(1, numbers.bytes, has_end ? 1 : 0)) return false;
    if (node_.form == Form::kListView && !Copy(2, numbers.bytes, 0)) return false;
    if (kind_ != Mend::Kind::kAlignment) ClearNulls(numbers.bytes);
    return true;
  }
  MendedArray Take() { return std::move(mended_); }

 private:
  char* Allocate(size_t buffer, int64_t bytes) {
    void* memory = detail::AlignedResize(nullptr, 0, std::max<int64_t>(bytes, 1));
    mended_.memory[buffer].reset(memory);
    mended_.buffers[buffer] = memory;
    return static_cast<char*>(memory);
  }

  // Copy the values of the rows, and `more` values after them.
  bool Copy(size_t buffer, int64_t width, int64_t more) {
    const int64_t before = mended_.offset * width;
    const int64_t bytes = (rows_.count + more) * width;
    char* to = Allocate(buffer, before + bytes);
    if (to == nullptr) return false;
    std::memset(to, 0, static_cast<size_t>(before));
    std::memcpy(to + before,
                static_cast<const char*>(array_.buffers[buffer]) + rows_.begin * width,
                static_cast<size_t>(bytes));
    return true;
  }

  // Values of zero bits are an empty view, and the first index.
  void ClearNulls(int64_t width) {
    const Nulls nulls(array_);
    char* values = static_cast<char*>(mended_.memory[1].get()) + mended_.offset * width;
    for (int64_t i = 0; i < rows_.count; ++i) {
      if (nulls.At(rows_.begin + i)) {
        std::memset(values + i * width, 0, static_cast<size_t>(width));
      }
    }
  }

  // The texts of the rows that are not null, one after another.
  bool MendTexts() {
    const uint8_t width = node_.integer_bytes;
    const Nulls nulls(array_);
    const auto offset = [&](int64_t i) {
      return LoadSigned(array_.buffers[1], rows_.begin + i, width);
    };
    const auto size = [&](int64_t i) {
      return nulls.At(rows_.begin + i) ? 0 : offset(i + 1) - offset(i);
    };
    int64_t bytes = 0;
    for (int64_t i = 0; i < rows_.count; ++i) bytes += size(i);
    char* offsets = Allocate(1, (mended_.offset + rows_.count + 1) * width);
    char* text = Allocate(2, bytes);
    if (offsets == nullptr || text == nullptr) return false;
    std::memset(offsets, 0, static_cast<size_t>((mended_.offset + 1) * width));
    offsets += mended_.offset * width;
    int64_t end = 0;
    for (int64_t i = 0; i < rows_.count; ++i) {
      const int64_t length = size(i);
      if (length > 0) {
        std::memcpy(text + end, static_cast<const char*>(array_.buffers[2]) + offset(i),
                    static_cast<size_t>(length));
      }
      end += length;
      // No offset becomes larger than it was, so it fits. The machine is little-endian.
      std::memcpy(offsets + (i + 1) * width, &end, width);
    }
    return true;
  }

  const Layout::Node& node_;
  const ArrowArray& array_;
  const RowRange rows_;
  const Mend::Kind kind_;
  MendedArray mended_;
};

}  // namespace

bool IsMisaligned(const Layout::Node& node, const ArrowArray& array) {
  const Numbers numbers = NumbersOf(node);
  if (numbers.alignment == 1) return false;
  const auto address = [&](int64_t buffer) {
    return reinterpret_cast<uintptr_t>(array.buffers[buffer]);
  };
  const uintptr_t all =
      address(1) | (node.form == Form::kListView ? address(2) : uintptr_t{0});
  return all % numbers.alignment != 0;
}

Result<std::vector<MendedArray>> MendArrays(std::vector<Mend> mends) {
  std::ranges::sort(mends, {}, &Mend::node);
  std::vector<MendedArray> mended;
  mended.reserve(mends.size());
  for (const Mend& mend : mends) {
    Mender mender(mend);
    if (!mender.Run()) {
      return Fail(ALLOY_EXHAUSTED, "out of memory while repairing the values of a batch");
    }
    mended.push_back(mender.Take());
  }
  return mended;
}

}  // namespace alloy::core
