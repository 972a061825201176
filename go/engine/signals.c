// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Signals {
  struct sigaction actions[_NSIG];
  sigset_t mask;
  stack_t stack;
} Signals;

static int IsHandler(const struct sigaction* action) {
  return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

// The signals of which Go's runtime makes panics, with which it stops goroutines, and with
// which it takes profiles.
static int IsGos(int number) {
  return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGURG ||
         number == SIGPROF;
}

// A handler without SA_SIGINFO lacks what it would have to pass on. SIGURG comes many times
// in a second, and nobody passes it on.
static int MayPassOn(int number, const struct sigaction* action) {
  return IsHandler(action) && (action->sa_flags & SA_SIGINFO) != 0 && number != SIGURG;
}

static int IsSame(const struct sigaction* a, const struct sigaction* b) {
  return a->sa_handler == b->sa_handler && a->sa_flags == b->sa_flags;
}

typedef struct Report {
  char* text;
  size_t capacity, length;
} Report;

__attribute__((format(printf, 2, 3))) static void Add(Report* report, const char* format,
                                                      ...) {
  if (report->length + 1 >= report->capacity) return;
  va_list values;
  va_start(values, format);
  const size_t room = report->capacity - report->length;
  if (report->length > 0) {
    report->length += (size_t)snprintf(report->text + report->length, room, "; ");
  }
  if (report->length + 1 < report->capacity) {
    report->length += (size_t)vsnprintf(
        report->text + report->length, report->capacity - report->length, format, values);
  }
  va_end(values);
}

static void RepairAction(int number, const struct sigaction* before, Report* report) {
  struct sigaction now;
  // The C library keeps a few signals for itself.
  if (sigaction(number, NULL, &now) != 0 || IsSame(before, &now)) return;
  const char* abbreviation = sigabbrev_np(number);
  char name[32];
  if (abbreviation != NULL) {
    snprintf(name, sizeof(name), "SIG%s", abbreviation);
  } else {
    snprintf(name, sizeof(name), "signal %d", number);
  }
  if (IsGos(number) && IsHandler(before) && !MayPassOn(number, &now)) {
    if (sigaction(number, before, NULL) == 0) {
      Add(report, "%s: Go's own handler is put back", name);
    }
    return;
  }
  if (!IsHandler(&now) || (now.sa_flags & SA_ONSTACK) != 0) return;
  now.sa_flags |= SA_ONSTACK;
  if (sigaction(number, &now, NULL) == 0) {
    Add(report, "%s: the flag SA_ONSTACK is added to its handler", name);
  }
}

static int HasSameSignals(const sigset_t* a, const sigset_t* b) {
  for (int number = 1; number < _NSIG; ++number) {
    if (sigismember(a, number) != sigismember(b, number)) return 0;
  }
  return 1;
}

void* alloy_go_signals_read(void) {
  Signals* now = calloc(1, sizeof(*now));
  if (now == NULL) return NULL;
  for (int number = 1; number < _NSIG; ++number) {
    sigaction(number, NULL, &now->actions[number]);
  }
  pthread_sigmask(SIG_SETMASK, NULL, &now->mask);
  sigaltstack(NULL, &now->stack);
  return now;
}

void alloy_go_signals_repair(void* memory, char* text, size_t capacity) {
  text[0] = 0;
  if (memory == NULL) return;
  Signals* before = memory;
  Report report = {.text = text, .capacity = capacity, .length = 0};
  for (int number = 1; number < _NSIG; ++number) {
    RepairAction(number, &before->actions[number], &report);
  }
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 &&
      (stack.ss_sp != before->stack.ss_sp || stack.ss_size != before->stack.ss_size ||
       stack.ss_flags != before->stack.ss_flags) &&
      sigaltstack(&before->stack, NULL) == 0) {
    Add(&report, "the thread's stack for signals is put back");
  }
  sigset_t mask;
  // Last: a signal that was blocked may come now, and finds its handler.
  if (pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 &&
      !HasSameSignals(&mask, &before->mask) &&
      pthread_sigmask(SIG_SETMASK, &before->mask, NULL) == 0) {
    Add(&report, "the thread's signal mask is put back");
  }
  free(before);
}
