// SPDX-License-Identifier: MIT
//
// arrowalloy-run: does the work of `arrowalloy run`. It has the same arguments.
#include <unistd.h>

#include "../arrowalloy/base/command.h"
#include "options.h"
#include "run.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
  arrowalloy::run::Declare(program, &arrowalloy::run::Run);
  const arrowalloy::Exit exit = program.Main(argc, argv);
  // After an error no destructor of Arrow's pools runs: they wait for threads that may be
  // blocked, or that the machine never gave.
  if (exit != arrowalloy::Exit::kOk) _exit(static_cast<int>(exit));
  return 0;
}
