// SPDX-License-Identifier: MIT
// PADDING bytes that the loader maps like any other data of a library. Nothing reads
// them.
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

__asm__(
    ".section .rodata.padding,\"a\",@progbits\n"
    ".fill " TEXT(PADDING) ", 1, 0x5a\n"
    ".previous\n");
