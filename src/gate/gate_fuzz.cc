// SPDX-License-Identifier: MIT
//
// Gives damaged batches to the gate. If the gate passes one, every row that the level
// promises to be right is read as a consumer would read it. If the gate refuses one, the
// batch must be unchanged.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "arrow/layout.h"
#include "arrow/load_value.h"
#include "base/bits.h"
#include "base/utf8.h"
#include "gate/batch.h"
#include "gate/fuzz_array.h"

namespace alloy::core {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// Reads an array along a schema that is known to be right. A row outside its array ends
// the program; the sanitizers find a read outside a buffer.
class Consumer {
 public:
  explicit Consumer(Checks checks) : full_(checks.full()), trusts_(checks.trusted) {}

  void ReadBatch(const ArrowSchema& schema, const ArrowArray& batch) {
    for (int64_t column = 0; column < schema.n_children; ++column) {
      const ArrowArray& array = *batch.children[column];
      Require(array.length >= batch.length);
      ReadRows(*schema.children[column], array, 0, batch.length);
      if (full_) ReadBelow(*schema.children[column], array);
    }
    // Without a use the compiler would remove the reads.
    [[maybe_unused]] volatile uint64_t sink = sum_;
  }

 private:
  // At level full all rows of each array are right.
  void ReadBelow(const ArrowSchema& schema, const ArrowArray& array) {
    for (int64_t i = 0; i < schema.n_children; ++i) {
      const ArrowArray& child = *array.children[i];
      ReadRows(*schema.children[i], child, 0, child.length);
      ReadBelow(*schema.children[i], child);
    }
    if (schema.dictionary != nullptr) ReadBelow(*schema.dictionary, *array.dictionary);
  }

  void ReadRows(const ArrowSchema& schema, const ArrowArray& array, int64_t begin,
                int64_t end) {
    Require(begin >= 0 && begin <= end && end <= array.length);
    for (int64_t row = begin; row < end && left_ > 0; ++row, --left_) {
      ReadRow(schema, array, array.offset + row);
    }
  }

  void ReadRow(const ArrowSchema& schema, const ArrowArray& array, int64_t i) {
    const std::string_view format = schema.format;
    const bool validity = format != "n" && format != "+r" && !format.starts_with("+u");
    if (format == "n") return;
    const bool null = validity && array.null_count != 0 && array.buffers[0] != nullptr &&
                      !BitAt(array.buffers[0], i);
    // A library that trusts all values reads null rows as well. Only an index cannot be
    // right if there are no values.
    if (null &&
        (!trusts_ || (schema.dictionary != nullptr && array.dictionary->length == 0))) {
      return;
    }
    if (schema.dictionary != nullptr) {
      const int64_t index = format == "c" ? LoadValue<int8_t>(array.buffers[1], i)
                                          : LoadValue<uint32_t>(array.buffers[1], i);
      return ReadRows(*schema.dictionary, *array.dictionary, index, index + 1);
    }
    switch (format[0]) {
      case 'u':
      case 'z':
        return ReadText<int32_t>(array, i, format == "u");
      case 'U':
      case 'Z':
        return ReadText<int64_t>(array, i, format == "U");
      case 'v':
        return ReadView(array, i, format == "vu");
      case '+':
        return ReadNested(schema, format, array, i);
      case 'b':
        sum_ += BitAt(array.buffers[1], i) ? 1 : 0;
        return;
      default:
        const int64_t wide = format == "l" ? 8 : format == "w:3" ? 3 : 4;
        Touch(static_cast<const char*>(array.buffers[1]) + i * wide, wide);
    }
  }

  template <typename Offset>
  void ReadText(const ArrowArray& array, int64_t i, bool utf8) {
    const int64_t begin = LoadValue<Offset>(array.buffers[1], i);
    const int64_t end = LoadValue<Offset>(array.buffers[1], i + 1);
    Require(begin >= 0 && begin <= end);
    ReadBytes(static_cast<const char*>(array.buffers[2]) + begin, end - begin, utf8);
  }

  void ReadView(const ArrowArray& array, int64_t i, bool utf8) {
    const char* view = static_cast<const char*>(array.buffers[1]) + 16 * i;
    const auto length = LoadValue<int32_t>(view, 0);
    Require(length >= 0);
    if (length <= 12) return ReadBytes(view + 4, length, utf8);
    const auto buffer = LoadValue<int32_t>(view, 2);
    Require(buffer >= 0 && buffer < array.n_buffers - 3);
    ReadBytes(
        static_cast<const char*>(array.buffers[2 + buffer]) + LoadValue<int32_t>(view, 3),
        length, utf8);
  }

  void ReadBytes(const char* bytes, int64_t n, bool utf8) {
    Touch(bytes, n);
    std::string_view text(bytes, static_cast<size_t>(n));
    while (full_ && utf8 && !text.empty()) {
      const size_t length = Utf8Length(text);
      Require(length > 0);
      text.remove_prefix(length);
    }
  }

  void ReadNested(const ArrowSchema& schema, std::string_view format,
                  const ArrowArray& array, int64_t i) {
    const auto child = [&](int64_t which, int64_t begin, int64_t end) {
      ReadRows(*schema.children[which], *array.children[which], begin, end);
    };
    const auto at = [&](int64_t buffer, int64_t row) {
      return format.back() == 'L' ? LoadValue<int64_t>(array.buffers[buffer], row)
                                  : LoadValue<int32_t>(array.buffers[buffer], row);
    };
    if (format == "+l" || format == "+L") return child(0, at(1, i), at(1, i + 1));
    if (format == "+vl" || format == "+vL") {
      return child(0, at(1, i), at(1, i) + at(2, i));
    }
    if (format == "+w:2") return child(0, 2 * i, 2 * i + 2);
    if (format == "+r") return ReadRun(schema, array, i);
    if (format == "+s") {
      child(0, i, i + 1);
      return child(1, i, i + 1);
    }
    const auto id = LoadValue<int8_t>(array.buffers[0], i);
    const bool dense = format == "+ud:0,5";
    Require(dense ? id == 0 || id == 5 : id == 3 || id == 0);
    const int64_t which = dense ? id / 5 : 1 - id / 3;
    const int64_t row = dense ? LoadValue<int32_t>(array.buffers[1], i) : i;
    child(which, row, row + 1);
  }

  void ReadRun(const ArrowSchema& schema, const ArrowArray& array, int64_t i) {
    const ArrowArray& ends = *array.children[0];
    int64_t run = 0;
    while (LoadValue<int32_t>(ends.buffers[1], run) <= i) {
      ++run;
      Require(run < ends.length);
    }
    ReadRows(*schema.children[1], *array.children[1], run, run + 1);
  }

  void Touch(const char* bytes, int64_t n) {
    for (int64_t i = 0; i < n; ++i) sum_ += static_cast<unsigned char>(bytes[i]);
  }

  const bool full_;
  const bool trusts_;
  int64_t left_ = 100'000;  // rows: many list views may share the same rows
  uint64_t sum_ = 0;
};

}  // namespace
}  // namespace alloy::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace alloy::core;  // NOLINT(google-build-using-namespace)
  fuzz::Bytes bytes({data, size});
  // Trust is taken from the end, so that the inputs that were found before stay the same.
  const Checks checks(static_cast<Level>(1 + bytes.Below(3)),
                      size > 0 && data[size - 1] % 2 != 0);
  fuzz::Tree tree(&bytes);
  const auto layout = Layout::OfBatch(tree.schema());
  Require(layout.ok());
  const bool damaged = tree.Damage();
  ArrowArray batch = tree.array();
  const ArrowArray before = batch;
  const Status status = AdmitBatch(*layout, checks, &batch);
  Require(tree.releases() == 0);
  if (status.ok()) {
    Require(batch.offset == 0 && batch.null_count <= 0);
    if (checks.rows()) Consumer(checks).ReadBatch(tree.schema(), batch);
    batch.release(&batch);
    Require(tree.releases() == 1);
  } else {
    Require(damaged && status.code() == ALLOY_BAD_DATA && status.reason() != 0);
    Require(batch.release == before.release && batch.length == before.length);
  }
  return 0;
}
