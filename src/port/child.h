// SPDX-License-Identifier: MIT
//
// A child process that lives as long as its owner wants: a worker.
//
// For a program that is only run to its end, see RunProgram in port/spawn.h.
#ifndef ALLOY_SRC_PORT_CHILD_H_
#define ALLOY_SRC_PORT_CHILD_H_

#include <optional>
#include <utility>

#include "base/result.h"
#include "port/fd.h"
#include "port/program_start.h"

namespace alloy::core {

// How a process ended. Nobody knows if the host reaped the child itself, or ignores
// SIGCHLD, and Linux is older than 6.15.
struct ChildEnd {
  int exit_code = -1;  // -1: not by exit
  int signal = 0;      // 0: not by a signal
  bool is_known() const { return exit_code >= 0 || signal != 0; }
};

// Threads  serial, but Kill: any thread, as long as the object is not moved. Move-only.
class Child {
 public:
  // Start a program, as port/program_start.h says.
  //   Fails  EXHAUSTED    descriptors, processes or memory ran out.
  //          UNSUPPORTED  the program cannot be executed, or the kernel has no pidfd.
  static Result<Child> Start(const ProgramStart& start);

  // Whether this machine has what Start needs.
  //   Fails  UNSUPPORTED, if the kernel has no pidfd or a container refuses it.
  static Status CheckMachine();

  Child() = default;
  Child(Child&& other) noexcept { *this = std::move(other); }
  Child& operator=(Child&& other) noexcept;
  // Kills the child and waits until it has ended. In a forked child of the process that
  // started it, only descriptors are closed.
  ~Child() { EndAndReap(); }

  int pid() const { return pid_; }
  // Becomes readable when the child has ended.
  const Fd& handle() const { return handle_; }
  // What the child writes to standard output and error. It does not block; close it as
  // you like.
  Fd& output() { return output_; }

  // By the handle, so that no other process can be hit. Returns whether the child was
  // there to get the signal. Does nothing in a forked child of the process.
  bool Kill(int signal) const;

  // Returns how the child ended, once it has; then what it started in its process group is
  // killed too. nullopt: it still runs.
  std::optional<ChildEnd> TryReap() { return Reap(false); }

 private:
  std::optional<ChildEnd> Reap(bool wait);
  void EndAndReap();

  int pid_ = 0;
  int owner_ = 0;  // the process that started it
  Fd handle_;
  Fd output_;
  std::optional<ChildEnd> end_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_CHILD_H_
