// SPDX-License-Identifier: MIT
int twice(void);
int only_b(void);
int alloy_backend_init(void);
int twice(void) { return 1; }
int alloy_backend_init(void) { return twice() + only_b(); }
