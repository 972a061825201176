// SPDX-License-Identifier: MIT

//go:build linux && cgo && (amd64 || arm64)

#include "host.h"

#include "_cgo_export.h"

// A bind has no call yet that could carry the handle.
static _Thread_local uintptr_t bind_call;

// The log function of a host. The contexts are cgo handles.
static void Log(void* context, const alloy_log_line* line) {
  const uintptr_t call =
      line->call_context != NULL ? (uintptr_t)line->call_context : bind_call;
  alloyGoLog((uintptr_t)context, (alloy_log_line*)line, call);
}

alloy_code alloy_go_call_bind(alloy_bridge* bridge, const char* function,
                              const struct ArrowSchema* inputs, int32_t n_inputs,
                              const char* const* options, uintptr_t log_call,
                              alloy_call** out, alloy_error* err) {
  const uintptr_t outer = bind_call;
  bind_call = log_call;
  const alloy_code code =
      alloy_call_bind(bridge, function, inputs, n_inputs, options, out, err);
  bind_call = outer;
  return code;
}

void alloy_go_call_set_log(alloy_call* call, int32_t level, uintptr_t lines) {
  alloy_call_set_log(call, level, (void*)lines);
}

alloy_code alloy_go_host_new(uint32_t flags, const char* const* may_need, int32_t log_fd,
                             uintptr_t log_handle, alloy_host** out, alloy_error* err) {
  alloy_host_options options = {
      .struct_size = sizeof(options),
      .flags = flags,
      .may_need = may_need,
      .language = "Go",
      .log_fd = log_fd,
  };
  if (log_handle != 0) {
    options.log_line = Log;
    options.log_mode = 1;  // always
    options.log_context = (void*)log_handle;
  }
  return alloy_host_new(&options, out, err);
}
