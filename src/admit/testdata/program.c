// SPDX-License-Identifier: MIT
int alloy_backend_init(void);
int alloy_backend_init(void) { return 0; }
int main(void) { return alloy_backend_init(); }
