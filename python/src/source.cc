// SPDX-License-Identifier: MIT
#include "source.h"

#include <cerrno>

#include "capsules.h"
#include "data.h"
#include "errors.h"
#include "foreign_schema.h"
#include "threads.h"

namespace alloy::python {
namespace {

Source& Of(ArrowArrayStream* stream) {
  return **static_cast<std::shared_ptr<Source>*>(stream->private_data);
}

}  // namespace

std::shared_ptr<Source> Source::Make(State& state, Ref iterator, int32_t at,
                                     const Schema* given) {
  std::shared_ptr<Source> source(new Source(state, at));
  source->iterator_ = iterator.Release();
  if (given != nullptr) {
    if (!AppendKey(&source->key_, **given)) RaiseMalformed(state, **given, at);
    source->schema_ = Schema::Copy(**given);
    return source;
  }
  if (source->Next(&source->first_)) return source;
  RaiseError(state, ALLOY_INVALID,
             "input " + std::to_string(at) +
                 " is an iterable without any batch, so its schema is not known; give it "
                 "with using(schema=...)",
             at);
}

Source::~Source() {
  // Any thread may come here, and nobody may wait for the GIL while a stream is released.
  interpreter_->DropLater(iterator_);
  interpreter_->DropLater(exception_.load(std::memory_order_acquire));
}

OwnedArrayStream Source::Export(std::shared_ptr<Source> source) {
  OwnedArrayStream stream;
  *stream = {.get_schema = &GetSchema,
             .get_next = &GetNext,
             .get_last_error = &GetLastError,
             .release = &Release,
             .private_data = new std::shared_ptr<Source>(std::move(source))};
  return stream;
}

int Source::GetSchema(ArrowArrayStream* stream, ArrowSchema* out) noexcept {
  try {
    Schema::Copy(*Of(stream).schema_).MoveTo(out);
    return 0;
  } catch (...) {
    return ENOMEM;
  }
}

int Source::GetNext(ArrowArrayStream* stream, ArrowArray* out) noexcept {
  Source& self = Of(stream);
  *out = ArrowArray{};
  OwnedArray batch;
  const Gil gil(*self.interpreter_);
  if (!gil) {
    self.text_ =
        "the interpreter of the iterator has ended, or is not the one that reads";
    return ECANCELED;
  }
  try {
    if (self.Next(&batch)) batch.MoveTo(out);
    return 0;
  } catch (Raised& raised) {
    raised.Restore();
    self.KeepException();
    return EIO;
  } catch (const abi::__forced_unwind&) {
    StopForEver();
  } catch (...) {
    return ENOMEM;
  }
}

const char* Source::GetLastError(ArrowArrayStream* stream) noexcept {
  const Source& self = Of(stream);
  return self.text_.empty() ? nullptr : self.text_.c_str();
}

void Source::Release(ArrowArrayStream* stream) noexcept {
  delete static_cast<std::shared_ptr<Source>*>(stream->private_data);
  stream->release = nullptr;
}

void Source::CheckSchema(const ArrowSchema& schema) const {
  std::string key;
  if (!AppendKey(&key, schema)) RaiseMalformed(state_, schema, at_);
  if (key == key_) return;
  RaiseError(
      state_, ALLOY_BAD_DATA,
      "input " + std::to_string(at_) +
          ": a batch of the iterable has another schema than its first one, or "
          "than the given one; give all batches the same names, types and metadata",
      at_);
}

bool Source::NextOfStream(OwnedArray* out) {
  int number = 0;
  {
    const NoGil no_gil(*interpreter_);
    number = inside_->get_next(inside_.get(), out->get());
  }
  if (number != 0) {
    // A failed call may leave anything in the struct, and nobody owns it.
    *out->get() = ArrowArray{};
    const char* text = inside_->get_last_error(inside_.get());
    RaiseError(state_, ALLOY_FAILED,
               text == nullptr ? "a stream of the iterable failed with errno " +
                                     std::to_string(number)
                               : std::string(text),
               at_);
  }
  if (!*out) inside_.Release();
  return static_cast<bool>(*out);
}

bool Source::NextOfObject(PyObject* object, OwnedArray* out) {
  Input input = ImportInput(state_, object, at_, nullptr);
  if (input.source != nullptr) {
    // Nested iterables are not read: only streams.
    Raise(PyExc_TypeError, "input " + std::to_string(at_) +
                               " is an iterable of iterables; give one of batches");
  }
  const bool is_batch = input.is_batch();
  Schema schema = std::move(input.schema);
  *out = std::move(input.array);
  inside_ = std::move(input.stream);
  if (!schema_) {
    schema_ = std::move(schema);
    if (!AppendKey(&key_, *schema_)) RaiseMalformed(state_, *schema_, at_);
  } else {
    CheckSchema(*schema);
  }
  return is_batch || NextOfStream(out);
}

bool Source::Next(OwnedArray* out) {
  if (first_) {
    *out = std::move(first_);
    return true;
  }
  if (inside_ && NextOfStream(out)) return true;
  for (;;) {
    PyObject* object = PyIter_Next(iterator_);
    if (object == nullptr && PyErr_Occurred() != nullptr) throw Raised();
    if (object == nullptr) return false;
    const Ref owner = Ref::Own(object);
    if (NextOfObject(object, out)) return true;
  }
}

void Source::KeepException() {
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (value != nullptr && traceback != nullptr) {
    PyException_SetTraceback(value, traceback);
  }
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  interpreter_->DropLater(exception_.exchange(value, std::memory_order_acq_rel));
  PyObject* text = value != nullptr ? PyObject_Str(value) : nullptr;
  Py_ssize_t size = 0;
  const char* bytes = text != nullptr ? PyUnicode_AsUTF8AndSize(text, &size) : nullptr;
  text_.assign(bytes != nullptr ? bytes : "an iterator failed");
  PyErr_Clear();
  Py_XDECREF(text);
}

}  // namespace alloy::python
