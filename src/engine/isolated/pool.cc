// SPDX-License-Identifier: MIT
#include "engine/isolated/pool.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "port/clock.h"
#include "port/own_program.h"
#include "wire/load_order.h"

namespace alloy::core {
namespace {

// So many deaths in a row cost nothing; after that each start waits twice as long as the
// one before it, up to a second.
constexpr uint32_t kFreeDeaths = 4;
constexpr int64_t kFirstDelayNs = 5'000'000, kLongestDelayNs = 1'000'000'000;
constexpr int64_t kPatienceSliceNs = 10'000'000;
// After so many, calls fail at once until the next start is allowed.
constexpr uint32_t kPatientDeaths = 12;

Status WorkerLost(std::string text, int32_t reason = ALLOY_REASON_NONE) {
  return Status(Fault{.code = ALLOY_LOST,
                      .reason = reason,
                      .side = ALLOY_SIDE_WORKER,
                      .text = std::move(text)});
}

}  // namespace

WorkerPool::WorkerPool(WorkerLimits limits, WorkerMemory memory, Cleared library,
                       bool plainly, MayNeed may_need, std::string program)
    : group_{.limits = std::move(limits),
             .memory = std::move(memory),
             .mark = std::make_shared<ProcessMark>(),
             .process = 0,
             .reached = {},
             .backend = {}},
      library_(std::move(library)),
      plainly_(plainly),
      may_need_(std::move(may_need)),
      program_(std::move(program)),
      supervisor_(group_.mark) {
  group_.process = group_.mark->Number();
  group_.limits.max_workers =
      std::clamp<uint32_t>(group_.limits.max_workers, 1, kMostWorkers);
}

WorkerPool::~WorkerPool() {
  if (!CheckProcess().ok()) {
    // To end a worker here would kill one of the parent.
    new (std::nothrow) std::vector<Member>(std::move(members_));
    // Their inputs have callbacks, whose threads and locks are the parent's.
    new (std::nothrow) std::vector<std::shared_ptr<Worker>>(std::move(dead_));
    return;
  }
  for (Member& member : members_) {
    Hide(*member.worker);
    member.worker->Kill();
  }
}

// ---- Starts

Result<std::shared_ptr<const DescribedTable>> WorkerPool::Begin() {
  std::shared_ptr<const DescribedTable> table;
  ALLOY_ASSIGN_OR_RETURN(auto worker, StartOne(&table, nullptr));
  group_.backend = table->backend().name;
  const std::scoped_lock lock(mutex_);
  AddMember({std::move(worker)});
  return table;
}

Result<std::shared_ptr<Worker>> WorkerPool::StartOne(
    std::shared_ptr<const DescribedTable>* table, const Scope* scope) {
  ALLOY_ASSIGN_OR_RETURN(auto worker, Worker::Make(group_));
  ALLOY_TRY(supervisor_.Start(worker, {program_, &library_.sealed()}));
  const Worker::Guard guard(*worker);
  const LoadOrder order{.library = library_.path(),
                        .is_linked = library_.is_linked(),
                        .plainly = plainly_,
                        .files = may_need_.paths(),
                        .sonames = may_need_.Unsettled(library_.needed()),
                        .heap_bytes = group_.limits.heap_bytes,
                        .demanded = group_.limits.demanded};
  Worker::Ask ask{.word = HostWord::kLoad};
  // To load takes as long as a constructor of the library wants, but not for ever.
  ask.limit_ns = group_.limits.setup_ns;
  ask.stops = scope;
  auto answer = worker->Exchange(ask, [&](ByteWriter& out) { order.Write(out); });
  if (!answer.ok()) {
    worker->Kill();
    // A program that the host has named may be no worker at all.
    const std::string named =
        group_.limits.program.empty() ? "" : "the worker program " + program_ + ": ";
    return answer.status().WithPrefix(named + library_.path() + ": ");
  }
  ByteReader& in = *answer;
  const auto code = in.Get<alloy_code>();
  const auto reason = in.Get<int32_t>();
  const std::string text(in.GetText());
  const Restrictions reached(static_cast<uint32_t>(in.Get<uint64_t>()));
  if (code != ALLOY_OK) {
    ALLOY_TRY(
        worker->CheckReported(ask, code, reason).WithPrefix(library_.path() + ": "));
    worker->Kill();
    return Fail(code, reason, text);
  }
  auto read = DescribedTable::Read(in);
  if (!read.ok()) {
    worker->Kill();
    return read.status();
  }
  if (table != nullptr) {
    *table = *std::move(read);
    group_.reached = reached;
  }
  return worker;
}

Status WorkerPool::CheckPatience(const Scope* scope) {
  int64_t wait = 0;
  {
    const std::scoped_lock lock(mutex_);
    wait = next_start_ns_ - MonotonicNanos();
    if (wait > 0 && deaths_ >= kPatientDeaths) {
      return WorkerLost(std::to_string(deaths_) + " workers of " + group_.backend +
                            " have died one after another; the next one is started in " +
                            std::to_string(wait / 1'000'000 + 1) + " ms",
                        last_death_);
    }
  }
  for (const int64_t end = MonotonicNanos() + wait; MonotonicNanos() < end;) {
    if (scope != nullptr && scope->stopped()) {
      return WorkerLost("stopped while it waited for a new worker");
    }
    std::this_thread::sleep_for(std::chrono::nanoseconds(
        std::min<int64_t>(end - MonotonicNanos(), kPatienceSliceNs)));
  }
  return Status();
}

// ---- Turns

Result<WorkerPool::Turn> WorkerPool::Take(uint64_t state, bool holds,
                                          const Scope* scope) {
  ALLOY_ASSIGN_OR_RETURN(Turn turn, Find(state, holds, scope));
  ALLOY_TRY(turn.Start(scope));
  return turn;
}

Result<WorkerPool::Turn> WorkerPool::Find(uint64_t state, bool holds,
                                          const Scope* scope) {
  ALLOY_TRY(CheckProcess());
  std::unique_lock lock(mutex_);
  if (!dead_.empty()) [[unlikely]] {
    lock.unlock();
    Bury();
    lock.lock();
  }
  for (;;) {
    // Workers that died while nobody used them.
    std::erase_if(members_, [this](const Member& member) {
      if (member.is_busy || !member.worker->is_dead()) return false;
      Hide(*member.worker);
      dead_.push_back(member.worker);
      return true;
    });
    Member* best = nullptr;
    for (Member& member : members_) {
      if (member.is_busy) continue;
      if (best == nullptr || member.worker->HasBound(state)) best = &member;
    }
    if (best != nullptr) {
      best->is_busy = true;
      best->is_held = holds;
      return Turn(*this, best->worker, holds);
    }
    if (members_.size() + starting_ < group_.limits.max_workers) break;
    const bool all_held = std::ranges::all_of(
        members_, [](const Member& member) { return member.is_held; });
    if (holds || (all_held && starting_ == starting_held_)) {
      return Fail(ALLOY_BUSY, "all " + std::to_string(group_.limits.max_workers) +
                                  " workers of " + group_.backend + " are in use" +
                                  (all_held ? " by open streams" : "") +
                                  "; release a stream, or raise max_workers");
    }
    if (scope != nullptr && scope->stopped()) {
      return WorkerLost("stopped while all workers were in use");
    }
    returned_.wait_for(lock, std::chrono::milliseconds(10));
  }
  ++starting_;
  if (holds) ++starting_held_;
  return Turn(*this, nullptr, holds);
}

Status WorkerPool::StartIn(Turn& turn, const Scope* scope) {
  ALLOY_TRY(CheckProcess());
  // A call that is refused is no death: if it put the next start off, a host that asks again
  // and again would never get a worker.
  ALLOY_TRY(CheckPatience(scope));
  auto started = StartOne(nullptr, scope);
  std::optional<Worker::Guard> guard;
  if (started.ok()) guard.emplace(**started);
  const std::scoped_lock lock(mutex_);
  if (!started.ok()) {
    // Nor is a start that the caller has stopped.
    const bool is_stopped = scope != nullptr && scope->stopped();
    if (started.status().code() == ALLOY_LOST && !is_stopped) {
      CountDeath(started.status().reason());
    }
    return started.status();
  }
  AddMember({*started, true, turn.holds_});
  turn.worker_ = *std::move(started);
  --starting_;
  if (turn.holds_) --starting_held_;
  returned_.notify_all();
  return Status();
}

// Under the lock.
void WorkerPool::AddMember(Member member) {
  // A worker that is returned may be dead, and there is nobody then to hear of a lack of
  // memory for the list of those.
  dead_.reserve(dead_.size() + members_.size() + 1);
  members_.push_back(std::move(member));
  Show(members_.back().worker);
}

void WorkerPool::GiveUpPlace(bool holds) {
  if (!CheckProcess().ok()) return;
  {
    const std::scoped_lock lock(mutex_);
    --starting_;
    if (holds) --starting_held_;
  }
  returned_.notify_all();
}

// Under the lock.
void WorkerPool::CountDeath(int32_t reason) {
  ++deaths_;
  last_death_ = reason;
  if (deaths_ <= kFreeDeaths) return;
  const uint32_t doublings = std::min<uint32_t>(deaths_ - kFreeDeaths - 1, 20);
  next_start_ns_ =
      MonotonicNanos() + std::min(kFirstDelayNs << doublings, kLongestDelayNs);
}

void WorkerPool::Return(std::shared_ptr<Worker> worker) {
  // In a child of fork, a thread of the parent may hold the lock for ever.
  if (!CheckProcess().ok()) return;
  const bool died = worker->is_dead();
  const bool was_of_use = worker->TakeAnswered();
  {
    const std::scoped_lock lock(mutex_);
    if (was_of_use) deaths_ = 0;
    const auto member = std::ranges::find_if(
        members_, [&](const Member& one) { return one.worker == worker; });
    if (member != members_.end()) {
      member->is_busy = member->is_held = false;
      if (died) {
        Hide(*worker);
        dead_.push_back(worker);
        members_.erase(member);
      }
    }
    if (died) CountDeath(worker->DeathReason());
  }
  returned_.notify_all();
}

void WorkerPool::Bury() {
  std::vector<std::shared_ptr<Worker>> ended;
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(dead_, [&](const std::shared_ptr<Worker>& worker) {
      if (!worker->has_ended()) return false;
      ended.push_back(worker);
      return true;
    });
  }
  for (const auto& worker : ended) worker->ReleaseInputs();
}

void WorkerPool::Forget(uint64_t state) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    for (Member& member : members_) member.worker->ForgetLater(state);
  } catch (...) {
    // The workers keep the state until they end.
  }
}

// ---- Nudges

void WorkerPool::Show(const std::shared_ptr<Worker>& worker) {
  for (auto& place : shown_) {
    if (place.load(std::memory_order_relaxed) != nullptr) continue;
    place.store(worker.get(), std::memory_order_seq_cst);
    return;
  }
}

void WorkerPool::Hide(const Worker& worker) noexcept {
  for (auto& place : shown_) {
    if (place.load(std::memory_order_relaxed) != &worker) continue;
    place.store(nullptr, std::memory_order_seq_cst);
  }
  // Nobody waits inside, so this is short.
  while (nudgers_.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
}

void WorkerPool::NudgeAll() noexcept {
  nudgers_.fetch_add(1, std::memory_order_seq_cst);
  for (auto& place : shown_) {
    if (Worker* worker = place.load(std::memory_order_seq_cst); worker != nullptr) {
      worker->Nudge();
    }
  }
  nudgers_.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace alloy::core
