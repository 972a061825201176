// SPDX-License-Identifier: MIT
//
// The workers of one bridge: started when they are needed, one call or stream each.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_POOL_H_
#define ALLOY_SRC_ENGINE_ISOLATED_POOL_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "admit/may_need.h"
#include "engine/isolated/supervisor.h"
#include "engine/isolated/worker.h"
#include "port/cleared.h"
#include "wire/tables.h"

namespace alloy::core {

// Threads  shared.
class WorkerPool {
 public:
  //   Takes  library.
  WorkerPool(WorkerLimits limits, WorkerMemory memory, Cleared library, bool plainly,
             MayNeed may_need, std::string program);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Start the first worker, and read the table of its backend.
  //   Fails  as a load in process does; LOST if the worker dies; and as Supervisor::Start.
  Result<std::shared_ptr<const DescribedTable>> Begin();

  // The turn of one user of a worker, or the place of a worker that is not started yet. It
  // goes back to the pool when this ends.
  class Turn {
   public:
    Turn(WorkerPool& pool, std::shared_ptr<Worker> worker, bool holds)
        : pool_(&pool), worker_(std::move(worker)), holds_(holds) {}
    Turn(Turn&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          worker_(std::move(other.worker_)),
          holds_(other.holds_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (pool_ == nullptr) return;
      if (worker_ != nullptr) {
        pool_->Return(std::move(worker_));
      } else {
        pool_->GiveUpPlace(holds_);
      }
    }
    // Start a worker in the place, if there is none. A stop of the scope, which may be NULL,
    // ends that: LOST.
    Status Start(const Scope* scope) {
      return worker_ != nullptr ? Status() : pool_->StartIn(*this, scope);
    }
    Worker& worker() const { return *worker_; }
    const WorkerGroup& group() const { return pool_->group(); }

   private:
    friend class WorkerPool;
    WorkerPool* pool_;
    std::shared_ptr<Worker> worker_;
    bool holds_;
  };

  // A worker that nobody uses: best one that has bound `state`. A run waits while all
  // workers are in other runs.
  //   holds  for a stream, which does not wait: BUSY at once.
  //   Fails  BUSY: streams hold all workers. CLOSED: in a child of fork. LOST: workers die
  //          again and again; the reason is that of the last one, and the text says when the
  //          next one is tried. As the scope was
  //          cancelled or late: LOST too, and the engine has the words.
  Result<Turn> Take(uint64_t state, bool holds, const Scope* scope);
  // The same for a stream, but what starts a worker is left to Turn::Start: it takes time,
  // and there is no scope yet that could end it.
  Result<Turn> Reserve(uint64_t state) { return Find(state, true, nullptr); }

  // Wake the threads that wait for workers, so that they look at their stops.
  //
  // Any thread, and any signal handler: it takes no lock.
  void NudgeAll() noexcept;

  // Free a state in every worker that has bound it, when that worker is used next.
  void Forget(uint64_t state) noexcept;

  const WorkerGroup& group() const { return group_; }
  uint64_t NextState() { return next_state_.fetch_add(1, std::memory_order_relaxed); }
  // Whether this is the process that made the pool.
  Status CheckProcess() const { return group_.CheckProcess(); }

 private:
  static constexpr size_t kMostWorkers = 64;

  struct Member {
    std::shared_ptr<Worker> worker;
    bool is_busy = false;
    bool is_held = false;  // by a stream
  };

  Result<std::shared_ptr<Worker>> StartOne(std::shared_ptr<const DescribedTable>* table,
                                           const Scope* scope);
  // A turn, or a place if there is room for one more worker.
  Result<Turn> Find(uint64_t state, bool holds, const Scope* scope);
  Status StartIn(Turn& turn, const Scope* scope);
  void GiveUpPlace(bool holds);
  Status CheckPatience(const Scope* scope);
  void AddMember(Member member);
  void CountDeath(int32_t reason);
  void Return(std::shared_ptr<Worker> worker);
  // Let go of workers whose processes have ended, and of their inputs.
  void Bury();
  void Show(const std::shared_ptr<Worker>& worker);
  void Hide(const Worker& worker) noexcept;

  WorkerGroup group_;
  const Cleared library_;
  const bool plainly_;
  const MayNeed may_need_;
  const std::string program_;
  std::atomic<uint64_t> next_state_{1};

  std::mutex mutex_;  // never held while a worker is waited for
  std::condition_variable returned_;
  std::vector<Member> members_;
  // Dead workers. Their inputs may belong to the host, whose callbacks only its own threads
  // call, and must stay until the process has ended.
  std::vector<std::shared_ptr<Worker>> dead_;  // with room for all members
  uint32_t starting_ = 0;                      // places without a worker
  uint32_t starting_held_ = 0;                 // those of them that are a stream's
  // Deaths in a row without an answer between them, and when the next start is allowed.
  uint32_t deaths_ = 0;
  int32_t last_death_ = 0;  // its reason
  int64_t next_start_ns_ = 0;

  // For NudgeAll: the workers that may be waited for. A worker is taken out and not
  // destroyed while somebody is inside.
  std::array<std::atomic<Worker*>, kMostWorkers> shown_{};
  std::atomic<uint32_t> nudgers_{0};

  Supervisor supervisor_;  // last: it ends first
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_POOL_H_
