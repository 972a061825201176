// SPDX-License-Identifier: MIT
//
// The GIL: giving it up around foreign code, and getting it back where foreign code calls
// Python. PyGILState_Ensure is not used, because it may choose another interpreter. The one
// exception is the plugin of Polars, which finds no interpreter to choose.
#ifndef ALLOY_PYTHON_SRC_THREADS_H_
#define ALLOY_PYTHON_SRC_THREADS_H_

#include <cstdint>
#include <memory>

#include "python.h"
#include "state.h"

namespace alloy::python {

// Once for a process, when the module is first made.
void InitThreads();

// A number that is larger in a child of fork.
uint32_t ForkGeneration();

// Whether this thread is the main thread of the process, where signal handlers run.
bool IsMainThread();

// The main interpreter begins to end; called by the thread that ends it.
void BeginEnd();

// Async-signal-safe.
void SendToMainThread(int signal);

// Gives up the GIL for its life.
class NoGil {
 public:
  explicit NoGil(const Interpreter& interpreter);
  ~NoGil();
  NoGil(const NoGil&) = delete;
  NoGil& operator=(const NoGil&) = delete;

 private:
  friend class Gil;
  const Interpreter& interpreter_;
  PyThreadState* thread_;
  NoGil* const outer_;
};

// Has the GIL for its life, on any thread. A thread that gave it up gets its own thread
// state back. A thread that holds it keeps it. A thread that Python does not know gets a
// new state.
class Gil {
 public:
  explicit Gil(const Interpreter& interpreter);
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

  // False: the interpreter ends, or the thread runs another one. Then nothing of Python
  // may be used.
  explicit operator bool() const { return has_; }

 private:
  bool has_ = false;
  NoGil* restored_ = nullptr;
  bool found_ = false;
  PyThreadState* made_ = nullptr;
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_THREADS_H_
