// SPDX-License-Identifier: MIT
// A backend with a symbol that nobody has.
#include "alloy/backend.h"

const alloy_backend* alloy_symbol_of_nobody(void);

const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  (void)services, (void)scope;
  return alloy_symbol_of_nobody();
}
