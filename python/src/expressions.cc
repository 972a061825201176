// SPDX-License-Identifier: MIT
#include "expressions.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "bound_call.h"
#include "call.h"
#include "errors.h"
#include "threads.h"

namespace alloy::python {
namespace {

constexpr std::string_view kMarker = "alloy-expression:";
constexpr size_t kTokenSize = 32;
constexpr std::string_view kReference = "alloy-reference:";  // base64 until a point

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

std::vector<std::string> TextsOf(PyObject* list, const char* what) {
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(PyList_Size(list)));
  for (Py_ssize_t i = 0; i < PyList_Size(list); ++i) {
    texts.push_back(Text(PyList_GetItem(list, i), what));
  }
  return texts;
}

}  // namespace

std::shared_ptr<Expression> FindExpression(std::string_view arguments) {
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
