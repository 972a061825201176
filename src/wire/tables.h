// SPDX-License-Identifier: MIT
//
// The table of a backend in the bytes of a message. Entry points do not cross.
#ifndef ALLOY_SRC_WIRE_TABLES_H_
#define ALLOY_SRC_WIRE_TABLES_H_

#include <memory>

#include "alloy/backend.h"
#include "base/result.h"
#include "wire/bytes.h"

namespace alloy::core {

// Whether the host will read it. The sum of all is limited by the size of a message.
//   Fails  REFUSED with TABLE: a list of options or columns has too many entries.
Status CheckCrosses(const alloy_backend& backend);

void WriteTable(const alloy_backend& backend, ByteWriter& out);

// A table that was read, with all its texts. Its entry points are NULL.
//
// Threads  immutable: shared.
class DescribedTable {
 public:
  // Read what the other side may have made up.
  //   Fails  REFUSED with TABLE: it is cut, or has too many entries.
  static Result<std::shared_ptr<const DescribedTable>> Read(ByteReader& in);

  const alloy_backend& backend() const;

  struct Parts;  // in tables.cc
  explicit DescribedTable(std::unique_ptr<Parts> parts);
  ~DescribedTable();
  DescribedTable(const DescribedTable&) = delete;
  DescribedTable& operator=(const DescribedTable&) = delete;

 private:
  const std::unique_ptr<Parts> parts_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_TABLES_H_
