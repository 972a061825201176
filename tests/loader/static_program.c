// SPDX-License-Identifier: MIT
//
// A host that is linked statically: each load is refused with ALLOY_UNSUPPORTED. Without the
// check, dlopen would end the process.
#include <stdio.h>
#include <string.h>

#include "alloy/alloy.h"

static int Refused(const char* library, const char* certificate, const char* may_need) {
  const char* const list[] = {may_need, NULL};
  const alloy_host_options options = {.struct_size = sizeof(options),
                                      .flags = ALLOY_ALLOW_UNSIGNED,
                                      .may_need = list,
                                      .language = "C"};
  alloy_host* host = NULL;
  alloy_bridge* bridge = NULL;
  alloy_error error;
  alloy_code code = alloy_host_new(&options, &host, &error);
  if (code == ALLOY_OK) code = alloy_bridge_new(host, NULL, &bridge, &error);
  if (code == ALLOY_OK) code = alloy_bridge_load(bridge, library, certificate, &error);
  alloy_bridge_free(bridge);
  alloy_host_free(host);
  if (code == ALLOY_UNSUPPORTED && strstr(error.text, "linked statically") != NULL) {
    return 0;
  }
  printf("%s, certificate %s: got %s: %s\n", library,
         certificate != NULL ? certificate : "none", alloy_code_name(code),
         code == ALLOY_OK ? "loaded" : error.text);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int failed = Refused(argv[1], NULL, NULL);
  failed += Refused(argv[1], "MIIB", NULL);
  failed += Refused(argv[1], NULL, "/lib/libm.so.6");
  failed += Refused("/no/such/library.so", NULL, NULL);
  return failed == 0 ? 0 : 1;
}
