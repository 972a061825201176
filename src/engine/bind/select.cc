// SPDX-License-Identifier: MIT
#include "engine/bind/select.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "arrow/schema.h"

namespace alloy::core {
namespace {

// With its length, so that no two lists of parts give the same text.
void AppendPart(std::string_view part, std::string* key) {
  key->append(std::to_string(part.size())).append(":").append(part);
}

std::string ListOfFunctions(const alloy_backend& backend) {
  std::string list;
  std::string_view last;
  for (const alloy_function* const* f = backend.functions; *f != nullptr; ++f) {
    if (last == (*f)->name) continue;  // another function of the same name
    last = (*f)->name;
    list += (list.empty() ? "" : ", ") + std::string(last);
  }
  return list.empty() ? "it has no functions" : "it has: " + list;
}

std::string ListOfOptions(const alloy_function& function) {
  std::string list;
  for (const alloy_option* o = function.options; o != nullptr && o->name != nullptr;
       ++o) {
    list += (list.empty() ? "" : ", ") + std::string(o->name);
  }
  return list.empty() ? "it takes no options" : "it takes: " + list;
}

// One value for each option of the function's table, in the table's order.
Result<std::vector<std::string>> FillOptions(const alloy_function& function,
                                             const char* const* options) {
  const std::string name = function.name;
  std::vector<std::string> values;
  std::vector<bool> given;
  for (const alloy_option* o = function.options; o != nullptr && o->name != nullptr;
       ++o) {
    values.emplace_back(o->fallback != nullptr ? o->fallback : "");
    given.push_back(false);
  }
  for (const char* const* pair = options; pair != nullptr && *pair != nullptr;
       pair += 2) {
    const std::string key = pair[0];
    if (pair[1] == nullptr) return Fail(ALLOY_INVALID, "option " + key + " has no value");
    size_t place = 0;
    while (place < values.size() && key != function.options[place].name) ++place;
    if (place == values.size()) {
      return Fail(ALLOY_INVALID,
                  name + " has no option " + key + "; " + ListOfOptions(function));
    }
    if (given[place]) return Fail(ALLOY_INVALID, "option " + key + " is given twice");
    given[place] = true;
    values[place] = pair[1];
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const alloy_option& option = function.options[i];
    if (!given[i] && option.fallback == nullptr) {
      std::string text = name + " needs the option " + option.name;
      if (option.summary != nullptr) text += std::string(" (") + option.summary + ")";
      return Fail(ALLOY_INVALID, std::move(text));
    }
  }
  return values;
}

Status CheckInputCount(const alloy_function& function, int32_t n_inputs) {
  if (n_inputs >= function.min_inputs &&
      (function.max_inputs == -1 || n_inputs <= function.max_inputs)) {
    return Status();
  }
  std::string expected = std::to_string(function.min_inputs);
  if (function.max_inputs == -1) {
    expected += " or more";
  } else if (function.max_inputs != function.min_inputs) {
    expected += " to " + std::to_string(function.max_inputs);
  }
  return Fail(ALLOY_INVALID, std::string(function.name) + " takes " + expected +
                                 (expected == "1" ? " input, not " : " inputs, not ") +
                                 std::to_string(n_inputs));
}

Result<Lease> TryFunction(const ServedBackend& backend, const alloy_function& function,
                          const ArrowSchema* inputs, int32_t n_inputs,
                          const char* const* options) {
  ALLOY_TRY(CheckInputCount(function, n_inputs));
  ALLOY_ASSIGN_OR_RETURN(auto values, FillOptions(function, options));
  auto binding =
      std::make_shared<Binding>(backend.channel, function, backend.bindings.mark());
  ALLOY_ASSIGN_OR_RETURN(void* state, binding->BindFirst(backend.log_context, inputs,
                                                         n_inputs, std::move(values)));
  return Lease(std::move(binding), state);
}

}  // namespace

Result<BoundFunction> BindFunction(std::shared_ptr<ServedBackend> backend,
                                   const std::string& name, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options) {
  ALLOY_ASSIGN_OR_RETURN(const std::string key,
                         BindingKey(name, inputs, n_inputs, options));
  if (auto binding = backend->bindings.Find(key); binding != nullptr) {
    ALLOY_ASSIGN_OR_RETURN(void* state, binding->TakeState(backend->log_context));
    return BoundFunction{std::move(backend), Lease(std::move(binding), state)};
  }
  ALLOY_ASSIGN_OR_RETURN(Lease lease,
                         SelectFunction(*backend, name, inputs, n_inputs, options));
  backend->bindings.Insert(key, lease.binding());
  return BoundFunction{std::move(backend), std::move(lease)};
}

Result<std::string> BindingKey(const std::string& function, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const* options) {
  std::string key;
  AppendPart(function, &key);
  for (const char* const* text = options; text != nullptr && *text != nullptr; ++text) {
    AppendPart(*text, &key);
  }
  key += "|";
  // All inputs share one budget. So it also limits the rest of the bind, which reads each
  // schema a few times more.
  SchemaBudget budget;
  for (int32_t i = 0; i < n_inputs; ++i) {
    const Status status = AppendFingerprint(inputs[i], &budget, &key);
    if (!status.ok()) return status.WithInput(i).WithSide(ALLOY_SIDE_CALLER);
    key += "|";
  }
  return key;
}

Result<Lease> SelectFunction(const ServedBackend& served, const std::string& name,
                             const ArrowSchema* inputs, int32_t n_inputs,
                             const char* const* options) {
  const alloy_backend& backend = served.channel->table()->backend();
  std::vector<Status> refusals;
  for (const alloy_function* const* f = backend.functions; *f != nullptr; ++f) {
    if (name != (*f)->name) continue;
    auto selected = TryFunction(served, **f, inputs, n_inputs, options);
    if (selected.ok()) return selected;
    const alloy_code code = selected.status().code();
    // Try the next function of the name only after an error that it may not have.
    if (code != ALLOY_NO_MATCH && code != ALLOY_INVALID && code != ALLOY_UNSUPPORTED) {
      return selected.status();
    }
    refusals.push_back(selected.status());
  }
  if (refusals.empty()) {
    return Fail(ALLOY_NOT_FOUND, std::string(backend.name) + " has no function " + name +
                                     "; " + ListOfFunctions(backend));
  }
  if (refusals.size() == 1) return refusals.front();
  std::string text = "none of the " + std::to_string(refusals.size()) + " functions " +
                     name + " of " + backend.name + " accepts this:";
  for (const Status& refusal : refusals) text += "\n  " + refusal.fault().text;
  // If none of them could accept the arguments, they are a mistake and not a mismatch.
  const bool all_invalid = std::ranges::all_of(
      refusals, [](const Status& refusal) { return refusal.code() == ALLOY_INVALID; });
  // Not by Fail, which would make one line of the list.
  return Status(Fault{.code = all_invalid ? ALLOY_INVALID : ALLOY_NO_MATCH,
                      .side = ALLOY_SIDE_CALLER,
                      .text = std::move(text)});
}

}  // namespace alloy::core
