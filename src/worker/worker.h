// SPDX-License-Identifier: MIT
//
// The program alloy-worker, also inside of programs that have the engine compiled in.
#ifndef ALLOY_SRC_WORKER_WORKER_H_
#define ALLOY_SRC_WORKER_WORKER_H_

namespace alloy::core {

// Whether this process was started as a worker.
bool IsWorker(int argc, char** argv);

// Serve the host that started this process, until it is gone. Returns the exit status.
int RunWorker();

}  // namespace alloy::core

#endif  // ALLOY_SRC_WORKER_WORKER_H_
