// SPDX-License-Identifier: MIT
#include "c_host.h"

#include <string.h>

static void no_log(void* context, int32_t level, const char* language, const char* text,
                   int64_t length) {
  (void)context;
  (void)level;
  (void)language;
  (void)text;
  (void)length;
}

alloy_code c_host_open(c_host* self, const char* library, uint32_t check_inputs,
                       uint32_t check_results, uint32_t isolated, alloy_error* err) {
  const alloy_host_options host = {
      .struct_size = sizeof(host), .flags = ALLOY_ALLOW_UNSIGNED, .log = no_log};
  const alloy_bridge_options bridge = {.struct_size = sizeof(bridge),
                                       .isolated = isolated,
                                       .check_inputs = check_inputs,
                                       .check_results = check_results};
  memset(self, 0, sizeof(*self));
  alloy_code code = alloy_host_new(&host, &self->host, err);
  if (code == ALLOY_OK) code = alloy_bridge_new(self->host, &bridge, &self->bridge, err);
  if (code == ALLOY_OK) code = alloy_bridge_load(self->bridge, library, NULL, err);
  return code;
}

alloy_code c_host_bind(c_host* self, const char* function,
                       const struct ArrowSchema* schema, const char* const* options,
                       alloy_error* err) {
  alloy_call_free(self->call);
  return alloy_call_bind(self->bridge, function, schema, 1, options, &self->call, err);
}

alloy_code c_host_run(c_host* self, struct ArrowArray* input, struct ArrowArray* output,
                      alloy_error* err) {
  return alloy_call_run(self->call, input, output, 0, 0, err);
}

void c_host_close(c_host* self) {
  alloy_call_free(self->call);
  alloy_bridge_free(self->bridge);
  alloy_host_free(self->host);
  memset(self, 0, sizeof(*self));
}
