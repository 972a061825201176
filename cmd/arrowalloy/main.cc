// SPDX-License-Identifier: MIT
//
// arrowalloy, the command line. It includes include/alloy only, as every client does.
#include <cstdio>

#include "base/command.h"
#include "commands.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
#define ARROWALLOY_ADD(name) arrowalloy::name::Add(program);
  ARROWALLOY_COMMANDS(ARROWALLOY_ADD)
#undef ARROWALLOY_ADD
  const arrowalloy::Exit exit = program.Main(argc, argv);
  // Output that did not reach a file or a pipe is an error.
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (lost && exit == arrowalloy::Exit::kOk) {
    std::perror("arrowalloy: cannot write to standard output");
    return static_cast<int>(arrowalloy::Exit::kMachine);
  }
  return static_cast<int>(exit);
}
