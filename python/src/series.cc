// SPDX-License-Identifier: MIT
#include "series.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

#include "alloy/block.hpp"

namespace alloy::python {
namespace {

// The bytes of one value in buffer 1; 0: the type has no such buffer.
int64_t WidthOf(std::string_view format) {
  switch (format.empty() ? '\0' : format[0]) {
    case 'c':
    case 'C':
      return 1;
    case 's':
    case 'S':
    case 'e':
      return 2;
    case 'i':
    case 'I':
    case 'f':
      return 4;
    case 'l':
    case 'L':
    case 'g':
      return 8;
    case 'v':
      return 16;
    case 'd': {
      const bool is_128 = std::count(format.begin(), format.end(), ',') == 1;
      return is_128 ? 16 : 0;
    }
    case 't': {
      const bool is_32 = format == "tdD" || format == "tts" || format == "ttm";
      return is_32 ? 4 : 8;
    }
    default:
      return 0;
  }
}

// Memory of repeated values, and what they refer to.
struct Repeated {
  std::vector<char> validity, values;
  std::shared_ptr<const OwnedArray> source;
};

bool IsNull(const ArrowArray& array) {
  const auto* bits =
      array.n_buffers > 0 ? static_cast<const uint8_t*>(array.buffers[0]) : nullptr;
  return bits != nullptr && ((bits[array.offset / 8] >> (array.offset % 8)) & 1) == 0;
}

}  // namespace

void Series::Append(OwnedArray chunk) {
  rows += chunk->length;
  chunks.push_back(std::make_shared<const OwnedArray>(std::move(chunk)));
}

std::string RepeatRow(Series* series, int64_t rows) {
  const std::string_view format = series->schema->format;
  const auto one = std::find_if(series->chunks.begin(), series->chunks.end(),
                                [](const auto& chunk) { return (*chunk)->length == 1; });
  if (one == series->chunks.end()) return "it has not one row";
  const ArrowArray& array = ***one;
  // Its buffers are read below.
  if (const Status status = detail::CheckShape(*series->schema, array); !status.ok()) {
    return std::string(status.text());
  }
  const bool null_type = format == "n";
  const int64_t width = WidthOf(format);
  if (!null_type && width == 0 && format != "b") {
    return "one value of format " + std::string(format) +
           " is not repeated for all rows; make it a column first, with with_columns";
  }
  auto held = std::make_shared<Repeated>();
  held->source = *one;
  const auto count = static_cast<size_t>(rows);
  std::vector<const void*> buffers(array.buffers, array.buffers + array.n_buffers);
  ArrowArray many = array;
  if (!null_type) {
    const bool null = IsNull(array);
    if (null) held->validity.assign((count + 7) / 8, 0);
    buffers[0] = null ? held->validity.data() : nullptr;
    const auto* values = static_cast<const char*>(array.buffers[1]);
    if (format == "b") {
      const bool set =
          !null && ((values[array.offset / 8] >> (array.offset % 8)) & 1) != 0;
      held->values.assign((count + 7) / 8, set ? '\xff' : '\0');
    } else {
      const auto bytes = static_cast<size_t>(width);
      held->values.assign(count * bytes, '\0');
      const char* value = values + array.offset * width;
      for (size_t row = 0; row < (null ? 0 : count); ++row) {
        std::memcpy(&held->values[row * bytes], value, bytes);
      }
    }
    buffers[1] = held->values.data();
    many.null_count = null ? rows : 0;
    many.buffers = buffers.data();
  } else {
    many.null_count = rows;
  }
  many.offset = 0;
  many.length = rows;
  series->chunks.clear();
  series->rows = 0;
  series->Append(detail::ShareArray(many, std::move(held), false));
  return {};
}

OwnedArray BatchOf(std::vector<OwnedArray> columns) {
  const auto n = static_cast<int64_t>(columns.size());
  auto block = Block<detail::Keeper>::Make(n + 1, 1, nullptr);
  if (!block) throw std::bad_alloc();
  OwnedArray batch;
  const int64_t rows = columns.empty() ? 0 : columns[0]->length;
  block.Init(batch.get(), {.length = rows, .n_buffers = 1, .n_children = n});
  for (int64_t i = 0; i < n; ++i) batch->children[i]->release = nullptr;
  block.Finish();
  for (int64_t i = 0; i < n; ++i) {
    columns[static_cast<size_t>(i)].MoveTo(batch->children[i]);
  }
  return batch;
}

BatchReader::BatchReader(const std::vector<Series>& columns)
    : columns_(columns), places_(columns.size()) {
  if (!columns.empty()) left_ = columns[0].rows;
}

int64_t BatchReader::Step() {
  int64_t step = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto& chunks = columns_[i].chunks;
    Place& place = places_[i];
    while (place.chunk + 1 < chunks.size() &&
           place.row == (*chunks[place.chunk])->length) {
      place = {place.chunk + 1, 0};
    }
    step = std::min(step, (*chunks[place.chunk])->length - place.row);
  }
  return step;
}

bool BatchReader::Next(OwnedArray* batch) {
  if (started_ && left_ == 0) return false;
  started_ = true;
  const int64_t rows = columns_.empty() ? 0 : Step();
  std::vector<OwnedArray> parts;
  for (size_t i = 0; i < columns_.size(); ++i) {
    Place& place = places_[i];
    const auto& chunk = columns_[i].chunks[place.chunk];
    ArrowArray part = **chunk;
    if (rows != part.length) {
      part.offset += place.row;
      part.length = rows;
      if (part.null_count != 0) part.null_count = -1;
    }
    parts.push_back(detail::ShareArray(part, chunk, false));
    place.row += rows;
  }
  left_ -= rows;
  *batch = BatchOf(std::move(parts));
  return true;
}

}  // namespace alloy::python
