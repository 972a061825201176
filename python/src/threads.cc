// SPDX-License-Identifier: MIT
#include "threads.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

namespace alloy::python {
namespace {

std::atomic<uint32_t> fork_generation{0};
std::atomic<pthread_t> main_thread{};
std::once_flag initialised;
std::atomic<bool> ends{false};
std::atomic<pthread_t> ender{};

// The state that has the GIL: of this thread since 3.12, of the process before. It is not a
// part of the limited API, so it is looked up.
using GetUnchecked = PyThreadState* (*)();
GetUnchecked get_unchecked = nullptr;

thread_local NoGil* innermost = nullptr;

// The interpreter whose GIL this thread holds; NULL: none.
PyInterpreterState* Held() {
  PyThreadState* holder = get_unchecked != nullptr ? get_unchecked() : nullptr;
  if (holder == nullptr) return nullptr;
  // Before 3.12 all interpreters share one GIL, and the holder may be another thread.
  static const bool is_per_thread = Py_Version >= 0x030C0000;
  if (!is_per_thread && holder != PyGILState_GetThisThreadState()) return nullptr;
  return PyThreadState_GetInterpreter(holder);
}

// PyEval_RestoreThread, which may end the thread.
void Restore(PyThreadState* thread) noexcept {
  try {
    PyEval_RestoreThread(thread);
  } catch (const abi::__forced_unwind&) {
    StopForEver();
  }
}

void AfterForkInChild() {
  fork_generation.fetch_add(1, std::memory_order_relaxed);
  main_thread.store(pthread_self(), std::memory_order_relaxed);
}

pthread_t MainThreadOfPython() {
  const Ref threading = Ref::Own(PyImport_ImportModule("threading"));
  const Ref main = Ref::Own(PyObject_CallMethod(threading.get(), "main_thread", nullptr));
  const Ref ident = Ref::Own(PyObject_GetAttrString(main.get(), "ident"));
  const unsigned long number = PyLong_AsUnsignedLongMask(ident.get());
  if (PyErr_Occurred() != nullptr) throw Raised();
  return static_cast<pthread_t>(number);
}

}  // namespace

void InitThreads() {
  const pthread_t main = MainThreadOfPython();
  std::call_once(initialised, [main] {
    get_unchecked = reinterpret_cast<GetUnchecked>(
        dlsym(RTLD_DEFAULT, "_PyThreadState_UncheckedGet"));
    if (get_unchecked == nullptr) {
      get_unchecked = reinterpret_cast<GetUnchecked>(
          dlsym(RTLD_DEFAULT, "PyThreadState_GetUnchecked"));
    }
    main_thread.store(main, std::memory_order_relaxed);
    pthread_atfork(nullptr, nullptr, &AfterForkInChild);
  });
}

uint32_t ForkGeneration() { return fork_generation.load(std::memory_order_relaxed); }

bool IsMainThread() {
  return pthread_equal(pthread_self(), main_thread.load(std::memory_order_relaxed)) != 0;
}

void BeginEnd() {
  ender.store(pthread_self(), std::memory_order_relaxed);
  ends.store(true, std::memory_order_release);
}

void StopForEver() noexcept {
  for (;;) pause();
}

void StopIfEnded() noexcept {
  if (!ends.load(std::memory_order_acquire)) return;
  if (pthread_equal(pthread_self(), ender.load(std::memory_order_relaxed)) != 0) return;
  if (Held() == nullptr) StopForEver();
}

void SendToMainThread(int signal) {
  pthread_kill(main_thread.load(std::memory_order_relaxed), signal);
}

NoGil::NoGil(const Interpreter& interpreter)
    : interpreter_(interpreter), thread_(PyEval_SaveThread()), outer_(innermost) {
  innermost = this;
}

NoGil::~NoGil() {
  innermost = outer_;
  Restore(thread_);
}

Gil::Gil(const Interpreter& interpreter) {
  if (!interpreter.lives()) return;
  if (PyInterpreterState* held = Held(); held != nullptr) {
    has_ = held == interpreter.get();
    return;
  }
  PyThreadState* own = PyGILState_GetThisThreadState();
  if (innermost != nullptr && innermost->interpreter_.get() == interpreter.get()) {
    restored_ = innermost;
    Restore(restored_->thread_);
  } else if (own != nullptr && PyThreadState_GetInterpreter(own) == interpreter.get()) {
    // Another library gave up the GIL on this thread. A second state would be a trap for
    // libraries that use PyGILState_Ensure: they would wait for what this thread has.
    found_ = true;
    Restore(own);
  } else {
    made_ = PyThreadState_New(interpreter.get());
    if (made_ == nullptr) return;
    Restore(made_);
  }
  has_ = true;
}

Gil::~Gil() {
  if (has_) StopIfEnded();
  if (restored_ != nullptr) {
    restored_->thread_ = PyEval_SaveThread();
  } else if (found_) {
    PyEval_SaveThread();
  } else if (made_ != nullptr) {
    PyThreadState_Clear(made_);
    PyEval_SaveThread();
    PyThreadState_Delete(made_);
  }
}

Interpreter::~Interpreter() {
  for (Dropped* one = dropped_.load(); one != nullptr;) {
    delete std::exchange(one, one->next);  // the objects ended with their interpreter
  }
}

void Interpreter::DropLater(PyObject* object) noexcept {
  if (object == nullptr) return;
  auto* one =
      new (std::nothrow) Dropped{object, dropped_.load(std::memory_order_relaxed)};
  if (one == nullptr) return;  // the object is never freed
  while (!dropped_.compare_exchange_weak(one->next, one, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
}

void Interpreter::DropAll() {
  for (Dropped* one = dropped_.exchange(nullptr, std::memory_order_acquire);
       one != nullptr;) {
    Dropped* const next = one->next;
    Py_DECREF(one->object);
    delete one;
    one = next;
  }
}

}  // namespace alloy::python
