// SPDX-License-Identifier: MIT
//
// Run a program to its end or to a time limit, and collect what it writes.
//
// src/port/spawn.cc does a similar job for the engine. This is a second copy on purpose: the
// command line includes include/alloy only, as every other client does. It also needs what
// the engine does not: a result on descriptor 3, and output of both streams.
#ifndef ARROWALLOY_BASE_PROCESS_H_
#define ARROWALLOY_BASE_PROCESS_H_

#include <chrono>
#include <string>
#include <vector>

namespace arrowalloy {

struct Ended {
  int code = -1;           // exit code; -1: it did not exit by itself
  int signal = 0;          // the signal that ended it
  bool timed_out = false;  // it was killed at the limit, with its own children
  std::string result;      // what it wrote to descriptor 3, at most 16 MiB
  std::string output;      // standard output and standard error, at most 64 KiB

  // "exited with code 3", "died by signal 11 (Segmentation fault)", "took more than 10 s".
  std::string HowText() const;
  std::chrono::seconds limit{};
};

// Run `command`: a path, or a name in PATH, and its arguments. Descriptor 3 of the child is
// a pipe to this process, standard input is empty, the environment is unchanged.
//   Throws  E0301 when it cannot be started.
Ended RunProcess(const std::vector<std::string>& command, std::chrono::seconds limit);

// The path of this program.
inline constexpr char kSelf[] = "/proc/self/exe";

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_PROCESS_H_
