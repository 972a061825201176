// SPDX-License-Identifier: MIT
//
// The function x * y as a plugin of Polars without Alloy: ABI 0.1 of
// crates/polars-ffi/src/version_0.rs, as a plugin in Rust has it too. It believes all that it
// gets, and knows only the columns of the benchmark.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "alloy/arrow_abi.h"

namespace {

struct SeriesExport {
  ArrowSchema* field;
  ArrowArray** arrays;
  size_t length;
  void (*release)(SeriesExport*);
  void* private_data;
};

struct Output {
  ArrowArray array;
  ArrowArray* pointer;
  ArrowSchema field;
};

void ReleaseField(ArrowSchema* schema) { schema->release = nullptr; }

// Polars takes private data of NULL for a failure.
void FillField(ArrowSchema* out) {
  static char nothing;
  *out = {.format = "g",
          .name = "score",
          .metadata = nullptr,
          .flags = ARROW_FLAG_NULLABLE,
          .n_children = 0,
          .children = nullptr,
          .dictionary = nullptr,
          .release = &ReleaseField,
          .private_data = &nothing};
}

// The buffers follow the two pointers, in one allocation.
void ReleaseArray(ArrowArray* array) {
  std::free(array->private_data);
  array->release = nullptr;
}

ArrowArray Multiply(const ArrowArray& x, const ArrowArray& y) {
  const auto rows = static_cast<size_t>(x.length);
  const size_t bits = (rows + 63) / 64 * 8;
  auto* memory =
      static_cast<char*>(std::aligned_alloc(64, (64 + bits + rows * 8 + 63) / 64 * 64));
  if (memory == nullptr) std::abort();
  auto** buffers = reinterpret_cast<const void**>(memory);
  auto* validity = reinterpret_cast<uint8_t*>(memory + 64);
  auto* values = reinterpret_cast<double*>(memory + 64 + bits);
  const auto* of_x = static_cast<const double*>(x.buffers[1]) + x.offset;
  const auto* of_y = static_cast<const int64_t*>(y.buffers[1]) + y.offset;
  for (size_t i = 0; i < rows; ++i) values[i] = of_x[i] * static_cast<double>(of_y[i]);
  const auto* given = static_cast<const uint8_t*>(x.buffers[0]);
  if (given != nullptr && x.offset % 8 == 0) {
    std::memcpy(validity, given + x.offset / 8, (rows + 7) / 8);
  } else if (given != nullptr) {
    std::abort();
  }
  buffers[0] = given == nullptr ? nullptr : validity;
  buffers[1] = values;
  return {.length = x.length,
          .null_count = given == nullptr ? 0 : -1,
          .offset = 0,
          .n_buffers = 2,
          .n_children = 0,
          .buffers = buffers,
          .children = nullptr,
          .dictionary = nullptr,
          .release = &ReleaseArray,
          .private_data = memory};
}

void ReleaseSeries(SeriesExport* series) {
  std::free(series->private_data);
  series->release = nullptr;
}

}  // namespace

extern "C" {

#define EXPORTED __attribute__((visibility("default")))

EXPORTED uint32_t _polars_plugin_get_version() { return 1; }

EXPORTED const char* _polars_plugin_get_last_error_message() { return ""; }

EXPORTED void _polars_plugin_field_product(const ArrowSchema*, size_t, ArrowSchema* out,
                                           const char*, size_t) {
  FillField(out);
}

EXPORTED void _polars_plugin_product(SeriesExport* series, size_t n, const char*, size_t,
                                     SeriesExport* out, const void*) {
  const bool is_known = n == 2 && series[0].length == 1 && series[1].length == 1;
  auto* output = is_known ? static_cast<Output*>(std::malloc(sizeof(Output))) : nullptr;
  if (output == nullptr) std::abort();
  output->array = Multiply(*series[0].arrays[0], *series[1].arrays[0]);
  output->pointer = &output->array;
  FillField(&output->field);
  *out = {&output->field, &output->pointer, 1, &ReleaseSeries, output};
  for (size_t i = 0; i < n; ++i) {
    ArrowArray* taken = series[i].arrays[0];
    taken->release(taken);
    series[i].release(&series[i]);
  }
}

}  // extern "C"
