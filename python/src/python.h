// SPDX-License-Identifier: MIT
//
// What every source of the binding uses of CPython: the limited API of 3.11, an owner of
// references, and the way from C++ exceptions to Python's.
//
// Threads  everything here needs the GIL.
#ifndef ALLOY_PYTHON_SRC_PYTHON_H_
#define ALLOY_PYTHON_SRC_PYTHON_H_

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

namespace alloy::python {

// The exception of the interpreter, out of the way of Python code that runs meanwhile: the
// release callback of a struct from elsewhere may be such code.
class SavedError {
 public:
  SavedError() noexcept { PyErr_Fetch(&type_, &value_, &traceback_); }
  SavedError(SavedError&& other) noexcept
      : type_(std::exchange(other.type_, nullptr)),
        value_(std::exchange(other.value_, nullptr)),
        traceback_(std::exchange(other.traceback_, nullptr)) {}
  SavedError& operator=(SavedError&&) = delete;
  ~SavedError() {
    if (type_ != nullptr) Restore();
  }
  // Set the exception again.
  void Restore() noexcept {
    PyErr_Restore(std::exchange(type_, nullptr), std::exchange(value_, nullptr),
                  std::exchange(traceback_, nullptr));
  }

 private:
  PyObject* type_ = nullptr;
  PyObject* value_ = nullptr;
  PyObject* traceback_ = nullptr;
};

// Thrown after a Python exception was set, which it holds until somebody catches it.
class Raised final : public std::exception {
 public:
  void Restore() noexcept { error_.Restore(); }

 private:
  SavedError error_;
};

// While the interpreter ends, CPython before 3.14 ends each other thread that takes the GIL
// by pthread_exit, wherever it is. Unwinding would then run destructors that touch Python
// objects without the GIL. Such a thread waits for ever instead, as 3.14 lets it do, until
// the process is gone.
//
// Wait for ever if the interpreter ends and this thread has lost the GIL.
void StopIfEnded() noexcept;
// From the handler of a forced unwind.
[[noreturn]] void StopForEver() noexcept;

// One reference to a Python object.
class Ref {
 public:
  Ref() = default;
  // Takes a new reference; NULL throws Raised, because the function that returned it has
  // set an exception.
  static Ref Own(PyObject* object) {
    if (object == nullptr) throw Raised();
    return Ref(object);
  }
  // Another reference to a borrowed object; NULL gives an empty Ref.
  static Ref Share(PyObject* object) {
    Py_XINCREF(object);
    return Ref(object);
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
    Py_XDECREF(old);
    return *this;
  }
  ~Ref() {
    if (object_ == nullptr) return;
    StopIfEnded();
    Py_DECREF(object_);
  }

  PyObject* get() const { return object_; }
  PyObject* Release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  explicit Ref(PyObject* object) : object_(object) {}
  PyObject* object_ = nullptr;
};

// Runs the body of a function that CPython calls. What it throws becomes an exception.
template <typename Result, typename Body>
Result Enter(Result failed, Body body) noexcept {
  try {
    return body();
  } catch (Raised& raised) {
    raised.Restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const abi::__forced_unwind&) {
    StopForEver();
  }
  return failed;
}
template <typename Body>
PyObject* Enter(Body body) noexcept {
  return Enter(static_cast<PyObject*>(nullptr), [&] { return body().Release(); });
}

[[noreturn]] inline void Raise(PyObject* type, const std::string& text) {
  PyErr_SetString(type, text.c_str());
  throw Raised();
}

// As an entry of a method table, with METH_KEYWORDS.
inline PyCFunction WithKeywords(PyCFunctionWithKeywords function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// What a call of CPython returned that reports failure by a negative number.
inline int Check(int result) {
  if (result < 0) throw Raised();
  return result;
}

// As UTF-8 without a NUL inside; `what` begins the text of the error.
inline std::string Text(PyObject* object, const char* what) {
  Py_ssize_t size = 0;
  if (!PyUnicode_Check(object)) {
    Raise(PyExc_TypeError, std::string(what) + " must be a str");
  }
  const char* text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr) throw Raised();
  std::string copy(text, static_cast<size_t>(size));
  if (copy.find('\0') != copy.npos) {
    Raise(PyExc_ValueError, std::string(what) + " contains a NUL character");
  }
  return copy;
}
inline Ref Unicode(const char* text) {
  if (text == nullptr) return Ref::Share(Py_None);
  return Ref::Own(PyUnicode_DecodeUTF8(
      text, static_cast<Py_ssize_t>(std::string(text).size()), "replace"));
}
inline Ref None() { return Ref::Share(Py_None); }

// Ends an object of a heap type. `destroy` ends its C++ members.
template <typename Destroy>
void FreeObject(PyObject* self, Destroy destroy) noexcept {
  const SavedError error;  // an object may end because of one
  destroy();
  PyTypeObject* type = Py_TYPE(self);
  const auto release = reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free));
  release(self);
  Py_DECREF(type);
}

// Makes an object of a heap type. Its memory is zero after the head.
template <typename Object>
Object* Allocate(PyTypeObject* type) {
  const auto make = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
  PyObject* object = make(type, 0);
  if (object == nullptr) throw Raised();
  return reinterpret_cast<Object*>(object);
}

// Adds a heap type whose objects only the module makes.
template <typename Object>
Ref AddType(PyObject* module, const char* name, PyType_Slot* slots) {
  PyType_Spec spec{
      name, sizeof(Object), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      slots};
  Ref type = Ref::Own(PyType_FromModuleAndSpec(module, &spec, nullptr));
  Check(PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())));
  return type;
}

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_PYTHON_H_
