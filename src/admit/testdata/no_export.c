// SPDX-License-Identifier: MIT
__attribute__((visibility("hidden"), used)) int alloy_backend_init(void);
int alloy_backend_init(void) { return 0; }
