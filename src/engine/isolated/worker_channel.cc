// SPDX-License-Identifier: MIT
#include "engine/isolated/worker_channel.h"

#include <algorithm>
#include <utility>

#include "arrow/schema.h"
#include "engine/isolated/find_worker.h"
#include "engine/isolated/pool.h"
#include "engine/isolated/worker_state.h"
#include "engine/isolated/worker_stream.h"

namespace alloy::core {
namespace {

WorkerState& StateOf(void* state) { return *static_cast<WorkerState*>(state); }

// The code of what failed below the backend. Its words are in the scope.
alloy_code FailWith(const Status& status, Scope& scope) {
  scope.SetFailure(status);
  return status.code();
}

class WorkerChannel final : public Channel {
 public:
  WorkerChannel(std::unique_ptr<WorkerPool> pool,
                std::shared_ptr<const BackendTable> table)
      : pool_(std::move(pool)), table_(std::move(table)) {}

  const std::shared_ptr<const BackendTable>& table() const override { return table_; }

  std::optional<Restrictions> restrictions() const override {
    return pool_->group().reached;
  }

  alloy_code Bind(const alloy_function& function, Scope& scope, const ArrowSchema* inputs,
                  int32_t n_inputs, const char* const* values, ArrowSchema* output,
                  void** state) override {
    auto bound = BindNew(function, scope, {inputs, static_cast<size_t>(n_inputs)}, values,
                         output, state);
    return bound.ok() ? *bound : FailWith(bound.status(), scope);
  }

  alloy_code Run(const alloy_function&, void* state, Scope& scope, ArrowArray* inputs,
                 int32_t, ArrowArray* output) override {
    WorkerState& bound = StateOf(state);
    ++bound.batches;
    bound.rows = bound.writers.empty() ? -1 : inputs[0].length;
    uint32_t left = bound.may_repeat ? pool_->group().limits.retries : 0;
    // Inputs in the pool belong to the worker, until it has ended. The next one shares them.
    std::vector<Worker::KeptInput> kept(left > 0 ? bound.writers.size() : 0);
    for (;; --left) {
      auto ran = RunOnce(bound, scope, inputs, kept, output);
      if (ran.ok()) return *ran;
      const bool again =
          ran.status().code() == ALLOY_LOST && left > 0 && !scope.stopped();
      if (!again) return FailWith(ran.status(), scope);
    }
  }

  Result<std::shared_ptr<void>> Reserve(void* state) override {
    WorkerState& bound = StateOf(state);
    ALLOY_ASSIGN_OR_RETURN(WorkerPool::Turn turn, pool_->Reserve(bound.id));
    bound.reserved.emplace(std::move(turn));
    return std::shared_ptr<void>(&bound, [](void* s) { StateOf(s).reserved.reset(); });
  }

  alloy_code Open(const alloy_function&, void* state, Scope& scope,
                  ArrowArrayStream* inputs, int32_t n_inputs,
                  ArrowArrayStream* output) override {
    WorkerState& bound = StateOf(state);
    auto turn = [&]() -> Result<WorkerPool::Turn> {
      if (!bound.reserved.has_value()) return pool_->Take(bound.id, true, &scope);
      WorkerPool::Turn reserved = *std::move(bound.reserved);
      bound.reserved.reset();
      return reserved;
    }();
    if (!turn.ok()) return FailWith(turn.status(), scope);
    if (const Status started = turn->Start(&scope); !started.ok()) {
      return FailWith(started, scope);
    }
    auto opened = OpenWorkerStream(*std::move(turn), bound, scope,
                                   {inputs, static_cast<size_t>(n_inputs)}, output);
    return opened.ok() ? *opened : FailWith(opened.status(), scope);
  }

  std::string Unbind(const alloy_function&, void* state) override {
    const std::unique_ptr<WorkerState> bound(&StateOf(state));
    if (pool_->CheckProcess().ok()) pool_->Forget(bound->id);
    return {};
  }

  void Interrupt(RunControl&) noexcept override { pool_->NudgeAll(); }

 private:
  Result<alloy_code> BindNew(const alloy_function& function, Scope& scope,
                             std::span<const ArrowSchema> inputs,
                             const char* const* values, ArrowSchema* output,
                             void** state) {
    auto bound = std::make_unique<WorkerState>();
    bound->id = pool_->NextState();
    const alloy_function* const* functions = table_->backend().functions;
    while (functions[bound->function] != &function) ++bound->function;
    bound->name = function.name;
    bound->may_repeat = (function.flags & ALLOY_IDEMPOTENT) != 0;
    for (const ArrowSchema& input : inputs) {
      ALLOY_ASSIGN_OR_RETURN(OwnedSchema copy, CopySchema(input));
      ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(input));
      bound->schemas.push_back(std::move(copy));
      bound->layouts.push_back(std::make_unique<Layout>(std::move(layout)));
      bound->writers.push_back(std::make_unique<RecordWriter>(*bound->layouts.back()));
    }
    for (; values != nullptr && *values != nullptr; ++values) {
      bound->values.emplace_back(*values);
    }
    ALLOY_ASSIGN_OR_RETURN(WorkerPool::Turn turn, pool_->Take(bound->id, false, &scope));
    const Worker::Guard guard(turn.worker());
    OwnedSchema schema;
    ALLOY_ASSIGN_OR_RETURN(const alloy_code code,
                           BindIn(turn.worker(), *bound, scope, &schema));
    if (code != ALLOY_OK) return code;
    // A schema that is no batch goes up as well: bind has the words for it.
    if (auto layout = Layout::OfBatch(*schema); layout.ok()) {
      bound->output = std::make_unique<Layout>(*std::move(layout));
      bound->reader = std::make_unique<RecordReader>(*bound->output);
    }
    schema.MoveTo(output);
    *state = bound.release();
    return ALLOY_OK;
  }

  Result<alloy_code> RunOnce(WorkerState& bound, Scope& scope, ArrowArray* inputs,
                             std::span<Worker::KeptInput> kept, ArrowArray* output) {
    ALLOY_ASSIGN_OR_RETURN(WorkerPool::Turn turn, pool_->Take(bound.id, false, &scope));
    Worker& worker = turn.worker();
    const Worker::Guard guard(worker);
    ALLOY_ASSIGN_OR_RETURN(const alloy_code code, BindIn(worker, bound, scope, nullptr));
    if (code != ALLOY_OK) return code;
    Worker::Ask ask{.word = HostWord::kRun, .scope = &scope};
    ask.function = bound.name;
    ask.batch = bound.batches;
    ask.rows = bound.rows;
    std::vector<Worker::Input>& prepared = bound.prepared;
    prepared.clear();
    for (size_t i = 0; i < bound.writers.size(); ++i) {
      auto input = worker.Prepare(*bound.writers[i], &inputs[i],
                                  kept.empty() ? nullptr : &kept[i]);
      if (!input.ok()) {
        for (const Worker::Input& before : prepared) worker.Drop(before);
        return input.status()
            .WithInput(static_cast<int32_t>(i))
            .WithSide(ALLOY_SIDE_CALLER);
      }
      prepared.push_back(*input);
    }
    ALLOY_ASSIGN_OR_RETURN(ByteReader in, worker.Exchange(ask, [&](ByteWriter& out) {
      out.Put(bound.id);
      out.Put(static_cast<uint32_t>(prepared.size()));
      for (const Worker::Input& input : prepared) Worker::Write(input, out);
    }));
    ALLOY_ASSIGN_OR_RETURN(WorkerAnswer answer, ReadAnswer(worker, ask, in, scope));
    const bool has_result = answer.rest.Get<uint8_t>() != 0;
    if (!answer.rest.ok()) return worker.Violation(ask, "an answer that is cut");
    if (answer.code != ALLOY_OK || !has_result) return answer.code;
    if (bound.reader == nullptr) return worker.Violation(ask, "a result of no schema");
    ALLOY_TRY(worker.TakeResult(ask, *bound.reader, answer.rest, output));
    return ALLOY_OK;
  }

  const std::unique_ptr<WorkerPool> pool_;
  const std::shared_ptr<const BackendTable> table_;
};

class WorkerOpener final : public ChannelOpener {
 public:
  WorkerOpener(WorkerLimits limits, WorkerMemory memory, bool plainly, MayNeed may_need)
      : limits_(std::move(limits)),
        memory_(std::move(memory)),
        plainly_(plainly),
        may_need_(std::move(may_need)) {}

  // What a worker maps cannot harm the host.
  Status CheckUsable() const override { return Status(); }

  Result<std::shared_ptr<Channel>> Open(Cleared library, LoadedCode*) override {
    const std::string path = library.path() + ": ";
    ALLOY_ASSIGN_OR_RETURN(std::string program, FindWorker(limits_.program));
    auto pool = std::make_unique<WorkerPool>(limits_, memory_, std::move(library),
                                             plainly_, may_need_, std::move(program));
    ALLOY_ASSIGN_OR_RETURN(auto described, pool->Begin());
    auto table = BackendTable::MakeDescribed(std::move(described));
    if (!table.ok()) return table.status().WithPrefix(path);
    return std::shared_ptr<Channel>(
        std::make_shared<WorkerChannel>(std::move(pool), *std::move(table)));
  }

 private:
  const WorkerLimits limits_;
  const WorkerMemory memory_;
  const bool plainly_;
  const MayNeed may_need_;
};

}  // namespace

std::unique_ptr<ChannelOpener> MakeWorkerOpener(WorkerLimits limits, WorkerMemory memory,
                                                bool plainly, MayNeed may_need) {
  return std::make_unique<WorkerOpener>(std::move(limits), std::move(memory), plainly,
                                        std::move(may_need));
}

}  // namespace alloy::core
