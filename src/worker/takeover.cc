// SPDX-License-Identifier: MIT
//
// For programs that have the engine compiled in, such as Go programs: they are their own
// worker program. The engine starts the program again, and this takes it over before any
// runtime starts. It is in no other build, and does nothing in a process that was started
// in any other way.
#include "port/own_program.h"
#include "wire/protocol.h"
#include "worker/worker.h"

namespace alloy::core {
namespace {

// Priority: after those of the C++ library, whose objects the worker uses.
__attribute__((constructor)) void TakeOver(int argc, char** argv, char**) {
  if (!IsWorker(argc, argv)) return;
  // A user could type the argument. Only an engine passes sealed memory on.
  if (IsSealable(kControlFd)) EndProcess(RunWorker());
}

}  // namespace
}  // namespace alloy::core
