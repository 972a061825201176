// SPDX-License-Identifier: MIT
static int one(void) { return 1; }
static int (*resolve(void))(void) { return one; }
int alloy_backend_init(void) __attribute__((ifunc("resolve")));
