// SPDX-License-Identifier: MIT
int nobody_has_it(void);
int alloy_backend_init(void);
int alloy_backend_init(void) { return nobody_has_it(); }
