// SPDX-License-Identifier: MIT
//
// What the backends crash.c, crash_cpp.cc and crash.rs do: the first value of their input
// tells them. In C, so that backends in C know it too; crash.rs has the same numbers.
#ifndef ALLOY_TESTS_ISOLATED_WAYS_H_
#define ALLOY_TESTS_ISOLATED_WAYS_H_

enum way {
  WAY_WELL = 0,  // the values are doubled
  WAY_SEGV = 1,
  WAY_ABORT = 2,
  WAY_EXIT = 3,            // with status 7
  WAY_OVERFLOW = 4,        // of the stack
  WAY_LOOP = 5,            // for ever, deaf
  WAY_POLITE = 6,          // until it is asked to stop
  WAY_TRICKLE = 7,         // reports progress for ever, deaf
  WAY_STOP = 8,            // SIGSTOP
  WAY_WRITE_INPUT = 9,     // writes to its input
  WAY_RELEASE_TWICE = 10,  // releases its input twice
  WAY_OUTSIDE = 11,        // a result in memory that is not there
  WAY_THROW = 12,          // an exception, or a panic; not in C
  WAY_HEAP = 13,           // uses up the heap
  WAY_LAST_WORDS = 14,     // writes two lines to standard error, and aborts
  WAY_KILLED = 15,         // SIGKILL
  WAY_CHATTER = 16,        // writes to standard error for ever, deaf
  // Well, after the host has sent SIGUSR1. Until then its progress is the number of its
  // process. Not in Rust.
  WAY_HELD = 17,
  WAY_RELEASE_OTHER = 18,  // releases what it was never given
  WAY_BREAK_RULES = 19     // closes the mailbox of the host, and goes on; only in C++
};

#endif  // ALLOY_TESTS_ISOLATED_WAYS_H_
