// SPDX-License-Identifier: MIT
//
// What one interpreter has of the module. Nothing here is shared between interpreters.
#ifndef ALLOY_PYTHON_SRC_STATE_H_
#define ALLOY_PYTHON_SRC_STATE_H_

#include <atomic>
#include <memory>

#include "python.h"

namespace alloy::python {

// An interpreter as other threads see it. It outlives the module, so that structs which
// are released late find it. It also keeps references that a thread without the GIL gave
// up, until the module is next entered.
//
// Threads  shared. It has no lock, so that a fork can never find one locked.
class Interpreter {
 public:
  Interpreter() : state_(PyInterpreterState_Get()) {}
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;
  ~Interpreter();

  PyInterpreterState* get() const { return state_; }
  // False from the moment on at which the interpreter begins to end.
  bool lives() const { return lives_.load(std::memory_order_acquire); }
  void End() { lives_.store(false, std::memory_order_release); }

  // Takes a reference, on any thread and without the GIL.
  void DropLater(PyObject* object) noexcept;
  // Gives up what was dropped. Needs the GIL; costs one atomic load if there is nothing.
  void DropNow() {
    if (dropped_.load(std::memory_order_acquire) != nullptr) DropAll();
  }

 private:
  struct Dropped {
    PyObject* object;
    Dropped* next;
  };
  void DropAll();

  PyInterpreterState* const state_;
  std::atomic<bool> lives_{true};
  std::atomic<Dropped*> dropped_{nullptr};
};

struct State {
  std::shared_ptr<Interpreter> interpreter = std::make_shared<Interpreter>();
  Ref host, bridge, function, stream, schema, field, array, batch;  // types
  Ref arrow_c_array, arrow_c_stream, arrow_c_schema;                // names
  Ref make_error;  // alloy._errors.make, once it was needed

  PyTypeObject* type(const Ref& of) const {
    return reinterpret_cast<PyTypeObject*>(of.get());
  }
  bool Is(PyObject* object, const Ref& of) const {
    return PyObject_TypeCheck(object, type(of)) != 0;
  }
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_STATE_H_
