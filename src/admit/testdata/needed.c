// SPDX-License-Identifier: MIT
int needed_answer(void);
int needed_answer(void) { return 42; }
