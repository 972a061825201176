// SPDX-License-Identifier: MIT
#include "worker/worker.h"

#include <cstdio>
#include <string_view>
#include <utility>

#include "port/fd.h"
#include "port/shared_memory.h"
#include "wire/protocol.h"
#include "worker/connection.h"
#include "worker/prepare.h"
#include "worker/server.h"

namespace alloy::core {
namespace {

// A worker that cannot talk to its host tells its operator.
int GiveUp(const char* what) {
  std::fprintf(stderr, "alloy-worker: %s\n", what);
  return 3;
}

}  // namespace

bool IsWorker(int argc, char** argv) {
  return argc == 2 && std::string_view(argv[1]) == kWorkerArgument;
}

int RunWorker() {
  auto control = SharedMemory::Attach(Fd(kControlFd), true);
  if (!control.ok() || control->size() < sizeof(ControlBlock)) {
    return GiveUp("the descriptor of the host is missing");
  }
  if (reinterpret_cast<ControlBlock*>(control->data())->protocol.load() != kProtocol) {
    return GiveUp(
        "the host is of another version; install the worker that belongs to its engine");
  }
  Fd socket(kSocketFd);
  const Restrictions reached = PrepareFirst(socket);
  if (!reached.Has(Restriction::kCommonEnd)) return GiveUp("the host has ended");
  Connection connection(*std::move(control), std::move(socket));
  Server server(connection, Fd(kLibraryFd), reached);
  server.Run();
  return 0;
}

}  // namespace alloy::core
