// SPDX-License-Identifier: MIT
//
// What a worker is told before it loads its library.
#ifndef ALLOY_SRC_WIRE_LOAD_ORDER_H_
#define ALLOY_SRC_WIRE_LOAD_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "wire/bytes.h"

namespace alloy::core {

// A value.
struct LoadOrder {
  std::string library;  // the file as the host named it, for texts
  bool is_linked = false;
  bool plainly = false;  // by its path, for debuggers
  // Absolute paths of what the library may need, and the SONAMEs to which one of these
  // files must answer.
  std::vector<std::string> files, sonames;
  int64_t heap_bytes = 0;
  uint64_t demanded = 0;  // restrictions without which nothing is loaded

  void Write(ByteWriter& out) const;
  //   Fails  INTERNAL: it is cut.
  static Result<LoadOrder> Read(ByteReader& in);
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_WIRE_LOAD_ORDER_H_
