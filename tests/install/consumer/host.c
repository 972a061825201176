// SPDX-License-Identifier: MIT
//
// host LIBRARY: counts no chunks on the built-in echo, then tells the functions of a
// library.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "alloy/alloy.h"

static alloy_error err;

static int Stop(const char* what) {
  fprintf(stderr, "%s: %s: %s\n", what, alloy_code_name(err.code), err.text);
  return 1;
}

static int Count(alloy_bridge* bridge) {
  alloy_call* call = NULL;
  if (alloy_call_bind(bridge, "from_chunks", NULL, 0, NULL, &call, &err) != ALLOY_OK) {
    return Stop("bind");
  }
  struct ArrowArray counted;
  memset(&counted, 0, sizeof counted);
  if (alloy_call_run(call, NULL, &counted, 0, 0, &err) != ALLOY_OK) return Stop("run");
  const int64_t* values = counted.children[0]->buffers[1];
  printf("counted %d\n", (int)values[counted.children[0]->offset]);
  counted.release(&counted);
  alloy_call_free(call);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  alloy_host_options options = {.struct_size = sizeof options,
                                .flags = ALLOY_ALLOW_UNSIGNED};
  alloy_host* host = NULL;
  alloy_bridge* bridge = NULL;
  if (alloy_host_new(&options, &host, &err) != ALLOY_OK) return Stop("host");
  if (alloy_bridge_new(host, NULL, &bridge, &err) != ALLOY_OK) return Stop("bridge");
  if (Count(bridge) != 0) return 1;
  if (alloy_bridge_load(bridge, argv[1], NULL, &err) != ALLOY_OK) return Stop("load");
  const alloy_function* const* functions = NULL;
  if (alloy_bridge_functions(bridge, &functions, &err) != ALLOY_OK) return Stop("list");
  for (; *functions != NULL; ++functions) printf("function %s\n", (*functions)->name);
  alloy_bridge_free(bridge);
  alloy_host_free(host);
  return 0;
}
