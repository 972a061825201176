// SPDX-License-Identifier: MIT
int alloy_backend_init = 1;
