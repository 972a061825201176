// SPDX-License-Identifier: MIT
//
// One worker process, and the conversation with it.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "arrow/owned.h"
#include "engine/channel/scope.h"
#include "engine/isolated/death.h"
#include "engine/isolated/input_memory.h"
#include "engine/isolated/limits.h"
#include "engine/isolated/results.h"
#include "port/child.h"
#include "port/fd.h"
#include "port/restrict.h"
#include "port/shared_memory.h"
#include "wire/bytes.h"
#include "wire/protocol.h"
#include "wire/records.h"

namespace alloy::core {

// What the workers of one bridge share.
struct WorkerGroup {
  WorkerLimits limits;
  WorkerMemory memory;
  std::shared_ptr<ProcessMark> mark;
  uint32_t process = 0;  // the number of the process that made the group
  Restrictions reached;  // of the first worker; the others are of the same program
  std::string
      backend;  // its name, for texts; empty before the first worker has loaded it

  // Whether this is the process that made the group.
  //   Fails  CLOSED: it is a child of fork.
  Status CheckProcess() const;
};

// Threads  serial: the thread whose turn it is. Nudge, Kill, and what the supervisor calls:
//          any thread.
class Worker {
 public:
  // Make what host and worker share. The process is started by the supervisor.
  //   Borrows  group, as long as this lives.
  static Result<std::shared_ptr<Worker>> Make(const WorkerGroup& group);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // ---- Of the supervisor

  // The descriptors that the process inherits, besides the library.
  const Fd& control_file() const { return control_.fd(); }
  const Fd& far_socket() const { return far_socket_; }
  void Started(std::shared_ptr<Child> child);
  void Wrote(std::string_view text);        // to standard error
  void Ended(DeathCause cause, int value);  // the process is gone

  // ---- Of the pool

  bool is_dead() const { return is_dead_.load(std::memory_order_acquire); }
  // Whether the process is gone, so that nobody reads its inputs any more.
  bool has_ended() const { return has_ended_.load(std::memory_order_acquire); }
  // Why it is gone, as a reason of alloy/reason.h; ALLOY_REASON_NONE: not known, or not yet.
  int32_t DeathReason();
  // Of a worker that has ended. Callbacks of the host run.
  void ReleaseInputs() {
    held_list_.reset();
    held_inputs_.clear();
  }
  void Kill() noexcept;
  // Ends the wait of the thread in an exchange, so that it looks at its stops. Any thread,
  // and any signal handler.
  void Nudge() noexcept { block().to_host.Nudge(); }

  // ---- Of the thread whose turn it is

  // An input as the worker has it. Whoever keeps it too may send it to another worker, when
  // this one is lost.
  struct HeldInput;
  using KeptInput = std::shared_ptr<const HeldInput>;

  // An input in the worker's memory, ready to be named.
  struct Input {
    uint64_t number = 0;
    RecordWriter* writer = nullptr;
  };
  // Copy an input to where the worker can read it. It stays there until the worker has
  // released it, and the results of the same call too.
  // With `kept`, the input can be sent to another worker: if *kept holds one, that is used in
  // place of batch; else it gets what was taken.
  //
  //   Takes  batch, if a part of it lies in the pool: that is not copied.
  //   Fails  BAD_DATA, EXHAUSTED.
  Result<Input> Prepare(RecordWriter& writer, ArrowArray* batch,
                        KeptInput* kept = nullptr);
  static void Write(const Input& input, ByteWriter& out);
  // Of an input that was prepared and is not sent.
  void Drop(const Input& input) { Drop(input.number); }

  // The next batch of an input, for a worker that asks for it.
  struct Pulled {
    int number = 0;          // an errno; 0: no failure
    std::string text;        // of the failure
    bool has_batch = false;  // false: the end of the input
    Input batch;
  };
  class Requests {
   public:
    virtual ~Requests() = default;
    virtual Pulled Pull(uint32_t input) = 0;
  };

  // Ends the worker if an exception leaves the scope in which this is: what it has said or
  // given is lost then, and the next exchange would be taken for another one.
  class Guard {
   public:
    // Borrows worker.
    explicit Guard(Worker& worker) noexcept : worker_(worker) {}
    ~Guard() {
      if (std::uncaught_exceptions() > exceptions_) worker_.GiveUp();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Worker& worker_;
    const int exceptions_ = std::uncaught_exceptions();
  };

  // One exchange.
  struct Ask {
    HostWord word = HostWord::kQuit;
    Scope* scope = nullptr;          // its stops, its log; NULL: none
    const Scope* stops = nullptr;    // other stops, of a call that waits for it
    Requests* requests = nullptr;    // NULL: it asks for no inputs
    const char* function = nullptr;  // its name, for texts; NULL: while it loads
    uint64_t batch = 0;              // its number, from 1; 0: none
    int64_t rows = -1;               // of the batch; -1: unknown
    int64_t limit_ns = 0;            // then it is killed; 0: no limit
  };
  // Ask, and wait for the answer. The answer is valid until the next exchange.
  //   Fails  LOST with side WORKER: the worker died before it answered, or was killed.
  //          CLOSED: in a child of fork, which says nothing to the worker.
  //          EXHAUSTED: what is asked does not fit in a message.
  template <typename Body>
  Result<ByteReader> Exchange(const Ask& ask, Body&& body) {
    ALLOY_TRY(Begin(ask));
    ByteWriter out(block().for_worker, control_);
    WriteHead(ask, &out);
    body(out);
    ALLOY_TRY(Post(ask, out));
    return Answer(ask);
  }

  // Make a batch of what an answer says.
  //   Fails  BAD_DATA, EXHAUSTED; and LOST if the worker lied.
  Status TakeResult(const Ask& ask, RecordReader& reader, ByteReader& in,
                    ArrowArray* out);

  const WorkerLimits& limits() const { return group_.limits; }

  // Whether this worker has bound a state. The pool asks of workers that nobody uses too.
  bool HasBound(uint64_t state) const { return bound_.contains(state); }
  void Bound(uint64_t state);
  bool Unbound(uint64_t state);  // returns whether it was bound
  // Those of them that nobody needs any more.
  std::vector<uint64_t> TakeForgotten();
  // Nothing, if it has not bound the state. Any thread.
  void ForgetLater(uint64_t state);
  // Whether it has answered anything since the last question.
  bool TakeAnswered() { return std::exchange(answered_, false); }

  // Check a fault that the engine's side in the worker has found.
  //   Fails  LOST: no honest worker reports that. It is killed.
  Status CheckReported(const Ask& ask, alloy_code code, int32_t reason);

  // The error of a worker that broke the rules; it is killed.
  Status Violation(const Ask& ask, std::string detail);

 private:
  using NumberedInput = std::pair<uint64_t, KeptInput>;

  Worker(const WorkerGroup& group, SharedMemory control, Fd near, Fd far);

  void Drop(uint64_t input);
  // Let a result keep the inputs that it may be a part of.
  void KeepInputs(ReleasedResults::Node* node);
  // It is not used again.
  void GiveUp() noexcept;

  ControlBlock& block() { return *reinterpret_cast<ControlBlock*>(control_.data()); }
  Status Begin(const Ask& ask);
  void WriteHead(const Ask& ask, ByteWriter* out);
  // Wait until the supervisor knows how a killed worker has ended, for a second at most.
  void AwaitEnd() noexcept;
  Status Post(const Ask& ask, const ByteWriter& out);
  Result<ByteReader> Answer(const Ask& ask);
  // Answer what the worker asks. Returns whether it got a batch of an input.
  Result<bool> Serve(const Ask& ask, WorkerWord word, ByteReader in);
  // When an exchange is over without an answer, of CLOCK_MONOTONIC; -1: not yet known.
  struct Ends {
    int64_t limit = -1;
    int64_t grace = -1;  // after a stop
  };
  Status WaitForMessage(const Ask& ask, Ends* ends);
  Status CheckEnds(const Ask& ask, Ends* ends);
  Result<ByteReader> ReadMessage(const Ask& ask, WorkerWord* word);
  Status AddResultSegment(int64_t wanted);
  // The number of a segment in the conversation with this worker.
  uint32_t NumberOf(const std::shared_ptr<Segment>& segment);
  const std::vector<SegmentView>& PoolViews();
  void TakeLog(const Ask& ask) noexcept;
  void TakeProgress(const Ask& ask) noexcept;
  Status Lost(const Ask& ask);

  const WorkerGroup& group_;
  SharedMemory control_;
  Fd socket_, far_socket_;
  Receiver receiver_;
  std::shared_ptr<Child> child_;

  uint64_t exchange_ = 0;
  uint64_t last_input_ = 0;
  uint32_t next_segment_ = 1;
  std::unordered_map<const Segment*, uint32_t> numbers_;
  std::vector<std::shared_ptr<Segment>> new_segments_;  // unknown to the worker
  std::vector<SegmentView> pool_views_;
  std::vector<std::shared_ptr<Segment>> result_segments_;
  std::vector<SegmentView> result_views_;  // the same
  std::vector<SegmentView> views_;         // where a result may lie; kept for its memory
  int64_t result_bytes_ = 0;               // of the segments for results
  uint64_t arena_used_ = 0;                // as the worker says
  const std::shared_ptr<InputMemory> inputs_;
  const std::shared_ptr<ReleasedResults> released_ = std::make_shared<ReleasedResults>();
  std::vector<NumberedInput> held_inputs_;  // by number
  // The same, for many results; NULL: not made since they changed.
  std::shared_ptr<const std::vector<KeptInput>> held_list_;
  std::vector<std::byte> message_;
  bool answered_ = false;

  std::atomic<bool> is_dead_{false}, has_ended_{false}, has_forgotten_{false};
  std::mutex mutex_;  // guards what follows
  Death death_;
  bool has_cause_ = false;
  std::vector<uint64_t> forgotten_;
  std::unordered_set<uint64_t> bound_;  // only the thread whose turn it is changes it
};

// What a worker has not released yet.
struct Worker::HeldInput {
  std::shared_ptr<const InputMemory::Piece> piece;  // NULL: nothing was copied
  OwnedArray array;                                 // empty: everything was copied
  KeptInput first;                 // which has the array, if this is not the first worker
  std::vector<SegmentView> views;  // where its buffers are

  const ArrowArray& shared() const { return first != nullptr ? *first->array : *array; }
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_H_
