// SPDX-License-Identifier: MIT
//
// What a worker does to itself before it loads the library, so that the library's
// constructors run restricted already.
#ifndef ALLOY_SRC_WORKER_PREPARE_H_
#define ALLOY_SRC_WORKER_PREPARE_H_

#include "base/status.h"
#include "port/fd.h"
#include "port/restrict.h"
#include "wire/load_order.h"

namespace alloy::core {

// End with the host, and keep only the descriptors of a worker: before anything else, so
// that a host that ends now leaves no worker behind. Returns what is reached.
Restrictions PrepareFirst(const Fd& socket);

// Load what the library may need, then give up what it does not need. `reached` has the
// restrictions that hold already, and gets those that hold now.
//   Fails  REFUSED with NEEDED: a library cannot be loaded.
//          UNSUPPORTED: a restriction that the host demands is not possible here.
Status Prepare(const LoadOrder& order, Restrictions* reached);

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_PREPARE_H_
