// SPDX-License-Identifier: MIT
int attack_more(void);
int attack_more(void) { return 1; }
