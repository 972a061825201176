// SPDX-License-Identifier: MIT
int elsewhere[4] = {1, 2, 3, 4};
