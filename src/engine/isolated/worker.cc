// SPDX-License-Identifier: MIT
#include "engine/isolated/worker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

#include "base/names.h"
#include "port/clock.h"
#include "port/descriptors.h"

namespace alloy::core {
namespace {

constexpr int64_t kFirstResults = int64_t{4} << 20;
// A waiting thread looks at stops, progress and log lines at least this often. What ends
// the wait early is a nudge; this bounds the damage of a worker that clears it.
constexpr int64_t kSliceNs = 50'000'000;
// An answer of the host that takes longer is a slow input's.
constexpr int64_t kLongAnswerNs = 1'000'000;
constexpr size_t kMostReleased = 4096;
constexpr size_t kKeptWords = 2048;

uint32_t LevelsOf(const Scope* scope) {
  uint32_t levels = 0;
  if (scope == nullptr) return levels;
  for (int32_t level = ALLOY_LOG_DEBUG; level <= ALLOY_LOG_ERROR; ++level) {
    if (scope->Logs(level)) levels |= 1U << level;
  }
  return levels;
}

// The codes that the engine's side in a worker may report. Those of turns, stops and other
// workers are the host's own: BUSY would mean that inputs were not taken.
bool MayReport(alloy_code code) {
  switch (code) {
    case ALLOY_CANCELLED:
    case ALLOY_TIMEOUT:
    case ALLOY_LOST:
    case ALLOY_BUSY:
    case ALLOY_CLOSED:
      return false;
    default:
      return code > ALLOY_OK && code <= ALLOY_INTERNAL;
  }
}

// ` in score, batch 17 (rows 0 to 8191)`
std::string PlaceOf(const Worker::Ask& ask) {
  if (ask.function == nullptr) return " while it loaded the library";
  std::string text = std::string(" in ") + ask.function;
  if (ask.batch != 0) text += ", batch " + std::to_string(ask.batch);
  if (ask.rows > 0) text += " (rows 0 to " + std::to_string(ask.rows - 1) + ")";
  return text;
}

}  // namespace

Status WorkerGroup::CheckProcess() const {
  if (mark->Number() == process) [[likely]]
    return Status();
  return Fail(ALLOY_CLOSED,
              "this process was forked from one that uses the isolated mode, and its "
              "workers belong to that one; make a host and a bridge of its own");
}

Result<std::shared_ptr<Worker>> Worker::Make(const WorkerGroup& group) {
  ALLOY_ASSIGN_OR_RETURN(SharedMemory control,
                         SharedMemory::MakeShared(sizeof(ControlBlock)));
  // What both sides use without asking; the rest of the messages is backed when it is used.
  constexpr size_t kUsed[][2] = {
      {0, offsetof(ControlBlock, for_worker) + ByteWriter::kFirstRoom},
      {offsetof(ControlBlock, for_host), ByteWriter::kFirstRoom}};
  for (const auto& [begin, size] : kUsed) {
    ALLOY_TRY(control.Back(control.data() + begin, size).WithPrefix("a worker: "));
  }
  ::new (static_cast<void*>(control.data())) ControlBlock;
  Fd near, far;
  if (const int error = MakeSocketPair(&near, &far); error != 0) {
    return Fail(ALLOY_EXHAUSTED, "cannot talk to a worker: " + ErrorText(error));
  }
  std::shared_ptr<Worker> worker(
      new Worker(group, std::move(control), std::move(near), std::move(far)));
  ALLOY_TRY(worker->AddResultSegment(kFirstResults));
  return worker;
}

Worker::Worker(const WorkerGroup& group, SharedMemory control, Fd near, Fd far)
    : group_(group),
      control_(std::move(control)),
      socket_(std::move(near)),
      far_socket_(std::move(far)),
      receiver_(block().to_host, group.limits.waiting),
      inputs_(std::make_shared<InputMemory>(group.memory.inputs)) {
  block().waiting.store(group.limits.waiting);
}

// ---- Of the supervisor

void Worker::Started(std::shared_ptr<Child> child) {
  far_socket_ = Fd();
  child_ = std::move(child);
}

void Worker::Wrote(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  death_.last_words += text;
  if (death_.last_words.size() > 2 * kKeptWords) {
    death_.FindFatalMemory();
    death_.last_words.erase(0, death_.last_words.size() - kKeptWords);
  }
}

void Worker::Ended(DeathCause cause, int value) {
  {
    const std::scoped_lock lock(mutex_);
    if (!has_cause_) {
      death_.cause = cause;
      death_.value = value;
      has_cause_ = true;
      death_.FindMemory();
    }
  }
  has_ended_.store(true, std::memory_order_release);
  is_dead_.store(true, std::memory_order_release);
  block().to_host.Close();
}

void Worker::GiveUp() noexcept {
  is_dead_.store(true, std::memory_order_release);
  Kill();
}

void Worker::Kill() noexcept {
  constexpr int kSigKill = 9;
  if (child_ != nullptr) child_->Kill(kSigKill);
}

int32_t Worker::DeathReason() {
  const std::scoped_lock lock(mutex_);
  return has_cause_ ? ReasonOf(death_.cause) : ALLOY_REASON_NONE;
}

void Worker::Bound(uint64_t state) {
  const std::scoped_lock lock(mutex_);
  bound_.insert(state);
}

bool Worker::Unbound(uint64_t state) {
  const std::scoped_lock lock(mutex_);
  return bound_.erase(state) != 0;
}

void Worker::ForgetLater(uint64_t state) {
  const std::scoped_lock lock(mutex_);
  // A worker in a long stream would collect the states of all other calls.
  if (!bound_.contains(state)) return;
  forgotten_.push_back(state);
  has_forgotten_.store(true, std::memory_order_release);
}

std::vector<uint64_t> Worker::TakeForgotten() {
  if (!has_forgotten_.load(std::memory_order_acquire)) [[likely]]
    return {};
  const std::scoped_lock lock(mutex_);
  has_forgotten_.store(false, std::memory_order_relaxed);
  return std::exchange(forgotten_, {});
}

// ---- Inputs

uint32_t Worker::NumberOf(const std::shared_ptr<Segment>& segment) {
  const auto [found, is_new] = numbers_.try_emplace(segment.get(), next_segment_);
  if (is_new) {
    ++next_segment_;
    new_segments_.push_back(segment);
  }
  return found->second;
}

const std::vector<SegmentView>& Worker::PoolViews() {
  if (group_.memory.pool->n_segments() == pool_views_.size()) [[likely]]
    return pool_views_;
  for (const auto& segment : group_.memory.pool->SegmentsFrom(pool_views_.size())) {
    pool_views_.push_back(
        {NumberOf(segment), {segment->memory().data(), segment->memory().size()}});
  }
  return pool_views_;
}

Result<Worker::Input> Worker::Prepare(RecordWriter& writer, ArrowArray* batch,
                                      KeptInput* kept) {
  const bool is_again = kept != nullptr && *kept != nullptr;
  ALLOY_TRY(writer.Plan(is_again ? (*kept)->shared() : *batch, PoolViews()));
  Input input{.number = ++last_input_, .writer = &writer};
  const uint64_t size = writer.copied_bytes();
  const std::span<const SegmentView> named = writer.named();
  if (size == 0 && named.empty()) return input;
  auto held = std::make_shared<HeldInput>();
  held->views.assign(named.begin(), named.end());
  if (size > 0) {
    ALLOY_ASSIGN_OR_RETURN(held->piece, inputs_->Reserve(size));
    const InputMemory::Piece& piece = *held->piece;
    const std::shared_ptr<Segment> segment = piece.segment().shared_from_this();
    const uint32_t number = NumberOf(segment);
    writer.Copy(piece.data(), number, piece.offset());
    held->views.push_back({number, {piece.data(), piece.size()}, piece.offset()});
  }
  if (is_again) {
    held->first = (*kept)->first != nullptr ? (*kept)->first : *kept;
  } else if (!named.empty()) {
    held->array = OwnedArray(batch);
    if (kept != nullptr) *kept = held;
  }
  held_inputs_.emplace_back(input.number, std::move(held));
  held_list_.reset();
  return input;
}

void Worker::Drop(uint64_t input) {
  // Numbers only grow, so the list is sorted.
  const auto found =
      std::ranges::lower_bound(held_inputs_, input, {}, &NumberedInput::first);
  if (found == held_inputs_.end() || found->first != input) return;
  // Callbacks of the host run when it goes, after the list is whole again.
  const std::shared_ptr<const HeldInput> dropped = std::move(found->second);
  const auto list = std::move(held_list_);
  held_inputs_.erase(found);
}

void Worker::Write(const Input& input, ByteWriter& out) {
  out.Put(input.number);
  input.writer->Write(out);
}

// ---- Exchanges

Status Worker::Begin(const Ask& ask) {
  // A stream that is open at a fork comes here in the child too.
  ALLOY_TRY(group_.CheckProcess());
  if (is_dead()) return Lost(ask);
  ++exchange_;
  return Status();
}

void Worker::WriteHead(const Ask& ask, ByteWriter* out) {
  out->Put(ask.word);
  out->Put(LevelsOf(ask.scope));
  out->Put(exchange_);
  const std::span<const uint64_t> released = released_->Take(kMostReleased);
  out->Put(static_cast<uint32_t>(released.size()));
  out->PutBytes(released.data(), released.size() * sizeof(uint64_t));
  out->Put(static_cast<uint32_t>(new_segments_.size()));
  for (const auto& segment : new_segments_) {
    out->Put(numbers_.at(segment.get()));
    out->Put(static_cast<uint8_t>(segment->is_for_results()));
  }
}

void Worker::AwaitEnd() noexcept {
  constexpr int64_t kLongestNs = 1'000'000'000;
  const int64_t limit = MonotonicNanos() + kLongestNs;
  while (!has_ended() && MonotonicNanos() < limit) {
    (void)receiver_.Wait(std::min(limit, MonotonicNanos() + kSliceNs / 10));
  }
}

Status Worker::Post(const Ask& ask, const ByteWriter& out) {
  if (out.full()) {
    // The worker waits for this answer, or holds what it will never hear of. So it ends.
    GiveUp();
    ALLOY_TRY(Status(out.shortage()).WithPrefix("a message to a worker: "));
    return Fail(ALLOY_EXHAUSTED,
                "a batch has too many columns or buffers to cross to a worker: what "
                "describes it needs more than " +
                    std::to_string(kMessageBytes) + " bytes");
  }
  for (const auto& segment : new_segments_) {
    if (const int error = SendDescriptor(socket_, segment->memory().fd()); error != 0) {
      // Most likely it has died, and the supervisor is about to say how.
      Kill();
      AwaitEnd();
      return Lost(ask);
    }
  }
  new_segments_.clear();
  block().to_worker.Post(static_cast<uint32_t>(out.used()));
  return Status();
}

Result<ByteReader> Worker::Answer(const Ask& ask) {
  Ends ends{.limit = ask.limit_ns > 0 ? MonotonicNanos() + ask.limit_ns : -1};
  for (;;) {
    ALLOY_TRY(WaitForMessage(ask, &ends));
    WorkerWord word{};
    ALLOY_ASSIGN_OR_RETURN(ByteReader in, ReadMessage(ask, &word));
    if (word == WorkerWord::kDone) {
      TakeLog(ask);
      TakeProgress(ask);
      answered_ = ask.word != HostWord::kLoad;
      return in;
    }
    const int64_t asked = MonotonicNanos();
    ALLOY_ASSIGN_OR_RETURN(const bool has_batch, Serve(ask, word, in));
    if (ends.limit >= 0) {
      // The host's own inputs take no time of the worker, but questions that never end do.
      // A batch gives it new time: it may read all of an input before it answers.
      const int64_t now = MonotonicNanos();
      if (has_batch) {
        ends.limit = now + ask.limit_ns;
      } else if (now - asked > kLongAnswerNs) {
        ends.limit += now - asked;
      }
    }
    // A worker that asks without end never lets the host wait.
    ALLOY_TRY(CheckEnds(ask, &ends));
  }
}

Status Worker::WaitForMessage(const Ask& ask, Ends* ends) {
  for (;;) {
    Receiver::Event event;
    // Most answers come while this spins, which needs no time.
    if (!receiver_.Spin(&event)) {
      int64_t until = MonotonicNanos() + kSliceNs;
      if (ends->grace >= 0) until = std::min(until, ends->grace);
      if (ends->limit >= 0) until = std::min(until, ends->limit);
      event = receiver_.Sleep(until);
    }
    switch (event) {
      case Receiver::Event::kMessage:
        return Status();
      case Receiver::Event::kClosed:
        // Only this side closes it, after the end of the worker is known.
        if (!is_dead()) return Violation(ask, "it closed its mailbox");
        return Lost(ask);
      case Receiver::Event::kNudge:
      case Receiver::Event::kTimeout:
        // Memory that a child of the worker still has may hide that the mailbox is closed.
        if (is_dead()) return Lost(ask);
        break;
    }
    TakeLog(ask);
    TakeProgress(ask);
    ALLOY_TRY(CheckEnds(ask, ends));
  }
}

Status Worker::CheckEnds(const Ask& ask, Ends* ends) {
  const Scope* const stops = ask.stops != nullptr ? ask.stops : ask.scope;
  const bool is_stopped = stops != nullptr && stops->stopped();
  if (!is_stopped && ends->limit < 0) return Status();
  const int64_t now = MonotonicNanos();
  if (ends->grace < 0 && is_stopped) {
    block().stop.store(exchange_, std::memory_order_relaxed);
    ends->grace = now + group_.limits.grace_ns;
  }
  const bool is_over = (ends->grace >= 0 && now >= ends->grace) ||
                       (ends->limit >= 0 && now >= ends->limit);
  if (!is_over) return Status();
  {
    const std::scoped_lock lock(mutex_);
    if (!has_cause_) {
      const bool was_stopped = ends->grace >= 0 && now >= ends->grace;
      death_.cause = was_stopped ? DeathCause::kHang : DeathCause::kLate;
      death_.value = static_cast<int>(
          std::min<int64_t>(ask.limit_ns / 1'000'000, std::numeric_limits<int>::max()));
    }
    has_cause_ = true;
  }
  Kill();
  return Lost(ask);
}

// The message is copied, and only the copy is read: the worker may change the original.
Result<ByteReader> Worker::ReadMessage(const Ask& ask, WorkerWord* word) {
  const size_t size = block().to_host.length.load(std::memory_order_relaxed);
  if (size > kMessageBytes) return Violation(ask, "the length of a message");
  if (Status status = control_.Back(block().for_host.data(), size); !status.ok()) {
    // The worker may wait for an answer that will not come.
    GiveUp();
    return status.WithPrefix("a message of a worker: ");
  }
  if (message_.size() < size) message_.resize(size);
  std::memcpy(message_.data(), block().for_host.data(), size);
  ByteReader in({message_.data(), size});
  *word = in.Get<WorkerWord>();
  const auto n_released = in.Get<uint32_t>();
  const auto exchange = in.Get<uint64_t>();
  for (uint32_t i = 0; i < n_released && in.ok(); ++i) {
    Drop(in.Get<uint64_t>());
  }
  arena_used_ = in.Get<uint64_t>();
  if (!in.ok() || exchange != exchange_) return Violation(ask, "the head of a message");
  return in;
}

Result<bool> Worker::Serve(const Ask& ask, WorkerWord word, ByteReader in) {
  Ask answer = ask;
  if (word == WorkerWord::kNeed) {
    const auto wanted = in.Get<uint64_t>();
    if (!in.ok()) return Violation(ask, "a request for memory");
    // A little more, for the room that is lost between pieces.
    const Status added =
        wanted > uint64_t{1} << 46
            ? Fail(ALLOY_EXHAUSTED, "a result of " + std::to_string(wanted) + " bytes")
            : AddResultSegment(static_cast<int64_t>(wanted));
    answer.word = HostWord::kSegment;
    ByteWriter out(block().for_worker, control_);
    WriteHead(answer, &out);
    out.Put(added.code());
    out.PutText(added.ok() ? "" : added.fault().text);
    ALLOY_TRY(Post(answer, out));
    return false;
  }
  if (word != WorkerWord::kPull || ask.requests == nullptr) {
    return Violation(ask, "an unknown request");
  }
  const auto input = in.Get<uint32_t>();
  if (!in.ok()) return Violation(ask, "a request for an input");
  const Pulled pulled = ask.requests->Pull(input);
  answer.word = HostWord::kBatch;
  ByteWriter out(block().for_worker, control_);
  WriteHead(answer, &out);
  out.Put(static_cast<int32_t>(pulled.number));
  out.PutWords(pulled.text);
  if (pulled.number == 0) {
    out.Put(static_cast<uint8_t>(pulled.has_batch));
    if (pulled.has_batch) Write(pulled.batch, out);
  }
  ALLOY_TRY(Post(answer, out));
  return pulled.has_batch;
}

// ---- Results

Status Worker::AddResultSegment(int64_t wanted) {
  // Each costs a descriptor of the host.
  constexpr size_t kMostSegments = 128;
  if (result_segments_.size() >= kMostSegments) {
    return Fail(ALLOY_EXHAUSTED, "the results of one worker lie in " +
                                     std::to_string(kMostSegments) +
                                     " pieces of memory, and it asks for more; release "
                                     "results, or raise output_bytes");
  }
  ALLOY_ASSIGN_OR_RETURN(
      auto segment,
      Segment::Make(
          Segment::For::kResults, wanted,
          std::max(wanted + wanted / 4, std::min(2 * result_bytes_, int64_t{256} << 20)),
          group_.memory.results));
  SharedMemory& memory = segment->memory();
  result_views_.push_back(
      {NumberOf(segment), {memory.data(), memory.size()}, 0, &memory});
  result_bytes_ += static_cast<int64_t>(memory.size());
  result_segments_.push_back(std::move(segment));
  return Status();
}

void Worker::KeepInputs(ReleasedResults::Node* node) {
  constexpr size_t kFew = 8;
  if (held_inputs_.size() <= kFew) [[likely]] {
    for (const auto& [number, held] : held_inputs_) node->inputs.push_back(held);
    return;
  }
  // A function may keep all its inputs, and the host all its results.
  if (held_list_ == nullptr) {
    auto list = std::make_shared<std::vector<KeptInput>>();
    list->reserve(held_inputs_.size());
    for (const auto& [number, held] : held_inputs_) list->push_back(held);
    held_list_ = std::move(list);
  }
  node->inputs.push_back(held_list_);
}

Status Worker::TakeResult(const Ask& ask, RecordReader& reader, ByteReader& in,
                          ArrowArray* out) {
  const auto result = in.Get<uint64_t>();
  auto node = released_->NewNode();
  node->result = result;
  views_ = result_views_;
  for (const auto& [number, held] : held_inputs_) {
    views_.insert(views_.end(), held->views.begin(), held->views.end());
  }
  // Past half full, results leave the memory of the worker, so that it never gets full of
  // results that a host keeps.
  const bool copies = group_.limits.copies_results ||
                      arena_used_ > static_cast<uint64_t>(result_bytes_) / 2;
  std::shared_ptr<ResultOwner> owner;
  if (!copies) {
    node->segments = result_segments_;
    KeepInputs(node.get());
    owner = std::make_shared<ResultOwner>(released_, std::move(node), group_.mark);
  }
  // A record may name the same bytes many times, and would fill the memory of the host.
  reader.LimitCopies(static_cast<uint64_t>(group_.limits.output_bytes) +
                     static_cast<uint64_t>(group_.limits.input_bytes));
  Status status =
      reader.Read(in, views_, copies ? TakeOver::kCopyAll : TakeOver::kCopyFollowed,
                  std::move(owner), out);
  if (copies) released_->Add(std::move(node));
  if (status.ok() || status.code() == ALLOY_EXHAUSTED) return status;
  // A malformed batch is the mistake of the backend, with the same error as in process. A
  // place outside of the shared memory can only come from the worker itself.
  if (status.code() == ALLOY_BAD_DATA &&
      status.fault().reason != ALLOY_REASON_BUFFER_PLACE) {
    return status.WithSide(ALLOY_SIDE_BACKEND)
        .WithPrefix(std::string("the result of ") + ask.function + " of " +
                    group_.backend + ": ");
  }
  return Violation(ask,
                   "a result that lies outside of its memory: " + status.fault().text);
}

// ---- Log and progress

void Worker::TakeProgress(const Ask& ask) noexcept {
  if (ask.scope == nullptr || ask.scope->control() == nullptr) return;
  const int64_t done = block().done.load(std::memory_order_relaxed);
  const int64_t total = block().total.load(std::memory_order_relaxed);
  if (done == 0 && total == 0) return;
  ask.scope->control()->done.store(done, std::memory_order_relaxed);
  ask.scope->control()->total.store(total, std::memory_order_relaxed);
}

void Worker::TakeLog(const Ask& ask) noexcept {
  if (block().log_used.load(std::memory_order_acquire) == 0 || ask.scope == nullptr)
    return;
  constexpr int kTries = 1000;
  int tries = 0;
  // A worker that died inside, or lies, would keep its turn for ever.
  while (block().log_turn.exchange(1, std::memory_order_acquire) != 0) {
    if (++tries == kTries) {
      if (!is_dead()) return;
      break;
    }
  }
  try {
    const size_t used =
        std::min<size_t>(block().log_used.load(std::memory_order_relaxed), kLogBytes);
    std::vector<std::byte> lines(used);
    std::memcpy(lines.data(), block().log.data(), used);
    block().log_used.store(0, std::memory_order_relaxed);
    const uint32_t lost = block().log_lost.exchange(0, std::memory_order_relaxed);
    block().log_turn.store(0, std::memory_order_release);
    ByteReader in(lines);
    const NoWriteSignals no_signals;  // of a log that is full, or that nobody reads
    while (in.left() > 0) {
      const auto level = in.Get<uint8_t>();
      const auto length = in.Get<uint32_t>();
      if (!in.ok() || length > in.left() || level > ALLOY_LOG_ERROR) break;
      ask.scope->WriteLog(level, in.GetBytes(length));
    }
    if (lost > 0) {
      ask.scope->WriteLog(ALLOY_LOG_WARN, std::to_string(lost) +
                                              " lines of the worker did not fit in its "
                                              "memory for lines, and are lost");
    }
  } catch (...) {
    block().log_turn.store(0, std::memory_order_release);
  }
}

// ---- Ends

Status Worker::CheckReported(const Ask& ask, alloy_code code, int32_t reason) {
  const bool has_name =
      reason == ALLOY_REASON_NONE || std::string_view(ReasonName(reason)) != "UNKNOWN";
  if (MayReport(code) && has_name) return Status();
  return Violation(ask, "a failure with code " + std::to_string(code) + " and reason " +
                            std::to_string(reason));
}

Status Worker::Violation(const Ask& ask, std::string detail) {
  {
    const std::scoped_lock lock(mutex_);
    if (!has_cause_) {
      death_.cause = DeathCause::kViolation;
      death_.detail = std::move(detail);
      has_cause_ = true;
    }
  }
  Kill();
  return Lost(ask);
}

// A worker that is lost is not used again, whether it has ended yet or not.
Status Worker::Lost(const Ask& ask) {
  is_dead_.store(true, std::memory_order_release);
  TakeLog(ask);
  const std::scoped_lock lock(mutex_);
  return Status(Fault{
      .code = ALLOY_LOST,
      .reason = ReasonOf(death_.cause),
      .side = ALLOY_SIDE_WORKER,
      .text = "the worker of " +
              (group_.backend.empty() ? "the backend" : group_.backend) + " " +
              DescribeDeath(death_, group_.limits.grace_ns, group_.limits.heap_bytes) +
              PlaceOf(ask) + DescribeLastWords(death_.last_words) + DescribeHint(death_) +
              "; the next call starts a new worker"});
}

}  // namespace alloy::core
