// SPDX-License-Identifier: MIT
int alloy_backend_init(void);
int alloy_backend_init(void) { return 0; }
int malloc_of_ours(void);
int malloc_of_ours(void) { return 1; }
