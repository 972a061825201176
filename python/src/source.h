// SPDX-License-Identifier: MIT
//
// An iterator of Python as a stream of batches for the engine. The struct holds the
// iterator through an Interpreter, so it may be released on any thread, at any time.
#ifndef ALLOY_PYTHON_SRC_SOURCE_H_
#define ALLOY_PYTHON_SRC_SOURCE_H_

#include <atomic>
#include <memory>
#include <string>

#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "python.h"
#include "state.h"

namespace alloy::python {

// Threads  serial, on any thread: it gets the GIL itself.
class Source {
 public:
  // Reads the first object, if `given` is NULL, because it has the schema.
  static std::shared_ptr<Source> Make(State& state, Ref iterator, int32_t at,
                                      const Schema* given);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  static OwnedArrayStream Export(std::shared_ptr<Source> source);

  const ArrowSchema& schema() const { return *schema_; }
  // The exception that ended the iterator, as it was raised; empty: none. Needs the GIL.
  Ref exception() const { return Ref::Share(exception_.load(std::memory_order_acquire)); }

 private:
  Source(State& state, int32_t at)
      : state_(state), interpreter_(state.interpreter), at_(at) {}
  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) noexcept;
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) noexcept;
  static const char* GetLastError(ArrowArrayStream* stream) noexcept;
  static void Release(ArrowArrayStream* stream) noexcept;

  // Throw Raised.
  bool Next(OwnedArray* out);
  bool NextOfObject(PyObject* object, OwnedArray* out);
  bool NextOfStream(OwnedArray* out);
  void CheckSchema(const ArrowSchema& schema) const;
  void KeepException();

  State& state_;  // only used with the GIL, while the interpreter lives
  const std::shared_ptr<Interpreter> interpreter_;
  const int32_t at_;
  PyObject* iterator_ = nullptr;
  Schema schema_;
  std::string key_;          // of the schema
  OwnedArray first_;         // was read for its schema
  OwnedArrayStream inside_;  // the stream of an object that has several batches
  std::atomic<PyObject*> exception_{nullptr};
  std::string text_;
};

}  // namespace alloy::python

#endif  // ALLOY_PYTHON_SRC_SOURCE_H_
