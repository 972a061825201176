// SPDX-License-Identifier: MIT
#include "gate/row_checks.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "arrow/view.h"
#include "base/block_scan.h"

namespace alloy::core {
namespace {

// Calls `check` with a zero of the signed type of that many bytes, so that it is compiled
// for each width.
template <typename Check>
int64_t BySize(uint8_t bytes, Check check) {
  switch (bytes) {
    case 1:
      return check(int8_t{});
    case 2:
      return check(int16_t{});
    case 4:
      return check(int32_t{});
    default:
      return check(int64_t{});
  }
}

// The address of row `begin`. An array without rows may have an offset but no buffer.
const void* From(const void* values, int64_t begin, int64_t bytes) {
  if (values == nullptr) return nullptr;
  return static_cast<const char*>(values) + begin * bytes;
}

const int8_t* TypeIdsFrom(const void* ids, int64_t begin) {
  return static_cast<const int8_t*>(From(ids, begin, sizeof(int8_t)));
}

// The limit as a number of type T. A limit above the largest T excludes no T.
template <typename T>
T Limit(int64_t limit) {
  return static_cast<T>(std::min(limit, int64_t{std::numeric_limits<T>::max()}));
}

uint8_t BytesOf(Type index) {
  switch (index) {
    case Type::kInt8:
    case Type::kUInt8:
      return 1;
    case Type::kInt16:
    case Type::kUInt16:
      return 2;
    case Type::kInt32:
    case Type::kUInt32:
      return 4;
    default:
      return 8;
  }
}

}  // namespace

int64_t FirstDecreasingOffset(const void* offsets, uint8_t bytes, RowRange rows) {
  return BySize(bytes, [&](auto zero) {
    using T = decltype(zero);
    const void* from = From(offsets, rows.begin, sizeof(T));
    // If neither number is negative, the difference does not wrap.
    const int64_t row = FirstWrong(rows.count, [from](int64_t i) {
      const T here = LoadValue<T>(from, i);
      return static_cast<T>(here | Minus(LoadValue<T>(from, i + 1), here));
    });
    // The scan tests the sign of each row's own offset. This is the one after the last row.
    const bool last = row < 0 && rows.count > 0 && LoadValue<T>(from, rows.count) < 0;
    return last ? rows.count - 1 : row;
  });
}

int64_t FirstNotIncreasingRunEnd(const void* ends, uint8_t bytes, int64_t count) {
  if (count == 0) return -1;
  if (LoadSigned(ends, 0, bytes) < 1) return 0;
  return BySize(bytes, [&](auto zero) {
    using T = decltype(zero);
    const int64_t before = FirstWrong(count - 1, [ends](int64_t i) {
      const T here = LoadValue<T>(ends, i);
      const T next = LoadValue<T>(ends, i + 1);
      // If neither is negative, next > here if and only if here - next is negative.
      return static_cast<T>(here | next | ~Minus(here, next));
    });
    return before < 0 ? before : before + 1;
  });
}

int64_t FirstInvalidIndex(const void* indices, Type type, RowRange rows, int64_t n_values,
                          Nulls nulls, bool* below_nulls) {
  const auto excused = [&](int64_t i) {
    const bool null = nulls.At(rows.begin + i);
    *below_nulls |= null;
    return null;
  };
  return BySize(BytesOf(type), [&](auto zero) {
    using T = decltype(zero);
    const void* from = From(indices, rows.begin, sizeof(T));
    constexpr int64_t kMost = std::numeric_limits<T>::max();
    if (!IsUnsigned(type) || n_values - 1 <= kMost) {
      // This is right for unsigned indices too: one above the limit is, read as a signed
      // number, either above the limit or negative.
      const T last = Limit<T>(n_values - 1);
      return FirstWrong(
          rows.count,
          [from, last](int64_t i) {
            const T index = LoadValue<T>(from, i);
            return static_cast<T>(index | Minus(last, index));
          },
          excused);
    }
    using U = std::make_unsigned_t<T>;
    const auto last = static_cast<uint64_t>(n_values - 1);
    return FirstWrong(
        rows.count,
        [from, last](int64_t i) {
          return static_cast<int8_t>(-int8_t{LoadValue<U>(from, i) > last});
        },
        excused);
  });
}

int64_t FirstInvalidListView(const void* offsets, const void* sizes, uint8_t bytes,
                             RowRange rows, int64_t n_values) {
  const auto scan = [&](auto zero, auto wide) {
    using T = decltype(zero);
    using Wide = decltype(wide);
    const void* from = From(offsets, rows.begin, sizeof(T));
    const void* lengths = From(sizes, rows.begin, sizeof(T));
    const auto limit = static_cast<Wide>(n_values);
    return FirstWrong(rows.count, [from, lengths, limit](int64_t i) {
      const Wide offset = LoadValue<T>(from, i);
      const Wide size = LoadValue<T>(lengths, i);
      // If one of the first three is negative, the row is wrong anyway. If not, the last
      // difference does not wrap.
      const Wide room = Minus(limit, offset);
      return static_cast<Wide>(offset | size | room | Minus(room, size));
    });
  };
  // The scan is fastest in 32 bits, which is enough if the child's length fits there.
  if (bytes == 8) return scan(int64_t{}, int64_t{});
  if (n_values <= std::numeric_limits<int32_t>::max()) return scan(int32_t{}, int32_t{});
  return scan(int32_t{}, int64_t{});
}

int64_t FirstInvalidTypeId(const void* ids, RowRange rows,
                           std::span<const int8_t, 128> children) {
  const int8_t* from = TypeIdsFrom(ids, rows.begin);
  // Most unions number their children 0, 1, 2, ...: then one comparison is enough.
  const auto gap = std::ranges::find(children, int8_t{-1});
  if (std::all_of(gap, children.end(), [](int8_t child) { return child < 0; })) {
    const auto last = static_cast<int8_t>(gap - children.begin() - 1);
    return FirstWrong(rows.count, [from, last](int64_t i) {
      return static_cast<int8_t>(from[i] | Minus(last, from[i]));
    });
  }
  return FirstWrong(rows.count, [from, children](int64_t i) {
    const int8_t id = from[i];
    return static_cast<int8_t>(id | children[static_cast<size_t>(id & 127)]);
  });
}

int64_t FirstInvalidUnionOffset(const void* ids, const void* offsets, RowRange rows,
                                std::span<const int64_t, 128> lengths) {
  const int8_t* from = TypeIdsFrom(ids, rows.begin);
  const void* places = From(offsets, rows.begin, sizeof(int32_t));
  return FirstWrong(rows.count, [=](int64_t i) {
    const int64_t offset = LoadValue<int32_t>(places, i);
    return offset | (lengths[static_cast<size_t>(from[i])] - 1 - offset);
  });
}

bool IsValidView(const ArrowArray& array, const void* view) {
  const auto found = LoadValue<View>(view, 0);
  return found.IsLong() ? found.IsIn(array) : found.length >= 0;
}

int64_t FirstInvalidView(const ArrowArray& array, RowRange rows, bool* below_nulls) {
  const Nulls nulls(array);
  const void* views = From(array.buffers[1], rows.begin, kViewBytes);
  return FirstWrong(
      rows.count,
      // The fast scan passes only short texts. IsValidView decides about all others.
      [views](int64_t i) {
        const auto length = LoadValue<int32_t>(views, 4 * i);
        return length | Minus(kMostInline, length);
      },
      [&](int64_t i) {
        if (IsValidView(array, From(views, i, kViewBytes))) return true;
        const bool null = nulls.At(rows.begin + i);
        *below_nulls |= null;
        return null;
      });
}

}  // namespace alloy::core
