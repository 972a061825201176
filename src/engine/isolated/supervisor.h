// SPDX-License-Identifier: MIT
//
// The thread that starts workers, reads what they say on standard error, and notices their
// end. Workers end with the thread that started them, so it lives as long as their group.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_
#define ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "engine/isolated/worker.h"
#include "port/fd.h"
#include "port/process_mark.h"

namespace alloy::core {

// How a worker is started.
struct WorkerProgram {
  std::string path;  // absolute
  const Fd* library = nullptr;
};

// Threads  shared.
class Supervisor {
 public:
  // Borrows mark, as long as this lives.
  explicit Supervisor(std::shared_ptr<ProcessMark> mark) : mark_(std::move(mark)) {}
  // Kills the workers that are left.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Start the process of a worker, and watch over it.
  //   Fails  REFUSED with WORKER: the program is missing, or cannot run.
  //          EXHAUSTED: no descriptors, processes or threads are left.
  Status Start(const std::shared_ptr<Worker>& worker, const WorkerProgram& program);

 private:
  struct Thread;  // in supervisor.cc

  const std::shared_ptr<ProcessMark> mark_;
  // NULL: no worker was started yet.
  std::atomic<Thread*> thread_{nullptr};
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_
