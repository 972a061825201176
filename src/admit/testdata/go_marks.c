// SPDX-License-Identifier: MIT
// The marks of the Go linker in a library of C: one of them for each sample.
#include <stdint.h>
const void* alloy_backend_init(const void* services, void* scope);
#if defined(BUILD_INFO)
static volatile char mark[32] __attribute__((aligned(16))) = "\xff Go buildinf:\x08\x02";
#elif defined(NOT_ALIGNED)
static volatile char mark[32] __attribute__((aligned(16))) = "\xff\xff Go buildinf:\x08";
#elif defined(NOT_WRITABLE)
static const char text[32] __attribute__((aligned(16), used)) =
    "\xff Go buildinf:\x08\x02";
static volatile char mark[1];
#else
static const struct {
  uint32_t name, size, type;
  char owner[4], id[8];
} note __attribute__((section(".note.go.buildid"), aligned(4), used)) = {4, 8, NOTE_TYPE,
                                                                         "Go", "abcdefg"};
static volatile char mark[1];
#endif
const void* alloy_backend_init(const void* services, void* scope) {
  return mark[0] == 1 ? services : scope;
}
