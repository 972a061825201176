// SPDX-License-Identifier: MIT
#include "alloy/testing/equal.hpp"

#include <cstring>
#include <string_view>

#include "form.h"

namespace alloy::testing {
namespace {

template <typename T>
T At(const void* buffer, int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(buffer) + i * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

int64_t NumberAt(const void* buffer, int64_t width, int64_t i) {
  switch (width) {
    case 1:
      return At<int8_t>(buffer, i);
    case 2:
      return At<int16_t>(buffer, i);
    case 4:
      return At<int32_t>(buffer, i);
    default:
      return At<int64_t>(buffer, i);
  }
}

// An index may be unsigned: then the bits above its width are zero.
int64_t IndexAt(std::string_view format, const void* buffer, int64_t i) {
  switch (format[0]) {
    case 'C':
      return At<uint8_t>(buffer, i);
    case 'S':
      return At<uint16_t>(buffer, i);
    case 'I':
      return At<uint32_t>(buffer, i);
    default:
      return NumberAt(buffer, FormOf(format).width, i);
  }
}

struct Range {
  int64_t begin = 0;
  int64_t size = 0;
};

Range ListAt(const Form& form, const ArrowArray& array, int64_t row) {
  const int64_t begin = NumberAt(array.buffers[1], form.width, row);
  if (form.kind == Kind::kListView) {
    return {begin, NumberAt(array.buffers[2], form.width, row)};
  }
  return {begin, NumberAt(array.buffers[1], form.width, row + 1) - begin};
}

std::string_view BytesAt(const Form& form, const ArrowArray& array, int64_t row) {
  if (form.kind == Kind::kView) {
    const auto* view = static_cast<const char*>(array.buffers[1]) + 16 * row;
    const auto size = At<int32_t>(view, 0);
    if (size <= 12) return {view + 4, static_cast<size_t>(size)};
    const auto* data = static_cast<const char*>(array.buffers[2 + At<int32_t>(view, 2)]);
    return {data + At<int32_t>(view, 3), static_cast<size_t>(size)};
  }
  const int64_t begin = NumberAt(array.buffers[1], form.width, row);
  const int64_t end = NumberAt(array.buffers[1], form.width, row + 1);
  if (begin == end) return {};
  return {static_cast<const char*>(array.buffers[2]) + begin,
          static_cast<size_t>(end - begin)};
}

// The child that a row of a union is in.
size_t ChildAt(const Form& form, const ArrowArray& array, int64_t row) {
  const auto id = At<int8_t>(array.buffers[0], row);
  size_t child = 0;
  while (child < form.type_ids.size() && form.type_ids[child] != id) ++child;
  return child;
}

int64_t RunAt(const ArrowSchema& schema, const ArrowArray& array, int64_t row) {
  const ArrowArray& ends = *array.children[0];
  const int64_t width = FormOf(schema.children[0]->format).width;
  int64_t run = 0;
  while (NumberAt(ends.buffers[1], width, ends.offset + run) <= row) ++run;
  return run;
}

// A row of an array, counted from the start of its buffers.
struct Place {
  const ArrowArray& array;
  int64_t row;
};

bool EqualFixed(int64_t width, const Place& a, const Place& b) {
  const auto bytes = static_cast<size_t>(width);
  return bytes == 0 ||
         std::memcmp(static_cast<const char*>(a.array.buffers[1]) + a.row * width,
                     static_cast<const char*>(b.array.buffers[1]) + b.row * width,
                     bytes) == 0;
}

bool EqualItems(const ArrowSchema& schema, Range in_a, Range in_b, const Place& a,
                const Place& b) {
  if (in_a.size != in_b.size) return false;
  return FirstDifference(*schema.children[0], *a.array.children[0], in_a.begin,
                         *b.array.children[0], in_b.begin, in_a.size) < 0;
}

bool EqualUnion(const ArrowSchema& schema, const Form& form, const Place& a,
                const Place& b) {
  const size_t child = ChildAt(form, a.array, a.row);
  if (child != ChildAt(form, b.array, b.row)) return false;
  const bool dense = form.kind == Kind::kDenseUnion;
  const int64_t row_a = dense ? At<int32_t>(a.array.buffers[1], a.row) : a.row;
  const int64_t row_b = dense ? At<int32_t>(b.array.buffers[1], b.row) : b.row;
  return EqualRows(*schema.children[child], *a.array.children[child], row_a,
                   *b.array.children[child], row_b);
}

bool EqualStruct(const ArrowSchema& schema, const Place& a, const Place& b) {
  for (int64_t c = 0; c < schema.n_children; ++c) {
    if (!EqualRows(*schema.children[c], *a.array.children[c], a.row, *b.array.children[c],
                   b.row)) {
      return false;
    }
  }
  return true;
}

bool EqualValues(const ArrowSchema& schema, const Form& form, const Place& a,
                 const Place& b) {
  if (schema.dictionary != nullptr) {
    return EqualRows(*schema.dictionary, *a.array.dictionary,
                     IndexAt(schema.format, a.array.buffers[1], a.row),
                     *b.array.dictionary,
                     IndexAt(schema.format, b.array.buffers[1], b.row));
  }
  switch (form.kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return BitAt(a.array.buffers[1], a.row) == BitAt(b.array.buffers[1], b.row);
    case Kind::kFixed:
      return EqualFixed(form.width, a, b);
    case Kind::kBytes:
    case Kind::kView:
      return BytesAt(form, a.array, a.row) == BytesAt(form, b.array, b.row);
    case Kind::kList:
    case Kind::kListView:
      return EqualItems(schema, ListAt(form, a.array, a.row),
                        ListAt(form, b.array, b.row), a, b);
    case Kind::kFixedList:
      return EqualItems(schema, {a.row * form.width, form.width},
                        {b.row * form.width, form.width}, a, b);
    case Kind::kStruct:
      return EqualStruct(schema, a, b);
    case Kind::kDenseUnion:
    case Kind::kSparseUnion:
      return EqualUnion(schema, form, a, b);
    case Kind::kRunEnd:
      return EqualRows(*schema.children[1], *a.array.children[1],
                       RunAt(schema, a.array, a.row), *b.array.children[1],
                       RunAt(schema, b.array, b.row));
  }
  return false;
}

}  // namespace

bool EqualRows(const ArrowSchema& schema, const ArrowArray& left, int64_t a,
               const ArrowArray& right, int64_t b) {
  const Form form = FormOf(schema.format);
  const Place in_left{left, left.offset + a}, in_right{right, right.offset + b};
  if (HasValidity(form.kind)) {
    const bool valid = BitAt(left.buffers[0], in_left.row);
    if (valid != BitAt(right.buffers[0], in_right.row)) return false;
    if (!valid) return true;
  }
  return EqualValues(schema, form, in_left, in_right);
}

int64_t FirstDifference(const ArrowSchema& schema, const ArrowArray& left,
                        int64_t first_left, const ArrowArray& right, int64_t first_right,
                        int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    if (!EqualRows(schema, left, first_left + i, right, first_right + i)) return i;
  }
  return -1;
}

}  // namespace alloy::testing
