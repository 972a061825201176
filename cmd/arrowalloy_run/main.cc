// SPDX-License-Identifier: MIT
//
// arrowalloy-run: the worker of `arrowalloy run`, and the same by itself.
#include <cstdio>

#include "../arrowalloy/command.h"
#include "options.h"
#include "run.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
  arrowalloy::run::Declare(program, &arrowalloy::run::Run);
  const arrowalloy::Exit exit = program.Main(argc, argv);
  // A full disk or a closed pipe behind standard output is a failure, too.
  if (std::fflush(stdout) != 0 && exit == arrowalloy::Exit::kOk) {
    std::perror("arrowalloy run: standard output");
    return static_cast<int>(arrowalloy::Exit::kMachine);
  }
  return static_cast<int>(exit);
}
