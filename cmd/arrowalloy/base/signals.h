// SPDX-License-Identifier: MIT
//
// How signals end the program. HUP, INT, TERM and PIPE remove what a command must not leave
// behind and end with the exit code of the signal, at any time and in any state: no signal
// is ever blocked. After a crash the same is removed, and the process dies of the signal.
#ifndef ARROWALLOY_BASE_SIGNALS_H_
#define ARROWALLOY_BASE_SIGNALS_H_

#include "exit_code.h"

namespace arrowalloy {

// Handle signals from now on. A signal that the parent made this process ignore stays
// ignored, and a handler that is there already (of a sanitizer) stays. Past the limit of
// file sizes a write fails and does not kill. Uncaught errors of other threads, such as
// "out of memory", are printed and end the program with exit code 3.
void HandleSignals();

// From now on the first HUP, INT or TERM only writes its number as one byte to `fd`, so
// that a command can end in order. The second one ends the program. -1: no longer.
void NotifyFirstSignal(int fd);

// Die with the process that started this one, which may be killed by SIGKILL.
void EndWithParent();

// The exit code after a signal.
Exit ExitOfSignal(int signal);

// Make sure that descriptors 0 to 2 exist, so that no file that is opened later takes the
// place of standard output. Reading or writing a descriptor that was closed stays an error.
void OpenStandardDescriptors();

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_SIGNALS_H_
