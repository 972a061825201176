// SPDX-License-Identifier: MIT
//
// arrowalloy: the command line. A client of include/alloy like any other.
#include <cstdio>

#include "command.h"
#include "commands.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
#define ARROWALLOY_ADD(name) arrowalloy::name::Add(program);
  ARROWALLOY_COMMANDS(ARROWALLOY_ADD)
#undef ARROWALLOY_ADD
  const arrowalloy::Exit exit = program.Main(argc, argv);
  // A full disk or a closed pipe behind standard output is a failure, too.
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost && exit == arrowalloy::Exit::kOk) {
    std::perror("arrowalloy: standard output");
    return static_cast<int>(arrowalloy::Exit::kMachine);
  }
  return static_cast<int>(exit);
}
