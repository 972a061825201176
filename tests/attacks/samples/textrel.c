// SPDX-License-Identifier: MIT
//
// An address in the code itself, which the loader would have to write there.
__asm__(
    ".text\n"
    ".globl alloy_backend_init\n"
    ".type alloy_backend_init, %function\n"
    "alloy_backend_init:\n"
    ".quad alloy_backend_init\n"
    ".size alloy_backend_init, . - alloy_backend_init\n"
    ".section .note.GNU-stack,\"\",%progbits\n");
