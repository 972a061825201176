// SPDX-License-Identifier: MIT
//
// A backend in plain C that tells on itself: its constructor and the resolver of an IFUNC
// leave files behind, by system calls alone, since nothing else works that early. What a
// macro names is different or wrong.
//
//   VICTIM_MARKER   where the files go: ….constructor and ….resolver
//   VICTIM_VERSION, VICTIM_ANSWER  what it says of itself, and the rows of its answer
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "alloy/backend.h"

#ifndef VICTIM_VERSION
#define VICTIM_VERSION "1.0.0"
#endif
#ifndef VICTIM_ANSWER
#define VICTIM_ANSWER 1
#endif
#ifndef VICTIM_NAME
#define VICTIM_NAME "acme.victim"
#endif
#ifndef VICTIM_ABI
#define VICTIM_ABI ALLOY_ABI
#endif

static void Leave(const char* path) {
  const long flags = O_WRONLY | O_CREAT;
  const long mode = 0600;
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = mode;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(SYS_openat), "D"((long)AT_FDCWD), "S"(path), "d"(flags), "r"(r10)
                   : "rcx", "r11", "memory");
#else
  register long x8 __asm__("x8") = SYS_openat;
  register long x0 __asm__("x0") = AT_FDCWD;
  register const char* x1 __asm__("x1") = path;
  register long x2 __asm__("x2") = flags;
  register long x3 __asm__("x3") = mode;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
#endif
}

static int Plain(void) { return VICTIM_ANSWER; }
static int (*Resolve(void))(void) {
  Leave(VICTIM_MARKER ".resolver");
  return Plain;
}
static int Answer(void) __attribute__((ifunc("Resolve")));

__attribute__((constructor)) static void Construct(void) {
  Leave(VICTIM_MARKER ".constructor");
}

#if defined(VICTIM_EXTRA_EXPORT)
ALLOY_EXPORT void* malloc_of_the_victim(size_t size);
void* malloc_of_the_victim(size_t size) { return (void*)size; }
#endif

#if defined(VICTIM_SHARED_NAME)
// A name that the host program exports too.
int alloy_attack_shared(void);
__attribute__((noinline)) int alloy_attack_shared(void) { return 2; }
#endif

#if defined(VICTIM_UNDEFINED)
int nobody_defines_this_symbol(void);
#endif

#if defined(VICTIM_BIG_TLS)
static __thread volatile char big[1 << 20] __attribute__((tls_model("initial-exec")));
#endif

static void ReleaseSchema(struct ArrowSchema* schema) { schema->release = NULL; }
static void ReleaseArray(struct ArrowArray* array) { array->release = NULL; }

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self, (void)scope, (void)inputs, (void)n_inputs, (void)values;
  *output = (struct ArrowSchema){.format = "+s", .name = "", .release = ReleaseSchema};
  *state = NULL;
  return ALLOY_OK;
}

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  static const void* buffers[1];
  int rows = Answer();
  (void)state, (void)scope, (void)inputs, (void)n_inputs;
#if defined(VICTIM_SHARED_NAME)
  rows = alloy_attack_shared();
#elif defined(VICTIM_UNDEFINED)
  rows = nobody_defines_this_symbol();
#elif defined(VICTIM_BIG_TLS)
  big[(size_t)n_inputs] = 1;
#endif
  *output = (struct ArrowArray){
      .length = rows, .n_buffers = 1, .buffers = buffers, .release = ReleaseArray};
  return ALLOY_OK;
}

static const alloy_function kAnswer = {.struct_size = sizeof(alloy_function),
                                       .name = "answer",
                                       .max_inputs = -1,
                                       .bind = Bind,
                                       .run = Run};
static const alloy_function* const kFunctions[] = {&kAnswer, NULL};

static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = VICTIM_ABI,
                                       .name = VICTIM_NAME,
                                       .version = VICTIM_VERSION,
                                       .language = "C",
                                       .functions = kFunctions};

#if defined(VICTIM_NO_EXPORT)
ALLOY_EXPORT int something_else(void);
int something_else(void) { return kBackend.abi == 1; }
#else
const alloy_backend* alloy_backend_init(const alloy_services* services,
                                        alloy_scope* scope) {
  (void)services, (void)scope;
  return &kBackend;
}
#endif
