// SPDX-License-Identifier: MIT
#include "polars_plugin.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bridge.h"
#include "call.h"
#include "capsules.h"
#include "errors.h"
#include "foreign_schema.h"
#include "series.h"
#include "shared_calls.h"
#include "threads.h"

namespace alloy::python {
namespace {

// crates/polars-ffi/src/version_0.rs of Polars. Who gets a SeriesExport takes its arrays
// out one by one, and then calls release, which frees the rest.
struct SeriesExport {
  ArrowSchema* field;
  ArrowArray** arrays;
  size_t length;
  void (*release)(SeriesExport*);
  void* private_data;  // NULL: there is no series, but an error
};

constexpr std::string_view kMarker = "alloy-expression:";
constexpr size_t kTokenSize = 32;
constexpr std::string_view kReference = "alloy-reference:";  // base64 until a point

// A function with its options, as expressions name it by a token.
struct Expression {
  std::vector<std::string> names;  // of the columns; empty: those of Polars
  std::string function;
  std::unique_ptr<SharedCalls> calls;
};

// Polars keeps nothing of ours but the arguments of an expression, and says nothing when an
// expression ends. So expressions stay until their bridge is closed, and the same one is
// not kept twice.
struct Table {
  const uint32_t process = ForkGeneration();
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Expression>, std::less<>> by_token;
  std::map<std::string, std::string> tokens;  // by what the expression is
  std::set<std::string, std::less<>> closed;

  // Forgets the expressions of closed bridges, which would stay for nothing. With the lock.
  void Sweep() {
    std::erase_if(by_token, [this](const auto& one) {
      const bool ended = one.second->calls->bridge().closed.load();
      if (ended) closed.insert(one.first);
      return ended;
    });
    std::erase_if(tokens,
                  [this](const auto& one) { return !by_token.contains(one.second); });
  }
};

// The only global of the binding, because a plugin of Polars gets no context. A forked child
// gets another one: a thread that is not there may hold the mutex.
Table& TheTable() {
  static std::atomic<Table*> table{nullptr};
  Table* found = table.load(std::memory_order_acquire);
  while (found == nullptr || found->process != ForkGeneration()) {
    auto made = std::make_unique<Table>();
    if (table.compare_exchange_strong(found, made.get())) return *made.release();
  }
  return *found;
}

// Polars asks for the text on the thread of the failure.
std::string& LastError() {
  static thread_local std::string text;
  return text;
}

alloy_code Fail(alloy_error* error, alloy_code code, const std::string& text) {
  return FillError(error, code, text);
}

// An error whose text Polars gets as it is.
struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void ThrowClosed(const char* why) {
  alloy_error error;
  FillError(&error, ALLOY_CLOSED,
            std::string(why) + "; make the expression again with alloy.polars.expr");
  throw PlanError(ErrorText(error));
}

// The text of the exception that is set, which it clears.
std::string TakeException() {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  const Ref text = Ref::Own(PyObject_Str(value));
  std::string copy = Text(text.get(), "the text of an exception");
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  return copy;
}

// Lets alloy.polars open what an expression of another process refers to. Polars calls from
// threads that Python does not know, of a process that may not have imported this module
// yet. So there is no interpreter to choose but the main one.
void Resolve(std::string_view token, std::string_view reference) {
  if (Py_IsInitialized() == 0) ThrowClosed("the process has no interpreter");
  const PyGILState_STATE gil = PyGILState_Ensure();
  std::string wrong;
  try {
    try {
      const Ref module = Ref::Own(PyImport_ImportModule("alloy.polars"));
      Ref::Own(PyObject_CallMethod(module.get(), "_resolve", "s#s#", token.data(),
                                   static_cast<Py_ssize_t>(token.size()),
                                   reference.data(),
                                   static_cast<Py_ssize_t>(reference.size())));
    } catch (Raised& raised) {
      raised.Restore();
      wrong = TakeException();
    }
  } catch (Raised& raised) {
    raised.Restore();
    PyErr_Clear();
    wrong = "the reference of an expression cannot be opened";
  }
  PyGILState_Release(gil);
  if (!wrong.empty()) throw PlanError(wrong);
}

// Throws PlanError.
std::shared_ptr<Expression> Find(std::string_view arguments) {
  const size_t at = arguments.find(kMarker);
  if (at == arguments.npos || arguments.size() - at - kMarker.size() < kTokenSize) {
    ThrowClosed("the expression has no function");
  }
  const std::string_view token = arguments.substr(at + kMarker.size(), kTokenSize);
  const auto look = [token]() -> std::shared_ptr<Expression> {
    Table& table = TheTable();
    const std::lock_guard lock(table.mutex);
    const auto found = table.by_token.find(token);
    if (found != table.by_token.end()) return found->second;
    if (table.closed.contains(token))
      ThrowClosed("the backend of the expression is closed");
    return nullptr;
  };
  if (auto found = look()) return found;
  const size_t begin = arguments.find(kReference);
  const size_t end = begin == arguments.npos ? begin : arguments.find('.', begin);
  if (end == arguments.npos) {
    ThrowClosed(
        "the expression was made in another process, and its function has no file");
  }
  const size_t text = begin + kReference.size();
  Resolve(token, arguments.substr(text, end - text));
  auto found = look();
  if (found == nullptr) ThrowClosed("the reference of the expression has no function");
  return found;
}

alloy_code BatchSchemaOf(const Expression& expression,
                         const std::vector<const ArrowSchema*>& fields, Schema* batch,
                         alloy_error* error) {
  const auto& names = expression.names;
  if (!names.empty() && names.size() != fields.size()) {
    std::string wanted;
    for (const std::string& name : names) wanted += (wanted.empty() ? "" : ", ") + name;
    return Fail(error, ALLOY_INVALID,
                expression.function + " takes " + std::to_string(names.size()) +
                    " columns (" + wanted + "), but the expression has " +
                    std::to_string(fields.size()));
  }
  std::vector<Schema> columns;
  columns.reserve(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    std::string key;
    if (!AppendKey(&key, *fields[i])) {
      return Fail(error, ALLOY_BAD_DATA,
                  "the type of argument " + std::to_string(i) + " is malformed");
    }
    const std::string name = !names.empty() ? names[i] : std::string(fields[i]->name);
    if (HasFixedBytes(*fields[i])) {
      return Fail(error, ALLOY_NO_MATCH,
                  expression.function + ": column " + name +
                      " has the type Object of Polars, whose values are pointers; cast "
                      "it to a type of Arrow first");
    }
    columns.push_back(Schema::Copy(*fields[i], name, true));
  }
  *batch = Schema::Batch(std::move(columns));
  return ALLOY_OK;
}

// The only column of the output, or all of them as one of structs.
Schema FieldOf(const Expression& expression, const ArrowSchema& output) {
  if (output.n_children == 1) {
    const ArrowSchema& only = *output.children[0];
    return Schema::Copy(only, only.name == nullptr ? "" : only.name, true);
  }
  return Schema::Copy(output, expression.function, true);
}

OwnedArray ColumnOf(OwnedArray output) {
  if (output->n_children != 1) return output;
  return OwnedArray(output->children[0]);
}

alloy_code PlanField(const ArrowSchema* fields, size_t n, std::string_view arguments,
                     ArrowSchema* out, alloy_error* error) {
  const auto expression = Find(arguments);
  std::vector<const ArrowSchema*> types;
  types.reserve(n);
  for (size_t i = 0; i < n; ++i) types.push_back(&fields[i]);
  Schema batch;
  alloy_code code = BatchSchemaOf(*expression, types, &batch, error);
  if (code != ALLOY_OK) return code;
  std::unique_ptr<BoundCall> bound;
  code = expression->calls->Bind(*batch, &bound, error);
  if (code != ALLOY_OK) return code;
  FieldOf(*expression, **bound->output).MoveTo(out);
  expression->calls->GiveBack(std::move(bound));
  return ALLOY_OK;
}

// What Polars gave, until the end of the call.
class GivenSeries {
 public:
  GivenSeries(SeriesExport* series, size_t n) : series_(series), n_(n), columns_(n) {
    for (size_t i = 0; i < n; ++i) {
      columns_[i].schema = series[i].field;
      for (size_t k = 0; k < series[i].length; ++k) {
        columns_[i].Append(OwnedArray(series[i].arrays[k]));
      }
    }
  }
  GivenSeries(const GivenSeries&) = delete;
  GivenSeries& operator=(const GivenSeries&) = delete;
  ~GivenSeries() {
    for (size_t i = 0; i < n_; ++i) {
      if (series_[i].release != nullptr) series_[i].release(&series_[i]);
    }
  }

  std::vector<Series>& columns() { return columns_; }

 private:
  SeriesExport* const series_;
  const size_t n_;
  std::vector<Series> columns_;
};

// A literal is one row, which stands for as many rows as the other columns have.
alloy_code Align(std::vector<Series>& columns, alloy_error* error) {
  int64_t rows = 1;
  for (const Series& column : columns) {
    if (column.rows != 1) rows = column.rows;
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].rows == rows) continue;
    std::string wrong = "it has " + std::to_string(columns[i].rows) +
                        " rows, but another has " + std::to_string(rows);
    if (columns[i].rows == 1) wrong = RepeatRow(&columns[i], rows);
    if (!wrong.empty()) {
      return Fail(error, ALLOY_INVALID, "argument " + std::to_string(i) + ": " + wrong);
    }
  }
  return ALLOY_OK;
}

struct Result {
  Schema field;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowArray*> pointers;
};

void Give(Schema field, std::vector<OwnedArray> chunks, SeriesExport* out) {
  auto result = std::make_unique<Result>();
  result->field = std::move(field);
  result->arrays.reserve(chunks.size());
  result->pointers.reserve(chunks.size());
  for (OwnedArray& chunk : chunks) {
    result->arrays.push_back(chunk.Detach());
    result->pointers.push_back(&result->arrays.back());
  }
  out->field = result->field.get();
  out->arrays = result->pointers.data();
  out->length = result->pointers.size();
  // Polars has copied the arrays out before, so only their structs end here.
  out->release = [](SeriesExport* series) {
    delete static_cast<Result*>(series->private_data);
    series->release = nullptr;
  };
  out->private_data = result.release();
}

alloy_code RunExpression(GivenSeries& given, std::string_view arguments,
                         SeriesExport* out, alloy_error* error) {
  const auto expression = Find(arguments);
  std::vector<Series>& columns = given.columns();
  std::vector<const ArrowSchema*> types;
  for (const Series& column : columns) {
    types.push_back(column.schema);
    if (column.chunks.empty())
      return Fail(error, ALLOY_BAD_DATA, "a column has no chunk");
  }
  Schema batch_schema;
  alloy_code code = BatchSchemaOf(*expression, types, &batch_schema, error);
  if (code != ALLOY_OK) return code;
  code = Align(columns, error);
  if (code != ALLOY_OK) return code;
  std::unique_ptr<BoundCall> bound;
  code = expression->calls->Bind(*batch_schema, &bound, error);
  if (code != ALLOY_OK) return code;
  BatchReader reader(columns);
  std::vector<OwnedArray> chunks;
  OwnedArray batch, output;
  while (reader.Next(&batch)) {
    code = expression->calls->Run(*bound, std::move(batch), &output, error);
    if (code != ALLOY_OK) return code;
    chunks.push_back(ColumnOf(std::move(output)));
  }
  Give(FieldOf(*expression, **bound->output), std::move(chunks), out);
  expression->calls->GiveBack(std::move(bound));
  return ALLOY_OK;
}

// Runs what Polars asked for; it leaves the text of a failure.
template <typename Body>
void Answer(Body body) {
  alloy_error error{};
  try {
    if (body(&error) != ALLOY_OK) LastError() = ErrorText(error);
  } catch (const PlanError& exception) {
    LastError() = exception.what();
  } catch (const std::exception& exception) {
    FillError(&error, ALLOY_EXHAUSTED, exception.what());
    LastError() = ErrorText(error);
  }
}

std::vector<std::string> TextsOf(PyObject* list, const char* what) {
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(PyList_Size(list)));
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    texts.push_back(Text(PyList_GetItem(list, i), what));
  }
  return texts;
}

}  // namespace

PyObject* PolarsExpression(PyObject* module, PyObject* args) {
  return Enter([&] {
    State& state = StateOf(module);
    PyObject *object = nullptr, *names = nullptr, *options = nullptr;
    const char* token = nullptr;
    int is_of_another = 0;
    if (PyArg_ParseTuple(args, "O!sO!O!p", state.function.get(), &object, &token,
                         &PyList_Type, &names, &PyDict_Type, &options,
                         &is_of_another) == 0) {
      throw Raised();
    }
    if (std::string_view(token).size() != kTokenSize) {
      Raise(PyExc_ValueError, "the token must have 32 characters");
    }
    const auto* function = reinterpret_cast<FunctionObject*>(object);
    auto expression = std::make_shared<Expression>();
    expression->names = TextsOf(names, "the name of a column");
    expression->function = function->core->name;
    std::vector<std::string> texts = OptionsOf(options).texts;
    std::string same =
        std::to_string(reinterpret_cast<uintptr_t>(function->core->bridge.get()));
    same += ' ' + std::to_string(function->timeout_ns) + ' ' + expression->function;
    for (const std::string& name : expression->names) same += '\0' + name;
    same += '\0';
    for (const std::string& text : texts) same += '\0' + text;

    Table& table = TheTable();
    const std::lock_guard lock(table.mutex);
    table.Sweep();
    const auto [found, is_new] = table.tokens.emplace(std::move(same), token);
    if (is_new) {
      expression->calls =
          std::make_unique<SharedCalls>(function->core->bridge, expression->function,
                                        std::move(texts), function->timeout_ns);
      function->core->shared.push_back({expression, expression->calls.get()});
      table.by_token.emplace(token, std::move(expression));
    } else if (is_of_another != 0) {
      table.by_token.emplace(token, table.by_token.at(found->second));
    }
    return Unicode(found->second.c_str());
  });
}

}  // namespace alloy::python

using alloy::python::SeriesExport;

extern "C" {

// Major 0, minor 1: the function that plans gets the arguments too.
__attribute__((visibility("default"))) uint32_t _polars_plugin_get_version() { return 1; }

__attribute__((visibility("default"))) const char*
_polars_plugin_get_last_error_message() {
  return alloy::python::LastError().c_str();
}

__attribute__((visibility("default"))) void _polars_plugin_field_alloy(
    const ArrowSchema* fields, size_t n, ArrowSchema* out, const char* arguments,
    size_t size) {
  alloy::python::Answer([&](alloy_error* error) {
    return alloy::python::PlanField(fields, n, {arguments, size}, out, error);
  });
}

// Takes the series.
__attribute__((visibility("default"))) void _polars_plugin_alloy(
    SeriesExport* series, size_t n, const char* arguments, size_t size, SeriesExport* out,
    const void* /*context*/) {
  alloy::python::Answer([&](alloy_error* error) {
    alloy::python::GivenSeries given(series, n);
    return alloy::python::RunExpression(given, {arguments, size}, out, error);
  });
}

}  // extern "C"
