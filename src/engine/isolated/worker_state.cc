// SPDX-License-Identifier: MIT
#include "engine/isolated/worker_state.h"

#include <utility>

#include "arrow/schema.h"
#include "wire/schemas.h"

namespace alloy::core {
namespace {

Status ForgetOld(Worker& worker, Scope& scope) {
  for (const uint64_t state : worker.TakeForgotten()) {
    if (!worker.Unbound(state)) continue;
    // It takes time of the call that comes next, which can be stopped.
    Worker::Ask ask{.word = HostWord::kUnbind, .scope = &scope};
    ask.function = "unbind";
    ask.limit_ns = worker.limits().setup_ns;
    ALLOY_TRY(
        worker.Exchange(ask, [state](ByteWriter& out) { out.Put(state); }).status());
  }
  return Status();
}

}  // namespace

Result<WorkerAnswer> ReadAnswer(Worker& worker, const Worker::Ask& ask, ByteReader in,
                                Scope& scope) {
  WorkerAnswer answer;
  answer.code = in.Get<alloy_code>();
  const auto reported = in.Get<alloy_code>();
  const std::string text(in.GetText());
  const auto reason = in.Get<int32_t>();
  const auto column = in.Get<int32_t>();
  const bool is_engine = in.Get<uint8_t>() != 0;
  if (!in.ok()) return worker.Violation(ask, "an answer that is cut");
  if (column < -1) return worker.Violation(ask, "a failure in no column");
  if (is_engine) {
    ALLOY_TRY(worker.CheckReported(ask, answer.code, reason));
    scope.SetFailure(Status(Fault{.code = answer.code,
                                  .reason = reason,
                                  .column = column,
                                  .side = ALLOY_SIDE_BACKEND,
                                  .text = text}));
  } else if (reported != ALLOY_OK) {
    scope.SetError(reported, text);
  }
  answer.rest = in;
  return answer;
}

Result<alloy_code> BindIn(Worker& worker, WorkerState& state, Scope& scope,
                          OwnedSchema* output) {
  ALLOY_TRY(ForgetOld(worker, scope));
  if (output == nullptr && worker.HasBound(state.id)) return ALLOY_OK;
  Worker::Ask ask{.word = HostWord::kBind, .scope = &scope};
  ask.function = state.name;
  // A bind has no deadline of the caller: it only describes.
  ask.limit_ns = worker.limits().setup_ns;
  Status written;
  ALLOY_ASSIGN_OR_RETURN(ByteReader in, worker.Exchange(ask, [&](ByteWriter& out) {
    out.Put(state.id);
    out.Put(state.function);
    out.Put(static_cast<uint32_t>(state.schemas.size()));
    for (const OwnedSchema& schema : state.schemas) {
      if (Status status = WriteSchema(*schema, out); !status.ok()) written = status;
    }
    out.Put(static_cast<uint32_t>(state.values.size()));
    for (const std::string& value : state.values) out.PutText(value);
  }));
  ALLOY_TRY(std::move(written));
  ALLOY_ASSIGN_OR_RETURN(WorkerAnswer answer, ReadAnswer(worker, ask, in, scope));
  if (answer.code != ALLOY_OK) return answer.code;
  auto schema = ReadSchema(answer.rest);
  if (!schema.ok()) {
    return worker.Violation(ask, "a schema: " + schema.status().fault().text);
  }
  worker.Bound(state.id);
  std::string key;
  if (const Status status = AppendFingerprint(**schema, &key); !status.ok()) {
    return worker.Violation(ask, "a schema: " + status.fault().text);
  }
  if (output != nullptr) {
    state.output_key = std::move(key);
    *output = *std::move(schema);
    return ALLOY_OK;
  }
  if (key == state.output_key) return ALLOY_OK;
  return Status(Fault{.code = ALLOY_FAILED,
                      .side = ALLOY_SIDE_BACKEND,
                      .text = std::string(state.name) +
                              " returned two different schemas for the same inputs and "
                              "options"});
}

}  // namespace alloy::core
