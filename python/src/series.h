// SPDX-License-Identifier: MIT
//
// Batches for a function from columns that another engine holds in chunks.
#ifndef ALLOY_PYTHON_SRC_SERIES_H_
#define ALLOY_PYTHON_SRC_SERIES_H_

#include <memory>
#include <string>
#include <vector>

#include "alloy/detail/share.hpp"
#include "alloy/owned.hpp"

namespace alloy::python {

// A column in chunks, whose arrays it owns. `schema` outlives it.
struct Series {
  const ArrowSchema* schema = nullptr;
  std::vector<std::shared_ptr<const OwnedArray>> chunks;
  int64_t rows = 0;

  void Append(OwnedArray chunk);
};

// Repeat the only row of a column, in place. Returns what is wrong, or an empty text.
std::string RepeatRow(Series* series, int64_t rows);

// A batch of columns with the same number of rows. It reads nothing below them, so they may
// be malformed.
OwnedArray BatchOf(std::vector<OwnedArray> columns);

// Columns as batches: each is as long as all of their chunks allow, and refers to them.
// Columns of no rows are one empty batch.
//
// Threads  serial.
class BatchReader {
 public:
  // The columns outlive the reader, and have the same number of rows.
  explicit BatchReader(const std::vector<Series>& columns);
  // False: there is no other batch.
  bool Next(OwnedArray* batch);

 private:
  struct Place {
    size_t chunk = 0;
    int64_t row = 0;  // of the chunk
  };
  // The rows that every column has before the end of its chunk.
  int64_t Step();

  const std::vector<Series>& columns_;
  std::vector<Place> places_;
  int64_t left_ = 0;
  bool started_ = false;
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_SERIES_H_
