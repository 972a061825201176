// SPDX-License-Identifier: MIT
//
// What a backend must leave alone in a Go program: the signal handlers of Go's runtime, the
// signal mask of a thread, and its stack for signals. Constructors and initialisers of a
// library may change them, often without the knowledge of its author.
//
// Go runs its code on small stacks. A handler without SA_ONSTACK runs on such a stack and
// writes beyond its end.
#ifndef ALLOY_GO_ENGINE_SIGNALS_H_
#define ALLOY_GO_ENGINE_SIGNALS_H_

#include <stddef.h>

// Remember the state of the process and of the calling thread. NULL if memory is short.
void* alloy_go_signals_read(void);

// Compare the state with an earlier one, and repair what would corrupt a Go program:
//
//   a handler without SA_ONSTACK gets the flag;
//   Go's own handler is put back where its runtime depends on it, and the new one cannot
//   pass the signal on to it;
//   the mask and the stack of this thread become what they were.
//
// What was repaired is written to `text`, which ends with a NUL and is empty if all is well.
// Call it on the thread of alloy_go_signals_read. It frees `before`; NULL does nothing.
void alloy_go_signals_repair(void* before, char* text, size_t capacity);

#endif  // ALLOY_GO_ENGINE_SIGNALS_H_
