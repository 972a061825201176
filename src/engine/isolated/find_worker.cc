// SPDX-License-Identifier: MIT
#include "engine/isolated/find_worker.h"

#include "port/own_program.h"
#include "port/spawn.h"

namespace alloy::core {

Result<std::string> FindWorker(const std::string& named) {
  if (!named.empty()) {
    if (IsExecutable(named)) return named;
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_WORKER,
        "the worker program " + named +
            " is missing or cannot be executed; correct `worker`, or leave it out");
  }
#ifdef ALLOY_AMALGAMATED
  if (IsExecutable(kOwnProgram)) return std::string(kOwnProgram);
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_PROC,
              "the worker is this program itself, which is found by " +
                  std::string(kOwnProgram) +
                  "; the proc file system is not mounted on /proc: mount it (mount -t "
                  "proc proc /proc), or set `worker`");
#else
  const std::string engine = FileOfEngine();
  const std::string folder = engine.substr(0, engine.find_last_of('/') + 1);
  if (std::string found = WorkerIn(folder); !found.empty()) return found;
  return Fail(ALLOY_REFUSED, ALLOY_REASON_WORKER,
              "the isolated mode needs the program " + folder +
                  "alloy-worker, which is missing or cannot be executed; install it next "
                  "to the engine, or set `worker` to its path");
#endif
}

}  // namespace alloy::core
