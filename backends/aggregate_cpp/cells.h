// SPDX-License-Identifier: MIT
//
// The values of a column, whether they lie in it or in its dictionary.
//
// The gate has looked at shapes alone, so an index is compared with the dictionary before
// it is followed.
//
// Threads  values.
#ifndef AGGREGATE_CPP_CELLS_H_
#define AGGREGATE_CPP_CELLS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace aggregate {

class Cells {
 public:
  // Throws Failure with the row of an index that leaves the dictionary.
  explicit Cells(alloy::AnyColumn column);
  Cells(const ArrowSchema& batch, const ArrowArray& array, int64_t index)
      : Cells({*batch.children[index], *array.children[index]}) {}

  int64_t size() const { return column_.size(); }
  const alloy::AnyColumn& column() const { return column_; }
  bool is_dictionary() const { return column_.schema.dictionary != nullptr; }
  // The column, or its dictionary.
  alloy::AnyColumn values() const {
    if (!is_dictionary()) return column_;
    return {*column_.schema.dictionary, *column_.array.dictionary};
  }
  // Of a dictionary, for each row: where in values() it is, or kNull.
  const std::vector<int64_t>& places() const { return places_; }
  static constexpr int64_t kNull = -1;

 private:
  alloy::AnyColumn column_;
  std::vector<int64_t> places_;
};

// Which rows of a column are null, whatever its type. Of unions and run-end arrays, which
// keep that in their children, it says none.
class Nulls {
 public:
  explicit Nulls(const alloy::AnyColumn& column)
      : all_(column.schema.format[0] == 'n'), offset_(column.array.offset) {
    const std::string_view format = column.schema.format;
    if (all_ || format.starts_with("+u") || format == "+r") return;
    if (column.array.null_count != 0) bits_ = column.array.buffers[0];
  }
  bool MayBe() const { return all_ || bits_ != nullptr; }
  bool IsNull(int64_t row) const {
    return all_ || (bits_ != nullptr && !alloy::detail::GetBit(bits_, offset_ + row));
  }

 private:
  bool all_;
  int64_t offset_;
  const void* bits_ = nullptr;
};

// Call `visit` with each row that is not null, in their order.
template <typename Visit>
void ForEachRow(const Cells& cells, Visit visit) {
  if (cells.is_dictionary()) {
    for (int64_t row = 0; row < cells.size(); ++row) {
      if (cells.places()[static_cast<size_t>(row)] != Cells::kNull) visit(row);
    }
    return;
  }
  const Nulls nulls(cells.values());
  if (!nulls.MayBe()) {
    for (int64_t row = 0; row < cells.size(); ++row) visit(row);
    return;
  }
  for (int64_t row = 0; row < cells.size(); ++row) {
    if (!nulls.IsNull(row)) visit(row);
  }
}

// The same with the value of the row, which is stored as a T.
template <typename T, typename Visit>
void ForEachValue(const Cells& cells, Visit visit) {
  const auto [schema, array] = cells.values();
  const alloy::Column<T> values(schema, array);
  if (cells.is_dictionary()) {
    ForEachRow(cells, [&](int64_t row) {
      visit(row, values[cells.places()[static_cast<size_t>(row)]]);
    });
  } else {
    ForEachRow(cells, [&](int64_t row) { visit(row, values[row]); });
  }
}

// The same with the text of the row.
template <typename Visit>
void ForEachText(const Cells& cells, Visit visit) {
  const auto [schema, array] = cells.values();
  const alloy::Strings texts(schema, array);
  if (cells.is_dictionary()) {
    ForEachRow(cells, [&](int64_t row) {
      visit(row, *texts.Get(cells.places()[static_cast<size_t>(row)]));
    });
  } else {
    ForEachRow(cells, [&](int64_t row) { visit(row, *texts.Get(row)); });
  }
}

}  // namespace aggregate

#endif  // AGGREGATE_CPP_CELLS_H_
