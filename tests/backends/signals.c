// SPDX-License-Identifier: MIT
//
// Changes the handling of signals, as libraries do without the knowledge of their authors:
// when it is loaded, bound or run. Each letter of a text is one change.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "alloy/backend_c.h"

static struct sigaction before_segv;

static void Nothing(int number) { (void)number; }

// What a handler has to do in a Go program: pass on what is not its own.
static void PassOn(int number, siginfo_t* info, void* context) {
  before_segv.sa_sigaction(number, info, context);
}

static void Install(int number, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_handler = Nothing;
  action.sa_flags = flags;
  sigaction(number, &action, NULL);
}

static void InstallPassOn(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = PassOn;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &before_segv);
}

static void Apply(const char* changes) {
  for (; changes != NULL && *changes != 0; ++changes) {
    switch (*changes) {
      case 'u':
        Install(SIGUSR1, 0);
        break;
      case 'o':
        Install(SIGUSR1, SA_ONSTACK);
        break;
      case 'r':
        Install(SIGRTMIN + 5, SA_RESTART);
        break;
      case 'g':
        Install(SIGURG, 0);
        break;
      case 'G':
        Install(SIGURG, SA_ONSTACK | SA_RESTART);
        break;
      case 'p':
        Install(SIGPROF, 0);
        break;
      case 's':
        Install(SIGSEGV, 0);
        break;
      case 'S':
        InstallPassOn();
        break;
      case 'd':
        signal(SIGSEGV, SIG_DFL);
        break;
      case 'i':
        signal(SIGPIPE, SIG_IGN);
        break;
      case 'm': {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
        break;
      }
      case 'k': {
        const size_t size = 64 << 10;
        const stack_t stack = {.ss_sp = malloc(size), .ss_flags = 0, .ss_size = size};
        sigaltstack(&stack, NULL);
        break;
      }
      default:
        break;
    }
  }
}

__attribute__((constructor)) static void AtLoad(void) {
  Apply(getenv("ALLOY_TEST_SIGNALS"));
}

static const char* AtRun(const char* const* values) { return values[1]; }

static alloy_code Bind(void* self, alloy_scope* scope, const struct ArrowSchema* inputs,
                       int32_t n_inputs, const char* const* values,
                       struct ArrowSchema* output, void** state) {
  (void)self;
  (void)inputs;
  (void)n_inputs;
  Apply(values[0]);
  *state = strdup(AtRun(values));
  static const alloy_field fields[] = {{"count", "l", 0}, {0}};
  return alloy_schema_make(scope, fields, output);
}

static alloy_code Run(void* state, alloy_scope* scope, struct ArrowArray* inputs,
                      int32_t n_inputs, struct ArrowArray* output) {
  (void)inputs;
  (void)n_inputs;
  Apply(state);
  static const alloy_field fields[] = {{"count", "l", 0}, {0}};
  return alloy_batch_make(scope, fields, 1, output);
}

static const alloy_option kOptions[] = {
    {"bind", "changes at bind", ""}, {"run", "changes at run", ""}, {0}};
static const alloy_function kCount = {.struct_size = sizeof(alloy_function),
                                      .name = "count",
                                      .summary = "",
                                      .options = kOptions,
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .bind = Bind,
                                      .run = Run,
                                      .unbind = free};
static const alloy_function* const kFunctions[] = {&kCount, NULL};
static const alloy_backend kBackend = {.struct_size = sizeof(alloy_backend),
                                       .abi = ALLOY_ABI,
                                       .name = "test.signals",
                                       .version = "1.0.0",
                                       .language = "C",
                                       .functions = kFunctions};

ALLOY_EXPORT const alloy_backend* alloy_backend_init(const alloy_services* services,
                                                     alloy_scope* scope) {
  (void)services;
  (void)scope;
  return &kBackend;
}
