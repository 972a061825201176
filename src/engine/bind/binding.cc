// SPDX-License-Identifier: MIT
#include "engine/bind/binding.h"

#include <utility>

#include "arrow/match_columns.h"
#include "arrow/schema.h"
#include "base/names.h"
#include "gate/copied.h"

namespace alloy::core {
namespace {

constexpr size_t kMaxBindings = 64;

Status CheckFromChunksOutput(const ArrowSchema& output) {
  const bool is_count = output.n_children == 1 && output.children[0]->format != nullptr &&
                        std::string_view(output.children[0]->format) == "l" &&
                        output.children[0]->dictionary == nullptr;
  if (is_count) return Status();
  return Fail(ALLOY_BAD_DATA, ALLOY_REASON_RESULT_SHAPE,
              "the backend's function from_chunks must return one int64 column");
}

}  // namespace

Status BackendFault(const BackendTable& table, const alloy_function& function,
                    alloy_code code, std::string text) {
  // BUSY would mean that the inputs were not taken, and CLOSED and LOST are about the
  // bridge. A backend knows neither.
  const bool is_known = code > ALLOY_OK && code <= ALLOY_INTERNAL;
  const bool is_engines =
      code == ALLOY_BUSY || code == ALLOY_CLOSED || code == ALLOY_LOST;
  if (text.empty()) {
    text = std::string(function.name) + " of " + table.backend().name + " returned " +
           (is_known ? CodeName(code) : "the unknown code " + std::to_string(code)) +
           " without a text";
  }
  return Status(Fault{.code = !is_known    ? ALLOY_INTERNAL
                              : is_engines ? ALLOY_FAILED
                                           : code,
                      .side = ALLOY_SIDE_BACKEND,
                      .text = std::move(text)});
}

Binding::~Binding() {
  const Idle idle = *idle_.Read();
  for (size_t i = 0; i < idle.n; ++i) Unbind(idle.states[i]);
}

bool Binding::is_from_chunks() const {
  return std::string_view(function_.name) == "from_chunks";
}

Result<void*> Binding::BindFirst(const LogContext& log_context, const ArrowSchema* inputs,
                                 int32_t n_inputs, std::vector<std::string> values) {
  values_ = std::move(values);
  log_context_ = &log_context;
  const alloy_column* const* columns = function_.columns;
  for (int32_t i = 0; i < n_inputs; ++i) {
    Projection projection;
    if (columns != nullptr && *columns != nullptr) {
      auto matched = MatchColumns(*columns++, inputs[i]);
      if (!matched.ok()) {
        // INVALID is the backend's fault: the function declares a column twice.
        return matched.status().WithInput(i).WithSide(
            matched.status().code() == ALLOY_INVALID ? ALLOY_SIDE_BACKEND
                                                     : ALLOY_SIDE_CALLER);
      }
      projection = *std::move(matched);
    }
    auto layout = Layout::OfBatch(inputs[i]);
    if (!layout.ok()) return layout.status().WithInput(i).WithSide(ALLOY_SIDE_CALLER);
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema,
                           projection.identity ? CopySchema(inputs[i])
                                               : ProjectSchema(inputs[i], projection));
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema whole, CopySchema(inputs[i]));
    schemas_.push_back(*schema);
    owned_.push_back(std::move(schema));
    inputs_.push_back({std::move(whole), *std::move(layout), std::move(projection)});
  }
  ALLOY_ASSIGN_OR_RETURN(BackendBinding asked, BindBackend(log_context));
  const Status status = [&]() -> Status {
    ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(*asked.output));
    output_layout_ = std::make_unique<Layout>(std::move(layout));
    if (is_from_chunks()) ALLOY_TRY(CheckFromChunksOutput(*asked.output));
    return AppendFingerprint(*asked.output, &output_key_);
  }();
  if (!status.ok()) {
    Unbind(asked.state);
    return status.WithSide(ALLOY_SIDE_BACKEND)
        .WithPrefix("the schema that " + FunctionName() + " returned: ");
  }
  output_ = std::move(asked.output);
  return asked.state;
}

Result<Binding::BackendBinding> Binding::BindBackend(const LogContext& log_context) {
  std::vector<const char*> values;
  values.reserve(values_.size() + 1);
  for (const std::string& value : values_) values.push_back(value.c_str());
  values.push_back(nullptr);
  CallLog call_log;
  call_log.function = function_.name;
  Scope scope(&log_context, &call_log);
  ArrowSchema output{};
  BackendBinding asked;
  const alloy_code code = channel_->Bind(function_, scope, schemas_.data(),
                                         static_cast<int32_t>(schemas_.size()),
                                         values.data(), &output, &asked.state);
  Status status = DisarmSchema(FunctionName(), schemas_, &output);
  asked.output = OwnedSchema(&output);
  if (code == ALLOY_OK && status.ok()) return asked;
  if (const std::string thrown = ReleaseForeign(&asked.output); !thrown.empty()) {
    Warn(log_context, "the release of the schema of " + FunctionName() + ": " + thrown);
  }
  if (!status.ok()) {
    if (code == ALLOY_OK) Unbind(asked.state);
    return status;
  }
  if (Status failure = scope.TakeFailure(); !failure.ok()) return failure;
  return BackendFault(*channel_->table(), function_, code, scope.TakeErrorText());
}

std::string Binding::FunctionName() const {
  return std::string(function_.name) + " of " + channel_->table()->backend().name;
}

void Binding::Unbind(void* state) {
  const std::string thrown = channel_->Unbind(function_, state);
  if (thrown.empty() || log_context_ == nullptr) return;
  Warn(*log_context_, "unbind of " + FunctionName() + ": " + thrown);
}

Result<void*> Binding::TakeState(const LogContext& log_context) {
  {
    const auto idle = idle_.Write();
    if (idle->n > 0) return idle->states[--idle->n];
  }
  ALLOY_ASSIGN_OR_RETURN(BackendBinding asked, BindBackend(log_context));
  std::string key;
  const Status status = AppendFingerprint(*asked.output, &key);
  if (status.ok() && key == output_key_) return asked.state;
  Unbind(asked.state);
  return BackendFault(*channel_->table(), function_, ALLOY_FAILED,
                      std::string(function_.name) + " of " +
                          channel_->table()->backend().name +
                          " returned two different schemas for the same inputs and "
                          "options");
}

void Binding::ReturnState(void* state) {
  {
    const auto idle = idle_.Write();
    if (idle->n < idle->states.size()) {
      idle->states[idle->n++] = state;
      return;
    }
  }
  Unbind(state);
}

std::shared_ptr<Binding> BindingCache::Find(const std::string& key) {
  const auto kept = kept_.Write();
  const auto found = kept->index.find(key);
  if (found == kept->index.end()) return nullptr;
  kept->entries.splice(kept->entries.begin(), kept->entries, found->second);
  return found->second->second;
}

void BindingCache::Insert(const std::string& key, std::shared_ptr<Binding> binding) {
  // Ends after the lock: its states go back to the backend, which is foreign code.
  std::shared_ptr<Binding> dropped;
  const auto kept = kept_.Write();
  auto& [entries, index] = *kept;
  // Two threads may have made the same binding at once. The first one stays.
  if (index.contains(key)) return;
  entries.emplace_front(key, std::move(binding));
  index.emplace(entries.front().first, entries.begin());
  if (entries.size() <= kMaxBindings) return;
  index.erase(entries.back().first);
  dropped = std::move(entries.back().second);
  entries.pop_back();
}

}  // namespace alloy::core
