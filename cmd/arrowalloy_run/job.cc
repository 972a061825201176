// SPDX-License-Identifier: MIT
#include "job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "../arrowalloy/base/engine_failure.h"
#include "../arrowalloy/base/report.h"
#include "alloy/arrow.hpp"
#include "arrow_error.h"
#include "loaded.h"

namespace arrowalloy::run {
namespace {

alloy::HostOptions HostOptionsOf(const Options& options) {
  return {.allow_unsigned = options.allow_unsigned,
          .load_plainly = options.load_plainly,
          .may_need = options.may_need,
          .language = "arrowalloy"};
}

// "x, y, z": what a file has, since the error of the engine lists only what is declared.
std::string ColumnsOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 20;
  std::string columns;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    columns += (i == 0 ? "" : ", ") + Harmless(names[i]);
  }
  return columns + (names.size() > kShown ? ", ..." : "");
}

// What to do next, in terms of the arguments of `run`.
std::string HelpOf(const alloy::Status& status, const std::string& otherwise) {
  if (status.reason() == ALLOY_REASON_UNSIGNED) {
    return "pass --certificate @FILE of its signer, or --allow-unsigned if you trust it";
  }
  switch (status.code()) {
    case ALLOY_NOT_FOUND:
      return "pass one of these functions";
    case ALLOY_NO_MATCH:
      return "choose columns with --columns, or types with --cast";
    case ALLOY_INVALID:
      return "change -i or --set; arrowalloy run --help explains them";
    case ALLOY_TIMEOUT:
      return "pass a larger --timeout-ms, or smaller batches with --batch-rows";
    default:
      return otherwise;
  }
}

// An error of the engine, with the function, input and column where it happened.
Failure FailureOf(const alloy::Status& status, const Options& options,
                  const std::vector<InputFacts>& inputs = {}) {
  Failure failure = EngineFailure(status.code(), status.reason(),
                                  std::string(status.text()), options.library);
  std::string where = fmt::format("{}, function {}", options.library, options.function);
  if (status.input() >= 0) {
    const auto input = static_cast<size_t>(status.input());
    where += fmt::format(", input {}", input);
    if (input < inputs.size()) where += " (" + inputs[input].name + ")";
  }
  if (status.column() >= 0) where += fmt::format(", column {}", status.column());
  failure.at = where;
  failure.help = HelpOf(status, failure.help);
  if (status.code() == ALLOY_NO_MATCH && status.input() >= 0 &&
      static_cast<size_t>(status.input()) < inputs.size()) {
    const InputFacts& input = inputs[static_cast<size_t>(status.input())];
    failure.help =
        "the input has the columns " + ColumnsOf(input.columns) + "; " + failure.help;
  }
  return failure;
}

void Check(const alloy::Status& status, const Options& options) {
  if (!status.ok()) throw FailureOf(status, options);
}

// Throw an error of the engine, or one of an input, which comes back unchanged.
void Check(const arrow::Status& status, const Options& options,
           const std::vector<InputFacts>& inputs) {
  if (status.ok()) return;
  const auto& detail = status.detail();
  if (const auto* of = dynamic_cast<const alloy::arrow::Detail*>(detail.get())) {
    throw FailureOf(of->status(), options, inputs);
  }
  throw BrokenFile(status, options.library);
}

}  // namespace

struct Job::State {
  explicit State(const Options& of)
      : options(of),
        bridge(alloy::Host(HostOptionsOf(of)),
               {.name = of.name,
                .min_sequence = static_cast<uint64_t>(of.min_sequence),
                .sidecar = of.sidecar,
                .isolated = of.isolated ? alloy::Isolation::kWorkers
                                        : alloy::Isolation::kNone}) {}

  const Options& options;
  alloy::Bridge bridge;
  std::vector<alloy::FunctionInfo> functions;
  std::vector<InputFacts> inputs;  // for errors
  alloy::arrow::ReaderPtr results;
};

Job::Job(const Options& options, const std::string& certificate)
    : state_(std::make_unique<State>(options)) {
  for (const std::string& library : options.may_need) CheckOtherCopy(library);
  Check(state_->bridge.SetImplLib(options.library, certificate), options);
  auto functions = state_->bridge.Functions();
  Check(functions.status(), options);
  state_->functions = std::move(*functions);
}

Job::~Job() = default;

// NULL for an unknown function. The engine lists the functions when it binds.
const alloy::FunctionInfo* Job::Function() const {
  const auto function = std::ranges::find(state_->functions, state_->options.function,
                                          &alloy::FunctionInfo::name);
  return function == state_->functions.end() ? nullptr : &*function;
}

std::optional<std::vector<alloy::ColumnInfo>> Job::Declared(size_t input) const {
  const auto* function = Function();
  if (function == nullptr || input >= function->columns.size()) return std::nullopt;
  return function->columns[input];
}

bool Job::TakesOneInput() const {
  const auto* function = Function();
  return function != nullptr && function->max_inputs == 1;
}

void Job::Open(const std::vector<std::shared_ptr<arrow::RecordBatchReader>>& inputs,
               std::vector<InputFacts> facts, std::stop_token stop) {
  const Options& options = state_->options;
  state_->inputs = std::move(facts);
  alloy::OptionMap values;
  for (const std::string& value : options.values) {
    const size_t equals = value.find('=');
    values[value.substr(0, equals)] = value.substr(equals + 1);
  }
  auto results =
      alloy::arrow::Stream(state_->bridge, options.function, inputs, values,
                           {.timeout = std::chrono::milliseconds(options.timeout_ms),
                            .stop = std::move(stop)});
  Check(results.status(), options, state_->inputs);
  state_->results = std::move(results).ValueUnsafe();
}

std::shared_ptr<arrow::Schema> Job::schema() const { return state_->results->schema(); }

std::shared_ptr<arrow::RecordBatch> Job::Next() {
  std::shared_ptr<arrow::RecordBatch> batch;
  Check(state_->results->ReadNext(&batch), state_->options, state_->inputs);
  return batch;
}

}  // namespace arrowalloy::run
