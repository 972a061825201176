// SPDX-License-Identifier: MIT
int twice(void);
int only_b(void);
int twice(void) { return 2; }
int only_b(void) { return twice(); }
