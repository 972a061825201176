// SPDX-License-Identifier: MIT
// Compiled without -fPIC: the address of a variable of another file as a 32-bit number.
extern int elsewhere[];
int* alloy_backend_init(void);
int* alloy_backend_init(void) { return elsewhere; }
