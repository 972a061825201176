// SPDX-License-Identifier: MIT
// What a backend looks like from outside.
#include <math.h>
const void* alloy_backend_init(const void* services, void* scope);
const void* alloy_backend_init(const void* services, void* scope) {
  return scope != 0 && lgamma((double)(long)services) > 0 ? services : 0;
}
