// SPDX-License-Identifier: MIT
//
// What a worker does to itself before it loads the library, so that the library's
// constructors run restricted already.
#ifndef ALLOY_SRC_WORKER_PREPARE_H_
#define ALLOY_SRC_WORKER_PREPARE_H_

#include <cstdint>

#include "base/status.h"
#include "wire/load_order.h"

namespace alloy::core {

// Load what the library may need, then give up what it does not need. `reached` gets the
// restrictions that hold now (port/restrict.h).
//   Fails  REFUSED with NEEDED: a library cannot be loaded.
//          UNSUPPORTED: a restriction that the host demands is not possible here.
Status Prepare(const LoadOrder& order, uint64_t* reached);

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_PREPARE_H_
