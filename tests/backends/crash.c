// SPDX-License-Identifier: MIT
//
// Crashes and hangs in C. The first value of the input says how; tests/isolated/ways.h.
//
// With CASE_INIT or CASE_CONSTRUCTOR it does so when it is loaded: no test can tell such a
// library anything, because a worker has no environment.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloy/backend_c.h"
#include "tests/isolated/ways.h"

static volatile int depth;  // never reached; a compiler must not know
static int Overflow(int level) {
  volatile char room[4096];
  room[0] = 1;
  return level == depth ? 0 : Overflow(level + 1) + room[0];
}

static void UseUpTheHeap(void) {
  enum { kBytes = 1 << 20 };
  for (;;) {
    char* piece = malloc(kBytes);
    if (piece == NULL) {
      perror("malloc");
      abort();
    }
    memset(piece, 1, kBytes);
  }
}

static void Chatter(void) {
  static const char text[4096] = "again ";
  for (;;) (void)!write(2, text, sizeof(text));
}

static volatile sig_atomic_t is_free;
static void GoOn(int signal) {
  (void)signal;
  is_free = 1;
}

static void Hold(alloy_scope* scope) {
  is_free = 0;
  const struct sigaction action = {.sa_handler = GoOn};
  sigaction(SIGUSR1, &action, NULL);
  for (; !is_free; usleep(1000)) scope->services->progress(scope, getpid(), 0);
}

static void Do(int64_t way, alloy_scope* scope) {
  // Not NULL, which a sanitizer would find before the store.
  static volatile int* volatile nowhere = (volatile int*)(uintptr_t)64;
  switch (way) {
    case WAY_SEGV:
      *nowhere = 1;
      break;
    case WAY_ABORT:
      abort();
    case WAY_EXIT:
      _exit(7);
    case WAY_OVERFLOW:
      Overflow(1);
      break;
    case WAY_LOOP:
      for (volatile int goes_on = 1; goes_on;) {
      }
      break;
    case WAY_POLITE:
      while (scope->services->cancelled(scope) == 0) usleep(1000);
      break;
    case WAY_TRICKLE:
      for (int64_t step = 1;; ++step) {
        scope->services->progress(scope, step, 0);
        usleep(1000);
      }
    case WAY_STOP:
      raise(SIGSTOP);
      break;
    case WAY_HEAP:
      UseUpTheHeap();
      break;
    case WAY_LAST_WORDS:
      fputs("the model has a hole\nat line 3\n", stderr);
      abort();
    case WAY_CHATTER:
      Chatter();
      break;
    case WAY_HELD:
      Hold(scope);
      break;
    case WAY_KILLED:
      raise(SIGKILL);
      break;
    default:
      break;
  }
}

#ifdef CASE_CONSTRUCTOR
__attribute__((constructor)) static void AtLoad(void) { Do(CASE_CONSTRUCTOR, NULL); }
#endif

static const alloy_field kFields[] = {{"x", "l", 0}, {"pid", "l", 0}, {0}};

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)inputs;
  (void)n_inputs;
  (void)state;
  Do(atoi(values[0]), scope);
  return alloy_schema_make(scope, kFields, output);
}

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  (void)state;
  (void)n_inputs;
  const struct ArrowArray* x = inputs[0].children[0];
  const int64_t rows = inputs[0].length;
  const int64_t way = rows > 0 ? alloy_int64_at(x, 0) : WAY_WELL;
  Do(way, scope);
  if (way == WAY_POLITE) return alloy_fail(scope, ALLOY_CANCELLED, "stopped when asked");
  if (way == WAY_WRITE_INPUT) ((int64_t*)(uintptr_t)x->buffers[1])[0] = 42;
  const alloy_code code = alloy_batch_make(scope, kFields, rows, output);
  if (code != ALLOY_OK) return code;
  int64_t* doubled = alloy_values(output->children[0]);
  int64_t* pids = alloy_values(output->children[1]);
  for (int64_t row = 0; row < rows; ++row) {
    doubled[row] = 2 * alloy_int64_at(x, row);
    pids[row] = getpid();
  }
  if (way == WAY_OUTSIDE) output->children[0]->buffers[1] = (void*)(uintptr_t)4096;
  if (way == WAY_RELEASE_TWICE) {
    struct ArrowArray again = inputs[0];
    inputs[0].release(&inputs[0]);
    again.release(&again);
  }
  if (way == WAY_RELEASE_OTHER) {
    struct ArrowArray never = inputs[0];
    never.private_data = (void*)(uintptr_t)0x4141414141414141;
    never.release(&never);
  }
  return ALLOY_OK;
}

static const alloy_option kOptions[] = {{"bind", "what bind does", "0"}, {0}};
static const alloy_function kAct = {.struct_size = sizeof(alloy_function),
                                    .name = "act",
                                    .summary = "",
                                    .options = kOptions,
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .bind = Bind,
                                    .run = Run};
// The same, which a host may run again after a death.
static const alloy_function kActAgain = {.struct_size = sizeof(alloy_function),
                                         .name = "act_again",
                                         .summary = "",
                                         .flags = ALLOY_IDEMPOTENT,
                                         .options = kOptions,
                                         .min_inputs = 1,
                                         .max_inputs = 1,
                                         .bind = Bind,
                                         .run = Run};
static const alloy_function* const kFunctions[] = {&kAct, &kActAgain, NULL};
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ALLOY_ABI,
                                       .name = "test.crash",
                                       .version = "1.0.0",
                                       .language = "C",
                                       .functions = kFunctions};

ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services;
#ifdef CASE_INIT
  Do(CASE_INIT, scope);
#endif
  (void)scope;
  return &kBackend;
}
