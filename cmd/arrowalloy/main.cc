// SPDX-License-Identifier: MIT
//
// arrowalloy, the command line. It includes include/alloy only, as every client does.
#include "base/command.h"
#include "commands.h"

int main(int argc, char** argv) {
  arrowalloy::Program program;
#define ARROWALLOY_ADD(name) arrowalloy::name::Add(program);
  ARROWALLOY_COMMANDS(ARROWALLOY_ADD)
#undef ARROWALLOY_ADD
  return static_cast<int>(program.Main(argc, argv));
}
