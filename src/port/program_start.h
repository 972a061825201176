// SPDX-License-Identifier: MIT
//
// Starts another program, without a fork: in the root folder, with default signal handling,
// in a process group of its own, with only the descriptors that are handed to it. Its
// standard input is empty; its standard output and error are one pipe.
#ifndef ALLOY_SRC_PORT_PROGRAM_START_H_
#define ALLOY_SRC_PORT_PROGRAM_START_H_

#include <string>
#include <vector>

#include "port/fd.h"

namespace alloy::core {

struct ProgramStart {
  std::string program;                   // an absolute path
  const Fd* image = nullptr;             // borrowed; if set, this open file is executed
  std::vector<std::string> arguments;    // from argv[0], which is the program's name
  std::vector<std::string> environment;  // NAME=value; empty by default
  std::vector<const Fd*> hand_over;      // borrowed; they arrive as 3, 4, 5, …
};

// The process id and the reading end of the pipe, which does not block. Returns 0, or the
// errno of what could not be done; then no process was started.
//
// Threads  shared.
int StartProgram(const ProgramStart& start, int* pid, Fd* output);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_PROGRAM_START_H_
