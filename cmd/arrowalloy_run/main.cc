// SPDX-License-Identifier: MIT
//
// arrowalloy-run: does the work of `arrowalloy run`. It has the same arguments.
#include <cstdio>

#include "../arrowalloy/base/command.h"
#include "options.h"
#include "run.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
  arrowalloy::run::Declare(program, &arrowalloy::run::Run);
  const arrowalloy::Exit exit = program.Main(argc, argv);
  // Output that did not reach a file or a pipe is an error.
  if (std::fflush(stdout) != 0 && exit == arrowalloy::Exit::kOk) {
    std::perror("arrowalloy run: standard output");
    return static_cast<int>(arrowalloy::Exit::kMachine);
  }
  return static_cast<int>(exit);
}
