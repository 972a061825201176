// SPDX-License-Identifier: MIT
//
// Hosts and calls: what needs more C than one function of the ABI. The blocks in which
// inputs cross are in package abi.
#ifndef ALLOY_GO_ENGINE_HOST_H_
#define ALLOY_GO_ENGINE_HOST_H_

#include <stdint.h>

#include "../abi/block.h"
#include "api.h"

// Bind a function as alloy_call_bind does. `log_call` is a cgo handle for the log lines of
// this bind, or 0.
alloy_code alloy_go_call_bind(alloy_bridge* bridge, const char* function,
                              const struct ArrowSchema* inputs, int32_t n_inputs,
                              const char* const* options, uintptr_t log_call,
                              alloy_call** out, alloy_error* err);

// As alloy_call_set_log. `lines` is a cgo handle.
void alloy_go_call_set_log(alloy_call* call, int32_t level, uintptr_t lines);

// Make a host. Its log goes to Go, whatever the backend; or, if log_handle is 0, the lines
// of echoes go to log_fd. Borrows may_need for this call.
alloy_code alloy_go_host_new(uint32_t flags, const char* const* may_need, int32_t log_fd,
                             uintptr_t log_handle, alloy_host** out, alloy_error* err);

#endif  // ALLOY_GO_ENGINE_HOST_H_
