// SPDX-License-Identifier: MIT
//
// The table that a backend exports, checked once, and the copy of it that hosts may see.
#ifndef ALLOY_SRC_LOAD_BACKEND_TABLE_H_
#define ALLOY_SRC_LOAD_BACKEND_TABLE_H_

#include <memory>
#include <vector>

#include "alloy/backend.h"
#include "base/result.h"
#include "wire/tables.h"

namespace alloy::core {

// Threads  immutable: shared. Fixed in place, since hosts keep pointers into it.
class BackendTable {
 public:
  // Borrows the table, which lives as long as the process.
  //   Fails  REFUSED with ALLOY_REASON_ABI or ALLOY_REASON_TABLE; the text names the
  //          function and the field.
  static Result<std::shared_ptr<const BackendTable>> Make(const alloy_backend* table);

  // Of a table without entry points, whose backend is in another process. The other rules
  // are the same.
  //   Takes  described, which keeps the texts.
  static Result<std::shared_ptr<const BackendTable>> MakeDescribed(
      std::shared_ptr<const DescribedTable> described);

  BackendTable(const BackendTable&) = delete;
  BackendTable& operator=(const BackendTable&) = delete;

  const alloy_backend& backend() const { return *table_; }
  // Without entry points: a host must not call them past the gate.
  const alloy_backend& shown() const { return shown_; }

 private:
  explicit BackendTable(const alloy_backend* table);

  std::shared_ptr<const DescribedTable> described_;  // NULL: the table is a library's
  const alloy_backend* table_;
  std::vector<alloy_function> functions_;
  std::vector<const alloy_function*> list_;  // ends with NULL
  alloy_backend shown_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_LOAD_BACKEND_TABLE_H_
