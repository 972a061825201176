// SPDX-License-Identifier: MIT
#include "engine/isolated/worker_stream.h"

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/stream/stream.h"

namespace alloy::core {
namespace {

class WorkerStream final : public Worker::Requests {
 public:
  WorkerStream(WorkerPool::Turn turn, WorkerState& state, Scope& scope,
               std::span<ArrowArrayStream> inputs)
      : turn_(std::move(turn)), state_(state), scope_(scope) {
    for (ArrowArrayStream& input : inputs) inputs_.emplace_back(&input);
  }

  Result<alloy_code> Open() {
    Worker& worker = turn_.worker();
    const Worker::Guard guard(worker);
    ALLOY_ASSIGN_OR_RETURN(const alloy_code code,
                           BindIn(worker, state_, scope_, nullptr));
    if (code != ALLOY_OK) return code;
    Worker::Ask ask = MakeAsk(HostWord::kOpen);
    ask.limit_ns = worker.limits().setup_ns;
    ALLOY_ASSIGN_OR_RETURN(ByteReader in, worker.Exchange(ask, [this](ByteWriter& out) {
      out.Put(state_.id);
    }));
    ALLOY_ASSIGN_OR_RETURN(const WorkerAnswer answer,
                           ReadAnswer(worker, ask, in, scope_));
    is_open_ = answer.code == ALLOY_OK;
    return answer.code;
  }

  // As get_next of a C stream.
  int Next(ArrowArray* out) {
    Worker& worker = turn_.worker();
    const Worker::Guard guard(worker);
    ++batches_;
    const Worker::Ask ask = MakeAsk(HostWord::kNext);
    auto number = [&]() -> Result<int> {
      ALLOY_ASSIGN_OR_RETURN(ByteReader in, worker.Exchange(ask, [](ByteWriter&) {}));
      ALLOY_ASSIGN_OR_RETURN(WorkerAnswer answer, ReadAnswer(worker, ask, in, scope_));
      const bool has_batch = answer.rest.Get<uint8_t>() != 0;
      if (answer.code != ALLOY_OK) return ErrnoOf(answer.code);
      if (!has_batch) {
        const auto errno_number = answer.rest.Get<int32_t>();
        last_error_ = answer.rest.GetText();
        // What is missing reads as 0, which is the end of a stream.
        if (!answer.rest.ok()) return worker.Violation(ask, "an answer that is cut");
        return static_cast<int>(errno_number);
      }
      if (state_.reader == nullptr) return worker.Violation(ask, "a batch of no schema");
      ALLOY_TRY(worker.TakeResult(ask, *state_.reader, answer.rest, out));
      return 0;
    }();
    if (number.ok()) return *number;
    scope_.SetFailure(number.status());
    // The same number as for a result that was made in this process.
    return ErrnoOf(number.status().code());
  }

  const char* last_error() const {
    return last_error_.empty() ? nullptr : last_error_.c_str();
  }

  // The worker releases its stream. While it does, its inputs are at their end. It gets the
  // grace time for it, and is killed then.
  void Close() noexcept {
    if (!is_open_ || turn_.worker().is_dead()) return;
    is_open_ = false;
    try {
      is_closing_ = true;
      Worker::Ask ask = MakeAsk(HostWord::kClose);
      ask.scope = nullptr;
      ask.limit_ns = turn_.group().limits.grace_ns;
      (void)turn_.worker().Exchange(ask, [](ByteWriter&) {});
    } catch (...) {
      turn_.worker().Kill();
    }
  }

  Worker::Pulled Pull(uint32_t input) override {
    if (is_closing_ || input >= inputs_.size()) {
      return {.number = ECANCELED,
              .text = "cannot read an input: the stream of results is already released",
              .has_batch = false,
              .batch = {}};
    }
    ArrowArrayStream* const stream = inputs_[input].get();
    OwnedArray batch;
    const int number = stream->get_next(stream, batch.get());
    if (number != 0) {
      *batch.get() = ArrowArray{};
      const char* const text =
          stream->get_last_error != nullptr ? stream->get_last_error(stream) : nullptr;
      return {.number = number,
              .text = text != nullptr ? text : "",
              .has_batch = false,
              .batch = {}};
    }
    if (!batch) return {};
    auto prepared = turn_.worker().Prepare(*state_.writers[input], batch.get());
    if (prepared.ok()) {
      return {.number = 0, .text = {}, .has_batch = true, .batch = *prepared};
    }
    scope_.SetFailure(prepared.status()
                          .WithInput(static_cast<int32_t>(input))
                          .WithSide(ALLOY_SIDE_CALLER));
    return {.number = ErrnoOf(prepared.status().code()),
            .text = prepared.status().fault().text,
            .has_batch = false,
            .batch = {}};
  }

 private:
  Worker::Ask MakeAsk(HostWord word) {
    Worker::Ask ask{.word = word, .scope = &scope_, .requests = this};
    ask.function = state_.name;
    ask.batch = batches_;
    return ask;
  }

  WorkerPool::Turn turn_;
  WorkerState& state_;
  Scope& scope_;
  std::vector<OwnedArrayStream> inputs_;
  bool is_open_ = false;
  bool is_closing_ = false;
  uint64_t batches_ = 0;
  std::string last_error_;
};

WorkerStream& StreamOf(ArrowArrayStream* stream) {
  return *static_cast<WorkerStream*>(stream->private_data);
}

// The engine calls it, which catches what it throws.
int NextOfWorker(ArrowArrayStream* stream, ArrowArray* out) {
  *out = ArrowArray{};
  return StreamOf(stream).Next(out);
}

const char* LastErrorOfWorker(ArrowArrayStream* stream) {
  return StreamOf(stream).last_error();
}

void ReleaseOfWorker(ArrowArrayStream* stream) {
  const std::unique_ptr<WorkerStream> owner(&StreamOf(stream));
  stream->release = nullptr;
  owner->Close();
}

// The engine does not call it: bind has given the schema.
int SchemaOfWorker(ArrowArrayStream*, ArrowSchema*) { return ENOSYS; }

}  // namespace

Result<alloy_code> OpenWorkerStream(WorkerPool::Turn turn, WorkerState& state,
                                    Scope& scope, std::span<ArrowArrayStream> inputs,
                                    ArrowArrayStream* output) {
  auto stream = std::make_unique<WorkerStream>(std::move(turn), state, scope, inputs);
  ALLOY_ASSIGN_OR_RETURN(const alloy_code code, stream->Open());
  if (code != ALLOY_OK) return code;
  *output = {.get_schema = &SchemaOfWorker,
             .get_next = &NextOfWorker,
             .get_last_error = &LastErrorOfWorker,
             .release = &ReleaseOfWorker,
             .private_data = stream.release()};
  return ALLOY_OK;
}

}  // namespace alloy::core
