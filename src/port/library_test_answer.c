// SPDX-License-Identifier: MIT
// The library that library_test.cc loads.
__attribute__((visibility("default"))) int answer(void);
int answer(void) { return 42; }
