// SPDX-License-Identifier: MIT
#include <cstdio>

#include "port/own_program.h"
#include "worker/worker.h"

int main(int argc, char** argv) {
  if (!alloy::core::IsWorker(argc, argv)) {
    std::fputs(
        "alloy-worker runs a backend for a program that uses Alloy's isolated mode. The\n"
        "engine starts it; it does nothing on its own. See docs/isolation.md.\n",
        stderr);
    return 2;
  }
  alloy::core::EndProcess(alloy::core::RunWorker());
}
