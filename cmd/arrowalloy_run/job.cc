// SPDX-License-Identifier: MIT
#include "job.h"

#include <arrow/c/bridge.h>
#include <fmt/format.h>

#include <functional>
#include <string_view>
#include <utility>

#include "../arrowalloy/engine_failure.h"
#include "alloy/alloy.h"
#include "alloy/arrow.hpp"
#include "arrow_error.h"

namespace arrowalloy::run {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Handle = std::unique_ptr<T, Freed<Free>>;

constexpr uint64_t kTicket = 1;  // of the one stream that the call serves

}  // namespace

struct Job::State {
  explicit State(const Options& of) : options(of) {}

  // An error of the engine, with all that says where it happened.
  Failure FailureOf(const alloy_error& of) const {
    Failure failure = EngineFailure(of, options.library);
    std::string where = fmt::format("{}, function {}", options.library, options.function);
    if (of.input >= 0) {
      const auto input = static_cast<size_t>(of.input);
      where += fmt::format(", input {}", of.input);
      if (input < options.inputs.size()) where += " (" + options.inputs[input] + ")";
    }
    if (of.column >= 0) where += fmt::format(", column {}", of.column);
    failure.at = where;
    return failure;
  }
  void Check(alloy_code code) const {
    if (code != ALLOY_OK) throw FailureOf(error);
  }

  const Options& options;
  alloy_error error{};
  Handle<alloy_host, alloy_host_free> host;
  Handle<alloy_bridge, alloy_bridge_free> bridge;
  Handle<alloy_call, alloy_call_free> call;
  const alloy_function* function = nullptr;  // NULL: binding says what there is
  std::optional<std::stop_callback<std::function<void()>>> cancel;
  alloy::detail::Owned<ArrowArrayStream> results;
  std::shared_ptr<arrow::Schema> schema;
};

Job::Job(const Options& options, const std::string& certificate)
    : state_(std::make_unique<State>(options)) {
  State& state = *state_;
  std::vector<const char*> may_need;
  may_need.reserve(options.may_need.size() + 1);
  for (const auto& name : options.may_need) may_need.push_back(name.c_str());
  may_need.push_back(nullptr);
  alloy_host_options host_options{};
  host_options.struct_size = sizeof(host_options);
  host_options.flags = options.allow_unsigned ? ALLOY_ALLOW_UNSIGNED : 0;
  host_options.may_need = options.may_need.empty() ? nullptr : may_need.data();
  host_options.language = "arrowalloy";
  host_options.log_mode = 0;
  alloy_host* host = nullptr;
  state.Check(alloy_host_new(&host_options, &host, &state.error));
  state.host.reset(host);
  alloy_bridge* bridge = nullptr;
  state.Check(alloy_bridge_new(host, nullptr, &bridge, &state.error));
  state.bridge.reset(bridge);
  state.Check(alloy_bridge_load(bridge, options.library.c_str(),
                                certificate.empty() ? nullptr : certificate.c_str(),
                                &state.error));
  const alloy_function* const* functions = nullptr;
  state.Check(alloy_bridge_functions(bridge, &functions, &state.error));
  for (; *functions != nullptr; ++functions) {
    if (std::string_view((*functions)->name) != options.function) continue;
    state.function = *functions;
    break;
  }
}

Job::~Job() = default;

std::optional<std::vector<std::string>> Job::Declared(size_t input) const {
  const alloy_function* function = state_->function;
  if (function == nullptr || function->columns == nullptr) return std::nullopt;
  for (size_t i = 0; i <= input; ++i) {
    if (function->columns[i] == nullptr) return std::nullopt;
  }
  std::vector<std::string> names;
  for (const alloy_column* column = function->columns[input]; column->name != nullptr;
       ++column) {
    names.emplace_back(column->name);
  }
  return names;
}

void Job::Open(const std::vector<std::shared_ptr<arrow::RecordBatchReader>>& inputs,
               std::stop_token stop) {
  State& state = *state_;
  std::vector<alloy::detail::Owned<ArrowSchema>> owned(inputs.size());
  std::vector<ArrowSchema> schemas;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto status = arrow::ExportSchema(*inputs[i]->schema(), owned[i].get());
    if (!status.ok()) throw ReadFailure(status, state.options.inputs[i]);
    schemas.push_back(*owned[i]);
  }
  std::vector<std::string> pairs;
  for (const std::string& value : state.options.values) {
    const size_t equals = value.find('=');
    pairs.push_back(value.substr(0, equals));
    pairs.push_back(value.substr(equals + 1));
  }
  std::vector<const char*> values;
  values.reserve(pairs.size() + 1);
  for (const std::string& part : pairs) values.push_back(part.c_str());
  values.push_back(nullptr);
  alloy_call* call = nullptr;
  state.Check(alloy_call_bind(state.bridge.get(), state.options.function.c_str(),
                              schemas.data(), static_cast<int32_t>(schemas.size()),
                              values.data(), &call, &state.error));
  state.call.reset(call);
  state.cancel.emplace(std::move(stop), [call] { alloy_call_cancel(call, kTicket); });

  ArrowSchema output;
  alloy::Schema::Copy(*alloy_call_schema(call)).MoveTo(&output);
  state.schema = Read(arrow::ImportSchema(&output), state.options.library);

  std::vector<alloy::detail::Owned<ArrowArrayStream>> streams(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto status = arrow::ExportRecordBatchReader(inputs[i], streams[i].get());
    if (!status.ok()) throw ReadFailure(status, state.options.inputs[i]);
  }
  // An owner is its struct and nothing else, so the structs lie in a row.
  static_assert(sizeof(streams[0]) == sizeof(ArrowArrayStream));
  state.Check(alloy_call_stream(call, streams.empty() ? nullptr : streams[0].get(),
                                static_cast<int32_t>(streams.size()), state.results.get(),
                                state.options.timeout_ms * 1'000'000, kTicket,
                                &state.error));
}

const std::shared_ptr<arrow::Schema>& Job::schema() const { return state_->schema; }

std::shared_ptr<arrow::RecordBatch> Job::Next() {
  State& state = *state_;
  ArrowArray batch{};
  if (state.results->get_next(state.results.get(), &batch) != 0) {
    alloy_stream_error(state.results.get(), &state.error);
    throw state.FailureOf(state.error);
  }
  if (batch.release == nullptr) return nullptr;
  return alloy::arrow::Import(&batch, state.schema);
}

}  // namespace arrowalloy::run
