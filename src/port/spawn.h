// SPDX-License-Identifier: MIT
//
// Runs another program to its end: by absolute path, with an empty environment, in the
// root folder, with only the descriptors that are handed to it.
#ifndef ALLOY_SRC_PORT_SPAWN_H_
#define ALLOY_SRC_PORT_SPAWN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "port/fd.h"

namespace alloy::core {

struct ProgramRun {
  std::string program;                 // an absolute path
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<const Fd*> hand_over;    // borrowed; they arrive as 3, 4, 5, …
  int64_t limit_ns = 0;                // then it is killed, with all that it started
  size_t most_output = 0;  // bytes that are kept; the rest is read and dropped
  // Of each process that is started, in bytes; 0: no limit. Memory is the writable memory
  // of its own (RLIMIT_DATA).
  uint64_t most_memory = 0, most_file = 0;
};

struct ProgramEnd {
  bool timed_out = false;
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string output;  // what it wrote to standard output and error
};

// Run a program and wait until it ends. Its standard input is empty.
// Returns 0, or an errno if it could not be started or waited for: ECHILD in a process
// that ignores SIGCHLD, or that reaps all children.
//
// Threads  shared. It blocks.
int RunProgram(const ProgramRun& run, ProgramEnd* out);

// Whether a file is there and this process may execute it.
bool IsExecutable(const std::string& path);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_SPAWN_H_
