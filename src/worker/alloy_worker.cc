// SPDX-License-Identifier: MIT
#include <cstdio>

#include "port/own_program.h"
#include "worker/worker.h"

#if defined(__SANITIZE_ADDRESS__)
// A crash of a backend ends the worker by its signal, which the host names. A handler of the
// sanitizer would make an exit status of it. What it finds itself still ends the worker.
extern "C" [[gnu::visibility("default")]] const char*
__asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:"
         "use_sigaltstack=0";
}
#endif

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
