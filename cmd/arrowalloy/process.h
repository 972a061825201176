// SPDX-License-Identifier: MIT
//
// A program that is run to its end, or to a limit.
#ifndef ARROWALLOY_PROCESS_H_
#define ARROWALLOY_PROCESS_H_

#include <chrono>
#include <string>
#include <vector>

namespace arrowalloy {

struct Ended {
  int code = -1;           // -1: it did not exit by itself
  int signal = 0;          // by which it died
  bool timed_out = false;  // and was killed, with all that it started
  std::string answer;      // what it wrote to its descriptor 3
  std::string said;        // standard output and standard error, the first 64 KiB

  // "exited with 3", "died by signal 11 (Segmentation fault)", "took more than 10 s".
  std::string HowText() const;
  std::chrono::seconds limit{};
};

// Descriptor 3 of the child is a pipe to us; standard input is empty. The environment is
// ours. The first word is the path of a program, or is looked up in PATH.
//   Throws  E0301 when it cannot be started.
Ended RunProcess(const std::vector<std::string>& command, std::chrono::seconds limit);

// This program itself.
inline constexpr char kSelf[] = "/proc/self/exe";

}  // namespace arrowalloy

#endif  // ARROWALLOY_PROCESS_H_
