// SPDX-License-Identifier: MIT
// Written by tools/amalgamate from src/ and include/; edit those instead.

//go:build linux && (amd64 || arm64) && !alloy_system

#include "alloy_engine.h"

// src/wire/load_order.cc ----------------------------------------------------------------
//
// What a worker is told before it loads its library.
#ifndef ALLOY_SRC_WIRE_LOAD_ORDER_H_
#define ALLOY_SRC_WIRE_LOAD_ORDER_H_

#include <cstdint>
#include <string>
#include <vector>

//
// A value, or the Status that explains why there is none.
#ifndef ALLOY_SRC_BASE_RESULT_H_
#define ALLOY_SRC_BASE_RESULT_H_

#include <utility>
#include <variant>

//
// The outcome of an operation: ok, or a fault whose code tells the caller what to do next.
//
// Copies share one fault, so the sticky error of a bridge reaches every call unchanged.
// Use Result<T> where there is a value as well.
//
// Threads  values: one thread each; copies may go to others.
#ifndef ALLOY_SRC_BASE_STATUS_H_
#define ALLOY_SRC_BASE_STATUS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>


namespace alloy::core_v0_1 {

struct Fault {
  alloy_code code = ALLOY_INTERNAL;
  int32_t reason = ALLOY_REASON_NONE;
  int32_t input = -1;
  int32_t column = -1;
  uint16_t side = ALLOY_SIDE_ENGINE;
  std::string text;
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  // The text becomes harmless (base/text.h): UTF-8 that controls no terminal, in which
  // each line after the first begins with two blanks.
  explicit Status(Fault fault);

  bool ok() const { return fault_ == nullptr; }
  alloy_code code() const { return ok() ? ALLOY_OK : fault_->code; }
  int32_t reason() const { return ok() ? ALLOY_REASON_NONE : fault_->reason; }
  const Fault& fault() const { return *fault_; }  // only when not ok()

  // The same fault with more context: what only a caller further out knows.
  Status WithInput(int32_t input) const;
  Status WithSide(uint16_t side) const;
  // What is added becomes one harmless line.
  Status WithPrefix(std::string_view prefix) const;
  Status WithSuffix(std::string_view suffix) const;

  // Fill the caller's error and return the code. err may be NULL, and stays unchanged
  // when this is ok.
  alloy_code CopyTo(alloy_error* err) const;

 private:
  std::shared_ptr<const Fault> fault_;  // NULL: ok
};

// A fault of no particular input or column. Its side follows from the code: the caller for
// INVALID, NOT_FOUND and NO_MATCH, which only the caller can correct; else the engine.
// The text becomes one line, whatever names it quotes.
Status Fail(alloy_code code, int32_t reason, std::string text);
Status Fail(alloy_code code, std::string text);

}  // namespace alloy::core_v0_1

// Return early with the status when it is not ok.
#define ALLOY_TRY(expression)                           \
  do {                                                  \
    ::alloy::core_v0_1::Status alloy_status_ = (expression); \
    if (!alloy_status_.ok()) [[unlikely]]               \
      return alloy_status_;                             \
  } while (false)

#endif  // ALLOY_SRC_BASE_STATUS_H_

namespace alloy::core_v0_1 {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}         // NOLINT
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  Status status() const { return ok() ? Status() : std::get<1>(state_); }

  // Only when ok().
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace alloy::core_v0_1

#define ALLOY_CONCAT_(a, b) a##b
#define ALLOY_CONCAT(a, b) ALLOY_CONCAT_(a, b)
#define ALLOY_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                               \
  if (!result.ok()) [[unlikely]]                            \
    return result.status();                                 \
  target = *std::move(result)

// Assign the value to `target` (a declaration or a place), or return early with the
// status.
#define ALLOY_ASSIGN_OR_RETURN(target, expression) \
  ALLOY_ASSIGN_OR_RETURN_(ALLOY_CONCAT(alloy_result_, __LINE__), target, expression)

#endif  // ALLOY_SRC_BASE_RESULT_H_
//
// Numbers and texts in the bytes of a message. Both sides are built from one source and
// run on one machine, so numbers have its own order and nothing is aligned.
//
// Threads  values.
#ifndef ALLOY_SRC_WIRE_BYTES_H_
#define ALLOY_SRC_WIRE_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

//
// Memory that takes no room before it is used, such as a segment of shared memory. Without
// memory behind it, the first access to a page would end the process with SIGBUS. So whoever
// gives out a piece of it asks here first, and gets an error.
#ifndef ALLOY_SRC_BASE_BACKING_H_
#define ALLOY_SRC_BASE_BACKING_H_

#include <cstddef>


namespace alloy::core_v0_1 {

// Threads  shared.
class Backing {
 public:
  virtual ~Backing() = default;

  // Put memory behind these bytes. What has some keeps its values.
  //   Fails  EXHAUSTED: there is none.
  virtual Status Back(const std::byte* begin, size_t size) noexcept = 0;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BACKING_H_

namespace alloy::core_v0_1 {

// Writes into a place of a fixed size. What does not fit is dropped, and full() is true
// from then on. A place in shared memory gets its pages as it is filled.
class ByteWriter {
 public:
  explicit ByteWriter(std::span<std::byte> place) : place_(place), room_(place.size()) {}
  // The first kFirstRoom bytes have memory behind them.
  ByteWriter(std::span<std::byte> place, Backing& backing)
      : place_(place),
        room_(place.size() < kFirstRoom ? place.size() : kFirstRoom),
        backing_(&backing) {}

  static constexpr size_t kFirstRoom = size_t{16} << 10;

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void Put(const T& value) {
    PutBytes(&value, sizeof(T));
  }
  void PutText(std::string_view text) {
    Put(static_cast<uint64_t>(text.size()));
    PutBytes(text.data(), text.size());
  }
  // A text for people, which may have any size: the first 64 KiB of it. An error keeps less.
  void PutWords(std::string_view text) {
    constexpr size_t kMostWords = size_t{64} << 10;
    PutText(text.substr(0, kMostWords));
  }
  void PutBytes(const void* bytes, size_t size) {
    if (size > room_ - used_ && !MakeRoom(size)) [[unlikely]]
      return Fail();
    if (size > 0) std::memcpy(place_.data() + used_, bytes, size);
    used_ += size;
  }

  // Make it full: what it holds is not to be sent.
  void Fail() {
    used_ = room_ = place_.size();
    full_ = true;
  }
  // Whether it is full because there is no memory.
  const Status& shortage() const { return shortage_; }
  bool full() const { return full_; }
  size_t used() const { return used_; }

 private:
  bool MakeRoom(size_t size) {
    if (backing_ == nullptr || size > place_.size() - used_) return false;
    const size_t wanted = std::min(place_.size(), std::max(2 * room_, used_ + size));
    shortage_ = backing_->Back(place_.data() + room_, wanted - room_);
    if (shortage_.ok()) room_ = wanted;
    return shortage_.ok();
  }

  std::span<std::byte> place_;
  size_t room_;  // so much of the place may be used
  Backing* backing_ = nullptr;
  Status shortage_;
  size_t used_ = 0;
  bool full_ = false;
};

// Reads bytes that the other side may have made up, out of private memory. After the first
// value that is not there, every value is zero or empty, and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T Get() {
    T value{};
    if (sizeof(T) > bytes_.size()) {
      Fail();
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  // A view of the bytes that are read.
  std::string_view GetText() { return GetBytes(Get<uint64_t>()); }

  // A view of the next bytes.
  std::string_view GetBytes(size_t size) {
    if (size > bytes_.size()) {
      Fail();
      return {};
    }
    const std::string_view view(reinterpret_cast<const char*>(bytes_.data()), size);
    bytes_ = bytes_.subspan(size);
    return view;
  }

  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  // Whether all bytes are read, and all were there.
  bool AtEnd() const { return ok_ && bytes_.empty(); }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_BYTES_H_

namespace alloy::core_v0_1 {

// A value.
struct LoadOrder {
  std::string library;  // the file as the host named it, for texts
  bool is_linked = false;
  bool plainly = false;  // by its path, for debuggers
  // Absolute paths of what the library may need, and the SONAMEs to which one of these
  // files must answer.
  std::vector<std::string> files, sonames;
  int64_t heap_bytes = 0;
  uint64_t demanded = 0;  // restrictions without which nothing is loaded

  void Write(ByteWriter& out) const;
  //   Fails  INTERNAL: it is cut.
  static Result<LoadOrder> Read(ByteReader& in);
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_LOAD_ORDER_H_

namespace alloy::core_v0_1 {
namespace {

void PutTexts(const std::vector<std::string>& texts, ByteWriter& out) {
  out.Put(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) out.PutText(text);
}

std::vector<std::string> GetTexts(ByteReader& in) {
  std::vector<std::string> texts;
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n)
    texts.emplace_back(in.GetText());
  return texts;
}

}  // namespace

void LoadOrder::Write(ByteWriter& out) const {
  out.PutText(library);
  out.Put(is_linked);
  out.Put(plainly);
  out.Put(heap_bytes);
  out.Put(demanded);
  PutTexts(files, out);
  PutTexts(sonames, out);
}

Result<LoadOrder> LoadOrder::Read(ByteReader& in) {
  LoadOrder order;
  order.library = in.GetText();
  order.is_linked = in.Get<uint8_t>() != 0;
  order.plainly = in.Get<uint8_t>() != 0;
  order.heap_bytes = in.Get<int64_t>();
  order.demanded = in.Get<uint64_t>();
  order.files = GetTexts(in);
  order.sonames = GetTexts(in);
  if (!in.ok()) return Fail(ALLOY_INTERNAL, "the order to load a library is cut");
  return order;
}

}  // namespace alloy::core_v0_1

// src/wire/mailbox.cc -------------------------------------------------------------------
//
// One direction of the two between host and worker, in memory that they share.
//
// A mailbox is a futex word that counts messages and tells whether the receiver sleeps.
// Both are in one word, so that no wake-up is lost. The other process may write anything
// into it: the worst outcome is a wake-up too many or a wait until the deadline.
#ifndef ALLOY_SRC_WIRE_MAILBOX_H_
#define ALLOY_SRC_WIRE_MAILBOX_H_

#include <atomic>
#include <cstdint>

namespace alloy::core_v0_1 {

struct Mailbox {
  static constexpr uint32_t kSleeps = 1;  // the receiver is, or is about to be, asleep
  static constexpr uint32_t kClosed = 2;  // no message will follow
  static constexpr uint32_t kNudged = 4;  // look at what else has changed
  static constexpr uint32_t kStep = 8;    // the rest counts the messages, modulo 2^29

  // Processors fetch lines of 64 bytes in pairs.
  alignas(128) std::atomic<uint32_t> word{0};
  std::atomic<uint32_t> length{0};  // of the message, in bytes

  // The message of `size` bytes is written.
  void Post(uint32_t size) noexcept;
  // No message will follow. Any thread.
  void Close() noexcept { Raise(kClosed); }
  // End a wait without a message. Any thread, and any signal handler.
  void Nudge() noexcept { Raise(kNudged); }

 private:
  void Raise(uint32_t bit) noexcept;
};
static_assert(std::atomic<uint32_t>::is_always_lock_free);

// How long a receiver spins before it sleeps. To wake a sleeping core costs about a hundred
// times as much as to be seen by a spinning one, but a spinning core does nothing else.
enum class Waiting : uint8_t {
  kAdaptive,  // as long as recent waits were short, if there is a second core
  kSpins,     // for benchmarks
  kSleeps,
};

// Threads  serial.
class Receiver {
 public:
  enum class Event : uint8_t { kMessage, kNudge, kClosed, kTimeout };

  // Borrows mailbox, as long as this lives. It asks how many processors there are, which
  // needs memory.
  explicit Receiver(Mailbox& mailbox, Waiting waiting = Waiting::kAdaptive);

  // Wait for the next message. A message that was posted before Close is still received.
  //   deadline_ns  of CLOCK_MONOTONIC; -1: none.
  Event Wait(int64_t deadline_ns) noexcept {
    Event event = Event::kTimeout;
    return Spin(&event) ? event : Sleep(deadline_ns);
  }
  // The two parts of Wait, for who needs no deadline while it spins. Returns whether
  // there was an event.
  bool Spin(Event* event) noexcept;
  Event Sleep(int64_t deadline_ns) noexcept;

 private:
  bool See(Event* event) noexcept;

  Mailbox& mailbox_;
  uint32_t seen_ = 0;  // the count of the last message
  const Waiting waiting_;
  const int64_t most_spin_ns_;
  int64_t spin_ns_;          // before the next sleep
  int64_t next_try_ns_ = 0;  // when a long spin is tried again
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_MAILBOX_H_

#include <algorithm>

#ifndef ALLOY_SRC_PORT_CLOCK_H_
#define ALLOY_SRC_PORT_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <string>

//
// Tells a process from the process that forked it, at the cost of one load.
//
// A fork copies the memory of all threads and only the calling thread. So what belongs to
// other threads must not be used in the child: a lock that one of them held, a thread
// object, the waiters of a condition variable. Objects that have such parts keep a number
// from here next to them, and compare.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_PROCESS_MARK_H_
#define ALLOY_SRC_PORT_PROCESS_MARK_H_

#include <atomic>
#include <cstdint>

namespace alloy::core_v0_1 {

class ProcessMark {
 public:
  ProcessMark();
  ~ProcessMark();
  ProcessMark(const ProcessMark&) = delete;
  ProcessMark& operator=(const ProcessMark&) = delete;

  // From 1 to 2^30 - 1. A child of fork gets another number than its parent, and keeps it.
  uint32_t Number() {
    if (page_ == nullptr) [[unlikely]]
      return ProcessId();
    const uint32_t number = page_->load(std::memory_order_acquire);
    return number != 0 ? number : NextNumber();
  }

 private:
  static uint32_t ProcessId();
  uint32_t NextNumber();

  // In a page that the kernel fills with zeros in a child. NULL: this kernel cannot, and
  // each look costs a system call.
  std::atomic<uint32_t>* page_ = nullptr;
  std::atomic<uint32_t> last_{1};  // the last number that was given; a child inherits it
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_PROCESS_MARK_H_

namespace alloy::core_v0_1 {

// The wall clock in the local time zone.
//
// glibc converts a time under a lock that it does not reset in a child of fork. So a thread
// asks for the offset of the zone at most once in a quarter of an hour, and a child whose
// parent was just asking does not ask: it keeps the offset that was known.
//
// Threads  shared.
class LocalClock {
 public:
  // Borrows mark, as long as this lives.
  explicit LocalClock(ProcessMark& mark) : mark_(mark) {}

  // As 2022-10-17 18:09:34.
  std::string Text();

 private:
  int64_t OffsetAt(int64_t now);

  // Offsets change at quarters of an hour, in every time zone.
  struct Known {
    int32_t quarter = 0;  // since 1970; 0: nothing is known
    int32_t offset = 0;   // in seconds
  };

  ProcessMark& mark_;
  std::atomic<Known> known_{Known()};
  std::atomic<uint32_t> asking_{0};  // the process of the thread that asks; 0: none
};

// Seconds since 1970-01-01T00:00:00Z.
int64_t UnixSeconds();

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// A clock that nobody sets: for deadlines and durations. All processes see the same time.
int64_t MonotonicNanos();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CLOCK_H_
//
// The processors: how many this process may use, and how to wait on one for a moment.
#ifndef ALLOY_SRC_PORT_CPU_H_
#define ALLOY_SRC_PORT_CPU_H_

#include <string>
#include <string_view>

namespace alloy::core_v0_1 {

// In each turn of a loop that waits for another processor.
inline void CpuRelax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// How many processors may work for this process at the same time: those that it may run
// on, and no more than the whole ones that the quota of its cgroups pays for. At least 1.
// Reads files; ask once.
int UsableCpus();

// The part of UsableCpus that reads cgroups (v1 and v2). `groups` is the text of
// /proc/self/cgroup, and `root` is where cgroups are mounted. Returns INT_MAX if there is
// no quota.
int CpusOfQuota(std::string_view groups, const std::string& root);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CPU_H_
//
// Sleeping on a word that several processes share, until another one changes it.
//
// A waker stores the new value first, and then calls FutexWakeAll. So no wake-up is lost:
// the kernel compares the word with `expected` after the waiter is in its queue.
//
// Threads  shared, of all processes that map the word.
#ifndef ALLOY_SRC_PORT_FUTEX_H_
#define ALLOY_SRC_PORT_FUTEX_H_

#include <atomic>
#include <cstdint>

namespace alloy::core_v0_1 {

constexpr int64_t kNoDeadline = -1;

// Sleep while the word is `expected`. `deadline_ns` is a time of MonotonicNanos
// (port/clock.h); a negative one never passes. Returns false only after the deadline. May
// return true for no reason, so look at the word again. The word may be mapped read-only.
bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected,
               int64_t deadline_ns) noexcept;

void FutexWakeAll(std::atomic<uint32_t>& word) noexcept;

// Whether the kernel, and the container, allow it; else waits poll. Sets errno if not.
bool HasFutex() noexcept;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_FUTEX_H_

namespace alloy::core_v0_1 {
namespace {

constexpr uint32_t kCount = ~(Mailbox::kStep - 1);

// What it costs to wake a core, and some more: a receiver that spins less never sees the
// answer of a sender that slept.
constexpr int64_t kLongSpinNs = 50'000;
// Shorter spins are none.
constexpr int64_t kShortestSpinNs = 500;
// Looks between two looks at the clock.
constexpr int kBurst = 64;
// A receiver that sleeps tries a long spin again after this time, so that spins for nothing
// cost 2 % at most: both sides may have one core only, and hold each other up.
constexpr int64_t kTryEveryNs = 3'000'000;

int64_t MostSpinNs(Waiting waiting) {
  switch (waiting) {
    case Waiting::kSleeps:
      return 0;
    case Waiting::kSpins:
      return int64_t{1} << 60;
    case Waiting::kAdaptive:
      break;
  }
  return UsableCpus() > 1 ? kLongSpinNs : 0;
}

}  // namespace

void Mailbox::Post(uint32_t size) noexcept {
  length.store(size, std::memory_order_relaxed);
  const uint32_t before = word.fetch_add(kStep, std::memory_order_acq_rel);
  if ((before & kSleeps) != 0) FutexWakeAll(word);
}

void Mailbox::Raise(uint32_t bit) noexcept {
  const uint32_t before = word.fetch_or(bit, std::memory_order_acq_rel);
  if ((before & kSleeps) != 0) FutexWakeAll(word);
}

Receiver::Receiver(Mailbox& mailbox, Waiting waiting)
    : mailbox_(mailbox),
      waiting_(waiting),
      most_spin_ns_(MostSpinNs(waiting)),
      spin_ns_(most_spin_ns_) {}

bool Receiver::See(Event* event) noexcept {
  const uint32_t word = mailbox_.word.load(std::memory_order_acquire);
  if ((word & kCount) != seen_) {
    seen_ = word & kCount;
    *event = Event::kMessage;
    return true;
  }
  if ((word & Mailbox::kClosed) != 0) {
    *event = Event::kClosed;
    return true;
  }
  if ((word & Mailbox::kNudged) != 0) {
    mailbox_.word.fetch_and(~Mailbox::kNudged, std::memory_order_acq_rel);
    *event = Event::kNudge;
    return true;
  }
  return false;
}

bool Receiver::Spin(Event* event) noexcept {
  if (See(event)) return true;  // which says nothing about the next message
  int64_t end = 0;
  for (bool in_time = spin_ns_ > 0; in_time;) {
    for (int i = 0; i < kBurst; ++i) {
      CpuRelax();
      if (!See(event)) continue;
      if (waiting_ == Waiting::kAdaptive) spin_ns_ = most_spin_ns_;
      return true;
    }
    const int64_t now = MonotonicNanos();
    if (end == 0) end = now + spin_ns_;
    in_time = now < end;
  }
  // The message took longer than a spin. So the next spins are shorter, until a long one is
  // tried again.
  if (waiting_ == Waiting::kAdaptive && most_spin_ns_ > 0) {
    spin_ns_ = spin_ns_ / 4 < kShortestSpinNs ? 0 : spin_ns_ / 4;
    if (const int64_t now = MonotonicNanos(); now >= next_try_ns_) {
      spin_ns_ = most_spin_ns_;
      next_try_ns_ = now + kTryEveryNs;
    }
  }
  return false;
}

Receiver::Event Receiver::Sleep(int64_t deadline_ns) noexcept {
  Event event = Event::kTimeout;
  for (;;) {
    const uint32_t word =
        mailbox_.word.fetch_or(Mailbox::kSleeps, std::memory_order_acq_rel) |
        Mailbox::kSleeps;
    bool in_time = true;
    if (!See(&event)) {
      in_time = FutexWait(mailbox_.word, word, deadline_ns);
      if (!See(&event) && in_time) continue;
    }
    mailbox_.word.fetch_and(~Mailbox::kSleeps, std::memory_order_acq_rel);
    return event;
  }
}

}  // namespace alloy::core_v0_1

// src/wire/record_copies.cc -------------------------------------------------------------
//
// Copies of what readers follow. A copy is checked after it was made, in private memory:
// the other side may change the original at any time, so nothing is read from there twice.
//
// Each function returns the first wrong row, or -1.
//
// Threads  shared.
#ifndef ALLOY_SRC_WIRE_RECORD_COPIES_H_
#define ALLOY_SRC_WIRE_RECORD_COPIES_H_

#include <cstddef>
#include <cstdint>


namespace alloy::core_v0_1 {

// Keep the compiler from reading again what was copied out of shared memory.
void EndOfSharedRead();

// Copy `rows` + 1 offsets. They must begin at 0 or above, or exactly at `base` if that is not
// -1; not decrease; and end at most at `limit`. With a base, each becomes smaller by it.
int64_t CopyCheckedOffsets(std::byte* to, const std::byte* from, uint8_t bytes,
                           int64_t rows, int64_t base, int64_t limit);

// Copy `rows` views of `array`, whose sizes and bitmap are private already. `first` is the
// first of them, from the begin of the buffers. A long view must lie in its buffer; in a
// null row it becomes empty if it does not.
int64_t CopyCheckedViews(std::byte* to, const std::byte* from, int64_t rows,
                         const ArrowArray& array, int64_t first);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_RECORD_COPIES_H_

#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>

#ifndef ALLOY_SRC_ARROW_VIEW_H_
#define ALLOY_SRC_ARROW_VIEW_H_

#include <cstdint>

#ifndef ALLOY_SRC_ARROW_LOAD_VALUE_H_
#define ALLOY_SRC_ARROW_LOAD_VALUE_H_

#include <cstdint>
#include <cstring>

namespace alloy::core_v0_1 {

// Value `index` of a buffer of any alignment. Arrow only recommends an alignment, so the
// engine never relies on it.
template <typename T>
T LoadValue(const void* base, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char*>(base) + index * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

// Load an offset, a run end or an index of 1, 2, 4 or 8 bytes as a signed number.
inline int64_t LoadSigned(const void* values, int64_t index, uint8_t bytes) {
  switch (bytes) {
    case 1:
      return LoadValue<int8_t>(values, index);
    case 2:
      return LoadValue<int16_t>(values, index);
    case 4:
      return LoadValue<int32_t>(values, index);
    default:
      return LoadValue<int64_t>(values, index);
  }
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LOAD_VALUE_H_

namespace alloy::core_v0_1 {

inline constexpr int64_t kViewBytes = 16;
inline constexpr int32_t kMostInline =
    12;  // the bytes of a text that a view itself holds

// A view as it lies in memory. The last three fields are the bytes of a short text.
struct View {
  int32_t length;
  int32_t prefix;
  int32_t buffer;  // which of the variadic buffers
  int32_t offset;

  bool IsLong() const { return length > kMostInline; }
  // Whether a long one lies in its buffer.
  bool IsIn(const ArrowArray& array) const {
    return buffer >= 0 && buffer < array.n_buffers - 3 && offset >= 0 &&
           int64_t{offset} + length <=
               LoadValue<int64_t>(array.buffers[array.n_buffers - 1], buffer);
  }
};
static_assert(sizeof(View) == kViewBytes);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_VIEW_H_
//
// Reads one bit of an Arrow bitmap, by the helper of the public headers.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BITS_H_
#define ALLOY_SRC_BASE_BITS_H_

//
// The bits of an Arrow bitmap: bit i is bit i % 8 of byte i / 8, from the lowest.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_BITS_HPP_
#define ALLOY_DETAIL_BITS_HPP_

#include <bit>
#include <cstdint>
#include <cstring>

namespace alloy::detail {

// Bit `i` of a bitmap that has more than `i` bits.
inline bool BitAt(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i >> 3] >> (i & 7) & 1) != 0;
}

// At most 64 bits of a bitmap from bit `first` on, the lowest first. It reads no byte that
// has none of the `count` bits.
inline uint64_t BitsAt(const void* bits, int64_t first, int64_t count) {
  static_assert(std::endian::native == std::endian::little);
  const auto* bytes = static_cast<const uint8_t*>(bits) + (first >> 3);
  const int64_t shift = first & 7;
  const int64_t size = (shift + count + 7) / 8;
  uint64_t word = 0;
  if (size >= 8) [[likely]] {
    std::memcpy(&word, bytes, sizeof(word));
  } else {
    std::memcpy(&word, bytes, static_cast<size_t>(size));
  }
  word >>= shift;
  if (size > 8) word |= uint64_t{bytes[8]} << (64 - shift);
  return count < 64 ? word & ((uint64_t{1} << count) - 1) : word;
}

// Count the set bits among `count` bits from `first` on.
inline int64_t CountBits(const void* bits, int64_t first, int64_t count) {
  int64_t set = 0;
  int64_t i = first;
  const int64_t end = first + count;
  for (; i < end && i % 8 != 0; ++i) set += BitAt(bits, i) ? 1 : 0;
  for (; i + 64 <= end; i += 64) {
    uint64_t word = 0;
    std::memcpy(&word, static_cast<const uint8_t*>(bits) + i / 8, sizeof(word));
    set += std::popcount(word);
  }
  for (; i < end; ++i) set += BitAt(bits, i) ? 1 : 0;
  return set;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_BITS_HPP_

namespace alloy::core_v0_1 {

using alloy::detail::BitAt;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BITS_H_
//
// The loop of every check of rows (gate/row_checks.h): block by block, without branches.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_BLOCK_SCAN_H_
#define ALLOY_SRC_BASE_BLOCK_SCAN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace alloy::core_v0_1 {

// a - b, which wraps instead of overflowing. Its sign is right if a and b are not
// negative.
template <typename T>
constexpr T Minus(T a, T b) {
  using Bits = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<Bits>(static_cast<Bits>(a) - static_cast<Bits>(b)));
}

// The first of `rows` rows that is wrong and not excused; -1 if there is none.
//
// `sign(i)` is a signed number, negative if row i is wrong. The numbers of a block are
// combined without a branch, and a block has a fixed size. So compilers use vector
// instructions for it, at -O2 too. Only a block with a wrong row is searched row by row,
// and only there `excused(i)` is asked.
template <typename Sign, typename Excused>
inline int64_t FirstWrong(int64_t rows, Sign sign, Excused excused) {
  using Word = decltype(sign(int64_t{0}));
  static_assert(std::is_signed_v<Word>);
  constexpr int64_t kBlock = 1024;
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(rows, begin + kBlock);
    Word any = 0;
    if (end - begin == kBlock) [[likely]] {
      for (int64_t j = 0; j < kBlock; ++j) {
        any = static_cast<Word>(any | sign(begin + j));
      }
    } else {
      for (int64_t i = begin; i < end; ++i) any = static_cast<Word>(any | sign(i));
    }
    if (any >= 0) [[likely]]
      continue;
    for (int64_t i = begin; i < end; ++i) {
      if (sign(i) < 0 && !excused(i)) return i;
    }
  }
  return -1;
}

template <typename Sign>
inline int64_t FirstWrong(int64_t rows, Sign sign) {
  return FirstWrong(rows, sign, [](int64_t) { return false; });
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_BLOCK_SCAN_H_

namespace alloy::core_v0_1 {
namespace {

// A block stays in the first cache between its copy and its check.
constexpr int64_t kBlock = 1024;

template <typename T>
int64_t CopyOffsetsOf(std::byte* to, const std::byte* from, int64_t rows, int64_t base,
                      int64_t limit) {
  constexpr int64_t kWide = sizeof(T);
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t n = std::min(kBlock, rows - begin);
    // Each block but the first has the first offset of its rows already.
    const int64_t had = begin == 0 ? 0 : 1;
    std::memcpy(to + (begin + had) * kWide, from + (begin + had) * kWide,
                static_cast<size_t>((n + 1 - had) * kWide));
    EndOfSharedRead();
    const std::byte* at = to + begin * kWide;
    const int64_t row = FirstWrong(n, [at](int64_t i) {
      const T here = LoadValue<T>(at, i);
      return static_cast<T>(here | Minus(LoadValue<T>(at, i + 1), here));
    });
    if (row >= 0) return begin + row;
  }
  if (base >= 0 && LoadValue<T>(to, 0) != base) return 0;
  if (LoadValue<T>(to, rows) < 0 || LoadValue<T>(to, rows) > limit) return rows - 1;
  if (base > 0) {
    for (int64_t i = 0; i <= rows; ++i) {
      const T offset = Minus(LoadValue<T>(to, i), static_cast<T>(base));
      std::memcpy(to + i * kWide, &offset, sizeof(T));
    }
  }
  return -1;
}

}  // namespace

void EndOfSharedRead() { std::atomic_signal_fence(std::memory_order_seq_cst); }

int64_t CopyCheckedOffsets(std::byte* to, const std::byte* from, uint8_t bytes,
                           int64_t rows, int64_t base, int64_t limit) {
  return bytes == 4 ? CopyOffsetsOf<int32_t>(to, from, rows, base, limit)
                    : CopyOffsetsOf<int64_t>(to, from, rows, base, limit);
}

int64_t CopyCheckedViews(std::byte* to, const std::byte* from, int64_t rows,
                         const ArrowArray& array, int64_t first) {
  const void* bitmap = array.buffers[0];
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t n = std::min(kBlock, rows - begin);
    std::byte* at = to + begin * kViewBytes;
    std::memcpy(at, from + begin * kViewBytes, static_cast<size_t>(n * kViewBytes));
    EndOfSharedRead();
    const int64_t row = FirstWrong(
        n,
        [at](int64_t i) {
          const auto length = LoadValue<int32_t>(at, 4 * i);
          return length | Minus(kMostInline, length);
        },
        [&](int64_t i) {
          const auto view = LoadValue<View>(at, i);
          if (view.IsLong() ? view.IsIn(array) : view.length >= 0) return true;
          if (bitmap == nullptr || BitAt(bitmap, first + begin + i)) return false;
          std::memset(at + i * kViewBytes, 0, kViewBytes);
          return true;
        });
    if (row >= 0) return begin + row;
  }
  return -1;
}

}  // namespace alloy::core_v0_1

// src/wire/record_reader.cc -------------------------------------------------------------
//
// Makes batches from records (records.h).
#ifndef ALLOY_SRC_WIRE_RECORD_READER_H_
#define ALLOY_SRC_WIRE_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

//
// A layout is a parsed schema: what the gate must know to check arrays of that schema.
//
// The engine makes it at bind, and it keeps no pointer to the schema. The gate walks
// arrays along the layout. So no call parses a schema, and the gate never relies on what
// an array claims about its own nesting.
//
// Threads  immutable: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_H_
#define ALLOY_SRC_ARROW_LAYOUT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

//
// Parses the format strings of the Arrow C data interface ("Data type description --
// format strings"), one string at a time. layout.h checks children and dictionaries.
//
// Threads  values.
#ifndef ALLOY_SRC_ARROW_FORMAT_H_
#define ALLOY_SRC_ARROW_FORMAT_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace alloy::core_v0_1 {

enum class Type : uint8_t {
  kNull,
  kBoolean,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat16,
  kFloat32,
  kFloat64,
  kBinary,
  kLargeBinary,
  kBinaryView,
  kUtf8,
  kLargeUtf8,
  kUtf8View,
  kFixedSizeBinary,
  kDecimal32,
  kDecimal64,
  kDecimal128,
  kDecimal256,
  kDate32,
  kDate64,
  kTime32,
  kTime64,
  kTimestamp,
  kDuration,
  kIntervalYearMonth,
  kIntervalDayTime,
  kIntervalMonthDayNano,
  kList,
  kLargeList,
  kListView,
  kLargeListView,
  kFixedSizeList,
  kStruct,
  kMap,
  kSparseUnion,
  kDenseUnion,
  kRunEndEncoded,
};

inline constexpr Type kLastType = Type::kRunEndEncoded;

// How the arrays of a type lie in memory: the buffers, then the children.
// layout_rules.h has the rules of each form.
enum class Form : uint8_t {
  kFixed,          // validity, values of `bits` each
  kOffsets,        // validity, offsets, bytes
  kViews,          // validity, views, any number of variadic buffers, their sizes
  kList,           // validity, offsets; one child
  kListView,       // validity, offsets, sizes; one child
  kFixedSizeList,  // validity; one child
  kStruct,         // validity; any children, row by row
  kSparseUnion,    // type ids; one child for each type id, row by row
  kDenseUnion,     // type ids, offsets; one child for each type id
  kRunEnd,         // no buffers; run ends and values
  kNull,           // no buffers
};

inline constexpr Form kLastForm = Form::kNull;

constexpr bool IsInteger(Type type) {
  return type >= Type::kInt8 && type <= Type::kUInt64;
}

constexpr bool IsUnsigned(Type type) {
  return type == Type::kUInt8 || type == Type::kUInt16 || type == Type::kUInt32 ||
         type == Type::kUInt64;
}

struct Format {
  Type type = Type::kNull;
  Form form = Form::kNull;
  uint8_t offset_bytes = 0;  // of one offset; 0: the form has no offsets
  char unit = 0;             // of time: s, m, u or n; 0: not a type of time
  int64_t bits = 0;          // of one fixed-size value
  int64_t size = 0;          // of a fixed-size list
  int32_t precision = 0;     // of a decimal
  int32_t scale = 0;
  int32_t n_type_ids = 0;       // of a union
  std::string_view parameters;  // the time zone, or the type ids, as written
};

// Why a format string is refused; reason 0 if it is accepted.
struct FormatFault {
  int32_t reason = 0;
  const char* expected = "";  // the parameter that would be accepted
};

// Parse `text`. `format` keeps a view of it.
FormatFault ParseFormat(std::string_view text, Format* format);

// The child of each type id of a union; -1: the union does not have this type id.
std::array<int8_t, 128> ChildrenByTypeId(const Format& format);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_FORMAT_H_

namespace alloy::core_v0_1 {

class Layout {
 public:
  struct Node {
    int64_t max_end = 0;     // the largest offset + length whose bytes fit in 63 bits
    int64_t size = 0;        // fixed-size list: rows of the child for each row;
                             // union: the index into the TypeIds
    int64_t bits = 0;        // of one value of a fixed width
    int32_t n_children = 0;  // without the dictionary, which comes first
    int32_t subtree = 1;     // nodes from here that belong to this one, itself included
    Type type = Type::kNull;
    Form form = Form::kNull;
    uint8_t n_buffers = 0;      // of views: the least
    uint8_t integer_bytes = 0;  // of one offset, size, run end or dictionary index
    bool has_bytes = false;     // values have at least one bit
    bool dictionary = false;
    bool points_elsewhere = false;  // rows here or below have a check in gate/rows.h
    bool nullable : 1 = false;
    // Here or below is a column that is declared not nullable, or a map.
    bool has_required : 1 = false;
    bool has_map : 1 = false;
  };

  // The type ids of a union.
  struct TypeIds {
    std::array<int8_t, 128> children;  // by type id; -1: the union does not have this one
  };

  // Parse the schema of an array of any type.
  //   Fails  ALLOY_BAD_DATA  with reason and column. Columns count from -1 for the root
  //                          in preorder; a dictionary comes right after its index.
  static Result<Layout> Of(const ArrowSchema& schema);

  // Parse the schema of a batch. Also fails with ALLOY_REASON_NOT_A_BATCH.
  static Result<Layout> OfBatch(const ArrowSchema& schema);

  // In preorder: node i is column i - 1.
  std::span<const Node> nodes() const { return nodes_; }
  int64_t n_columns() const { return nodes_[0].n_children; }  // of a batch

  const TypeIds& type_ids(const Node& node) const {
    return type_ids_[static_cast<size_t>(node.size)];
  }

  std::string_view name(int32_t column) const;

  // The path to a column for error texts: `a.b.item`; empty for the root.
  std::string Path(int32_t column) const;

 private:
  struct Name {
    size_t begin = 0;  // in names_
    size_t length = 0;
    int32_t parent = -1;   // a node
    int32_t ordinal = -1;  // among the children of the parent; -1: the dictionary
  };

  Layout() = default;
  friend class LayoutReader;

  std::vector<Node> nodes_;
  std::vector<TypeIds> type_ids_;
  std::vector<Name> node_names_;
  std::string names_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LAYOUT_H_
//
// Where buffers lie in shared memory, and the words of a record that say so.
//
// A record is an array of words of 64 bits: for each node of the layout, in preorder,
//   flags             kHasHead, HasBuffer(0) and so on; above kVariadicShift the number of
//                     variadic buffers of views
//   head              length, null count, offset; without kHasHead they are the length of
//                     the batch, 0 and 0, as most columns have them
//   places            3 words for each buffer that the flags name, and for each variadic
//                     buffer: segment, offset, length
// The sizes of variadic buffers are their lengths, and have no place of their own. A node
// whose flags are kFollows has only buffer 1, which lies right behind the place that was named
// before it and is as long: the plain columns of most batches are one word each.
//
// Threads  values.
#ifndef ALLOY_SRC_WIRE_PLACES_H_
#define ALLOY_SRC_WIRE_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <span>


namespace alloy::core_v0_1 {

// Where the bytes of a buffer lie. Segments count from 1; 0: the buffer has no bytes.
struct BufferPlace {
  uint32_t segment = 0;
  uint64_t offset = 0;
  uint64_t length = 0;  // in bytes
};

// A segment, or a part of one, as this process has mapped it. Several parts may have the
// same number.
struct SegmentView {
  uint32_t number = 0;
  std::span<const std::byte> bytes;
  uint64_t begin = 0;  // where the part begins in its segment
  // Memory that the other side gave out: it may have none behind it yet. NULL: it has.
  Backing* backing = nullptr;
};

// The bytes of a bitmap up to row `end`.
constexpr int64_t BitmapBytes(int64_t end) { return (end + 7) / 8; }

// The bytes of the values up to row `end`.
inline int64_t ValueBytes(const Layout::Node& node, int64_t end) {
  return node.bits < 8 ? BitmapBytes(end * node.bits) : end * (node.bits / 8);
}

namespace record {

inline constexpr uint64_t kHasHead = 1;
constexpr uint64_t HasBuffer(int index) { return uint64_t{2} << index; }
inline constexpr uint64_t kFollows = 1 << 8;
inline constexpr int kVariadicShift = 32;
inline constexpr size_t kHeadWords = 3;
inline constexpr size_t kPlaceWords = 3;
inline constexpr int kMostBuffers = 3;  // without variadic ones
// Of a node, without variadic buffers.
inline constexpr size_t kMostWords = 1 + kHeadWords + kMostBuffers * kPlaceWords;

}  // namespace record
}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_PLACES_H_

namespace alloy::core_v0_1 {

// What becomes of the bytes that a record names.
enum class TakeOver : uint8_t {
  // All of them are viewed in place: a worker trusts its host.
  kView,
  // What readers follow (validity, offsets, views, indices, type ids, run ends, sizes of
  // lists) is copied, since the other side may change it at any time; the rest is viewed.
  kCopyFollowed,
  // All of them are copied. Nothing refers to a segment afterwards.
  kCopyAll,
};

// Makes batches of one layout from records that the other side may have made up.
//
// Threads  serial.
class RecordReader {
 public:
  // Borrows layout, as long as this lives.
  explicit RecordReader(const Layout& layout);

  // The most bytes that one batch may copy. A record may name the same bytes many times,
  // so the sizes of the segments are no limit.
  void LimitCopies(uint64_t bytes) { most_copied_ = bytes; }

  // Make a batch. Every buffer lies inside its segment and is at least as long as the
  // struct implies, and what is copied agrees with the size of the buffer that it points
  // into: no offset is below 0, above the one after it, or above the bytes of the values,
  // and no view leaves its buffer. (A view of a null row that does becomes empty.)
  // All other rules are the gate's, which the caller lets it pass at level safe.
  //
  // `segments` are those that the other side may name for this batch. `owner` is kept by
  // the batch, and destroyed with its last struct, also if it refers to no segment.
  //   Gives  out; on failure it is empty, and owner is destroyed.
  //   Fails  BAD_DATA with reason and column: the record lies, or is cut.
  //          EXHAUSTED: without memory for the copy, or above LimitCopies.
  Status Read(ByteReader& in, std::span<const SegmentView> segments, TakeOver take_over,
              std::shared_ptr<void> owner, ArrowArray* out);

 private:
  friend class RecordBuilder;

  // Bytes that are copied when the whole record has been read.
  struct Copy {
    enum class Kind : uint8_t { kBytes, kOffsets, kViews, kViewSizes };
    Kind kind = Kind::kBytes;
    int32_t lead = 0;                 // rows that come first and that nobody reads
    const std::byte* from = nullptr;  // of offsets and views: the row after the lead
    uint64_t bytes = 0;               // of the copy
    const Layout::Node* node = nullptr;
    ArrowArray* array = nullptr;
    int64_t buffer = 0;
    int64_t rows = 0;   // after the lead
    int64_t base = -1;  // the first offset, which becomes 0; -1: offsets do not change
    int64_t limit = std::numeric_limits<int64_t>::max();  // of the last offset
  };

  const Layout& layout_;
  int64_t n_buffers_ = 0;  // of all nodes, without variadic ones
  bool has_views_ = false;
  uint64_t most_copied_ = std::numeric_limits<uint64_t>::max();
  std::vector<Copy> copies_;  // kept for its memory
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_RECORD_READER_H_

#include <bit>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

//
// A tree of ArrowArrays in one allocation: how Alloy exports.
//
// Use it to give out memory that something else owns. A block holds every struct, child
// pointer and buffer pointer of an array, and one owner that keeps the buffers alive.
// Children and dictionaries may be moved out and released on their own, in any order
// and on any thread ("The Arrow C data interface", "Moving an array" and "Moving child
// arrays"). The owner is destroyed when the last of them is released. From
// src/arrow/block_test.cc:
//
//   auto block = Block<Owner>::Make(4, 7, std::move(owner));
//   ArrowArray root;
//   block.Init(&root, {.length = 3, .n_buffers = 1, .n_children = 2});
//   block.Init(root.children[0], {.length = 3, .n_buffers = 2});
//   block.Init(root.children[1], {.length = 3, .n_buffers = 2, .dictionary = true});
//   block.Init(root.children[1]->dictionary, {.length = 1, .n_buffers = 2});
//
// Then set the buffers of each node, and call Finish. A block without memory is false.
//
// Threads  building: serial. The finished tree: as the Arrow specification has it.
#ifndef ALLOY_BLOCK_HPP_
#define ALLOY_BLOCK_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>


namespace alloy {
namespace detail {

struct BlockHeader {
  std::atomic<int64_t> live;      // nodes of this block that are not released
  void (*destroy)(BlockHeader*);  // destroys the owner and frees the block
  // Compares the types of the owner with a declared schema, for people; empty if they are
  // the same. NULL: the owner does not know its types.
  std::string (*check)(const BlockHeader*, const ArrowSchema& declared);
  const ArrowArray* slots;  // the structs of the descendants
  const ArrowArray* slots_end;
};

inline void ReleaseBlockNode(ArrowArray* array);

inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header);

inline int64_t ReleaseBlockSlot(ArrowArray* slot, BlockHeader* header) {
  if (slot == nullptr || slot->release == nullptr) return 0;  // moved out, or released
  if (slot->release == &ReleaseBlockNode && slot->private_data == header) {
    return ReleaseBlockTree(slot, header);
  }
  // A foreign struct. If it was moved into a slot, it is released here. If the owner
  // holds it, the owner releases it.
  if (slot >= header->slots && slot < header->slots_end) slot->release(slot);
  return 0;
}

// Mark a node and everything that is still below it as released. Returns how many nodes
// of this block these were.
inline int64_t ReleaseBlockTree(ArrowArray* array, BlockHeader* header) {
  int64_t released = 1;
  for (int64_t i = 0; i < array->n_children; ++i) {
    released += ReleaseBlockSlot(array->children[i], header);
  }
  released += ReleaseBlockSlot(array->dictionary, header);
  array->release = nullptr;
  return released;
}

inline void ReleaseBlockNode(ArrowArray* array) {
  auto* header = static_cast<BlockHeader*>(array->private_data);
  const int64_t released = ReleaseBlockTree(array, header);
  // A thread that holds all remaining nodes needs no atomic subtraction.
  if (header->live.load(std::memory_order_acquire) == released ||
      header->live.fetch_sub(released, std::memory_order_acq_rel) == released) {
    header->destroy(header);
  }
}

}  // namespace detail

struct BlockNode {
  int64_t length = 0;
  int64_t null_count = 0;
  int64_t offset = 0;
  int64_t n_buffers = 0;
  int64_t n_children = 0;
  bool dictionary = false;
};

// Owner is destroyed on the thread that releases the last node. Its move constructor does
// not throw.
template <typename Owner>
class Block {
  static_assert(std::is_nothrow_move_constructible_v<Owner>);
  static_assert(alignof(Owner) <= alignof(std::max_align_t));

 public:
  // Make room for `nodes` nodes, the root among them, with `buffers` buffers together.
  // Without memory the block is false, and `owner` is unchanged.
  static Block Make(int64_t nodes, int64_t buffers, Owner&& owner) {
    const auto descendants = static_cast<size_t>(nodes - 1);
    const size_t bytes = sizeof(Layout) +
                         descendants * (sizeof(ArrowArray) + sizeof(ArrowArray*)) +
                         static_cast<size_t>(buffers) * sizeof(const void*);
    void* memory = std::malloc(bytes);
    if (memory == nullptr) return Block();
    auto* layout = ::new (memory) Layout(std::move(owner));
    Block block;
    block.layout_ = layout;
    block.slot_ = reinterpret_cast<ArrowArray*>(layout + 1);
    block.child_ = reinterpret_cast<ArrowArray**>(block.slot_ + descendants);
    block.buffer_ =
        const_cast<const void**>(reinterpret_cast<void**>(block.child_ + descendants));
    layout->header.destroy = &Destroy;
    layout->header.slots = block.slot_;
    layout->header.slots_end = block.slot_ + descendants;
    return block;
  }

  Block(Block&& other) noexcept { *this = std::move(other); }
  Block& operator=(Block&& other) noexcept {
    std::swap(layout_, other.layout_);
    std::swap(slot_, other.slot_);
    std::swap(child_, other.child_);
    std::swap(buffer_, other.buffer_);
    std::swap(live_, other.live_);
    return *this;
  }
  // Frees a block that was not finished, and its owner. Nodes made in it are invalid
  // then.
  ~Block() {
    if (layout_ != nullptr) Destroy(&layout_->header);
  }

  explicit operator bool() const { return layout_ != nullptr; }
  Owner& owner() { return layout_->owner; }

  // Let the owner compare its types with a schema: a lambda of owner and schema that
  // captures nothing.
  template <typename Check>
  void Describe(Check) {
    layout_->header.check = [](const detail::BlockHeader* header,
                               const ArrowSchema& declared) {
      return Check()(reinterpret_cast<const Layout*>(header)->owner, declared);
    };
  }

  // Fill `array`: the root, which may be anywhere, or a slot of this block. Its children
  // and its dictionary get the next free slots; fill these too. Its buffers are NULL.
  void Init(ArrowArray* array, const BlockNode& node) {
    array->length = node.length;
    array->null_count = node.null_count;
    array->offset = node.offset;
    array->n_buffers = node.n_buffers;
    array->n_children = node.n_children;
    array->buffers = node.n_buffers > 0 ? buffer_ : nullptr;
    for (int64_t i = 0; i < node.n_buffers; ++i) *buffer_++ = nullptr;
    array->children = node.n_children > 0 ? child_ : nullptr;
    for (int64_t i = 0; i < node.n_children; ++i) *child_++ = slot_++;
    array->dictionary = node.dictionary ? slot_++ : nullptr;
    array->release = &detail::ReleaseBlockNode;
    array->private_data = &layout_->header;
    ++live_;
  }

  // Move a foreign struct into a slot of this block.
  static void Adopt(ArrowArray* slot, ArrowArray* source) {
    *slot = *source;
    source->release = nullptr;
  }

  // The tree is complete. From now on it lives until it is released.
  void Finish() {
    layout_->header.live.store(live_, std::memory_order_release);
    layout_ = nullptr;
  }

 private:
  struct Layout {
    explicit Layout(Owner&& value) : owner(std::move(value)) {}
    detail::BlockHeader header{};
    Owner owner;
  };
  static_assert(sizeof(Layout) % alignof(ArrowArray) == 0);

  Block() = default;

  static void Destroy(detail::BlockHeader* header) {
    auto* layout = reinterpret_cast<Layout*>(header);
    std::destroy_at(layout);
    std::free(layout);
  }

  Layout* layout_ = nullptr;
  ArrowArray* slot_ = nullptr;
  ArrowArray** child_ = nullptr;
  const void** buffer_ = nullptr;
  int64_t live_ = 0;
};

}  // namespace alloy

#endif  // ALLOY_BLOCK_HPP_
//
// The errors of malformed Arrow structs. Checks call this only after they have found a
// fault, so that the checks themselves stay small.
//
// Every text has the form "place: what happened", in one of two forms:
//   expected 2 buffers, found 1                    for numbers and names
//   row 1: the view points outside its 2 buffers   for the rest: a sentence
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_FAULT_H_
#define ALLOY_SRC_ARROW_FAULT_H_

#include <cstdint>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

// Where the fault is.
struct FaultPlace {
  int32_t column = -1;    // -1: the array or schema itself
  std::string path = {};  // of the column
  int64_t row = -1;       // -1: not in one row
};

// BAD_DATA with the text `column 3 (a.b.item), row 1: ` and `what`.
Status DataFault(int32_t reason, const FaultPlace& place, std::string_view what);

// The meaning of a reason, from reason.h.
std::string_view ReasonText(int32_t reason);

// `1 buffer`, `2 buffers`. `child` is the one irregular noun.
std::string CountText(int64_t count, std::string_view noun);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_FAULT_H_
//
// The table of layouts: how the arrays of each Form lie in memory. One row describes one
// layout of the "Arrow columnar format"; layout.h and the gate read their rules here.
//
// A new layout is a new Form and a new row. If it has offsets, views or other values that
// point elsewhere, it also needs a check of its rows (gate/rows.cc).
//
// Threads  constants: shared.
#ifndef ALLOY_SRC_ARROW_LAYOUT_RULES_H_
#define ALLOY_SRC_ARROW_LAYOUT_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>


namespace alloy::core_v0_1 {

// Where an array's nulls are recorded.
enum class NullsIn : uint8_t {
  kBitmap,    // buffer 0 is a validity bitmap, and may be NULL
  kChildren,  // the children have nulls, the array itself has none
  kEveryRow,  // every row is null
};

enum class ChildCount : uint8_t { kZero, kOne, kTwo, kOnePerTypeId, kAny };

// How many rows each child must have. `end` is the array's offset + length.
enum class ChildRows : uint8_t {
  kAny,         // no rule: the row checks compare the values with the child's length
  kEnd,         // end
  kEndTimes,    // end times the size of a fixed-size list
  kLastOffset,  // the offset after the last row
};

// The size of a row in the widest buffer, which limits the largest `end`.
enum class RowBytes : uint8_t {
  kNone,      // no buffer has bytes for each row, or only a bit
  kValue,     // the value: `bits` of the format
  kInteger,   // one offset or size
  kOffset,    // one offset, and the buffer has one more offset than rows
  kView,      // a view, 16 bytes
  kListSize,  // no bytes, but `size` rows of the child
};

// A set of buffers by index: Buffers(1, 2) are the second and the third.
template <typename... Index>
constexpr uint8_t Buffers(Index... index) {
  return static_cast<uint8_t>((0U | ... | (1U << static_cast<unsigned>(index))));
}

struct LayoutRule {
  Form form;
  uint8_t n_buffers;  // of views: the least, without the variadic buffers
  NullsIn nulls;
  uint8_t needed;  // buffers that must not be NULL if there are rows
  ChildCount children;
  ChildRows child_rows;
  RowBytes row_bytes;
  bool points_elsewhere;  // values are offsets, views, indices, type ids or run ends
};

inline constexpr auto kLayoutRules = [] {
  using F = Form;
  using N = NullsIn;
  using C = ChildCount;
  using R = ChildRows;
  using B = RowBytes;
  return std::to_array<LayoutRule>({
      // form, buffers, nulls, needed buffers, children, their rows, bytes, points elsewhere
      {F::kFixed, 2, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kValue, false},
      {F::kOffsets, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kOffset, true},
      {F::kViews, 3, N::kBitmap, Buffers(1), C::kZero, R::kAny, B::kView, true},
      {F::kList, 2, N::kBitmap, Buffers(1), C::kOne, R::kLastOffset, B::kOffset, true},
      {F::kListView, 3, N::kBitmap, Buffers(1, 2), C::kOne, R::kAny, B::kInteger, true},
      {F::kFixedSizeList, 1, N::kBitmap, Buffers(), C::kOne, R::kEndTimes, B::kListSize,
       false},
      {F::kStruct, 1, N::kBitmap, Buffers(), C::kAny, R::kEnd, B::kNone, false},
      {F::kSparseUnion, 1, N::kChildren, Buffers(0), C::kOnePerTypeId, R::kEnd, B::kNone,
       true},
      {F::kDenseUnion, 2, N::kChildren, Buffers(0, 1), C::kOnePerTypeId, R::kAny,
       B::kInteger, true},
      {F::kRunEnd, 0, N::kChildren, Buffers(), C::kTwo, R::kAny, B::kNone, true},
      {F::kNull, 0, N::kEveryRow, Buffers(), C::kZero, R::kAny, B::kNone, false},
  });
}();

constexpr const LayoutRule& RuleOf(Form form) {
  return kLayoutRules[static_cast<size_t>(form)];
}

// True if a table has one row for each form, at the place of the form.
template <typename Row, size_t n>
constexpr bool HasEachForm(const std::array<Row, n>& table) {
  for (size_t form = 0; form < n; ++form) {
    if (table[form].form != static_cast<Form>(form)) return false;
  }
  return n == static_cast<size_t>(kLastForm) + 1;
}
static_assert(HasEachForm(kLayoutRules));

// True if arrays of this form begin with a validity bitmap.
constexpr bool HasBitmap(Form form) { return RuleOf(form).nulls == NullsIn::kBitmap; }

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_LAYOUT_RULES_H_

namespace alloy::core_v0_1 {
namespace {

constexpr uint64_t kAlignment_record_reader = 64;

// Takes the place of buffers without bytes, which must not be NULL. It is not empty,
// because a buffer of offsets without rows may be read as one offset, a 0.
alignas(kAlignment_record_reader) constexpr std::byte kNoBytes[kAlignment_record_reader] = {};

struct Free_record_reader {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};

// What keeps the buffers of a batch.
struct Kept {
  std::shared_ptr<void> owner;
  std::unique_ptr<std::byte, Free_record_reader> copies;
};

// As a record has them.
struct PlaceWords {
  uint64_t segment, offset, length;
};
static_assert(sizeof(PlaceWords) == record::kPlaceWords * sizeof(uint64_t));

// The bytes of a buffer in a segment.
using ByteSpan = std::span<const std::byte>;

uint64_t Aligned(uint64_t bytes) { return (bytes + kAlignment_record_reader - 1) & ~(kAlignment_record_reader - 1); }

}  // namespace

// Reads one record. The block is made first, so that each node is filled as it is read.
class RecordBuilder {
 public:
  RecordBuilder(RecordReader* reader, ByteReader* in,
                std::span<const SegmentView> segments, TakeOver take_over)
      : reader_(*reader),
        layout_(reader->layout_),
        in_(*in),
        segments_(segments),
        take_over_(take_over) {
    reader_.copies_.clear();
  }

  Status Build(std::shared_ptr<void> owner, ArrowArray* out) {
    int64_t buffers = reader_.n_buffers_;
    if (reader_.has_views_ && !CountVariadic(&buffers)) return std::move(fault_);
    auto block = Block<Kept>::Make(static_cast<int64_t>(layout_.nodes().size()), buffers,
                                   {.owner = std::move(owner), .copies = nullptr});
    if (!block) return Fail(ALLOY_EXHAUSTED, "out of memory for the structs of a batch");
    block_ = &block;
    if (!ReadNode(layout_.nodes().data(), out, false)) return std::move(fault_);
    ALLOY_TRY(MakeCopies());
    block.Finish();
    return Status();
  }

 private:
  using Node = Layout::Node;
  using Copy = RecordReader::Copy;

  // A node as its record describes it.
  struct Found {
    const Node* node = nullptr;
    int64_t length = 0;
    int64_t null_count = 0;
    int64_t offset = 0;
    int64_t n_variadic = 0;
    ByteSpan buffers[record::kMostBuffers];  // without bytes: empty

    int64_t end() const { return offset + length; }
  };

  bool CountVariadic(int64_t* buffers);
  bool ReadNode(const Node* node, ArrowArray* to, bool run_ends);
  bool ReadFound(const Node* node, uint64_t flags, Found* found);
  bool ReadPlace(const Node* node, ByteSpan* bytes);
  bool ReadPlace(const Node* node, bool follows, ByteSpan* bytes);
  bool FindPlace(const Node* node, const PlaceWords& place, ByteSpan* bytes);
  bool Back(const SegmentView& segment, ByteSpan bytes);
  bool CheckHead(const Found& found);
  bool CheckSizes(const Found& found);
  bool CheckSize(const Found& found, int buffer, int64_t bytes);
  bool FillVariadic(const Found& found, ArrowArray* to);
  bool FillBuffers(Found& found, ArrowArray* to, bool run_ends);
  bool FillBytes(const Found& found, ArrowArray* to, int64_t skip);
  void Fill(const Found& found, int buffer, int64_t skip, int64_t bytes, bool copy,
            ArrowArray* to);
  Status MakeCopies();
  Status MakeCopy(const Copy& copy, std::byte* to);

  bool Refuse(const Node* node, int32_t reason, std::string_view what, int64_t row = -1);
  bool RefuseCut(const Node* node) {
    return Refuse(node, ALLOY_REASON_BUFFER_PLACE, "the record ends here");
  }

  RecordReader& reader_;
  const Layout& layout_;
  ByteReader& in_;
  const std::span<const SegmentView> segments_;
  const TakeOver take_over_;
  Block<Kept>* block_ = nullptr;
  size_t segment_ = 0;  // where the last buffer was
  PlaceWords last_{};
  int64_t rows_ = 0;  // of the batch
  Status fault_;
};

// Adds the variadic buffers of the whole record, as ReadNode is going to find them.
bool RecordBuilder::CountVariadic(int64_t* buffers) {
  ByteReader in = in_;  // of private memory: it is read again
  for (const Node& node : layout_.nodes()) {
    const auto flags = in.Get<uint64_t>();
    const uint64_t variadic =
        node.form == Form::kViews ? flags >> record::kVariadicShift : 0;
    const auto fixed = static_cast<uint64_t>(
        std::popcount(flags & (record::HasBuffer(record::kMostBuffers) - 2)));
    const uint64_t words = ((flags & record::kHasHead) != 0 ? record::kHeadWords : 0) +
                           (fixed + variadic) * record::kPlaceWords;
    in.GetBytes(words * sizeof(uint64_t));
    if (!in.ok()) return RefuseCut(&node);
    *buffers += static_cast<int64_t>(variadic);
  }
  return true;
}

bool RecordBuilder::ReadNode(const Node* node, ArrowArray* to, bool run_ends) {
  const auto flags = in_.Get<uint64_t>();
  // The most frequent column: as long as the batch, without nulls, of values that are not
  // followed.
  const bool follows = flags == record::kFollows;
  if ((follows || flags == record::HasBuffer(1)) && node->form == Form::kFixed &&
      !node->dictionary && !run_ends && take_over_ != TakeOver::kCopyAll && rows_ > 0 &&
      rows_ <= node->max_end) {
    ByteSpan values;
    if (!ReadPlace(node, follows, &values)) [[unlikely]]
      return false;
    if (static_cast<uint64_t>(ValueBytes(*node, rows_)) <= values.size() &&
        !values.empty()) [[likely]] {
      block_->Init(to, {.length = rows_, .n_buffers = 2});
      to->buffers[1] = values.data();
      return true;
    }
    return Refuse(node, ALLOY_REASON_BUFFER_PLACE,
                  "the rows need " + std::to_string(ValueBytes(*node, rows_)) +
                      " bytes of buffer 1, which has " + std::to_string(values.size()));
  }
  Found found;
  if (!ReadFound(node, flags, &found) || !CheckHead(found)) [[unlikely]]
    return false;
  if (node == layout_.nodes().data()) rows_ = found.length;
  if (found.length == 0) {
    // Without rows no buffer needs bytes, and with an offset a reader would leave kNoBytes.
    found.offset = 0;
    found.null_count = 0;
    for (ByteSpan& bytes : found.buffers) bytes = {};
  } else if (!CheckSizes(found)) [[unlikely]] {
    return false;
  }
  const bool views = node->form == Form::kViews;
  block_->Init(to, {.length = found.length,
                    .null_count = found.null_count,
                    .offset = found.offset,
                    .n_buffers = node->n_buffers + (views ? found.n_variadic : 0),
                    .n_children = node->n_children,
                    .dictionary = node->dictionary});
  if (views && !FillVariadic(found, to)) return false;
  if (!FillBuffers(found, to, run_ends)) [[unlikely]]
    return false;
  if (node->dictionary && !ReadNode(node + 1, to->dictionary, false)) return false;
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const bool ends = i == 0 && node->form == Form::kRunEnd;
    if (!ReadNode(child, to->children[i], ends)) [[unlikely]]
      return false;
  }
  return true;
}

bool RecordBuilder::ReadFound(const Node* node, uint64_t flags, Found* found) {
  const bool views = node->form == Form::kViews;
  const int n = views ? 2 : node->n_buffers;
  const bool follows = flags == record::kFollows;
  if (follows) flags = record::HasBuffer(1);
  found->node = node;
  found->length = rows_;
  if ((flags & record::kHasHead) != 0) {
    found->length = in_.Get<int64_t>();
    found->null_count = in_.Get<int64_t>();
    found->offset = in_.Get<int64_t>();
  }
  if (!in_.ok()) [[unlikely]]
    return RefuseCut(node);
  uint64_t known = record::HasBuffer(n) - 1;
  if (views) {
    known |= ~uint64_t{0} << record::kVariadicShift;
    found->n_variadic = static_cast<int64_t>(flags >> record::kVariadicShift);
  }
  if ((flags & ~known) != 0) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_BUFFER_COUNT,
                  "the record has buffers that the type does not have");
  }
  for (int i = 0; i < n; ++i) {
    if ((flags & record::HasBuffer(i)) == 0) continue;
    if (!ReadPlace(node, follows, &found->buffers[i])) [[unlikely]]
      return false;
  }
  return true;
}

inline bool RecordBuilder::ReadPlace(const Node* node, ByteSpan* bytes) {
  const auto place = in_.Get<PlaceWords>();
  if (!in_.ok()) [[unlikely]]
    return RefuseCut(node);
  return FindPlace(node, place, bytes);
}

// The place behind the last one needs no words, and is checked as any other.
inline bool RecordBuilder::ReadPlace(const Node* node, bool follows, ByteSpan* bytes) {
  if (!follows) return ReadPlace(node, bytes);
  return FindPlace(node, {last_.segment, last_.offset + last_.length, last_.length},
                   bytes);
}

inline bool RecordBuilder::FindPlace(const Node* node, const PlaceWords& place,
                                     ByteSpan* bytes) {
  last_ = place;
  const auto [number, offset, length] = place;
  if (number == 0 && length == 0) return true;
  for (size_t i = 0, at = segment_; i < segments_.size();
       ++i, at = at + 1 == segments_.size() ? 0 : at + 1) {
    const SegmentView& segment = segments_[at];
    const uint64_t from =
        offset - segment.begin;  // before the part it wraps, and is large
    const size_t size = segment.bytes.size();
    if (segment.number == number && from <= size && length <= size - from) [[likely]] {
      segment_ = at;
      *bytes = segment.bytes.subspan(from, length);
      return segment.backing == nullptr || Back(segment, *bytes);
    }
  }
  return Refuse(node, ALLOY_REASON_BUFFER_PLACE,
                "a buffer of " + std::to_string(length) + " bytes at " +
                    std::to_string(offset) + " of segment " + std::to_string(number) +
                    " is not in the memory of this call");
}

// A worker may name what it has never written.
bool RecordBuilder::Back(const SegmentView& segment, ByteSpan bytes) {
  Status status = segment.backing->Back(bytes.data(), bytes.size());
  if (status.ok()) [[likely]]
    return true;
  fault_ = std::move(status);
  return false;
}

// The numbers, as level shape checks them: what they imply is computed from here on.
bool RecordBuilder::CheckHead(const Found& found) {
  const Node* node = found.node;
  if (found.length < 0) [[unlikely]] {
    return Refuse(
        node, ALLOY_REASON_LENGTH,
        "expected a length of at least 0, found " + std::to_string(found.length));
  }
  if (found.offset < 0) [[unlikely]] {
    return Refuse(
        node, ALLOY_REASON_OFFSET,
        "expected an offset of at least 0, found " + std::to_string(found.offset));
  }
  if (found.length > node->max_end || found.offset > node->max_end - found.length)
      [[unlikely]] {
    return Refuse(node, ALLOY_REASON_OVERFLOW,
                  "offset " + std::to_string(found.offset) + " and length " +
                      std::to_string(found.length) + " add up to more than " +
                      std::to_string(node->max_end));
  }
  if (found.null_count < -1 || found.null_count > found.length) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_NULL_COUNT,
                  "expected a null count from -1 to " + std::to_string(found.length) +
                      ", found " + std::to_string(found.null_count));
  }
  return true;
}

// Each buffer is at least as long as the rows imply.
bool RecordBuilder::CheckSizes(const Found& found) {
  const Node* node = found.node;
  const int64_t end = found.end();
  const int64_t wide = node->integer_bytes;
  if (HasBitmap(node->form)) {
    if (!found.buffers[0].empty()) {
      if (!CheckSize(found, 0, BitmapBytes(end))) return false;
    } else if (found.null_count > 0) {
      return Refuse(node, ALLOY_REASON_NULLS_WITHOUT_BITMAP,
                    "the null count is " + std::to_string(found.null_count) +
                        ", but there is no validity bitmap");
    }
  }
  switch (node->form) {
    case Form::kFixed:
      return CheckSize(found, 1, ValueBytes(*node, end));
    case Form::kOffsets:
    case Form::kList:
      return CheckSize(found, 1, (end + 1) * wide);
    case Form::kViews:
      return CheckSize(found, 1, end * kViewBytes);
    case Form::kListView:
      return CheckSize(found, 1, end * wide) && CheckSize(found, 2, end * wide);
    case Form::kSparseUnion:
      return CheckSize(found, 0, end);
    case Form::kDenseUnion:
      return CheckSize(found, 0, end) && CheckSize(found, 1, end * wide);
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return true;
}

inline bool RecordBuilder::CheckSize(const Found& found, int buffer, int64_t bytes) {
  const auto needed = static_cast<uint64_t>(bytes);
  const size_t size = found.buffers[buffer].size();
  if (needed <= size) [[likely]]
    return true;
  return Refuse(found.node,
                size == 0 ? ALLOY_REASON_BUFFER_NULL : ALLOY_REASON_BUFFER_PLACE,
                "the rows need " + std::to_string(needed) + " bytes of buffer " +
                    std::to_string(buffer) + ", which has " + std::to_string(size));
}

// The variadic buffers, whose places come next, and the buffer of their sizes.
bool RecordBuilder::FillVariadic(const Found& found, ArrowArray* to) {
  const int64_t sizes = to->n_buffers - 1;
  to->buffers[sizes] = kNoBytes;
  if (found.n_variadic == 0) return true;
  const size_t words = static_cast<size_t>(found.n_variadic) * record::kPlaceWords;
  // CountVariadic has seen that they are there.
  const std::string_view places = ByteReader(in_).GetBytes(words * sizeof(uint64_t));
  reader_.copies_.push_back({.kind = Copy::Kind::kViewSizes,
                             .from = reinterpret_cast<const std::byte*>(places.data()),
                             .bytes = static_cast<uint64_t>(found.n_variadic) * 8,
                             .node = found.node,
                             .array = to,
                             .buffer = sizes});
  for (int64_t i = 0; i < found.n_variadic; ++i) {
    ByteSpan bytes;
    if (!ReadPlace(found.node, &bytes)) return false;
    to->buffers[2 + i] = bytes.empty() ? kNoBytes : bytes.data();
    if (bytes.empty() || take_over_ != TakeOver::kCopyAll) continue;
    reader_.copies_.push_back({.from = bytes.data(),
                               .bytes = bytes.size(),
                               .node = found.node,
                               .array = to,
                               .buffer = 2 + i});
  }
  return true;
}

// Points to a buffer, from the byte `skip` on, or notes the copy of it.
inline void RecordBuilder::Fill(const Found& found, int buffer, int64_t skip,
                                int64_t bytes, bool copy, ArrowArray* to) {
  const std::byte* from = found.buffers[buffer].data();
  if (from == nullptr || bytes == skip) {
    to->buffers[buffer] = kNoBytes;
  } else if (!copy) {
    to->buffers[buffer] = from + skip;
  } else {
    reader_.copies_.push_back({.from = from + skip,
                               .bytes = static_cast<uint64_t>(bytes - skip),
                               .node = found.node,
                               .array = to,
                               .buffer = buffer});
  }
}

bool RecordBuilder::FillBuffers(Found& found, ArrowArray* to, bool run_ends) {
  const Node* node = found.node;
  const bool copy = take_over_ != TakeOver::kView;
  const bool copy_all = take_over_ == TakeOver::kCopyAll;
  const bool bitmap = HasBitmap(node->form) && !found.buffers[0].empty();
  const bool copy_values = copy_all || (copy && (node->dictionary || run_ends));
  const int64_t end = found.end();
  const int64_t wide = node->integer_bytes;
  // Rows before the first one are not copied, unless children have them too.
  int64_t skip = 0;
  switch (node->form) {
    case Form::kFixed:
      skip = copy_values || (copy && bitmap) ? found.offset & ~int64_t{7} : 0;
      break;
    case Form::kOffsets:
    case Form::kViews:
    case Form::kList:
    case Form::kListView:
    case Form::kDenseUnion:
      skip = copy ? found.offset & ~int64_t{7} : 0;
      break;
    default:
      break;
  }
  to->offset = found.offset - skip;
  if (bitmap) Fill(found, 0, skip / 8, BitmapBytes(end), copy, to);
  switch (node->form) {
    case Form::kFixed:
      Fill(found, 1, ValueBytes(*node, skip), ValueBytes(*node, end), copy_values, to);
      return true;
    case Form::kOffsets:
      return FillBytes(found, to, skip);
    case Form::kList:
      if (found.length > 0 && copy) {
        reader_.copies_.push_back(
            {.kind = Copy::Kind::kOffsets,
             .lead = static_cast<int32_t>(to->offset),
             .from = found.buffers[1].data() + found.offset * wide,
             .bytes = static_cast<uint64_t>((to->offset + found.length + 1) * wide),
             .node = node,
             .array = to,
             .buffer = 1,
             .rows = found.length});
        return true;
      }
      Fill(found, 1, 0, 1, false, to);
      return true;
    case Form::kViews:
      if (found.length > 0 && copy) {
        reader_.copies_.push_back(
            {.kind = Copy::Kind::kViews,
             .lead = static_cast<int32_t>(to->offset),
             .from = found.buffers[1].data() + found.offset * kViewBytes,
             .bytes = static_cast<uint64_t>((to->offset + found.length) * kViewBytes),
             .node = node,
             .array = to,
             .buffer = 1,
             .rows = found.length});
        return true;
      }
      Fill(found, 1, 0, 1, false, to);
      return true;
    case Form::kListView:
      Fill(found, 1, skip * wide, end * wide, copy, to);
      Fill(found, 2, skip * wide, end * wide, copy, to);
      return true;
    case Form::kSparseUnion:
      Fill(found, 0, 0, end, copy, to);
      return true;
    case Form::kDenseUnion:
      Fill(found, 0, skip, end, copy, to);
      Fill(found, 1, skip * wide, end * wide, copy, to);
      return true;
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return true;
}

// Offsets, and the bytes that they point into.
bool RecordBuilder::FillBytes(const Found& found, ArrowArray* to, int64_t skip) {
  const Node* node = found.node;
  const uint8_t wide = node->integer_bytes;
  const auto size = static_cast<int64_t>(found.buffers[2].size());
  if (found.length == 0) {
    to->buffers[1] = to->buffers[2] = kNoBytes;
    return true;
  }
  // Each is read once. With kCopyAll the copy must find the same numbers again.
  const std::byte* offsets = found.buffers[1].data();
  const int64_t first = LoadSigned(offsets, found.offset, wide);
  const int64_t last = LoadSigned(offsets, found.end(), wide);
  EndOfSharedRead();
  if (first < 0 || last < first || last > size) [[unlikely]] {
    return Refuse(node, ALLOY_REASON_OFFSETS,
                  "the first and the last offset are " + std::to_string(first) + " and " +
                      std::to_string(last) + ", in " + std::to_string(size) + " bytes");
  }
  to->buffers[2] = size == 0 ? kNoBytes : found.buffers[2].data();
  if (take_over_ == TakeOver::kView) {
    to->buffers[1] = offsets;
    return true;
  }
  const bool all = take_over_ == TakeOver::kCopyAll;
  reader_.copies_.push_back(
      {.kind = Copy::Kind::kOffsets,
       .lead = static_cast<int32_t>(found.offset - skip),
       .from = offsets + found.offset * wide,
       .bytes = static_cast<uint64_t>((found.offset - skip + found.length + 1) * wide),
       .node = node,
       .array = to,
       .buffer = 1,
       .rows = found.length,
       .base = all ? first : -1,
       .limit = all ? last : size});
  if (!all) return true;
  to->buffers[2] = kNoBytes;
  if (last == first) return true;
  reader_.copies_.push_back({.from = found.buffers[2].data() + first,
                             .bytes = static_cast<uint64_t>(last - first),
                             .node = node,
                             .array = to,
                             .buffer = 2});
  return true;
}

Status RecordBuilder::MakeCopies() {
  if (reader_.copies_.empty()) return Status();
  uint64_t bytes = 0;
  for (const Copy& copy : reader_.copies_) {
    // No copy has more bytes than a segment, except sizes, which have fewer than the
    // record: the sum of two cannot overflow.
    bytes += Aligned(copy.bytes);
    if (bytes > reader_.most_copied_) {
      return Fail(ALLOY_EXHAUSTED, "the copies of a batch have more than " +
                                       std::to_string(reader_.most_copied_) + " bytes");
    }
  }
  auto* to = static_cast<std::byte*>(std::aligned_alloc(kAlignment_record_reader, bytes));
  if (to == nullptr) {
    return Fail(ALLOY_EXHAUSTED, "out of memory for the copies of a batch, which have " +
                                     std::to_string(bytes) + " bytes");
  }
  block_->owner().copies.reset(to);
  for (const Copy& copy : reader_.copies_) {
    ALLOY_TRY(MakeCopy(copy, to));
    to += Aligned(copy.bytes);
  }
  return Status();
}

Status RecordBuilder::MakeCopy(const Copy& copy, std::byte* to) {
  copy.array->buffers[copy.buffer] = to;
  switch (copy.kind) {
    case Copy::Kind::kBytes:
      std::memcpy(to, copy.from, copy.bytes);
      return Status();
    case Copy::Kind::kViewSizes:
      for (uint64_t i = 0; i < copy.bytes / sizeof(uint64_t); ++i) {
        std::memcpy(to + i * sizeof(uint64_t),
                    copy.from + (i * record::kPlaceWords + 2) * sizeof(uint64_t),
                    sizeof(uint64_t));
      }
      return Status();
    case Copy::Kind::kOffsets: {
      const uint8_t wide = copy.node->integer_bytes;
      const size_t lead = static_cast<size_t>(copy.lead) * wide;
      std::memset(to, 0, lead);
      const int64_t row = CopyCheckedOffsets(to + lead, copy.from, wide, copy.rows,
                                             copy.base, copy.limit);
      if (row < 0) return Status();
      Refuse(copy.node, ALLOY_REASON_OFFSETS,
             "an offset is negative, below the one before it, or beyond the bytes", row);
      return std::move(fault_);
    }
    case Copy::Kind::kViews: {
      const size_t lead = static_cast<size_t>(copy.lead * kViewBytes);
      std::memset(to, 0, lead);
      const int64_t row =
          CopyCheckedViews(to + lead, copy.from, copy.rows, *copy.array, copy.lead);
      if (row < 0) return Status();
      Refuse(copy.node, ALLOY_REASON_VIEW,
             "the view has a negative length, or points outside its buffers", row);
      return std::move(fault_);
    }
  }
  return Status();
}

bool RecordBuilder::Refuse(const Node* node, int32_t reason, std::string_view what,
                           int64_t row) {
  const auto column = static_cast<int32_t>(node - layout_.nodes().data()) - 1;
  fault_ = DataFault(reason, {.column = column, .path = layout_.Path(column), .row = row},
                     what);
  return false;
}

RecordReader::RecordReader(const Layout& layout) : layout_(layout) {
  for (const Layout::Node& node : layout.nodes()) {
    n_buffers_ += node.n_buffers;
    has_views_ = has_views_ || node.form == Form::kViews;
  }
}

Status RecordReader::Read(ByteReader& in, std::span<const SegmentView> segments,
                          TakeOver take_over, std::shared_ptr<void> owner,
                          ArrowArray* out) {
  Status status =
      RecordBuilder(this, &in, segments, take_over).Build(std::move(owner), out);
  if (!status.ok()) *out = {};
  return status;
}

}  // namespace alloy::core_v0_1

// src/wire/record_writer.cc -------------------------------------------------------------
//
// Writes batches as records (records.h).
#ifndef ALLOY_SRC_WIRE_RECORD_WRITER_H_
#define ALLOY_SRC_WIRE_RECORD_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>


namespace alloy::core_v0_1 {

// Writes batches of one layout as records. What lies in one of the segments is only named;
// everything else is copied once, trimmed to what the rows of a slice use. Use: Plan, then
// Copy if copied_bytes() is not 0, then Write.
//
// Keeps its memory from batch to batch, so a batch allocates nothing once it is warm.
//
// Threads  serial.
class RecordWriter {
 public:
  // Borrows layout, as long as this lives.
  explicit RecordWriter(const Layout& layout);

  // Read what a batch consists of. It has passed the gate at level shape: its structs are
  // sound, and its values are not checked. Only the values that decide a size are read:
  // the first and the last offset, and the sizes of variadic buffers. If an array whose
  // rows point into a child or into variadic buffers is copied, its rows are read too, to
  // find the part that they use.
  //   Borrows  batch, until Copy has returned; segments, for this call.
  //   Fails    BAD_DATA with reason OFFSETS or the gate's own, and column: such a value is
  //            impossible. EXHAUSTED: sizes overflow.
  Status Plan(const ArrowArray& batch, std::span<const SegmentView> segments);

  // What Write only names: where it is in this process.
  std::span<const SegmentView> named() const { return named_; }
  // How many bytes Copy writes; each buffer begins at a multiple of 64.
  uint64_t copied_bytes() const { return copied_; }
  // Copy to `to`, which is aligned to 64 and lies at `offset` of segment `segment`.
  void Copy(std::byte* to, uint32_t segment, uint64_t offset);
  // How many bytes Write writes.
  size_t record_bytes() const { return n_words_ * sizeof(uint64_t); }
  void Write(ByteWriter& out) const;

 private:
  using Node = Layout::Node;

  // Rows of an array as its parent counts them, without the offset of the array.
  struct Rows {
    int64_t begin = 0;
    int64_t count = 0;
  };

  // The part of a child or of a variadic buffer that rows use.
  struct Used {
    int64_t begin = 0;
    int64_t end = 0;     // 0: nothing is used
    int32_t number = 0;  // of a variadic buffer in the record
  };

  // Bytes that Copy writes.
  struct Piece {
    enum class Kind : uint8_t {
      kBytes,
      kOffsets,
      kViews,
      kListViewOffsets,
      kUnionOffsets
    };
    Kind kind = Kind::kBytes;
    uint8_t integer_bytes = 0;
    int32_t lead = 0;  // rows that come first and that nobody reads
    size_t word = 0;   // of its place in the record
    uint64_t at = 0;   // from the begin of the copies
    const void* from = nullptr;
    uint64_t bytes = 0;
    // Of other kinds than kBytes. `from` is the row after the lead.
    int64_t base = 0;   // what the offsets become smaller by
    int64_t rows = 0;   // after the lead; of offsets: one more
    int64_t first = 0;  // the row after the lead, from the begin of the buffers
    const Node* node = nullptr;
    const ArrowArray* array = nullptr;
    size_t used = 0;  // of views and unions: the first variadic buffer or child in used_
  };

  void PlanNode(const Node* node, const ArrowArray& array, Rows rows);
  void PlanRows(const Node* node, const ArrowArray& array, Rows rows);
  void PlanNoRows(const Node* node, const ArrowArray& array);
  bool TryInPlace(const Node* node, const ArrowArray& array, Rows rows);
  void PlanInPlace(const Node* node, const ArrowArray& array, Rows rows);
  void PlanTrimmed(const Node* node, const ArrowArray& array, Rows rows);
  void PlanBytes(const Node* node, const ArrowArray& array, int64_t start, int32_t lead,
                 Rows at);
  void PlanViews(const ArrowArray& array, int64_t start, int32_t lead, Rows at);
  void PlanList(const Node* node, const ArrowArray& array, int64_t start, int32_t lead,
                Rows at);
  void PlanListView(const Node* node, const ArrowArray& array, int64_t start,
                    int32_t lead, Rows at);
  void PlanDenseUnion(const Node* node, const ArrowArray& array, Rows at);
  void PlanRunEnds(const Node* node, const ArrowArray& array, Rows at);
  void PlanChildren(const Node* node, const ArrowArray& array, Rows rows);
  bool PlanPlain(const Node* node, const ArrowArray& array);
  void PlanWholeChildren(const Node* node, const ArrowArray& array);

  bool IsPlaced(const void* bytes, uint64_t size);
  bool IsPlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool IsTreePlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool AreChildrenPlaced(const Node* node, const ArrowArray& array, int64_t end);
  bool ReadOffsets(const Node* node, const ArrowArray& array, Rows at, int64_t* first,
                   int64_t* last);

  void Begin(int64_t length, int64_t null_count, int64_t offset);
  void Put(int buffer, const void* bytes, uint64_t size);
  bool TryPut(int buffer, const void* bytes, uint64_t size);
  void PutPlaced(const void* bytes, uint64_t size);
  void PutVariadic(const void* bytes, uint64_t size);
  void PutPlaceOf(const void* bytes, uint64_t size);
  void PutCopy(Piece piece);
  void CopyViews(std::byte* to, const Piece& piece) const;
  void CopyUnionOffsets(std::byte* to, const Piece& piece) const;
  static void CopyListViewOffsets(std::byte* to, const Piece& piece);
  void ReserveWords(size_t words);
  void Refuse(const Node* node, int32_t reason, std::string_view what);

  const Layout& layout_;
  std::span<const SegmentView> segments_;
  size_t segment_ = 0;  // where the last buffer was
  // The place that was named last, if it is of a plain column: its end, its length, its
  // segment.
  struct Plain {
    const std::byte* end = nullptr;
    uint64_t size = 0;
    size_t segment = 0;
    bool operator==(const Plain&) const = default;
  };
  Plain plain_;
  int64_t rows_ = 0;  // of the batch

  std::vector<uint64_t> words_;
  size_t n_words_ = 0;
  size_t flags_ = 0;  // the word of the node that is written
  std::vector<SegmentView> named_;
  std::vector<Piece> pieces_;
  std::vector<Used> used_;
  uint64_t copied_ = 0;
  bool overflow_ = false;
  Status fault_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_RECORD_WRITER_H_

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#ifndef ALLOY_SRC_ARROW_RUN_ENDS_H_
#define ALLOY_SRC_ARROW_RUN_ENDS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// The first run that ends after the row: the one that contains it. If run ends decrease,
// it is any run; but if the last one is above the row, always one that ends after it.
inline int64_t RunOf(const void* ends, uint8_t bytes, int64_t n_ends, int64_t row) {
  int64_t low = 0, high = n_ends;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (LoadSigned(ends, middle, bytes) > row) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Whether each run has rows: the first run end is above 0, and each other above the one
// before it.
inline bool RunEndsIncrease(const void* ends, uint8_t bytes, int64_t n_ends) {
  int64_t before = 0;
  for (int64_t i = 0; i < n_ends; ++i) {
    const int64_t end = LoadSigned(ends, i, bytes);
    if (end <= before) return false;
    before = end;
  }
  return true;
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_RUN_ENDS_H_

namespace alloy::core_v0_1 {
namespace {

constexpr uint64_t kAlignment_record_writer = 64;
constexpr uint64_t kMostCopied = uint64_t{1} << 62;

const char* From(const void* base, int64_t bytes) {
  return static_cast<const char*>(base) + bytes;
}

constexpr uint64_t Bytes(int64_t size) { return static_cast<uint64_t>(size); }

const void* BitmapOf(const Layout::Node& node, const ArrowArray& array) {
  return HasBitmap(node.form) ? array.buffers[0] : nullptr;
}

int64_t NullCount(const Layout::Node& node, const ArrowArray& array, int64_t rows) {
  if (node.form == Form::kNull) return rows;
  if (BitmapOf(node, array) == nullptr) return 0;
  // A part of the rows may have fewer nulls, but never some where there were none.
  return rows == array.length || array.null_count == 0 ? array.null_count : -1;
}

struct ListViewAt {
  int64_t offset;
  int64_t size;

  bool IsIn(int64_t rows) const {
    return offset >= 0 && size >= 0 && offset <= rows && size <= rows - offset;
  }
};

ListViewAt LoadListView(const ArrowArray& array, uint8_t bytes, int64_t row) {
  return {LoadSigned(array.buffers[1], row, bytes),
          LoadSigned(array.buffers[2], row, bytes)};
}

// Where a row of a dense union is. A child below 0: nowhere.
struct UnionRow {
  int32_t child = -1;
  int64_t offset = 0;
};

UnionRow LoadUnionRow(const Layout& layout, const Layout::Node& node,
                      const ArrowArray& array, int64_t row) {
  const auto id = LoadValue<uint8_t>(array.buffers[0], row);
  const auto& children = layout.type_ids(node).children;
  if (id >= children.size() || children[id] < 0) return {};
  const int64_t offset = LoadValue<int32_t>(array.buffers[1], row);
  if (offset < 0 || offset >= array.children[children[id]]->length) return {};
  return {.child = children[id], .offset = offset};
}

// Offsets that begin at 0, after `lead` zeros. They are not checked yet, so the
// difference may wrap.
template <typename T>
void CopyOffsets(std::byte* to, const void* from, int32_t lead, int64_t rows,
                 int64_t base) {
  using Bits = std::make_unsigned_t<T>;
  std::memset(to, 0, static_cast<size_t>(lead) * sizeof(T));
  to += static_cast<size_t>(lead) * sizeof(T);
  const auto less = static_cast<Bits>(base);
  for (int64_t i = 0; i < rows; ++i) {
    const auto offset = static_cast<Bits>(LoadValue<Bits>(from, i) - less);
    std::memcpy(to + i * int64_t{sizeof(T)}, &offset, sizeof(T));
  }
}

}  // namespace

RecordWriter::RecordWriter(const Layout& layout) : layout_(layout) {}

Status RecordWriter::Plan(const ArrowArray& batch,
                          std::span<const SegmentView> segments) {
  segments_ = segments;
  segment_ = 0;
  plain_ = {};
  rows_ = batch.length;
  n_words_ = 0;
  named_.clear();
  pieces_.clear();
  used_.clear();
  copied_ = 0;
  overflow_ = false;
  fault_ = Status();
  // Only views need more than this.
  ReserveWords(layout_.nodes().size() * record::kMostWords);
  PlanNode(layout_.nodes().data(), batch, {0, batch.length});
  segments_ = {};
  if (!fault_.ok()) return std::move(fault_);
  if (overflow_) {
    return Fail(ALLOY_EXHAUSTED, "the buffers of a batch have more than 2^62 bytes");
  }
  return Status();
}

void RecordWriter::Write(ByteWriter& out) const {
  out.PutBytes(words_.data(), record_bytes());
}

// Writes a node and all nodes below it, so that row 0 of the record is row `rows.begin` of
// the array.
void RecordWriter::PlanNode(const Node* node, const ArrowArray& array, Rows rows) {
  PlanRows(node, array, rows);
  if (node->dictionary) {
    PlanNode(node + 1, *array.dictionary, {0, array.dictionary->length});
  }
}

void RecordWriter::PlanRows(const Node* node, const ArrowArray& array, Rows rows) {
  if (node->form == Form::kNull) {
    Begin(rows.count, rows.count, 0);
    return;
  }
  if (rows.count == 0) return PlanNoRows(node, array);
  if (node->form == Form::kFixed || node->form == Form::kOffsets) {
    if (!TryInPlace(node, array, rows)) PlanTrimmed(node, array, rows);
    return;
  }
  const int64_t begin = array.offset + rows.begin;
  if (IsPlaced(node, array, begin + rows.count)) {
    bool in_place = true;
    switch (RuleOf(node->form).child_rows) {
      case ChildRows::kEnd:
      case ChildRows::kEndTimes:
        // In place, the children have the rows before `begin` too. That is right if they
        // need not be copied.
        in_place = (HasBitmap(node->form) && array.buffers[0] == nullptr)
                       ? begin == 0
                       : begin == 0 || AreChildrenPlaced(node, array, begin + rows.count);
        break;
      case ChildRows::kLastOffset:
        in_place = AreChildrenPlaced(node, array, 0);
        break;
      case ChildRows::kAny:
        in_place = node->form != Form::kRunEnd && AreChildrenPlaced(node, array, 0);
        break;
    }
    if (in_place) return PlanInPlace(node, array, rows);
  }
  PlanTrimmed(node, array, rows);
}

// An array without rows needs no buffers and no offset.
void RecordWriter::PlanNoRows(const Node* node, const ArrowArray& array) {
  Begin(0, 0, 0);
  PlanChildren(node, array, {0, 0});
}

// The same as IsPlaced and PlanInPlace for the most frequent columns, in one pass. Returns
// false, and has written nothing, if a buffer does not lie in a segment.
inline bool RecordWriter::TryInPlace(const Node* node, const ArrowArray& array,
                                     Rows rows) {
  if (segments_.empty()) return false;
  const int64_t begin = array.offset + rows.begin;
  const int64_t end = begin + rows.count;
  Begin(rows.count, NullCount(*node, array, rows.count), begin);
  bool placed =
      array.buffers[0] == nullptr || TryPut(0, array.buffers[0], Bytes(BitmapBytes(end)));
  if (node->form == Form::kFixed) {
    placed = placed && TryPut(1, array.buffers[1], Bytes(ValueBytes(*node, end)));
  } else if (placed &&
             TryPut(1, array.buffers[1], Bytes((end + 1) * node->integer_bytes))) {
    int64_t first = 0, last = 0;
    // If the offsets are refused, so is the batch, and the record is not used.
    placed = !ReadOffsets(node, array, {begin, rows.count}, &first, &last) ||
             TryPut(2, array.buffers[2], Bytes(last));
  } else {
    placed = false;
  }
  if (!placed) n_words_ = flags_;
  return placed;
}

void RecordWriter::PlanInPlace(const Node* node, const ArrowArray& array, Rows rows) {
  const int64_t begin = array.offset + rows.begin;
  const int64_t end = begin + rows.count;
  Begin(rows.count, NullCount(*node, array, rows.count), begin);
  if (const void* bitmap = BitmapOf(*node, array))
    Put(0, bitmap, Bytes(BitmapBytes(end)));
  const int64_t wide = node->integer_bytes;
  switch (node->form) {
    case Form::kViews: {
      const int64_t n = array.n_buffers - 3;
      Put(1, array.buffers[1], Bytes(end * kViewBytes));
      words_[flags_] |= Bytes(n) << record::kVariadicShift;
      ReserveWords(n_words_ + static_cast<size_t>(n) * record::kPlaceWords +
                   layout_.nodes().size() * record::kMostWords);
      for (int64_t i = 0; i < n; ++i) {
        PutVariadic(array.buffers[2 + i],
                    Bytes(LoadValue<int64_t>(array.buffers[array.n_buffers - 1], i)));
      }
      return;
    }
    case Form::kList:
      Put(1, array.buffers[1], Bytes((end + 1) * wide));
      return PlanWholeChildren(node, array);
    case Form::kListView:
      Put(1, array.buffers[1], Bytes(end * wide));
      Put(2, array.buffers[2], Bytes(end * wide));
      return PlanWholeChildren(node, array);
    case Form::kFixedSizeList:
      return PlanChildren(node, array, {0, end * node->size});
    case Form::kStruct:
      return PlanChildren(node, array, {0, end});
    case Form::kSparseUnion:
      Put(0, array.buffers[0], Bytes(end));
      return PlanChildren(node, array, {0, end});
    case Form::kDenseUnion:
      Put(0, array.buffers[0], Bytes(end));
      Put(1, array.buffers[1], Bytes(end * wide));
      return PlanWholeChildren(node, array);
    case Form::kFixed:    // TryInPlace
    case Form::kOffsets:  // TryInPlace
    case Form::kRunEnd:
    case Form::kNull:
      return;
  }
}

// Only the rows that are used. Each buffer that need not change is named if it lies in a
// segment, and copied if not.
void RecordWriter::PlanTrimmed(const Node* node, const ArrowArray& array, Rows rows) {
  const Rows at{.begin = array.offset + rows.begin, .count = rows.count};
  if (node->form == Form::kRunEnd) return PlanRunEnds(node, array, at);
  const void* bitmap = BitmapOf(*node, array);
  // Bits are copied by bytes, so up to 7 rows come before the first one.
  const bool bits = bitmap != nullptr || (node->form == Form::kFixed && node->bits < 8);
  const auto lead = static_cast<int32_t>(bits ? at.begin % 8 : 0);
  const int64_t start = at.begin - lead;
  const int64_t n = lead + at.count;
  Begin(at.count, NullCount(*node, array, at.count), lead);
  if (bitmap != nullptr) Put(0, From(bitmap, start / 8), Bytes(BitmapBytes(n)));
  const Rows below{.begin = rows.begin + array.offset - lead, .count = n};
  switch (node->form) {
    case Form::kFixed:
      return Put(1, From(array.buffers[1], ValueBytes(*node, start)),
                 Bytes(ValueBytes(*node, n)));
    case Form::kOffsets:
      return PlanBytes(node, array, start, lead, at);
    case Form::kViews:
      return PlanViews(array, start, lead, at);
    case Form::kList:
      return PlanList(node, array, start, lead, at);
    case Form::kListView:
      return PlanListView(node, array, start, lead, at);
    case Form::kFixedSizeList:
      return PlanChildren(node, array,
                          {below.begin * node->size, below.count * node->size});
    case Form::kStruct:
      return PlanChildren(node, array, below);
    case Form::kSparseUnion:
      Put(0, From(array.buffers[0], at.begin), Bytes(at.count));
      return PlanChildren(node, array, below);
    case Form::kDenseUnion:
      return PlanDenseUnion(node, array, at);
    case Form::kRunEnd:
    case Form::kNull:
      return;
  }
}

void RecordWriter::PlanBytes(const Node* node, const ArrowArray& array, int64_t start,
                             int32_t lead, Rows at) {
  int64_t first = 0, last = 0;
  if (!ReadOffsets(node, array, at, &first, &last)) return;
  const int64_t wide = node->integer_bytes;
  const char* offsets = From(array.buffers[1], start * wide);
  const void* bytes = array.buffers[2];
  if (first == 0 || IsPlaced(bytes, Bytes(last))) {
    Put(1, offsets, Bytes((lead + at.count + 1) * wide));
    return Put(2, bytes, Bytes(last));
  }
  words_[flags_] |= record::HasBuffer(1);
  PutCopy({.kind = Piece::Kind::kOffsets,
           .integer_bytes = node->integer_bytes,
           .lead = lead,
           .from = offsets + lead * wide,
           .bytes = Bytes((lead + at.count + 1) * wide),
           .base = first,
           .rows = at.count + 1});
  Put(2, From(bytes, first), Bytes(last - first));
}

void RecordWriter::PlanViews(const ArrowArray& array, int64_t start, int32_t lead,
                             Rows at) {
  const int64_t n = array.n_buffers - 3;
  const size_t used = used_.size();
  used_.resize(used + static_cast<size_t>(n),
               {.begin = std::numeric_limits<int64_t>::max()});
  Used* const buffers = used_.data() + used;
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const auto view = LoadValue<View>(array.buffers[1], i);
    if (!view.IsLong() || !view.IsIn(array)) continue;
    if (array.buffers[0] != nullptr && !BitAt(array.buffers[0], i)) continue;
    Used& buffer = buffers[view.buffer];
    buffer.begin = std::min(buffer.begin, int64_t{view.offset});
    buffer.end = std::max(buffer.end, int64_t{view.offset} + view.length);
  }
  words_[flags_] |= record::HasBuffer(1);
  PutCopy({.kind = Piece::Kind::kViews,
           .lead = lead,
           .from = From(array.buffers[1], at.begin * kViewBytes),
           .bytes = Bytes((at.begin - start + at.count) * kViewBytes),
           .rows = at.count,
           .first = at.begin,
           .array = &array,
           .used = used});
  ReserveWords(n_words_ + static_cast<size_t>(n) * record::kPlaceWords +
               layout_.nodes().size() * record::kMostWords);
  int32_t number = 0;
  for (int64_t i = 0; i < n; ++i) {
    Used& buffer = buffers[i];
    if (buffer.end == 0) continue;
    buffer.number = number++;
    PutVariadic(From(array.buffers[2 + i], buffer.begin),
                Bytes(buffer.end - buffer.begin));
  }
  words_[flags_] |= static_cast<uint64_t>(number) << record::kVariadicShift;
}

void RecordWriter::PlanList(const Node* node, const ArrowArray& array, int64_t start,
                            int32_t lead, Rows at) {
  int64_t first = 0, last = 0;
  if (ReadOffsets(node, array, at, &first, &last)) {
    const int64_t wide = node->integer_bytes;
    const char* offsets = From(array.buffers[1], start * wide);
    const uint64_t bytes = Bytes((lead + at.count + 1) * wide);
    if (first == 0) {
      Put(1, offsets, bytes);
    } else {
      words_[flags_] |= record::HasBuffer(1);
      PutCopy({.kind = Piece::Kind::kOffsets,
               .integer_bytes = node->integer_bytes,
               .lead = lead,
               .from = offsets + lead * wide,
               .bytes = bytes,
               .base = first,
               .rows = at.count + 1});
    }
  }
  PlanChildren(node, array, {first, last - first});
}

void RecordWriter::PlanListView(const Node* node, const ArrowArray& array, int64_t start,
                                int32_t lead, Rows at) {
  const int64_t wide = node->integer_bytes;
  const int64_t rows = array.children[0]->length;
  Used used{.begin = std::numeric_limits<int64_t>::max()};
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const ListViewAt view = LoadListView(array, node->integer_bytes, i);
    if (view.size == 0 || !view.IsIn(rows)) continue;
    used.begin = std::min(used.begin, view.offset);
    used.end = std::max(used.end, view.offset + view.size);
  }
  if (used.end == 0) used.begin = 0;
  const uint64_t bytes = Bytes((lead + at.count) * wide);
  // The offsets of empty lists may be anywhere in the child.
  if (used.begin == 0 && used.end == rows) {
    Put(1, From(array.buffers[1], start * wide), bytes);
  } else {
    words_[flags_] |= record::HasBuffer(1);
    PutCopy({.kind = Piece::Kind::kListViewOffsets,
             .integer_bytes = node->integer_bytes,
             .lead = lead,
             .from = From(array.buffers[1], at.begin * wide),
             .bytes = bytes,
             .base = used.begin,
             .rows = at.count,
             .first = at.begin,
             .array = &array});
  }
  Put(2, From(array.buffers[2], start * wide), bytes);
  PlanChildren(node, array, {used.begin, used.end - used.begin});
}

// Of each child, the rows that the offsets of its type ids reach.
void RecordWriter::PlanDenseUnion(const Node* node, const ArrowArray& array, Rows at) {
  const auto n = static_cast<size_t>(node->n_children);
  const size_t used = used_.size();
  used_.resize(used + n, {.begin = std::numeric_limits<int64_t>::max()});
  for (int64_t i = at.begin; i < at.begin + at.count; ++i) {
    const UnionRow row = LoadUnionRow(layout_, *node, array, i);
    if (row.child < 0) continue;
    Used& reached = used_[used + static_cast<size_t>(row.child)];
    reached.begin = std::min(reached.begin, row.offset);
    reached.end = std::max(reached.end, row.offset + 1);
  }
  bool moves = false;
  for (size_t i = 0; i < n; ++i) {
    Used& reached = used_[used + i];
    if (reached.end == 0) reached.begin = 0;
    moves = moves || reached.begin > 0;
  }
  Put(0, From(array.buffers[0], at.begin), Bytes(at.count));
  const int64_t wide = node->integer_bytes;
  const char* offsets = From(array.buffers[1], at.begin * wide);
  if (moves) {
    words_[flags_] |= record::HasBuffer(1);
    PutCopy({.kind = Piece::Kind::kUnionOffsets,
             .from = offsets,
             .bytes = Bytes(at.count * wide),
             .rows = at.count,
             .first = at.begin,
             .node = node,
             .array = &array,
             .used = used});
  } else {
    Put(1, offsets, Bytes(at.count * wide));
  }
  const Node* child = node + 1;
  for (size_t i = 0; i < n; ++i, child += child->subtree) {
    const Used reached = used_[used + i];
    PlanNode(child, *array.children[i], {reached.begin, reached.end - reached.begin});
  }
}

// The runs that contain the rows. Runs before them can go without a change of the run ends
// or of the offset: the first run that stays then contains their rows too.
void RecordWriter::PlanRunEnds(const Node* node, const ArrowArray& array, Rows at) {
  Begin(at.count, 0, at.begin);
  const Node* ends_node = node + 1;
  const ArrowArray& ends = *array.children[0];  // offset 0, and no nulls: level shape
  const uint8_t wide = ends_node->integer_bytes;
  const void* values = ends.buffers[1];
  const int64_t first = RunOf(values, wide, ends.length, at.begin);
  const int64_t last = RunOf(values, wide, ends.length, at.begin + at.count - 1);
  Rows runs{.begin = first, .count = last + 1 - first};
  // Malformed run ends all go, so that the reader finds what it would find without a copy.
  if (runs.count < ends.length && !RunEndsIncrease(values, wide, ends.length)) {
    runs = {.begin = 0, .count = ends.length};
  }
  Begin(runs.count, 0, 0);
  Put(1, From(values, runs.begin * wide), Bytes(runs.count * wide));
  PlanNode(ends_node + ends_node->subtree, *array.children[1], runs);
}

void RecordWriter::PlanChildren(const Node* node, const ArrowArray& array, Rows rows) {
  const Node* child = node + 1;
  const bool plain = rows.begin == 0 && rows.count == rows_ && rows_ > 0;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    if (!plain || !PlanPlain(child, below)) PlanNode(child, below, rows);
  }
}

// The most frequent column: of whole bytes, as long as the batch, without nulls, and in the
// segment of the column before it. Returns false, and has written nothing, for others.
inline bool RecordWriter::PlanPlain(const Node* node, const ArrowArray& array) {
  if (node->form != Form::kFixed || node->dictionary || node->bits < 8 ||
      array.buffers[0] != nullptr || array.offset != 0 || segments_.empty()) {
    return false;
  }
  const SegmentView& segment = segments_[segment_];
  const uint64_t size = Bytes(rows_ * (node->bits / 8));
  const uint64_t offset = reinterpret_cast<uintptr_t>(array.buffers[1]) -
                          reinterpret_cast<uintptr_t>(segment.bytes.data());
  if (offset > segment.bytes.size() || size > segment.bytes.size() - offset) return false;
  const auto* const bytes = static_cast<const std::byte*>(array.buffers[1]);
  if (plain_ == Plain{bytes, size, segment_}) {
    words_[n_words_++] = record::kFollows;
    SegmentView& named = named_.back();
    named.bytes = {named.bytes.data(), named.bytes.size() + size};
  } else {
    words_[n_words_++] = record::HasBuffer(1);
    PutPlaced(bytes, size);
  }
  plain_ = {bytes + size, size, segment_};
  return true;
}

void RecordWriter::PlanWholeChildren(const Node* node, const ArrowArray& array) {
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    PlanNode(child, *array.children[i], {0, array.children[i]->length});
  }
}

// True if the bytes lie in one segment; segment_ is then its index.
inline bool RecordWriter::IsPlaced(const void* bytes, uint64_t size) {
  if (size == 0) return true;
  const size_t n = segments_.size();
  for (size_t i = 0, at = segment_; i < n; ++i, at = at + 1 == n ? 0 : at + 1) {
    const std::span<const std::byte> segment = segments_[at].bytes;
    // Before the segment, the difference wraps to a large number.
    const uint64_t offset =
        reinterpret_cast<uintptr_t>(bytes) - reinterpret_cast<uintptr_t>(segment.data());
    if (offset <= segment.size() && size <= segment.size() - offset) {
      segment_ = at;
      return true;
    }
  }
  return false;
}

// True if all buffers of the node itself that have bytes up to row `end` lie in segments.
bool RecordWriter::IsPlaced(const Node* node, const ArrowArray& array, int64_t end) {
  if (segments_.empty()) return false;
  const void* bitmap = BitmapOf(*node, array);
  if (bitmap != nullptr && !IsPlaced(bitmap, Bytes(BitmapBytes(end)))) return false;
  const int64_t wide = node->integer_bytes;
  switch (node->form) {
    case Form::kFixed:
      return IsPlaced(array.buffers[1], Bytes(ValueBytes(*node, end)));
    case Form::kOffsets: {
      if (!IsPlaced(array.buffers[1], Bytes((end + 1) * wide))) return false;
      const int64_t last = LoadSigned(array.buffers[1], end, node->integer_bytes);
      return last >= 0 && IsPlaced(array.buffers[2], Bytes(last));
    }
    case Form::kViews: {
      if (!IsPlaced(array.buffers[1], Bytes(end * kViewBytes))) return false;
      const int64_t n = array.n_buffers - 3;
      for (int64_t i = 0; i < n; ++i) {
        const auto size = LoadValue<int64_t>(array.buffers[array.n_buffers - 1], i);
        if (!IsPlaced(array.buffers[2 + i], Bytes(size))) return false;
      }
      return true;
    }
    case Form::kList:
      return IsPlaced(array.buffers[1], Bytes((end + 1) * wide));
    case Form::kListView:
      return IsPlaced(array.buffers[1], Bytes(end * wide)) &&
             IsPlaced(array.buffers[2], Bytes(end * wide));
    case Form::kSparseUnion:
      return IsPlaced(array.buffers[0], Bytes(end));
    case Form::kDenseUnion:
      return IsPlaced(array.buffers[0], Bytes(end)) &&
             IsPlaced(array.buffers[1], Bytes(end * wide));
    case Form::kFixedSizeList:
    case Form::kStruct:
    case Form::kRunEnd:
    case Form::kNull:
      return true;
  }
  return false;
}

// The same for the node and all below it that are named with it.
bool RecordWriter::IsTreePlaced(const Node* node, const ArrowArray& array, int64_t end) {
  return end == array.offset ||
         (IsPlaced(node, array, end) && AreChildrenPlaced(node, array, end));
}

bool RecordWriter::AreChildrenPlaced(const Node* node, const ArrowArray& array,
                                     int64_t end) {
  const ChildRows rows = RuleOf(node->form).child_rows;
  const Node* child = node + 1;
  for (int32_t i = 0; i < node->n_children; ++i, child += child->subtree) {
    const ArrowArray& below = *array.children[i];
    const int64_t used = rows == ChildRows::kEnd        ? end
                         : rows == ChildRows::kEndTimes ? end * node->size
                                                        : below.length;
    if (!IsTreePlaced(child, below, below.offset + used)) return false;
  }
  return true;
}

// The offsets at both ends of the rows. Level shape has checked those of the whole array.
bool RecordWriter::ReadOffsets(const Node* node, const ArrowArray& array, Rows at,
                               int64_t* first, int64_t* last) {
  const uint8_t wide = node->integer_bytes;
  const void* offsets = array.buffers[1];
  const int64_t begin = LoadSigned(offsets, at.begin, wide);
  const int64_t end = LoadSigned(offsets, at.begin + at.count, wide);
  const int64_t limit = LoadSigned(offsets, array.offset + array.length, wide);
  if (begin < 0 || end < begin || end > limit) [[unlikely]] {
    Refuse(node, ALLOY_REASON_OFFSETS,
           "the offsets of rows " + std::to_string(at.begin - array.offset) + " to " +
               std::to_string(at.begin - array.offset + at.count) + " are " +
               std::to_string(begin) + " and " + std::to_string(end) +
               ", but the last one is " + std::to_string(limit));
    return false;
  }
  *first = begin;
  *last = end;
  return true;
}

inline void RecordWriter::Begin(int64_t length, int64_t null_count, int64_t offset) {
  flags_ = n_words_;
  uint64_t* to = words_.data() + n_words_;
  if (length == rows_ && null_count == 0 && offset == 0 && n_words_ > 0) {
    to[0] = 0;
    n_words_ += 1;
    return;
  }
  to[0] = record::kHasHead;
  to[1] = static_cast<uint64_t>(length);
  to[2] = static_cast<uint64_t>(null_count);
  to[3] = static_cast<uint64_t>(offset);
  n_words_ += 1 + record::kHeadWords;
}

inline void RecordWriter::Put(int buffer, const void* bytes, uint64_t size) {
  if (size == 0) return;
  words_[flags_] |= record::HasBuffer(buffer);
  PutPlaceOf(bytes, size);
}

// The same, only if the bytes lie in a segment.
inline bool RecordWriter::TryPut(int buffer, const void* bytes, uint64_t size) {
  if (size == 0) return true;
  if (!IsPlaced(bytes, size)) return false;
  words_[flags_] |= record::HasBuffer(buffer);
  PutPlaced(bytes, size);
  return true;
}

void RecordWriter::PutVariadic(const void* bytes, uint64_t size) {
  if (size > 0) return PutPlaceOf(bytes, size);
  plain_ = {};
  std::fill_n(words_.data() + n_words_, record::kPlaceWords, 0);
  n_words_ += record::kPlaceWords;
}

inline void RecordWriter::PutPlaceOf(const void* bytes, uint64_t size) {
  if (!IsPlaced(bytes, size)) return PutCopy({.from = bytes, .bytes = size});
  PutPlaced(bytes, size);
}

// After IsPlaced.
inline void RecordWriter::PutPlaced(const void* bytes, uint64_t size) {
  const SegmentView& segment = segments_[segment_];
  uint64_t* to = words_.data() + n_words_;
  to[0] = segment.number;
  to[1] = segment.begin + static_cast<uint64_t>(static_cast<const std::byte*>(bytes) -
                                                segment.bytes.data());
  to[2] = size;
  n_words_ += record::kPlaceWords;
  plain_ = {};
  named_.push_back({segment.number, {static_cast<const std::byte*>(bytes), size}, to[1]});
}

// Copy fills in segment and offset.
void RecordWriter::PutCopy(Piece piece) {
  plain_ = {};
  piece.word = n_words_;
  piece.at = copied_;
  words_[n_words_ + 2] = piece.bytes;
  n_words_ += record::kPlaceWords;
  if (piece.bytes > kMostCopied - copied_) {
    overflow_ = true;
    return;
  }
  copied_ += (piece.bytes + kAlignment_record_writer - 1) / kAlignment_record_writer * kAlignment_record_writer;
  pieces_.push_back(piece);
}

void RecordWriter::ReserveWords(size_t words) {
  if (words_.size() < words) words_.resize(std::max(words, 2 * words_.size()));
}

void RecordWriter::Refuse(const Node* node, int32_t reason, std::string_view what) {
  if (!fault_.ok()) return;
  const auto column = static_cast<int32_t>(node - layout_.nodes().data()) - 1;
  fault_ = DataFault(reason, {.column = column, .path = layout_.Path(column)}, what);
}

void RecordWriter::CopyViews(std::byte* to, const Piece& piece) const {
  const ArrowArray& array = *piece.array;
  std::memset(to, 0, static_cast<size_t>(piece.lead * kViewBytes));
  to += piece.lead * kViewBytes;
  for (int64_t i = 0; i < piece.rows; ++i, to += kViewBytes) {
    auto view = LoadValue<View>(piece.from, i);
    if (view.IsLong()) {
      const bool null =
          array.buffers[0] != nullptr && !BitAt(array.buffers[0], piece.first + i);
      if (null) {
        view = {};
      } else if (!view.IsIn(array)) {
        view.buffer = -1;  // still wrong, whatever buffers are left
      } else {
        const Used& used = used_[piece.used + static_cast<size_t>(view.buffer)];
        view.buffer = used.number;
        view.offset -= static_cast<int32_t>(used.begin);
      }
    }
    std::memcpy(to, &view, sizeof(view));
  }
}

void RecordWriter::CopyListViewOffsets(std::byte* to, const Piece& piece) {
  const size_t wide = piece.integer_bytes;
  const int64_t rows = piece.array->children[0]->length;
  std::memset(to, 0, static_cast<size_t>(piece.lead) * wide);
  to += static_cast<size_t>(piece.lead) * wide;
  for (int64_t i = 0; i < piece.rows; ++i, to += wide) {
    const ListViewAt view =
        LoadListView(*piece.array, piece.integer_bytes, piece.first + i);
    // A wrong one stays wrong. What the others point to is in the part that is used.
    const int64_t offset = !view.IsIn(rows) ? -1
                           : view.size == 0 ? 0
                                            : view.offset - piece.base;
    std::memcpy(to, &offset, wide);  // little-endian
  }
}

void RecordWriter::CopyUnionOffsets(std::byte* to, const Piece& piece) const {
  for (int64_t i = 0; i < piece.rows; ++i, to += sizeof(int32_t)) {
    const UnionRow row =
        LoadUnionRow(layout_, *piece.node, *piece.array, piece.first + i);
    int32_t offset = -1;  // a wrong one stays wrong
    if (row.child >= 0) {
      const Used& reached = used_[piece.used + static_cast<size_t>(row.child)];
      offset = static_cast<int32_t>(row.offset - reached.begin);
    }
    std::memcpy(to, &offset, sizeof(offset));
  }
}

void RecordWriter::Copy(std::byte* to, uint32_t segment, uint64_t offset) {
  for (const Piece& piece : pieces_) {
    std::byte* at = to + piece.at;
    switch (piece.kind) {
      case Piece::Kind::kBytes:
        std::memcpy(at, piece.from, piece.bytes);
        break;
      case Piece::Kind::kOffsets:
        if (piece.integer_bytes == 4) {
          CopyOffsets<int32_t>(at, piece.from, piece.lead, piece.rows, piece.base);
        } else {
          CopyOffsets<int64_t>(at, piece.from, piece.lead, piece.rows, piece.base);
        }
        break;
      case Piece::Kind::kViews:
        CopyViews(at, piece);
        break;
      case Piece::Kind::kListViewOffsets:
        CopyListViewOffsets(at, piece);
        break;
      case Piece::Kind::kUnionOffsets:
        CopyUnionOffsets(at, piece);
        break;
    }
    words_[piece.word] = segment;
    words_[piece.word + 1] = offset + piece.at;
  }
}

}  // namespace alloy::core_v0_1

// src/wire/schemas.cc -------------------------------------------------------------------
//
// Schemas in the bytes of a message.
#ifndef ALLOY_SRC_WIRE_SCHEMAS_H_
#define ALLOY_SRC_WIRE_SCHEMAS_H_

//
// The owner of an Arrow C struct, which the engine shares with the public headers, and
// the releaser of structs that a call did not take.
//
// Threads  serial.
#ifndef ALLOY_SRC_ARROW_OWNED_H_
#define ALLOY_SRC_ARROW_OWNED_H_

#include <cstddef>
#include <string>

//
// The owner of an Arrow C struct: its destructor releases the struct, once.
//
// Use it wherever code holds an ArrowSchema, an ArrowArray or an ArrowArrayStream for
// longer than one line. The pointer constructor moves a struct in from C, and MoveTo
// moves it out again. The engine uses the same owner.
//
// Threads  serial.
#ifndef ALLOY_OWNED_HPP_
#define ALLOY_OWNED_HPP_


namespace alloy {

template <typename T>
class [[nodiscard]] Owned {
 public:
  Owned() = default;
  // Move the struct out of `source`, which is left released. NULL gives an empty owner.
  explicit Owned(T* source) noexcept {
    if (source != nullptr) value_ = Take(source);
  }
  Owned(Owned&& other) noexcept : value_(Take(&other.value_)) {}
  Owned& operator=(Owned&& other) noexcept {
    // Take first: then moving an owner onto itself keeps what it has.
    T value = Take(&other.value_);
    ReleaseQuietly();
    value_ = value;
    return *this;
  }
  // A release callback must not throw. An exception of one ends here, since a destructor
  // cannot pass it on.
  ~Owned() { ReleaseQuietly(); }

  T* get() { return &value_; }
  const T* get() const { return &value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }

  // Whether there is anything to release.
  explicit operator bool() const { return value_.release != nullptr; }

  // Give up the struct without releasing it.
  T Detach() { return Take(&value_); }
  // The same, into `target`. The old content of `target` is overwritten, not released.
  void MoveTo(T* target) { *target = Take(&value_); }

  void Release() {
    if (value_.release != nullptr) {
      // The callback gets a copy. A callback that reaches back into this owner, or that
      // forgets to clear `release`, then finds nothing to release twice.
      T value = Take(&value_);
      value.release(&value);
    }
  }

 private:
  void ReleaseQuietly() noexcept {
#ifdef __cpp_exceptions
    try {
      Release();
    } catch (...) {
    }
#else
    Release();
#endif
  }

  static T Take(T* source) noexcept {
    T value = *source;
    source->release = nullptr;
    return value;
  }

  T value_{};
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;
using OwnedArrayStream = Owned<ArrowArrayStream>;

}  // namespace alloy

#endif  // ALLOY_OWNED_HPP_
//
// Where exceptions end. Every function that C can call runs inside Guard, and every entry
// into foreign code inside EnterForeign.
//
// A forced unwind, of pthread_cancel and pthread_exit, is not an exception: a thread that
// is ended cannot go on. It passes through, and the objects on its way are destroyed. So
// neither function is noexcept.
#ifndef ALLOY_SRC_BASE_GUARD_H_
#define ALLOY_SRC_BASE_GUARD_H_

#include <cxxabi.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>


namespace alloy::core_v0_1 {

// While an exception is handled: EXHAUSTED if the system has no thread left; else ok.
inline Status ExhaustedByThrown() {
  try {
    throw;
  } catch (const std::system_error& e) {
    if (e.code() != std::errc::resource_unavailable_try_again) return Status();
    return Fail(ALLOY_EXHAUSTED,
                std::string("a thread cannot be started: ") + e.code().message() +
                    "; raise the limit of threads (ulimit -u, or pids.max of the "
                    "container)");
  } catch (...) {
    return Status();
  }
}

// Run `body`, which returns a Status, and copy that to err. An exception becomes EXHAUSTED,
// if it is about memory or threads, or INTERNAL.
template <typename Body>
alloy_code Guard(alloy_error* err, Body&& body) {
  try {
    return body().CopyTo(err);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::bad_alloc&) {
    if (err != nullptr) {
      *err = alloy_error{.code = ALLOY_EXHAUSTED,
                         .reason = 0,
                         .input = -1,
                         .column = -1,
                         .side = ALLOY_SIDE_ENGINE,
                         .length = 13,
                         .text = "out of memory"};
    }
    return ALLOY_EXHAUSTED;
  } catch (...) {
    // Making the text may throw as well; then there is only the code.
    try {
      if (const Status exhausted = ExhaustedByThrown(); !exhausted.ok()) {
        return exhausted.CopyTo(err);
      }
      std::string text = "an exception inside the engine; please report it";
      try {
        throw;
      } catch (const std::exception& e) {
        text += std::string(": ") + e.what();
      } catch (...) {
      }
      return Fail(ALLOY_INTERNAL, std::move(text)).CopyTo(err);
    } catch (...) {
      return ALLOY_INTERNAL;
    }
  }
}

// Run `body`, which enters foreign code. If that throws, which backend.h forbids, return
// false and describe the exception in `text`.
template <typename Body>
bool EnterForeign(std::string* text, Body&& body) {
  try {
    body();
    return true;
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& e) {
    *text = std::string("an exception came out of it: ") + e.what();
  } catch (...) {
    *text = "an exception of an unknown type came out of it";
  }
  return false;
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_GUARD_H_

namespace alloy::core_v0_1 {

using alloy::Owned;
using alloy::OwnedArray;
using alloy::OwnedArrayStream;
using alloy::OwnedSchema;

// Release what foreign code made. Returns what its callback threw, for people; empty:
// nothing.
template <typename T>
std::string ReleaseForeign(Owned<T>* owned) {
  std::string thrown;
  EnterForeign(&thrown, [owned] { owned->Release(); });
  return thrown;
}

// Releases, when it goes, those of `n` structs in a row that a foreign function did not
// take. So every way out of a call releases them, an early return too.
template <typename T>
class ReleaseRest {
 public:
  ReleaseRest(T* structs, size_t n) : structs_(structs), n_(n) {}
  ~ReleaseRest() {
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release != nullptr) ReleaseOne(i);
    }
  }
  ReleaseRest(const ReleaseRest&) = delete;
  ReleaseRest& operator=(const ReleaseRest&) = delete;

  // The same now. Returns what the last callback that threw has thrown; empty: nothing.
  std::string Release() const {
    std::string last;
    for (size_t i = 0; i < n_; ++i) {
      if (structs_[i].release == nullptr) continue;
      if (std::string thrown = ReleaseOne(i); !thrown.empty()) [[unlikely]]
        last = std::move(thrown);
    }
    return last;
  }

 private:
  std::string ReleaseOne(size_t i) const {
    Owned<T> owned(&structs_[i]);
    return ReleaseForeign(&owned);
  }

  T* const structs_;
  const size_t n_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_OWNED_H_

namespace alloy::core_v0_1 {

//   Fails  BAD_DATA: the struct is malformed (arrow/schema_walk.h).
Status WriteSchema(const ArrowSchema& schema, ByteWriter& out);

// Read a schema that the other side may have made up. Only the structs are checked, and
// formats are not parsed: Layout does that.
//   Fails  BAD_DATA, EXHAUSTED.
Result<OwnedSchema> ReadSchema(ByteReader& in);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_SCHEMAS_H_

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

//
// Copies schemas, and makes keys of them for caches.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_H_
#define ALLOY_SRC_ARROW_SCHEMA_H_

#include <string>

//
// Walks a schema that nobody has checked yet. All code that reads a whole schema uses this
// walk, so that one place checks the pointers and counts.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SCHEMA_WALK_H_
#define ALLOY_SRC_ARROW_SCHEMA_WALK_H_

#include <cstdint>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

inline constexpr int32_t kMostLevels = 64;             // below the root
inline constexpr int32_t kMostColumns = 1 << 20;       // nested ones included
inline constexpr int64_t kMostSchemaBytes = 64 << 20;  // names, formats and metadata
inline constexpr int64_t kMostMetadata = kMostSchemaBytes;

// What the walks of schemas that belong together may still visit and read. The nodes of a
// schema may be one and the same struct, so limits for one node would not limit the work.
struct SchemaBudget {
  int64_t columns = kMostColumns;
  int64_t bytes = kMostSchemaBytes;
};

// A node of a schema and its place in the tree. Lives only during the visit.
struct SchemaPlace {
  const ArrowSchema* schema = nullptr;
  const SchemaPlace* parent = nullptr;
  int64_t ordinal = 0;  // among the children of the parent; -1: its dictionary
  int32_t column = -1;
  int32_t depth = 0;
  int64_t metadata_bytes = 0;  // 0: no metadata
};

std::string PathOf(const SchemaPlace& place);

// DataFault (fault.h) at this place.
Status SchemaFault(const SchemaPlace& place, int32_t reason, std::string_view what);

// Check a node without its children, and measure its metadata. Takes the node from the
// budget.
Status CheckSchemaNode(SchemaPlace* place, SchemaBudget* budget);

// Check the pointer to the children and their number.
Status CheckSchemaChildren(const SchemaPlace& place, const SchemaBudget& budget);

// The size of a metadata block ("The Arrow C data interface", ArrowSchema.metadata).
// Nothing is read that cannot belong to a block of at most `limit` bytes.
//   Fails  -1  it is malformed.
//          -2  it is larger than the limit.
int64_t MetadataBytes(const char* metadata, int64_t limit = kMostMetadata);

// Calls Status visit(const SchemaPlace&) for each node in preorder. A dictionary comes
// before the children. Ends at the first fault.
template <typename Visit>
class SchemaWalk {
 public:
  SchemaWalk(Visit& visit, SchemaBudget* budget) : visit_(visit), budget_(*budget) {}

  Status Go(SchemaPlace place) {
    place.column = count_ - 1;
    ++count_;
    ALLOY_TRY(CheckSchemaNode(&place, &budget_));
    ALLOY_TRY(visit_(std::as_const(place)));
    ALLOY_TRY(CheckSchemaChildren(place, budget_));
    const ArrowSchema& schema = *place.schema;
    if (schema.dictionary != nullptr) ALLOY_TRY(Below(place, schema.dictionary, -1));
    for (int64_t i = 0; i < schema.n_children; ++i) {
      ALLOY_TRY(Below(place, schema.children[i], i));
    }
    return Status();
  }

 private:
  Status Below(const SchemaPlace& parent, const ArrowSchema* schema, int64_t ordinal) {
    return Go({.schema = schema,
               .parent = &parent,
               .ordinal = ordinal,
               .depth = parent.depth + 1});
  }

  Visit& visit_;
  SchemaBudget& budget_;
  int32_t count_ = 0;
};

template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit, SchemaBudget* budget) {
  return SchemaWalk<std::remove_reference_t<Visit>>(visit, budget)
      .Go({.schema = &schema});
}
template <typename Visit>
Status WalkSchema(const ArrowSchema& schema, Visit&& visit) {
  SchemaBudget budget;
  return WalkSchema(schema, visit, &budget);
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SCHEMA_WALK_H_

namespace alloy::core_v0_1 {

// Copy a schema with everything below it, in one allocation. Children and dictionaries
// may be moved out of the copy and released separately, in any order, on any thread.
// Only the structs are checked; format strings are copied without being parsed.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED.
Result<OwnedSchema> CopySchema(const ArrowSchema& schema);

// Append all that makes schemas different: formats, names, flags, metadata, nesting. Two
// schemas are equal if and only if their keys are equal. Formats are not parsed, so this
// is cheap enough for the lookup of a bound call. On failure *key may hold a part.
//   Fails  ALLOY_BAD_DATA.
// The schemas of one key share a budget.
Status AppendFingerprint(const ArrowSchema& schema, SchemaBudget* budget,
                         std::string* key);
inline Status AppendFingerprint(const ArrowSchema& schema, std::string* key) {
  SchemaBudget budget;
  return AppendFingerprint(schema, &budget, key);
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SCHEMA_H_

namespace alloy::core_v0_1 {
namespace {

// A node: what it has, the flags of Arrow, the number of children, and its texts, each with
// its NUL. Then its dictionary, and its children.
struct NodeHead {
  uint64_t has;
  int64_t flags;
  int64_t n_children;
};
constexpr uint64_t kHasName = 1;
constexpr uint64_t kHasMetadata = 2;
constexpr uint64_t kHasDictionary = 4;

// The fewest bytes of a node: a head, and a format.
constexpr size_t kLeastNode = sizeof(NodeHead) + sizeof(uint64_t) + 1;

Status RefuseMessage(const char* what) {
  return DataFault(ALLOY_REASON_SCHEMA_SIZE, {}, what);
}

void PutString(const char* text, ByteWriter& out) {
  out.PutText({text, std::strlen(text) + 1});
}

// Makes a tree of structs whose strings are in the message, for CopySchema to copy. It lives
// as long as the reader.
class TreeReader {
 public:
  explicit TreeReader(ByteReader& in) : in_(in) {}

  Status ReadAll() { return Read(0); }
  // Its pointers are set here, when no node moves any more.
  const ArrowSchema& root() {
    for (Node& node : nodes_) {
      node.schema.children = children_.data() + node.children;
      if (node.dictionary != 0) node.schema.dictionary = &nodes_[node.dictionary].schema;
    }
    for (size_t i = 0; i < children_.size(); ++i) {
      children_[i] = &nodes_[child_nodes_[i]].schema;
    }
    return nodes_[0].schema;
  }

 private:
  struct Node {
    ArrowSchema schema{};
    size_t children = 0;    // the first one in children_
    size_t dictionary = 0;  // a node; 0: none
  };

  Status Read(int32_t depth) {
    // CheckSchemaNode has the same limits. They are here too, since this walk comes first.
    if (depth > kMostLevels) {
      return DataFault(ALLOY_REASON_TOO_DEEP, {},
                       "the schema in the message has too many levels");
    }
    const size_t at = nodes_.size();
    nodes_.emplace_back();
    const auto head = in_.Get<NodeHead>();
    const char* format = GetString();
    const char* name = (head.has & kHasName) != 0 ? GetString() : nullptr;
    const char* metadata = nullptr;
    if ((head.has & kHasMetadata) != 0) {
      const std::string_view block = in_.GetText();
      const int64_t bytes = BlockBytes(block);
      if (bytes != static_cast<int64_t>(block.size())) {
        return RefuseMessage("the metadata in the message is malformed");
      }
      metadata = block.data();
    }
    if (!in_.ok()) return RefuseMessage("the message with the schema is cut");
    if (head.n_children < 0 ||
        static_cast<uint64_t>(head.n_children) > in_.left() / kLeastNode) {
      return RefuseMessage("the schema in the message has more children than bytes");
    }
    const auto n = static_cast<size_t>(head.n_children);
    const size_t children = child_nodes_.size();
    child_nodes_.resize(children + n);
    children_.resize(children + n);
    nodes_[at].children = children;
    ArrowSchema& schema = nodes_[at].schema;
    schema.format = format;
    schema.name = name;
    schema.metadata = metadata;
    schema.flags = head.flags;
    schema.n_children = head.n_children;
    schema.release = [](ArrowSchema*) {};
    if ((head.has & kHasDictionary) != 0) {
      nodes_[at].dictionary = nodes_.size();
      ALLOY_TRY(Read(depth + 1));
    }
    for (size_t i = 0; i < n; ++i) {
      child_nodes_[children + i] = nodes_.size();
      ALLOY_TRY(Read(depth + 1));
    }
    return Status();
  }

  // A text that ends with its only NUL.
  const char* GetString() {
    const std::string_view text = in_.GetText();
    if (text.find('\0') + 1 == text.size() && !text.empty()) return text.data();
    in_.Fail();
    return nullptr;
  }

  // The size of a metadata block that nobody has checked; -1 if it leaves `block`.
  static int64_t BlockBytes(std::string_view block) {
    return block.size() > static_cast<size_t>(kMostMetadata)
               ? -1
               : MetadataBytes(block.data(), static_cast<int64_t>(block.size()));
  }

  ByteReader& in_;
  std::vector<Node> nodes_;
  std::vector<size_t> child_nodes_;
  std::vector<ArrowSchema*> children_;
};

}  // namespace

Status WriteSchema(const ArrowSchema& schema, ByteWriter& out) {
  return WalkSchema(schema, [&out](const SchemaPlace& place) {
    const ArrowSchema& node = *place.schema;
    out.Put(NodeHead{.has = (node.name != nullptr ? kHasName : 0) |
                            (place.metadata_bytes > 0 ? kHasMetadata : 0) |
                            (node.dictionary != nullptr ? kHasDictionary : 0),
                     .flags = node.flags,
                     .n_children = node.n_children});
    PutString(node.format, out);
    if (node.name != nullptr) PutString(node.name, out);
    if (place.metadata_bytes > 0) {
      out.PutText({node.metadata, static_cast<size_t>(place.metadata_bytes)});
    }
    return Status();
  });
}

Result<OwnedSchema> ReadSchema(ByteReader& in) {
  TreeReader reader(in);
  ALLOY_TRY(reader.ReadAll());
  return CopySchema(reader.root());
}

}  // namespace alloy::core_v0_1

// src/wire/tables.cc --------------------------------------------------------------------
//
// The table of a backend in the bytes of a message. Entry points do not cross.
#ifndef ALLOY_SRC_WIRE_TABLES_H_
#define ALLOY_SRC_WIRE_TABLES_H_

#include <memory>


namespace alloy::core_v0_1 {

// Whether the host will read it. The sum of all is limited by the size of a message.
//   Fails  REFUSED with TABLE: a list of options or columns has too many entries.
Status CheckCrosses(const alloy_backend& backend);

void WriteTable(const alloy_backend& backend, ByteWriter& out);

// A table that was read, with all its texts. Its entry points are NULL.
//
// Threads  immutable: shared.
class DescribedTable {
 public:
  // Read what the other side may have made up.
  //   Fails  REFUSED with TABLE: it is cut, or has too many entries.
  static Result<std::shared_ptr<const DescribedTable>> Read(ByteReader& in);

  const alloy_backend& backend() const;

  struct Parts;  // in tables.cc
  explicit DescribedTable(std::unique_ptr<Parts> parts);
  ~DescribedTable();
  DescribedTable(const DescribedTable&) = delete;
  DescribedTable& operator=(const DescribedTable&) = delete;

 private:
  const std::unique_ptr<Parts> parts_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_TABLES_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace alloy::core_v0_1 {
namespace {

// Of one list of options or columns: the host compares the options of a function with each
// other. Functions are as many as fit in a message.
constexpr uint32_t kMostEntries = 4096;

// A text that may be missing.
void PutOptional(const char* text, ByteWriter& out) {
  out.Put(static_cast<uint8_t>(text != nullptr));
  if (text != nullptr) out.PutText(text);
}

template <typename Entry>
uint32_t CountOf(const Entry* list) {
  uint32_t n = 0;
  while (list != nullptr && list[n].name != nullptr) ++n;
  return n;
}

uint32_t CountLists(const alloy_column* const* lists) {
  uint32_t n = 0;
  while (lists != nullptr && lists[n] != nullptr) ++n;
  return n;
}

Status CheckCount(uint32_t n, const alloy_function& function, const char* what) {
  if (n <= kMostEntries) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
              std::string("the backend's table: function ") + function.name + " has " +
                  std::to_string(n) + " " + what + "; the isolated mode allows " +
                  std::to_string(kMostEntries));
}

void WriteColumns(const alloy_column* list, ByteWriter& out) {
  const uint32_t n = CountOf(list);
  out.Put(n);
  for (uint32_t i = 0; i < n; ++i) {
    out.PutText(list[i].name);
    PutOptional(list[i].summary, out);
    PutOptional(list[i].accepts, out);
  }
}

void WriteFunction(const alloy_function& function, ByteWriter& out) {
  out.Put(function.flags);
  out.Put(function.min_inputs);
  out.Put(function.max_inputs);
  out.PutText(function.name);
  PutOptional(function.summary, out);
  const uint32_t n_options = CountOf(function.options);
  out.Put(n_options);
  for (uint32_t i = 0; i < n_options; ++i) {
    out.PutText(function.options[i].name);
    PutOptional(function.options[i].summary, out);
    PutOptional(function.options[i].fallback, out);
  }
  const uint32_t n_lists = CountLists(function.columns);
  out.Put(n_lists);
  for (uint32_t i = 0; i < n_lists; ++i) WriteColumns(function.columns[i], out);
}

}  // namespace

Status CheckCrosses(const alloy_backend& backend) {
  for (uint32_t i = 0; backend.functions[i] != nullptr; ++i) {
    const alloy_function& function = *backend.functions[i];
    ALLOY_TRY(CheckCount(CountOf(function.options), function, "options"));
    const uint32_t n_lists = CountLists(function.columns);
    ALLOY_TRY(CheckCount(n_lists, function, "lists of columns"));
    for (uint32_t list = 0; list < n_lists; ++list) {
      ALLOY_TRY(CheckCount(CountOf(function.columns[list]), function, "columns"));
    }
  }
  return Status();
}

void WriteTable(const alloy_backend& backend, ByteWriter& out) {
  out.Put(backend.abi);
  out.PutText(backend.name);
  out.PutText(backend.version);
  out.PutText(backend.language);
  uint32_t n = 0;
  while (backend.functions[n] != nullptr) ++n;
  out.Put(n);
  for (uint32_t i = 0; i < n; ++i) WriteFunction(*backend.functions[i], out);
}

struct DescribedTable::Parts {
  alloy_backend backend{};
  std::deque<alloy_function> functions;
  std::vector<const alloy_function*> list;
  // One for each function, and for each list of columns.
  std::deque<std::vector<alloy_option>> options;
  std::deque<std::vector<alloy_column>> columns;
  std::deque<std::vector<const alloy_column*>> column_lists;
  std::deque<std::string> texts;

  const char* Text(ByteReader& in) {
    const std::string_view text = in.GetText();
    // A NUL inside would end it early, so it is no text of a table.
    if (text.find('\0') != std::string_view::npos) in.Fail();
    return texts.emplace_back(text).c_str();
  }
  const char* Optional(ByteReader& in) {
    return in.Get<uint8_t>() != 0 ? Text(in) : nullptr;
  }
  static uint32_t Count(ByteReader& in) {
    const auto n = in.Get<uint32_t>();
    if (n > kMostEntries) in.Fail();
    return in.ok() ? n : 0;
  }

  const alloy_column* Columns(ByteReader& in) {
    auto& list_of_one = columns.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) {
      alloy_column column{};
      column.name = Text(in);
      column.summary = Optional(in);
      column.accepts = Optional(in);
      list_of_one.push_back(column);
    }
    list_of_one.push_back({});
    return list_of_one.data();
  }

  void Function(ByteReader& in) {
    alloy_function function{};
    function.struct_size = sizeof(alloy_function);
    function.flags = in.Get<uint32_t>();
    function.min_inputs = in.Get<int32_t>();
    function.max_inputs = in.Get<int32_t>();
    function.name = Text(in);
    function.summary = Optional(in);
    auto& its_options = options.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) {
      alloy_option option{};
      option.name = Text(in);
      option.summary = Optional(in);
      option.fallback = Optional(in);
      its_options.push_back(option);
    }
    if (!its_options.empty()) {
      its_options.push_back({});
      function.options = its_options.data();
    }
    auto& lists = column_lists.emplace_back();
    for (uint32_t n = Count(in); n > 0 && in.ok(); --n) lists.push_back(Columns(in));
    if (!lists.empty()) {
      lists.push_back(nullptr);
      function.columns = lists.data();
    }
    functions.push_back(function);
  }
};

DescribedTable::DescribedTable(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
DescribedTable::~DescribedTable() = default;

const alloy_backend& DescribedTable::backend() const { return parts_->backend; }

Result<std::shared_ptr<const DescribedTable>> DescribedTable::Read(ByteReader& in) {
  auto parts = std::make_unique<Parts>();
  alloy_backend& backend = parts->backend;
  backend.struct_size = sizeof(alloy_backend);
  backend.abi = in.Get<uint32_t>();
  backend.name = parts->Text(in);
  backend.version = parts->Text(in);
  backend.language = parts->Text(in);
  // Each takes some bytes of the message, so its size is their limit.
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) parts->Function(in);
  if (!in.ok()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
                "the table of the backend did not arrive whole from its worker");
  }
  for (const alloy_function& function : parts->functions) {
    parts->list.push_back(&function);
  }
  parts->list.push_back(nullptr);
  backend.functions = parts->list.data();
  return std::shared_ptr<const DescribedTable>(
      std::make_shared<const DescribedTable>(std::move(parts)));
}

}  // namespace alloy::core_v0_1

// src/load/backend_table.cc -------------------------------------------------------------
//
// The table that a backend exports, checked once, and the copy of it that hosts may see.
#ifndef ALLOY_SRC_LOAD_BACKEND_TABLE_H_
#define ALLOY_SRC_LOAD_BACKEND_TABLE_H_

#include <memory>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  immutable: shared. Fixed in place, since hosts keep pointers into it.
class BackendTable {
 public:
  // Borrows the table, which lives as long as the process.
  //   Fails  REFUSED with ALLOY_REASON_ABI or ALLOY_REASON_TABLE; the text names the
  //          function and the field.
  static Result<std::shared_ptr<const BackendTable>> Make(const alloy_backend* table);

  // Of a table without entry points, whose backend is in another process. The other rules
  // are the same.
  //   Takes  described, which keeps the texts.
  static Result<std::shared_ptr<const BackendTable>> MakeDescribed(
      std::shared_ptr<const DescribedTable> described);

  BackendTable(const BackendTable&) = delete;
  BackendTable& operator=(const BackendTable&) = delete;

  const alloy_backend& backend() const { return *table_; }
  // Without entry points: a host must not call them past the gate.
  const alloy_backend& shown() const { return shown_; }

 private:
  explicit BackendTable(const alloy_backend* table);

  std::shared_ptr<const DescribedTable> described_;  // NULL: the table is a library's
  const alloy_backend* table_;
  std::vector<alloy_function> functions_;
  std::vector<const alloy_function*> list_;  // ends with NULL
  alloy_backend shown_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_LOAD_BACKEND_TABLE_H_

#include <string>
#include <string_view>

namespace alloy::core_v0_1 {
namespace {

Status BadTable(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_TABLE,
              "the backend's table: " + std::move(text));
}

// Names appear in log lines, statements and command lines: printable ASCII, no blanks.
bool IsName(const char* name) {
  if (name == nullptr || *name == '\0') return false;
  size_t length = 0;
  for (; name[length] != '\0'; ++length) {
    if (name[length] <= ' ' || name[length] > '~' || length >= 128) return false;
  }
  return true;
}

Status CheckOptions(const alloy_function& function, const std::string& where) {
  if (function.options == nullptr) return Status();
  for (const alloy_option* option = function.options; option->name != nullptr; ++option) {
    if (!IsName(option->name))
      return BadTable(where + ": the name of an option is malformed");
    for (const alloy_option* before = function.options; before != option; ++before) {
      if (std::string_view(before->name) == option->name) {
        return BadTable(where + ": option " + option->name + " is listed twice");
      }
    }
  }
  return Status();
}

enum class Entries : uint8_t { kHere, kElsewhere };

Status CheckFunction(const alloy_function& function, Entries entries,
                     const std::string& place) {
  if (function.struct_size < sizeof(alloy_function)) {
    return BadTable(place + ": struct_size is " + std::to_string(function.struct_size) +
                    ", expected at least " + std::to_string(sizeof(alloy_function)));
  }
  if (!IsName(function.name))
    return BadTable(place + ": the name is missing or malformed");
  const std::string where = std::string("function ") + function.name;
  const bool is_here = entries == Entries::kHere;
  if (is_here && function.bind == nullptr) return BadTable(where + ": bind is NULL");
  const bool is_stream = (function.flags & ALLOY_STREAM) != 0;
  if (is_here && (is_stream ? function.open == nullptr : function.run == nullptr)) {
    return BadTable(where + (is_stream ? ": open is NULL" : ": run is NULL"));
  }
  if (function.min_inputs < 0 ||
      (function.max_inputs != -1 && function.max_inputs < function.min_inputs)) {
    return BadTable(where + ": min_inputs is " + std::to_string(function.min_inputs) +
                    " and max_inputs is " + std::to_string(function.max_inputs) +
                    "; expected 0 <= min_inputs <= max_inputs, or max_inputs -1");
  }
  if ((function.flags & ALLOY_ROWWISE) != 0 && function.max_inputs != 1) {
    return BadTable(where + ": is declared ROWWISE, so max_inputs must be 1");
  }
  return CheckOptions(function, where);
}

Status CheckBackendTable(const alloy_backend* table, Entries entries) {
  if (table->abi != ALLOY_ABI) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_ABI,
                "the backend has ABI " + std::to_string(table->abi) +
                    ", but this engine has ABI " + std::to_string(ALLOY_ABI) +
                    "; build it with this engine's headers");
  }
  if (table->struct_size < sizeof(alloy_backend)) {
    return BadTable("struct_size is " + std::to_string(table->struct_size) +
                    ", expected at least " + std::to_string(sizeof(alloy_backend)));
  }
  if (!IsName(table->name)) return BadTable("the name is missing or malformed");
  if (!IsName(table->version)) return BadTable("the version is missing or malformed");
  if (!IsName(table->language)) return BadTable("the language is missing or malformed");
  if (table->functions == nullptr) return BadTable("the list of functions is NULL");
  for (size_t i = 0; table->functions[i] != nullptr; ++i) {
    ALLOY_TRY(CheckFunction(*table->functions[i], entries,
                            "function number " + std::to_string(i)));
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<const BackendTable>> BackendTable::Make(
    const alloy_backend* table) {
  ALLOY_TRY(CheckBackendTable(table, Entries::kHere));
  return std::shared_ptr<const BackendTable>(new BackendTable(table));
}

Result<std::shared_ptr<const BackendTable>> BackendTable::MakeDescribed(
    std::shared_ptr<const DescribedTable> described) {
  ALLOY_TRY(CheckBackendTable(&described->backend(), Entries::kElsewhere));
  const std::shared_ptr<BackendTable> table(new BackendTable(&described->backend()));
  table->described_ = std::move(described);
  return std::shared_ptr<const BackendTable>(table);
}

BackendTable::BackendTable(const alloy_backend* table) : table_(table), shown_(*table) {
  for (size_t i = 0; table->functions[i] != nullptr; ++i) {
    alloy_function function = *table->functions[i];
    function.struct_size = sizeof(alloy_function);
    function.self = nullptr;
    function.bind = nullptr;
    function.run = nullptr;
    function.open = nullptr;
    function.unbind = nullptr;
    functions_.push_back(function);
  }
  for (const alloy_function& function : functions_) list_.push_back(&function);
  list_.push_back(nullptr);
  shown_.struct_size = sizeof(alloy_backend);
  shown_.functions = list_.data();
}

}  // namespace alloy::core_v0_1

// src/load/load.cc ----------------------------------------------------------------------
//
// From a cleared library to a backend's table: the only place where foreign code runs
// first.
#ifndef ALLOY_SRC_LOAD_LOAD_H_
#define ALLOY_SRC_LOAD_LOAD_H_

#include <atomic>
#include <memory>

//
// A library that may be executed: the only thing that the loader takes.
//
// Only the last step of admission makes one, so the compiler holds the promise that
// nothing unverified runs. The type is in port because both sides may include port:
// admission (src/admit) makes it, the loader (port/library.h, src/load) takes it, and
// neither includes the other. So a process that only loads does not link src/trust.
#ifndef ALLOY_SRC_PORT_CLEARED_H_
#define ALLOY_SRC_PORT_CLEARED_H_

#include <string>
#include <utility>
#include <vector>

//
// File descriptors, files and sealed memory. Errors are numbers of <cerrno>; 0 is success.
// The caller turns them into a text for users.
#ifndef ALLOY_SRC_PORT_FD_H_
#define ALLOY_SRC_PORT_FD_H_

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

//
// The owner of a handle of the operating system, which it closes.
//
// Traits has the type of the handle, the value that means no handle, and the function that
// closes one: `struct T { using type = int; static constexpr int kNone = -1; static void
// Close(int); };`
#ifndef ALLOY_SRC_BASE_HANDLE_H_
#define ALLOY_SRC_BASE_HANDLE_H_

#include <utility>

namespace alloy::core_v0_1 {

template <typename Traits>
class Handle {
 public:
  using type = typename Traits::type;

  Handle() = default;
  explicit Handle(type value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(other.Detach()) {}
  Handle& operator=(Handle&& other) noexcept {
    // Detach first: then moving a handle onto itself keeps it.
    type value = other.Detach();
    Close();
    value_ = value;
    return *this;
  }
  ~Handle() { Close(); }

  type get() const { return value_; }
  explicit operator bool() const { return value_ != Traits::kNone; }

  // Give the handle up without closing it.
  type Detach() { return std::exchange(value_, Traits::kNone); }

  void Close() {
    if (value_ != Traits::kNone) Traits::Close(Detach());
  }

 private:
  type value_ = Traits::kNone;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_HANDLE_H_

namespace alloy::core_v0_1 {

struct FdTraits {
  using type = int;
  static constexpr int kNone = -1;
  static void Close(int fd);
};
using Fd = Handle<FdTraits>;

// Own a descriptor that the kernel has just made, under a number above 2. Where standard error
// is closed its number is free: what workers say would be written to the descriptor that got it.
//
//   Takes  fd; -1: there is none, and errno says why.
//   Gives  the descriptor; without one, errno says why.
Fd AboveStandard(int fd);

std::string ErrorText(int error);

enum class FileKind { kRegular, kFolder, kDevice, kPipe, kSocket, kOther };
const char* FileKindName(FileKind kind);

struct FileFacts {
  FileKind kind = FileKind::kOther;
  int64_t size = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
};

// Opens without waiting for a peer, without taking over a terminal, closed on exec.
int OpenForReading(const std::string& path, Fd* out);
int GetFileFacts(const Fd& fd, FileFacts* out);

// Read until `bytes` is full or the file ends; `done` is the number of bytes read.
int ReadFully(const Fd& fd, std::span<std::byte> bytes, size_t* done);

// How many bytes of a file of this size are holes, which take no room on the disk and
// read as zeros. Stops at a number above `most`. The position is 0 afterwards.
int CountHoles(const Fd& fd, int64_t size, int64_t most, int64_t* holes);

// An unnamed file in memory that can be sealed and executed from. EFBIG when the limit on
// the size of files (which would answer a write with a signal) is below `size`.
int CreateSealable(const char* name, int64_t size, Fd* out);
int WriteFully(const Fd& fd, std::span<const std::byte> bytes);
// No more writing, growing, shrinking or unsealing, by anyone. EBUSY: someone has it
// mapped for writing.
int Seal(const Fd& fd);

// A read-only view of a whole file; the file may be closed.
struct MappedBytes {
  const std::byte* data = nullptr;
  size_t size = 0;
  bool operator==(const MappedBytes&) const = default;
};
struct MappingTraits {
  using type = MappedBytes;
  static constexpr MappedBytes kNone{};
  static void Close(MappedBytes mapping);
};
using Mapping = Handle<MappingTraits>;
int MapForReading(const Fd& fd, int64_t size, Mapping* out);

inline std::span<const std::byte> Bytes(const Mapping& mapping) {
  return {mapping.get().data, mapping.get().size};
}

// One write of the whole line, so that lines of several processes do not mix.
void WriteLine(int fd, const std::string& line);

// Holds back from this thread the signals of a write that fails, and drops those that come:
// SIGPIPE, and SIGXFSZ where a file has its largest size (ulimit -f). Each would end the host
// for the words of a backend.
class NoWriteSignals {
 public:
  NoWriteSignals();
  ~NoWriteSignals();
  NoWriteSignals(const NoWriteSignals&) = delete;
  NoWriteSignals& operator=(const NoWriteSignals&) = delete;

 private:
  sigset_t signals_, before_;
};

// Write as much of the text as goes without waiting for whoever reads at the other end: a
// pipe, a socket or a terminal may be full. A reader that is gone raises no SIGPIPE. Returns
// the bytes that were written. A file on a disk takes all of them.
size_t WriteWithoutWaiting(int fd, std::string_view text);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_FD_H_

namespace alloy::core_v0_1 {

// Threads  serial. Move-only.
class Cleared {
 public:
  // The file as the host named it, for texts.
  const std::string& path() const { return path_; }
  // Memory under all four seals; what it holds is a shared library.
  const Fd& sealed() const { return sealed_; }
  // The file is a static archive, and `sealed` holds the library that was linked from it.
  bool is_linked() const { return is_linked_; }
  // The SONAMEs that the library needs, in the order of the file.
  const std::vector<std::string>& needed() const { return needed_; }

  // Leave the descriptor open for the life of the process.
  void KeepOpen() && { sealed_.Detach(); }

 private:
  friend class Verified;          // the step before, in src/admit
  friend class InheritedLibrary;  // in a worker, whose host took that step
  friend struct ClearedForTest;   // of tests and benchmarks, in tests/support

  Cleared(Fd sealed, std::string path, bool is_linked, std::vector<std::string> needed)
      : sealed_(std::move(sealed)),
        path_(std::move(path)),
        is_linked_(is_linked),
        needed_(std::move(needed)) {}

  Fd sealed_;
  std::string path_;
  bool is_linked_;
  std::vector<std::string> needed_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CLEARED_H_

namespace alloy::core_v0_1 {

enum class LoadFrom {
  kSealedCopy,
  // For debuggers and profilers, which find the file then; anyone who can write the file
  // decides what runs. A library that was linked here has only its sealed copy.
  kPath,
};

// A library that the loader has mapped, for the life of the process. A value.
struct LoadedCode {
  decltype(&alloy_backend_init) init = nullptr;  // NULL: none yet
};

// The loader of one host.
//
// Threads  shared.
class Loader {
 public:
  explicit Loader(LoadFrom from) : from_(from) {}

  // Map a library, which runs its constructors.
  //   Takes    library, whatever the outcome.
  //   Fails    REFUSED with NO_PROC, LOADER or IDENTITY.
  Result<LoadedCode> Map(Cleared library);

  // Whether this host may load anything more.
  //   Fails    REFUSED with IDENTITY: the loader once mapped other bytes than the verified
  //            ones. Their constructors may have run, so nothing here can be relied on.
  Status CheckUsable() const;

 private:
  const LoadFrom from_;
  std::atomic<bool> is_spoilt_{false};
};

// Initialise a backend that is mapped.
//
// Services and scope go to alloy_backend_init. A backend that returns no table has left
// its reason in the scope; the reason of the status is INIT then. A later call tries
// again.
//
//   Borrows  services, scope.
//   Fails    REFUSED with INIT, ABI or TABLE.
Result<std::shared_ptr<const BackendTable>> InitialiseBackend(
    const LoadedCode& code, const alloy_services* services, alloy_scope* scope);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_LOAD_LOAD_H_

#include <string>
#include <utility>

//
// The system's loader. It takes only a Cleared, so what was verified is what runs.
//
// A constructor of a library that throws ends the process: there is no way back out of
// the loader.
//
// Threads  shared. Constructors of the library run on the calling thread.
#ifndef ALLOY_SRC_PORT_LIBRARY_H_
#define ALLOY_SRC_PORT_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

enum class LoadFault {
  kNone,
  kNoProc,        // no path in /proc leads to the sealed memory
  kLoader,        // the loader's own refusal
  kIdentity,      // the loader has another library of this name; nothing was loaded
  kWrongMapping,  // the loader mapped another file, and its constructors may have run
};

struct SymbolLookup {
  LoadFault fault = LoadFault::kNone;
  std::string text;        // of the fault
  void* symbol = nullptr;  // only when kNone
};

// Load a library from its sealed copy, for the life of the process, and find one symbol.
// The path that the loader gets leads to the sealed copy, whatever is mounted on /proc.
//
//   Takes  library. Its descriptor stays open as long as the loader knows its name, which
//          is the name of the descriptor. A load that the loader refuses keeps nothing.
SymbolLookup LoadSealed(Cleared library, const char* symbol);

// Load a library from its path instead, past the sealed copy: for debuggers and
// profilers, which can find the file then. Anyone who can write the file decides what
// runs. A path that the loader already holds gives that library, even if the file has
// changed.
SymbolLookup LoadFromPath(const Cleared& library, const char* symbol);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_LIBRARY_H_

namespace alloy::core_v0_1 {
namespace {

int32_t ReasonOf(LoadFault fault) {
  switch (fault) {
    case LoadFault::kNoProc:
      return ALLOY_REASON_NO_PROC;
    case LoadFault::kIdentity:
    case LoadFault::kWrongMapping:
      return ALLOY_REASON_IDENTITY;
    case LoadFault::kLoader:
    case LoadFault::kNone:
      break;
  }
  return ALLOY_REASON_LOADER;
}

}  // namespace

Status Loader::CheckUsable() const {
  if (!is_spoilt_.load(std::memory_order_acquire)) return Status();
  return Fail(ALLOY_REFUSED, ALLOY_REASON_IDENTITY,
              "this host loads nothing more: the loader has mapped other bytes than the "
              "verified ones, and their code may have run; end this process and find out "
              "who replaced the library");
}

Result<LoadedCode> Loader::Map(Cleared library) {
  constexpr const char* kInit = "alloy_backend_init";
  ALLOY_TRY(CheckUsable());
  const bool by_path = from_ == LoadFrom::kPath && !library.is_linked();
  SymbolLookup found =
      by_path ? LoadFromPath(library, kInit) : LoadSealed(std::move(library), kInit);
  if (found.fault == LoadFault::kWrongMapping) {
    is_spoilt_.store(true, std::memory_order_release);
  }
  if (found.fault != LoadFault::kNone) {
    return Fail(ALLOY_REFUSED, ReasonOf(found.fault), std::move(found.text));
  }
  return LoadedCode{reinterpret_cast<decltype(&alloy_backend_init)>(found.symbol)};
}

Result<std::shared_ptr<const BackendTable>> InitialiseBackend(
    const LoadedCode& code, const alloy_services* services, alloy_scope* scope) {
  const alloy_backend* table = nullptr;
  std::string text;
  if (!EnterForeign(&text, [&] { table = code.init(services, scope); })) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT, "alloy_backend_init: " + text);
  }
  if (table == nullptr) {
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_INIT,
        "the backend is faulty: its alloy_backend_init must return a table or an error");
  }
  return BackendTable::Make(table);
}

}  // namespace alloy::core_v0_1

// src/engine/bind/binding.cc ------------------------------------------------------------
//
// The result of a bind, and the cache that keeps it, so that the same bind is not parsed
// twice.
#ifndef ALLOY_SRC_ENGINE_BIND_BINDING_H_
#define ALLOY_SRC_ENGINE_BIND_BINDING_H_

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

//
// Gives a function only the columns that it reads, in the order that it declares.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_ARROW_PROJECT_H_
#define ALLOY_SRC_ARROW_PROJECT_H_

#include <cstdint>
#include <vector>


namespace alloy::core_v0_1 {

struct Projection {
  std::vector<int32_t> columns;  // children of the batch, each at most once
  bool identity = true;          // all columns in their order: batches stay unchanged
};

// A copy of the schema with only the projected columns.
//   Fails  ALLOY_BAD_DATA, ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Result<OwnedSchema> ProjectSchema(const ArrowSchema& batch_schema,
                                  const Projection& projection);

// Replace *batch, which AdmitBatch has passed, by the projected batch. The new batch owns
// the old one, and its children are structs of the old one.
//   Takes  *batch; on failure it is unchanged.
//   Fails  ALLOY_EXHAUSTED
//          ALLOY_INVALID  the batch has no such column.
Status ProjectBatch(const Projection& projection, ArrowArray* batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_PROJECT_H_
//
// The seam between the engine and a running backend.
//
// Above it, everything is the same for every channel: admission, the list of what a host
// has loaded, the gate, projections, tickets, deadlines, idle states, the rules of streams.
// Below it is how a library is loaded and a backend is entered. The local channel, the only
// one yet, calls dlopen and entry points in this process. The worker channel of the
// isolated mode will load the library in worker processes and pass records to them.
//
// Every channel keeps these promises:
//
//   Inputs    When Run returns, the channel no longer reads the inputs, except those that
//             the backend moved out. Open's inputs are pulled until its output is released.
//   Results   Every buffer of a result is as long as its struct implies, and the buffers
//             that the gate follows (offsets, views, indices, type ids, run ends) cannot
//             change any more. The gate above checks all else.
//   Errors    The returned code is the backend's own; its text is in the scope.
//   Stops     The engine first writes a stop to the RunControl, then calls Interrupt.
//             Progress goes the other way: the channel writes it to scope.control().
//   States    A state is the channel's token for one bind. Only this channel reads it.
//   Lifetime  A result of Run may outlive the channel; see Open for streams.
//
// In process, the C data interface carries no sizes, so the local channel has to trust the
// backend for the second promise. A worker's memory can change at any time, but its records
// carry sizes. So the worker channel keeps this promise by work: it checks each record
// against its segment, copies the followed buffers, and compares the largest position in
// them with the size of the buffer that they point into. It needs the layout of the output
// for that, which it knows from the schema that its own Bind returned. So no size has to
// cross this interface, the gate needs no second entry, and a local call pays nothing.
//
// What the worker channel will add to this interface, and where:
//
//   Opening   The opener of a bridge gets the limits of its workers (max_workers and the
//             fields after it in alloy_bridge_options). It keeps the sealed copy of the
//             library, since each new worker loads it again. So a host needs a second list
//             of libraries (open/libraries.h), with its own opener.
//   Lost      A worker that died is neither a success nor a code of the backend. The scope
//             gets a Status of the channel itself, which Failure (call/call_core.h) returns
//             in place of the backend's code; BackendFault keeps turning ALLOY_LOST and
//             ALLOY_BUSY from a backend into ALLOY_FAILED. Only failures read it.
//   Grace     Interrupt sets the worker's cancel flag, wakes the thread that waits in Run,
//             and starts the grace time (alloy_bridge_options.grace_ns). When it is over,
//             the worker is killed and Run returns: lost, or late by the deadline. Neither
//             the engine nor Interrupt waits for that.
//   Table     A worker's table has no entry points, which BackendTable::Make demands. It
//             needs a second way to be made, from a description.
//   Binds     A worker that starts later knows none of the earlier binds. So a state keeps
//             what its Bind was given, and is bound again in the worker that needs it.
//   Busy      A stream holds a worker until its release. When all workers are held, a new
//             stream fails with BUSY and its inputs stay with the caller. So the channel
//             has to be asked before inputs are taken, in Call::Use.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_
#define ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_

#include <memory>
#include <optional>
#include <string>

//
// One entry into a backend: which run it belongs to, whether that run must stop, and the
// error that the backend reports.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

//
// The host's log: whole lines that never mix, in one form for every language.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOG_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

//
// A value under a lock that a fork cannot leave locked.
//
// A mutex that another thread holds at a fork stays locked in the child for ever. This
// lock knows the process of its holder. If that is another process, the holder does not
// exist here, and the lock is taken over:
//
//   it was reading   the value is intact
//   it was writing   the value may be half written: the child gets a new one, T(). The
//                    old one is not destroyed, because its destructor could not be trusted
//
// Use it for small pieces of work: nobody may hold it while foreign code runs.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_FORK_GUARDED_H_
#define ALLOY_SRC_PORT_FORK_GUARDED_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>


namespace alloy::core_v0_1 {

class ForkLock {
 public:
  // Borrows mark, as long as the lock lives.
  explicit ForkLock(ProcessMark& mark) : mark_(mark) {}
  ForkLock(const ForkLock&) = delete;
  ForkLock& operator=(const ForkLock&) = delete;

  // Returns whether the value is intact.
  bool Lock(bool writes) {
    const uint32_t mine = mark_.Number() << kBits | (writes ? kWrites : 0);
    uint32_t seen = kFree;
    if (word_.compare_exchange_strong(seen, mine, std::memory_order_acquire)) [[likely]]
      return true;
    return LockSlowly(mine, seen);
  }

  void Unlock() {
    if ((word_.exchange(kFree, std::memory_order_release) & kWaiters) != 0) {
      word_.notify_one();
    }
  }

  // The holder, which began as a reader, will now write.
  void BeginToWrite() { word_.fetch_or(kWrites, std::memory_order_relaxed); }

  ProcessMark& mark() const { return mark_; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kWaiters = 1;
  static constexpr uint32_t kWrites = 2;
  static constexpr int kBits = 2;  // the number of the process is above them

  // A thread that has waited takes the lock as one with waiters: there may be more.
  bool LockSlowly(uint32_t mine, uint32_t seen) {
    for (;;) {
      const bool is_free = seen == kFree;
      if (is_free || seen >> kBits != mine >> kBits) {
        if (!word_.compare_exchange_weak(seen, mine | kWaiters,
                                         std::memory_order_acquire)) {
          continue;
        }
        return is_free || (seen & kWrites) == 0;
      }
      if ((seen & kWaiters) == 0 &&
          !word_.compare_exchange_weak(seen, seen | kWaiters,
                                       std::memory_order_relaxed)) {
        continue;
      }
      word_.wait(seen | kWaiters, std::memory_order_relaxed);
      seen = word_.load(std::memory_order_relaxed);
    }
  }

  ProcessMark& mark_;
  std::atomic<uint32_t> word_{kFree};
};

template <typename T>
class ForkGuarded {
 public:
  explicit ForkGuarded(ProcessMark& mark) : lock_(mark) {
    static_assert(std::is_nothrow_default_constructible_v<T>);
  }
  ~ForkGuarded() {
    // A value that a thread of the parent was writing is not destroyed.
    if (lock_.Lock(true)) std::destroy_at(&value_);
  }
  ForkGuarded(const ForkGuarded&) = delete;
  ForkGuarded& operator=(const ForkGuarded&) = delete;

  // Holds the lock as long as it lives.
  template <typename Value>
  class [[nodiscard]] Access {
   public:
    Access(ForkGuarded& guarded, bool writes) : guarded_(guarded) {
      lost_ = !guarded.lock_.Lock(writes);
      if (lost_) ::new (&guarded.value_) T();
    }
    ~Access() { guarded_.lock_.Unlock(); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // The value was half written and is new: this is the first access after the fork.
    bool lost() const { return lost_; }
    // From a Read: what follows writes. So the long part of a look-up can be a read.
    T& BeginToWrite() {
      guarded_.lock_.BeginToWrite();
      return guarded_.value_;
    }
    Value* operator->() const { return &guarded_.value_; }
    Value& operator*() const { return guarded_.value_; }

   private:
    ForkGuarded& guarded_;
    bool lost_;
  };

  Access<const T> Read() { return {*this, false}; }
  Access<T> Write() { return {*this, true}; }

  ProcessMark& mark() const { return lock_.mark(); }

 private:
  ForkLock lock_;
  union {
    T value_{};
  };
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_FORK_GUARDED_H_

namespace alloy::core_v0_1 {

// What the lines of one call carry.
//
// Threads  shared: a backend may write from any thread.
struct CallLog {
  const char* function = nullptr;
  std::atomic<int32_t> level{ALLOY_LOG_DEBUG};  // lines below it are not written
  std::atomic<void*> context{nullptr};          // of the host
};

// Threads  shared.
class Log {
 public:
  using Callback = void (*)(void* context, int32_t level, const char* language,
                            const char* text, int64_t length);

  using LineCallback = void (*)(void* context, const alloy_log_line* line);

  // Both callbacks NULL: lines go to the descriptor. line_callback goes before callback.
  // Borrows mark, as long as this lives.
  Log(int fd, Callback callback, void* context, ProcessMark& mark,
      LineCallback line_callback = nullptr)
      : fd_(fd),
        callback_(callback),
        line_callback_(line_callback),
        context_(context),
        clock_(mark),
        queue_(mark) {}

  // Write `[2022-10-17 18:09:34] [INFO] [Go]`, a tab, the text and a line feed; or call
  // the callback. The callback is called under no lock and by one thread at a time: a
  // thread that comes while another is inside leaves its line to that thread. The line
  // callback is called by each thread itself.
  void Write(int32_t level, std::string_view language, std::string_view text,
             const char* backend = nullptr, const CallLog* call = nullptr);

 private:
  struct Line {
    int32_t level;
    std::string language;
    std::string text;
  };
  // Lines for the callback. A line that a thread of the parent left belongs to the parent:
  // a child of fork begins with an empty queue.
  struct Queue {
    std::list<Line> waiting;
    bool delivering = false;
    uint32_t process = 0;  // whose queue this is
  };
  void Deliver(Line line);
  void Pass(const Line& line, const char* backend, const CallLog* call);

  const int fd_;
  const Callback callback_;
  const LineCallback line_callback_;
  void* const context_;
  LocalClock clock_;
  ForkGuarded<Queue> queue_;  // its lock also keeps the lines of a descriptor whole
};

// Which log the calls of one backend write to, and the languages that label the lines.
struct LogContext {
  Log* log = nullptr;
  bool enabled = false;  // false: they write nothing
  bool is_echo = false;  // the host's own lines about a run are meant for people
  bool warns = false;    // whether the engine may warn about the backend
  std::string host_language;
  std::string backend_language;
  std::string backend_name;

  bool Logs(int32_t level, const CallLog* call) const {
    return enabled &&
           (call == nullptr || level >= call->level.load(std::memory_order_relaxed));
  }
  // A line of the backend, and one of the host about it.
  void WriteAsBackend(int32_t level, std::string_view text, const CallLog* call) const {
    log->Write(level, backend_language, text, backend_name.c_str(), call);
  }
  void WriteAsHost(int32_t level, std::string_view text, const CallLog* call) const {
    log->Write(level, host_language, text, backend_name.c_str(), call);
  }
};

// Write a warning of the engine, if the host wants any. A lack of memory loses the line.
void Warn(const LogContext& context, const std::string& text) noexcept;

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
//
// The services of backend.h, as a backend in this process gets them.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_


namespace alloy::core_v0_1 {

// The table that every scope points to; constant. Its entries expect a Scope.
const alloy_services& Services();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SERVICES_H_

namespace alloy::core_v0_1 {

// How other threads stop the runs of one call, and read their progress.
//
// The host chooses tickets, and the call numbers its runs. Neither is used twice. So no
// value has to be reset, and a stop for one run cannot hit the next.
struct RunControl {
  std::atomic<uint64_t> cancelled_upto{0};  // a ticket
  std::atomic<uint64_t> expired{0};         // the run whose deadline has passed
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
};

// What a backend reported with the service `fail`.
struct BackendError {
  alloy_code code = ALLOY_OK;  // ALLOY_OK: nothing was reported
  std::string text;
};

// Threads  shared: a backend uses its scope from any thread.
class Scope : public alloy_scope {
 public:
  // For an entry that cannot be stopped: init and bind.
  explicit Scope(const LogContext* log_context, const CallLog* call_log = nullptr)
      : Scope(log_context, nullptr, 0, 0, call_log) {}
  // Borrows log_context, control and call_log, as long as the scope lives.
  Scope(const LogContext* log_context, RunControl* control, uint64_t run, uint64_t ticket,
        const CallLog* call_log = nullptr)
      : alloy_scope{&Services()},
        log_context_(log_context),
        call_log_(call_log),
        control_(control),
        run_(run),
        ticket_(ticket) {}
  ~Scope() {
    TakeError();
    (void)TakeFailure();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  bool cancelled() const {
    return control_ != nullptr && ticket_ != 0 &&
           control_->cancelled_upto.load(std::memory_order_relaxed) >= ticket_;
  }
  bool expired() const {
    const uint64_t run = run_.load(std::memory_order_relaxed);
    return control_ != nullptr && run != 0 &&
           control_->expired.load(std::memory_order_relaxed) == run;
  }

  // Whether the run has to stop, for either reason.
  bool stopped() const { return cancelled() || expired(); }

  // A stream has one scope for all its batches, and each batch is a run of its own; 0
  // between two batches.
  void SetRun(uint64_t run) { run_.store(run, std::memory_order_relaxed); }

  bool Logs(int32_t level) const {
    return log_context_ != nullptr && log_context_->Logs(level, call_log_);
  }
  void WriteLog(int32_t level, std::string_view text) const {
    if (Logs(level)) log_context_->WriteAsBackend(level, text, call_log_);
  }
  // NULL: there is nobody to warn.
  const LogContext* log_context() const { return log_context_; }
  RunControl* control() const { return control_; }

  // Replaces an error that was not taken yet.
  void SetError(alloy_code code, std::string text);
  // The last error; the scope then has none.
  BackendError TakeError();
  std::string TakeErrorText() { return TakeError().text; }

  // A failure below the backend: of the channel itself. It stays with the entry, and goes
  // before what the backend reported.
  void SetFailure(Status failure);
  // The last failure; the scope then has none.
  Status TakeFailure();

 private:
  const LogContext* const log_context_;  // NULL: log lines are dropped
  const CallLog* const call_log_;        // NULL: outside of a call
  RunControl* const control_;
  std::atomic<uint64_t> run_;
  const uint64_t ticket_;
  // Owned; NULL: none. Exchanged, and not under a lock: in a child of fork, a thread of the
  // parent would hold it for ever.
  std::atomic<BackendError*> error_{nullptr};
  std::atomic<Status*> failure_{nullptr};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_SCOPE_H_
//
// What a worker gives up before it loads a library, so that already the constructors of the
// library run restricted. None of it can be taken back.
//
// Each restriction is a step of its own: a kernel or a container that does not know one
// still gets the others, and the worker reports which ones it has reached.
#ifndef ALLOY_SRC_PORT_RESTRICT_H_
#define ALLOY_SRC_PORT_RESTRICT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace alloy::core_v0_1 {

// In the order in which they are applied. The numbers are bits of Restrictions.
enum class Restriction : uint8_t {
  kEnvironment = 0,  // no environment variables
  kCommonEnd = 1,    // the kernel kills the worker when the host's thread ends
  kDescriptors = 2,  // only the listed descriptors are open
  kOomKiller = 3,    // the first process that the kernel kills when memory runs out
  kLimits = 4,       // no core dumps, no files, few descriptors, a limited heap
  kStackSize = 5,    // of the main thread and, by default, of each new one
  kPrivileges = 6,   // no capabilities, and no way to get any
  kLandlock = 7,  // only the listed files can be opened, for reading; no TCP, no signals
  kSeccomp = 8,   // no sockets, processes, tracing, or settings of other processes
};
constexpr int kRestrictionCount = 9;

// Such as "Landlock", for texts.
const char* RestrictionName(Restriction restriction);

// A set of restrictions. It crosses to the host as a number.
class Restrictions {
 public:
  constexpr Restrictions() = default;
  constexpr explicit Restrictions(uint32_t bits) : bits_(bits) {}

  constexpr uint32_t bits() const { return bits_; }
  constexpr bool Has(Restriction one) const { return (bits_ & Bit(one)) != 0; }
  constexpr void Add(Restriction one) { bits_ |= Bit(one); }
  constexpr Restrictions Without(Restrictions others) const {
    return Restrictions(bits_ & ~others.bits_);
  }
  constexpr bool operator==(const Restrictions&) const = default;

  static constexpr Restrictions All() {
    return Restrictions((uint32_t{1} << kRestrictionCount) - 1);
  }
  // "Landlock, seccomp"; empty for an empty set. Unknown bits are left out.
  std::string Names() const;

 private:
  static constexpr uint32_t Bit(Restriction one) {
    return uint32_t{1} << static_cast<int>(one);
  }
  uint32_t bits_ = 0;
};

struct RestrictOptions {
  int host = 0;                       // its process id; the parent of this process
  std::vector<int> keep;              // descriptors that stay open, besides 0, 1 and 2
  uint64_t most_heap = 0;             // in bytes, stacks of threads included; 0: no limit
  uint64_t stack_size = 1 << 20;      // in bytes
  uint32_t most_descriptors = 1024;   // what is kept must have smaller numbers
  std::vector<std::string> readable;  // files, and folders with all in them; one that
                                      // does not exist is left out
};

struct RestrictStep {
  Restriction restriction;
  bool reached = false;
  std::string text;  // why not; else what is worth knowing, or nothing
};

// Apply these restrictions to this process. A step that fails does not stop the next ones.
// A worker ends with its host, and closes what it should not have, before it does anything
// else; the rest comes after the libraries that a backend may need are loaded.
//
// Threads  call it while the process has one thread. Else privileges and Landlock, which
//          belong to a thread, are not reached.
std::vector<RestrictStep> Restrict(const RestrictOptions& options,
                                   Restrictions wanted = Restrictions::All());

Restrictions Reached(const std::vector<RestrictStep>& steps);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_RESTRICT_H_

namespace alloy::core_v0_1 {

// Threads  shared; a state is serial.
class Channel {
 public:
  virtual ~Channel() = default;

  // Shared, since hosts keep pointers into it for as long as their bridge lives.
  virtual const std::shared_ptr<const BackendTable>& table() const = 0;

  // What the processes of the backend have given up; nullopt: it is in this process.
  virtual std::optional<Restrictions> restrictions() const { return std::nullopt; }

  // The next four are the entries of alloy_function, with their contracts. `function` is
  // one of the table's.
  virtual alloy_code Bind(const alloy_function& function, Scope& scope,
                          const ArrowSchema* inputs, int32_t n_inputs,
                          const char* const* values, ArrowSchema* output,
                          void** state) = 0;
  virtual alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                         ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) = 0;
  // For a stream that is about to be opened: keep what it needs as long as the returned
  // object lives, or until Open takes it over.
  //   Fails  BUSY: nothing is free.
  virtual Result<std::shared_ptr<void>> Reserve(void* /*state*/) { return {nullptr}; }
  // `state`, `scope` and the channel outlive `output`.
  virtual alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                          ArrowArrayStream* inputs, int32_t n_inputs,
                          ArrowArrayStream* output) = 0;
  // Returns what it threw, for people; empty: nothing.
  virtual std::string Unbind(const alloy_function& function, void* state) = 0;

  // Runs that use `control` may have to stop: a ticket was cancelled, or a deadline has
  // passed. A hint: it may come when no such run is inside, and more than once.
  //
  // Any thread. It must not wait, nor take a lock that a run holds.
  virtual void Interrupt(RunControl& control) noexcept = 0;
};

// How a library becomes a running backend. There is one opener for each way to run one;
// what it takes has passed admission, whichever way that is.
//
// Threads  shared.
class ChannelOpener {
 public:
  virtual ~ChannelOpener() = default;

  // Load the library, initialise its backend, and check the backend's table.
  //
  // `code` is empty, or what an earlier Open left there for the same bytes: the loader
  // mapped them, and a later step failed. They are initialised again, and not mapped
  // twice, since nothing is ever unloaded.
  //   Takes  library, whatever the outcome.
  //   Fails  REFUSED; the text names the file.
  virtual Result<std::shared_ptr<Channel>> Open(Cleared library, LoadedCode* code) = 0;

  // Whether it may open anything more.
  //   Fails  REFUSED
  virtual Status CheckUsable() const = 0;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_CHANNEL_H_

namespace alloy::core_v0_1 {

// A function, bound to schemas and options. Only its pool of idle states changes.
//
// Threads  shared. Fixed in place, since calls share it.
class Binding {
 public:
  struct Input {
    OwnedSchema schema;     // of the batch that the host passes
    Layout layout;          // the same, for the gate
    Projection projection;  // from that batch to the columns that the function reads
  };

  // Borrows mark, as long as this lives.
  Binding(std::shared_ptr<Channel> channel, const alloy_function& function,
          ProcessMark& mark)
      : channel_(std::move(channel)), function_(function), idle_(mark) {}
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // Bind for the first time: read the schemas, pick the columns, ask the backend. Returns
  // the backend's state.
  Result<void*> BindFirst(const LogContext& log_context, const ArrowSchema* inputs,
                          int32_t n_inputs, std::vector<std::string> values);

  // A state that nobody else uses: an idle one, or a new one.
  Result<void*> TakeState(const LogContext& log_context);
  // Put the state back into the pool, or give it to the backend when the pool is full.
  void ReturnState(void* state);

  Channel& channel() const { return *channel_; }
  const alloy_function& function() const { return function_; }
  const std::vector<Input>& inputs() const { return inputs_; }
  // The schema of what the function reads of an input.
  const ArrowSchema& read_schema(size_t input) const { return schemas_[input]; }
  const ArrowSchema& output() const { return *output_; }
  const Layout& output_layout() const { return *output_layout_; }
  bool is_from_chunks() const;
  bool is_stream() const { return (function_.flags & ALLOY_STREAM) != 0; }

 private:
  struct BackendBinding {
    OwnedSchema output;
    void* state = nullptr;
  };
  Result<BackendBinding> BindBackend(const LogContext& log_context);
  std::string FunctionName() const;
  void Unbind(void* state);

  const std::shared_ptr<Channel> channel_;
  const alloy_function& function_;
  const LogContext* log_context_ = nullptr;  // for warnings; NULL: not bound yet
  std::vector<Input> inputs_;
  // What the function reads, as the array that `bind` takes: plain copies of the structs
  // in owned_.
  std::vector<ArrowSchema> schemas_;
  std::vector<OwnedSchema> owned_;
  std::vector<std::string> values_;
  OwnedSchema output_;
  std::unique_ptr<Layout> output_layout_;
  std::string output_key_;

  // States that nobody uses. In a place of its own size, so that to return one cannot fail.
  struct Idle {
    std::array<void*, 16> states{};
    size_t n = 0;
  };
  ForkGuarded<Idle> idle_;
};

// A binding, and a state of it for one user. The state goes back when this ends.
class Lease {
 public:
  Lease(std::shared_ptr<Binding> binding, void* state)
      : binding_(std::move(binding)), state_(state) {}
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) = delete;
  ~Lease() {
    if (binding_ != nullptr) binding_->ReturnState(state_);
  }

  const std::shared_ptr<Binding>& binding() const { return binding_; }
  void* state() const { return state_; }

  // Leave the state as it is: its user has not come back.
  void Abandon() { binding_.reset(); }

 private:
  std::shared_ptr<Binding> binding_;  // NULL: moved from, or abandoned
  void* state_;
};

// A bounded cache of bindings; the least recently used one leaves first. Calls keep the
// bindings that they use.
//
// Threads  shared.
class BindingCache {
 public:
  // Borrows mark, as long as this lives.
  explicit BindingCache(ProcessMark& mark) : kept_(mark) {}

  std::shared_ptr<Binding> Find(const std::string& key);
  void Insert(const std::string& key, std::shared_ptr<Binding> binding);

  ProcessMark& mark() const { return kept_.mark(); }

 private:
  using Entry = std::pair<std::string, std::shared_ptr<Binding>>;
  using Entries = std::list<Entry>;

  struct Kept {
    Entries entries;  // the most recently used one first
    std::unordered_map<std::string_view, Entries::iterator> index;  // views into entries
  };
  ForkGuarded<Kept> kept_;
};

// The error of a backend that returned `code`. Codes that only the engine may use become
// FAILED.
Status BackendFault(const BackendTable& table, const alloy_function& function,
                    alloy_code code, std::string text);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_BIND_BINDING_H_

#include <utility>

//
// Finds the columns that a function declares in a batch, by name.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
#define ALLOY_SRC_ARROW_MATCH_COLUMNS_H_


namespace alloy::core_v0_1 {

// Find each column of `wanted`, a list that ends with a NULL name. If `wanted` is NULL,
// the function takes every batch unchanged. backend.h describes `accepts`; a format
// without `?:` does not accept dictionaries.
//   Fails  ALLOY_NO_MATCH  a column is missing, has a type that is not accepted, or
//                          occurs more than once; the text is a table of the columns.
//          ALLOY_BAD_DATA  the schema is malformed, or not that of a batch.
//          ALLOY_INVALID   the function declares a name twice.
Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_MATCH_COLUMNS_H_
//
// The names of codes and reasons, for texts and for bindings.
#ifndef ALLOY_SRC_BASE_NAMES_H_
#define ALLOY_SRC_BASE_NAMES_H_

#include <cstdint>

namespace alloy::core_v0_1 {

// "BAD_DATA", "OFFSETS"; "UNKNOWN" for numbers that are not listed.
const char* CodeName(int32_t code);
const char* ReasonName(int32_t reason);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_NAMES_H_
//
// Finds structs that a backend copied out of an input instead of moving them. Both the
// copy and the original would be released, which frees the data twice. The side that enters
// the backend looks for them: the engine, or the worker.
//
// A copy has the release callback and the private data of a struct that is still in its
// place in an input. That is not enough: the structs of one producer may share both. So a
// copy also has the buffers, the children or the dictionary of that struct. Length, offset
// and null count do not matter. docs/boundary.md lists what this cannot see.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_COPIED_H_
#define ALLOY_SRC_GATE_COPIED_H_

#include <cstdint>
#include <span>
#include <string>


namespace alloy::core_v0_1 {

// What the backend got, and what it left of that in the same places.
struct RunInputs {
  std::span<const ArrowArray> given;  // the roots before the run
  std::span<ArrowArray> left;
};

// Whether one struct is the other, or a copy of it. `release` may be NULL in one of them:
// it was moved out.
bool IsSameStruct(const ArrowArray& a, const ArrowArray& b);

// The input from which a struct of *output was copied; -1: none was. The copies are marked
// as moved out, so that *output can be released. If that is not enough, *output is emptied,
// and what it owned besides is lost.
//   layout  of the output. *output need not fit it: it may not be checked yet.
int32_t DisarmCopies(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The input that the backend overwrote with a copy of another one; -1: it overwrote none. The
// copy is emptied.
int32_t DisarmOverwritten(const RunInputs& inputs);

// Both for one run.
struct Copied {
  int32_t returned = -1;     // as of DisarmCopies
  int32_t overwritten = -1;  // as of DisarmOverwritten

  bool any() const { return returned >= 0 || overwritten >= 0; }
  // BAD_DATA, of the backend. `run_error` is what the run reported besides; empty: nothing.
  Status Describe(const std::string& function, const std::string& run_error) const;
};
Copied Disarm(const Layout& layout, const RunInputs& inputs, ArrowArray* output);

// The same for the streams of an open, and for the schemas of a bind. What is a copy is
// emptied.
//   Fails  BAD_DATA, of the backend.
Status DisarmStreams(const std::string& function, std::span<ArrowArrayStream> inputs,
                     ArrowArrayStream* output);
Status DisarmSchema(const std::string& function, std::span<const ArrowSchema> inputs,
                    ArrowSchema* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_COPIED_H_

namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/bind/select.cc -------------------------------------------------------------
//
// From a name, schemas and options to a bound function: the first function of that name
// that accepts them, or a binding that was made for the same question before.
#ifndef ALLOY_SRC_ENGINE_BIND_SELECT_H_
#define ALLOY_SRC_ENGINE_BIND_SELECT_H_

#include <memory>
#include <string>
#include <utility>


namespace alloy::core_v0_1 {

// A backend that serves one bridge, and what that bridge remembers of it.
struct ServedBackend {
  // Borrows mark, as long as this lives.
  ServedBackend(std::shared_ptr<Channel> serving, LogContext log, ProcessMark& mark)
      : channel(std::move(serving)), log_context(std::move(log)), bindings(mark) {}

  std::shared_ptr<Channel> channel;
  LogContext log_context;
  BindingCache bindings;
};

struct BoundFunction {
  std::shared_ptr<ServedBackend> backend;
  Lease lease;
};

// As alloy_call_bind. What was bound before costs a look-up.
Result<BoundFunction> BindFunction(std::shared_ptr<ServedBackend> backend,
                                   const std::string& name, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options);

// A string that differs for binds that may differ in their result.
//   Fails  BAD_DATA, with the input that is malformed.
Result<std::string> BindingKey(const std::string& function, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const* options);

// Bind the first function of that name that accepts the inputs and options.
//   Fails  NOT_FOUND  no function has that name; the text lists all functions.
//          NO_MATCH   none of several accepts them; the text has the error of each.
//          The only function's own error, when there is one of that name.
Result<Lease> SelectFunction(const ServedBackend& backend, const std::string& name,
                             const ArrowSchema* inputs, int32_t n_inputs,
                             const char* const* options);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_BIND_SELECT_H_

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

// With its length, so that no two lists of parts give the same text.
void AppendPart(std::string_view part, std::string* key) {
  key->append(std::to_string(part.size())).append(":").append(part);
}

std::string ListOfFunctions(const alloy_backend& backend) {
  std::string list;
  std::string_view last;
  for (const alloy_function* const* f = backend.functions; *f != nullptr; ++f) {
    if (last == (*f)->name) continue;  // another function of the same name
    last = (*f)->name;
    list += (list.empty() ? "" : ", ") + std::string(last);
  }
  return list.empty() ? "it has no functions" : "it has: " + list;
}

std::string ListOfOptions(const alloy_function& function) {
  std::string list;
  for (const alloy_option* o = function.options; o != nullptr && o->name != nullptr;
       ++o) {
    list += (list.empty() ? "" : ", ") + std::string(o->name);
  }
  return list.empty() ? "it takes no options" : "it takes: " + list;
}

// One value for each option of the function's table, in the table's order.
Result<std::vector<std::string>> FillOptions(const alloy_function& function,
                                             const char* const* options) {
  const std::string name = function.name;
  std::vector<std::string> values;
  std::vector<bool> given;
  for (const alloy_option* o = function.options; o != nullptr && o->name != nullptr;
       ++o) {
    values.emplace_back(o->fallback != nullptr ? o->fallback : "");
    given.push_back(false);
  }
  for (const char* const* pair = options; pair != nullptr && *pair != nullptr;
       pair += 2) {
    const std::string key = pair[0];
    if (pair[1] == nullptr) return Fail(ALLOY_INVALID, "option " + key + " has no value");
    size_t place = 0;
    while (place < values.size() && key != function.options[place].name) ++place;
    if (place == values.size()) {
      return Fail(ALLOY_INVALID,
                  name + " has no option " + key + "; " + ListOfOptions(function));
    }
    if (given[place]) return Fail(ALLOY_INVALID, "option " + key + " is given twice");
    given[place] = true;
    values[place] = pair[1];
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const alloy_option& option = function.options[i];
    if (!given[i] && option.fallback == nullptr) {
      std::string text = name + " needs the option " + option.name;
      if (option.summary != nullptr) text += std::string(" (") + option.summary + ")";
      return Fail(ALLOY_INVALID, std::move(text));
    }
  }
  return values;
}

Status CheckInputCount(const alloy_function& function, int32_t n_inputs) {
  if (n_inputs >= function.min_inputs &&
      (function.max_inputs == -1 || n_inputs <= function.max_inputs)) {
    return Status();
  }
  std::string expected = std::to_string(function.min_inputs);
  if (function.max_inputs == -1) {
    expected += " or more";
  } else if (function.max_inputs != function.min_inputs) {
    expected += " to " + std::to_string(function.max_inputs);
  }
  return Fail(ALLOY_INVALID, std::string(function.name) + " takes " + expected +
                                 (expected == "1" ? " input, not " : " inputs, not ") +
                                 std::to_string(n_inputs));
}

Result<Lease> TryFunction(const ServedBackend& backend, const alloy_function& function,
                          const ArrowSchema* inputs, int32_t n_inputs,
                          const char* const* options) {
  ALLOY_TRY(CheckInputCount(function, n_inputs));
  ALLOY_ASSIGN_OR_RETURN(auto values, FillOptions(function, options));
  auto binding =
      std::make_shared<Binding>(backend.channel, function, backend.bindings.mark());
  ALLOY_ASSIGN_OR_RETURN(void* state, binding->BindFirst(backend.log_context, inputs,
                                                         n_inputs, std::move(values)));
  return Lease(std::move(binding), state);
}

}  // namespace

Result<BoundFunction> BindFunction(std::shared_ptr<ServedBackend> backend,
                                   const std::string& name, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options) {
  ALLOY_ASSIGN_OR_RETURN(const std::string key,
                         BindingKey(name, inputs, n_inputs, options));
  if (auto binding = backend->bindings.Find(key); binding != nullptr) {
    ALLOY_ASSIGN_OR_RETURN(void* state, binding->TakeState(backend->log_context));
    return BoundFunction{std::move(backend), Lease(std::move(binding), state)};
  }
  ALLOY_ASSIGN_OR_RETURN(Lease lease,
                         SelectFunction(*backend, name, inputs, n_inputs, options));
  backend->bindings.Insert(key, lease.binding());
  return BoundFunction{std::move(backend), std::move(lease)};
}

Result<std::string> BindingKey(const std::string& function, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const* options) {
  std::string key;
  AppendPart(function, &key);
  for (const char* const* text = options; text != nullptr && *text != nullptr; ++text) {
    AppendPart(*text, &key);
  }
  key += "|";
  // All inputs share one budget. So it also limits the rest of the bind, which reads each
  // schema a few times more.
  SchemaBudget budget;
  for (int32_t i = 0; i < n_inputs; ++i) {
    const Status status = AppendFingerprint(inputs[i], &budget, &key);
    if (!status.ok()) return status.WithInput(i).WithSide(ALLOY_SIDE_CALLER);
    key += "|";
  }
  return key;
}

Result<Lease> SelectFunction(const ServedBackend& served, const std::string& name,
                             const ArrowSchema* inputs, int32_t n_inputs,
                             const char* const* options) {
  const alloy_backend& backend = served.channel->table()->backend();
  std::vector<Status> refusals;
  for (const alloy_function* const* f = backend.functions; *f != nullptr; ++f) {
    if (name != (*f)->name) continue;
    auto selected = TryFunction(served, **f, inputs, n_inputs, options);
    if (selected.ok()) return selected;
    const alloy_code code = selected.status().code();
    // Try the next function of the name only after an error that it may not have.
    if (code != ALLOY_NO_MATCH && code != ALLOY_INVALID && code != ALLOY_UNSUPPORTED) {
      return selected.status();
    }
    refusals.push_back(selected.status());
  }
  if (refusals.empty()) {
    return Fail(ALLOY_NOT_FOUND, std::string(backend.name) + " has no function " + name +
                                     "; " + ListOfFunctions(backend));
  }
  if (refusals.size() == 1) return refusals.front();
  std::string text = "none of the " + std::to_string(refusals.size()) + " functions " +
                     name + " of " + backend.name + " accepts this:";
  for (const Status& refusal : refusals) text += "\n  " + refusal.fault().text;
  // If none of them could accept the arguments, they are a mistake and not a mismatch.
  const bool all_invalid = std::ranges::all_of(
      refusals, [](const Status& refusal) { return refusal.code() == ALLOY_INVALID; });
  // Not by Fail, which would make one line of the list.
  return Status(Fault{.code = all_invalid ? ALLOY_INVALID : ALLOY_NO_MATCH,
                      .side = ALLOY_SIDE_CALLER,
                      .text = std::move(text)});
}

}  // namespace alloy::core_v0_1

// src/engine/call/blame.cc --------------------------------------------------------------
//
// Whose fault a faulty result is. Inputs are mostly checked less than results. So a function
// that returns what it got may return a fault of its input.
#ifndef ALLOY_SRC_ENGINE_CALL_BLAME_H_
#define ALLOY_SRC_ENGINE_CALL_BLAME_H_

#include <string>

#ifndef ALLOY_SRC_GATE_LEVEL_H_
#define ALLOY_SRC_GATE_LEVEL_H_

#include <cstdint>

namespace alloy::core_v0_1 {

// How much the gate checks. Each level includes the level before it. The numbers are
// those of alloy_bridge_options.
enum class Level : uint8_t {
  kShape = 1,  // structs, pointers and lengths: O(columns)
  kSafe = 2,   // also all values that point elsewhere, in the rows that a reader reaches,
               // and the nulls of columns that are declared not nullable
  kFull = 3,   // also the rows that no reader reaches, UTF-8, null counts, and the nulls
               // of map entries and keys
};

// What the gate does with one batch.
struct Checks {
  Level level = Level::kShape;
  // The reader trusts all values (ALLOY_TRUSTS_VALUES). Whatever the level is, the values
  // are checked as at level full. What such a reader needs although Arrow leaves it open
  // is repaired (mend.h).
  bool trusted = false;

  // NOLINTNEXTLINE(google-explicit-constructor,misc-explicit-constructor): a level is the usual case.
  constexpr Checks(Level of, bool is_trusted = false) : level(of), trusted(is_trusted) {}

  constexpr bool full() const { return trusted || level == Level::kFull; }
  constexpr bool rows() const { return trusted || level != Level::kShape; }
  friend bool operator==(const Checks&, const Checks&) = default;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_LEVEL_H_

namespace alloy::core_v0_1 {

struct CheckedAt {
  Level inputs;
  Level results;
};

// The error for a result in which the gate has found `fault`:
//   side caller   the faulty struct is one of an input, or an input has a fault itself. In a
//                 stream a struct is recognised by its address only, which a later struct
//                 may have too; the text then says how to know.
//   side backend  otherwise. The text says so if nobody can know: the inputs were checked
//                 less, and the function has moved them away.
// The output is still what the backend returned.
Status BlameResult(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                   const ArrowArray& output, const Status& fault);

// The same for a run that failed, because the channel has found a fault in its result: the
// worker has checked it. It has copies of the inputs, so only their values are compared.
Status BlameRun(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                const Status& fault);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CALL_BLAME_H_

#include <cstddef>

//
// Nulls in columns that the schema declares not nullable.
//
// A null counts only if a reader can see it: a field of a null struct, or an item of a
// null list, may be null although it is declared not nullable. Nulls of dictionaries, of
// unions, of run ends and of list views are those of their values, and are not checked
// against the column.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLABILITY_H_
#define ALLOY_SRC_GATE_NULLABILITY_H_


namespace alloy::core_v0_1 {

// Check a batch whose rows have passed rows.h. From level safe on, a column that is
// declared not nullable has no nulls. From level full on, or if the values are trusted,
// map entries and keys have none, whatever the schema says. An array with a null count of
// 0 costs nothing; one without a null count costs a pass over its bitmap.
//   Fails  ALLOY_BAD_DATA  with reason NOT_NULLABLE or MAP_NULLS, column and row.
Status CheckNullability(const Layout& layout, Checks checks, const ArrowArray& batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_NULLABILITY_H_
//
// The gate at the levels safe and full: do the values of an array point only where they
// may? shape.h comes first.
//
// Level safe checks the rows that can be reached from the rows of the array:
//   struct, fixed-size list, sparse union   the children's rows at the same places
//   list                                    from the first to the last offset
//   list view, dense union                  from the lowest to the highest offset
//   run ends                                all run ends, and the values of the runs that
//                                           contain the rows
//   dictionary                              all values
// So the check of a slice costs in proportion to the slice. Level full checks all rows of
// each array below the columns, whether or not they can be reached.
//
// C data has no buffer sizes. The gate must trust that each buffer is as long as the
// struct implies.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_ROWS_H_
#define ALLOY_SRC_GATE_ROWS_H_

#include <vector>

//
// Copies of buffers whose values are valid Arrow, but more than Arrow libraries can read.
//
// Arrow says nothing about the values of null rows, and only recommends an alignment.
// arrow-rs, arrow2 and Arrow C++ read both without a check:
//   the views of null rows     compare, sort and interleave of arrow-rs follow them
//   the indices of null rows   a dictionary is looked up before the validity is
//   the text of null rows      arrow-rs takes it for UTF-8
//   misaligned numbers         arrow2 refuses them, Arrow C++ reads them as if aligned
// The copies have empty views, indices and texts in null rows, and are aligned to 64
// bytes. Most batches need none of this.
//
// Threads  serial.
#ifndef ALLOY_SRC_GATE_MEND_H_
#define ALLOY_SRC_GATE_MEND_H_

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

//
// Reads the validity bitmap of an array that has passed level shape.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_NULLS_H_
#define ALLOY_SRC_GATE_NULLS_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// Rows `begin` to `begin + count`, counted from the start of the buffers.
struct RowRange {
  int64_t begin = 0;
  int64_t count = 0;
};

// The null rows of an array. Level safe does not check the values of null rows.
struct Nulls {
  const void* bitmap = nullptr;  // NULL: no row is null

  explicit Nulls(const ArrowArray& array)
      : bitmap(array.null_count == 0 ? nullptr : array.buffers[0]) {}
  bool At(int64_t row) const { return bitmap != nullptr && !BitAt(bitmap, row); }
};

// True if any of the rows is null. The bitmap may be NULL: then none is.
bool AnyNull(const void* bitmap, RowRange rows);

// The number of null rows.
int64_t CountNulls(const void* bitmap, RowRange rows);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_NULLS_H_

namespace alloy::core_v0_1 {

// An array whose buffers are to be copied. `rows`, from the start of the buffers, are all
// rows that the repaired array has.
struct Mend {
  enum class Kind : uint8_t { kAlignment, kNullViews, kNullIndices, kNullTexts };

  const Layout::Node* node = nullptr;
  const ArrowArray* array = nullptr;
  RowRange rows;
  Kind kind = Kind::kAlignment;
};

// True if a buffer of numbers is not aligned as the numbers are.
bool IsMisaligned(const Layout::Node& node, const ArrowArray& array);

// An array with copied buffers. Its rows begin at `offset` now; so the first buffer,
// which is not copied, begins later.
struct MendedArray {
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  using Memory = std::unique_ptr<void, Free>;

  const Layout::Node* node = nullptr;
  int64_t offset = 0;
  std::array<const void*, 3> buffers{};  // NULL: the buffer of the old array
  std::array<Memory, 3> memory;          // of those that are not NULL
};

// Make the copies, in the order of the nodes. The arrays have passed the row checks.
//   Fails  ALLOY_EXHAUSTED.
Result<std::vector<MendedArray>> MendArrays(std::vector<Mend> mends);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_MEND_H_

namespace alloy::core_v0_1 {

// Check the rows of an array that has passed level shape. At level shape there is nothing
// left to check. In the columns of a batch only the batch's own rows are checked: longer
// columns are cut to them.
//
// mends: NULL, or gets what a reader could not read although it is valid Arrow. At level safe these
// are the views and the indices of null rows. If the values are trusted, they are also the
// texts of null rows, and misaligned buffers.
//   Fails  ALLOY_BAD_DATA  with reason and column; the text names the row.
Status CheckRows(const Layout& layout, Checks checks, const ArrowArray& array,
                 std::vector<Mend>* mends = nullptr);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_ROWS_H_
//
// The gate at level shape: does an array fit its layout?
//
// It costs O(columns). Every pointer and count is checked before it is used. Of the
// values it reads only the first and the last offset, the last run end, and the sizes of
// variadic buffers. rows.h checks the other values, at the levels safe and full.
//
// Threads  shared; a ShapeWalk belongs to one thread.
#ifndef ALLOY_SRC_GATE_SHAPE_H_
#define ALLOY_SRC_GATE_SHAPE_H_

#include <cstdint>

//
// The faults that level shape finds, and their error texts.
//
// The walk (shape.h) only stores a ShapeFault. The text is made after the walk has
// failed, so that a walk that passes pays nothing for it.
//
// Threads  values.
#ifndef ALLOY_SRC_GATE_SHAPE_FAULT_H_
#define ALLOY_SRC_GATE_SHAPE_FAULT_H_

#include <cstdint>


namespace alloy::core_v0_1 {

struct ShapeFault {
  enum Kind : uint8_t {
    kReleased,
    kNegativeLength,
    kNegativeOffset,
    kOverflow,  // expected: the length; found: the offset
    kLowNullCount,
    kHighNullCount,
    kChildCount,
    kChildrenNull,
    kChildNull,
    kChildTooShort,
    kDictionaryMissing,
    kDictionaryUnexpected,
    kBufferCount,
    kBuffersNull,
    kBufferNull,  // found: the index of the buffer
    kNullsWithoutBitmap,
    kUnexpectedNulls,
    kNegativeFirstOffset,
    kLowLastOffset,
    kTooFewViewBuffers,
    kTooManyViewBuffers,
    kViewSizesNull,
    kNegativeViewSize,
    kRunEndsOffset,
    kRunEndsNulls,
    kRunEndsTooShort,
  };

  Kind kind = kReleased;
  int32_t node = 0;
  int64_t expected = 0;  // the exact number, or the limit
  int64_t found = 0;
};

// The fault as an error.
Status ShapeStatus(const Layout& layout, const ShapeFault& fault);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_SHAPE_FAULT_H_

namespace alloy::core_v0_1 {

// Check an array of any type.
//   Fails  ALLOY_BAD_DATA  with reason and column, as Layout::Of counts them.
Status CheckShape(const Layout& layout, const ArrowArray& array);

// The same check for callers that must know more than whether it passed (batch.h).
class ShapeWalk {
 public:
  explicit ShapeWalk(const Layout& layout) : nodes_(layout.nodes().data()) {}

  // True if the array fits the layout.
  bool Check(const ArrowArray& array) { return CheckTree(nodes_, &array); }

  // After a Check that passed: true if a buffer without bytes is NULL, or if an array of
  // the null type has the validity bitmap that Arrow gave it before version 1.0.
  bool needs_repair() const { return needs_repair_; }
  // After a Check that passed: true if each child of the root ends with the root's rows.
  bool equal_lengths() const { return equal_lengths_; }
  // After a Check that failed.
  const ShapeFault& fault() const { return fault_; }

 private:
  using Node = Layout::Node;

  bool CheckTree(const Node* node, const ArrowArray* array);
  bool CheckHead(const Node* node, const ArrowArray* array);
  bool CheckFixed(const Node* node, const ArrowArray* array);
  bool CheckBody(const Node* node, const ArrowArray* array);
  bool CheckBufferCount(const Node* node, const ArrowArray* array);
  bool CheckBitmap(const Node* node, const ArrowArray* array);
  bool CheckNoNulls(const Node* node, const ArrowArray* array);
  bool CheckNeeded(const Node* node, const ArrowArray* array, int64_t buffer);
  bool CheckNeededBuffers(const Node* node, const ArrowArray* array, unsigned buffers);
  bool CheckOffsets(const Node* node, const ArrowArray* array, int64_t* last);
  bool CheckBytes(const Node* node, const ArrowArray* array);
  bool CheckViews(const Node* node, const ArrowArray* array);
  bool CheckRunEnds(const Node* node, const ArrowArray* array);
  bool CheckChildren(const Node* node, const ArrowArray* array, int64_t rows);
  bool FailShorter(const Node* node, const ArrowArray* array, int64_t rows);

  bool Fail(const Node* node, ShapeFault::Kind kind, int64_t expected = 0,
            int64_t found = 0);

  const Node* nodes_;
  bool needs_repair_ = false;
  // Of the node whose children were checked last. The root's come last.
  bool equal_lengths_ = true;
  ShapeFault fault_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_SHAPE_H_

namespace alloy::core_v0_1 {
namespace {

const char* LevelName_blame(Level level) {
  return level == Level::kShape ? "shape" : level == Level::kSafe ? "safe" : "full";
}

// Column `left` of a tree that has passed level shape, counted down in preorder; -1 is the
// root itself.
const ArrowArray* ColumnAt(const ArrowArray& array, int32_t* left) {
  if (--*left < -1) return &array;
  if (array.dictionary != nullptr) {
    if (const ArrowArray* found = ColumnAt(*array.dictionary, left)) return found;
  }
  for (int64_t i = 0; i < array.n_children; ++i) {
    if (const ArrowArray* found = ColumnAt(*array.children[i], left)) return found;
  }
  return nullptr;
}

// Whether `wanted` was moved out of this tree, or out of a part of it.
bool WasMovedOutOf(const ArrowArray& tree, const ArrowArray& wanted) {
  if (tree.release == nullptr) return IsSameStruct(tree, wanted);
  if (tree.dictionary != nullptr && WasMovedOutOf(*tree.dictionary, wanted)) return true;
  for (int64_t i = 0; i < tree.n_children; ++i) {
    if (WasMovedOutOf(*tree.children[i], wanted)) return true;
  }
  return false;
}

// The input of which a struct of the result is a part; -1: none that can be recognised.
int32_t OriginOf(const RunInputs& inputs, const ArrowArray& part) {
  for (size_t i = 0; i < inputs.given.size(); ++i) {
    const ArrowArray& given = inputs.given[i];
    if (IsSameStruct(given, part)) return static_cast<int32_t>(i);
    // Many producers have one owner for all structs of a batch.
    if (given.private_data != nullptr && given.private_data == part.private_data &&
        given.release == part.release) {
      return static_cast<int32_t>(i);
    }
  }
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    if (inputs.left[i].release != nullptr && WasMovedOutOf(inputs.left[i], part)) {
      return static_cast<int32_t>(i);
    }
  }
  return -1;
}

// What an input that is whole still has against it at the level of results; ok also if
// parts of it were moved out.
Status CheckLeft(const ArrowSchema& schema, Level level, const ArrowArray& input,
                 bool* is_whole) {
  *is_whole = false;
  if (input.release == nullptr) return Status();
  const auto layout = Layout::OfBatch(schema);
  if (!layout.ok() || !CheckShape(*layout, input).ok()) return Status();
  *is_whole = true;
  ALLOY_TRY(CheckRows(*layout, level, input));
  return CheckNullability(*layout, level, input);
}

}  // namespace

Status BlameResult(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                   const ArrowArray& output, const Status& fault) {
  const std::string function = std::string(binding.function().name) + " of " +
                               binding.channel().table()->backend().name;
  Status of_backend =
      fault.WithSide(ALLOY_SIDE_BACKEND).WithPrefix("the result of " + function + ": ");
  // What inputs were checked for cannot come from them.
  if (levels.inputs >= levels.results || inputs.given.empty() ||
      !CheckShape(binding.output_layout(), output).ok()) {
    return of_backend;
  }
  const ArrowArray* part = &output;
  int32_t column = fault.fault().column;
  if (column >= 0) part = ColumnAt(output, &column);
  int32_t origin = part == nullptr ? -1 : OriginOf(inputs, *part);
  if (origin < 0) origin = OriginOf(inputs, output);
  if (origin >= 0) {
    Status of_caller =
        fault.WithInput(origin)
            .WithSide(ALLOY_SIDE_CALLER)
            .WithPrefix("data of input " + std::to_string(origin) + ", which " +
                        function + " returned as it got it: ");
    if (!inputs.left.empty()) return of_caller;
    // An earlier batch of a stream may be gone, and its address used for another one.
    return of_caller.WithSuffix(
        "; if the function made this data itself, the fault is its own: set check_inputs "
        "to " +
        std::to_string(static_cast<int>(levels.results)) + " to know");
  }
  bool all_whole = !inputs.left.empty();
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    bool is_whole = false;
    const Status found =
        CheckLeft(binding.read_schema(i), levels.results, inputs.left[i], &is_whole);
    all_whole = all_whole && is_whole;
    if (found.ok()) continue;
    return found.WithInput(static_cast<int32_t>(i))
        .WithSide(ALLOY_SIDE_CALLER)
        .WithPrefix("the result of " + function + " has a fault (" + fault.fault().text +
                    "), and so has input " + std::to_string(i) + ": ");
  }
  if (all_whole) return of_backend;
  return of_backend.WithSuffix(
      std::string("; the fault may be one of an input, which the function moved away: "
                  "inputs were checked at level ") +
      LevelName_blame(levels.inputs) + " and this is level " + LevelName_blame(levels.results) +
      "; set check_inputs to " + std::to_string(static_cast<int>(levels.results)) +
      " to know");
}

Status BlameRun(const Binding& binding, CheckedAt levels, const RunInputs& inputs,
                const Status& fault) {
  const bool is_of_gate =
      fault.code() == ALLOY_BAD_DATA && fault.fault().side == ALLOY_SIDE_BACKEND &&
      fault.reason() != ALLOY_REASON_NONE && fault.reason() != ALLOY_REASON_COPIED;
  if (!is_of_gate || levels.inputs >= levels.results) return fault;
  for (size_t i = 0; i < inputs.left.size(); ++i) {
    bool is_whole = false;
    const Status found =
        CheckLeft(binding.read_schema(i), levels.results, inputs.left[i], &is_whole);
    if (found.ok()) continue;
    return found.WithInput(static_cast<int32_t>(i))
        .WithSide(ALLOY_SIDE_CALLER)
        .WithPrefix(fault.fault().text + "; and so has input " + std::to_string(i) +
                    ": ");
  }
  return fault;
}

}  // namespace alloy::core_v0_1

// src/engine/call/call.cc ---------------------------------------------------------------
//
// A bound function as a host holds it: alloy_call of alloy.h.
#ifndef ALLOY_SRC_ENGINE_CALL_CALL_H_
#define ALLOY_SRC_ENGINE_CALL_CALL_H_

#include <atomic>
#include <cstdint>
#include <memory>

//
// One user at a time, without a lock: a second user is turned away and never waits.
#ifndef ALLOY_SRC_BASE_TURN_H_
#define ALLOY_SRC_BASE_TURN_H_

#include <atomic>
#include <utility>

namespace alloy::core_v0_1 {

// Sets *busy for as long as it lives. It is false if *busy was set already; it then
// changes nothing.
//
// Threads  of one flag: shared. Each Turn: one thread at a time.
class Turn {
 public:
  explicit Turn(std::atomic<bool>* busy)
      : busy_(busy->exchange(true, std::memory_order_acquire) ? nullptr : busy) {}
  Turn(Turn&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)) {}
  Turn& operator=(Turn&& other) = delete;
  ~Turn() {
    if (busy_ != nullptr) busy_->store(false, std::memory_order_release);
  }

  explicit operator bool() const { return busy_ != nullptr; }

 private:
  std::atomic<bool>* busy_;  // NULL: another user has the turn, or this was moved from
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_TURN_H_
//
// What runs and streams of one bound function share: the way of a batch through the gate
// to the backend and back, and the rules for its errors. It does not know whose turn it
// is; call.h does.
#ifndef ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_
#define ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

//
// An open backend as a host holds it: the echo first, then the last library that was
// loaded.
#ifndef ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_
#define ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

//
// Shared memory for inputs: that of one worker, or that of a pool, from which a host
// allocates its data itself.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
#define ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

//
// Gives out pieces of memory that somebody else owns, such as segments of shared memory.
#ifndef ALLOY_SRC_BASE_ARENA_H_
#define ALLOY_SRC_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {

// Its books are outside of the memory: who can write there cannot lead it astray.
//
// Threads  shared.
class Arena {
 public:
  // More memory, aligned to 64 bytes. It is never taken back. No piece reaches from one
  // memory into another one, even if they are neighbours: a record names one segment.
  // With a backing, each piece has memory behind it before it is given out.
  //
  //   Borrows  backing, as long as this lives.
  void Add(std::byte* begin, size_t size, Backing* backing = nullptr);

  // The smallest free piece that fits, aligned to 64 bytes; NULL: none is large enough, or
  // there is no memory behind it. Freed pieces are used again first, since their pages are
  // warm.
  void* Allocate(size_t size) noexcept;
  // Whether Allocate would find a piece now, with or without memory behind it.
  bool HasRoomFor(size_t size) noexcept;
  // The size of what Allocate gave, rounded up to 64; 0: this is not from here.
  size_t SizeOf(const void* memory) noexcept;
  // Returns false if the memory is not from here.
  bool Free(void* memory) noexcept;

  // Allocate, resize or free as alloy_services.resize: here while there is room, and in the
  // heap then.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

  // In bytes.
  uint64_t used() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  using Piece = std::pair<size_t, std::byte*>;

  struct Memory {
    std::byte* begin;
    std::byte* end;
    Backing* backing;
  };

  std::byte* Take(size_t rounded, Backing** backing);
  void AddFree(std::byte* begin, size_t size);

  std::mutex mutex_;
  std::map<std::byte*, size_t> free_;  // by address, to join neighbours
  std::vector<Memory> memories_;
  std::set<std::byte*> borders_;  // where each memory begins
  std::set<Piece> by_size_;       // the same pieces, to find the best one
  std::unordered_map<const void*, size_t> used_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_ARENA_H_
//
// A piece of shared memory that counts against a budget, until nobody uses it any more.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_
#define ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <utility>

//
// The limits of the workers of one bridge.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_
#define ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_

#include <atomic>
#include <cstdint>
#include <string>


namespace alloy::core_v0_1 {

// A value.
struct WorkerLimits {
  uint32_t max_workers = 16;
  int64_t input_bytes = int64_t{1} << 30;   // shared memory for inputs, of all workers
  int64_t output_bytes = int64_t{1} << 30;  // and for results
  int64_t heap_bytes = int64_t{1} << 31;    // of one worker
  int64_t grace_ns = 500'000'000;           // between a stop and the end of the worker
  int64_t setup_ns = 60'000'000'000;        // to load, to bind, and to open a stream
  uint32_t retries = 0;                     // of functions that are IDEMPOTENT
  bool copies_results = false;              // nothing of a result is in shared memory
  uint64_t demanded = 0;                    // restrictions, of port/restrict.h
  std::string program;                      // an absolute path; empty: find it
  Waiting waiting = Waiting::kAdaptive;
};

// Bytes of shared memory that may still be made.
//
// Threads  shared.
class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit) {}

  bool Take(int64_t bytes) {
    int64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void Give(int64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  int64_t limit() const { return limit_; }
  int64_t left() const { return limit_ - used_.load(std::memory_order_relaxed); }

 private:
  const int64_t limit_;
  std::atomic<int64_t> used_{0};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_LIMITS_H_
//
// A segment of memory that a host shares with a worker: a memfd of a fixed size, under
// seals that say who may write. The kernel keeps them, whatever the worker does with its
// descriptor. Nobody can cut a segment, so nobody can make the other side die of SIGBUS.
//
//              host maps     worker maps   seals
//   input      read-write    read-only     SHRINK GROW FUTURE_WRITE SEAL
//   output     read-only     read-write    SHRINK GROW SEAL
//   control    read-write    read-write    SHRINK GROW SEAL
//
// A page is there when it is first used. Without memory behind it (a machine with strict
// overcommit) that ends the process with SIGBUS, so each side calls Back before it reads or
// writes a page for the first time.
//
// Threads  serial, but Back: any thread. The memory is as shared as its users make it.
#ifndef ALLOY_SRC_PORT_SHARED_MEMORY_H_
#define ALLOY_SRC_PORT_SHARED_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>


namespace alloy::core_v0_1 {

// Owns its mapping and its descriptor. Move-only.
class SharedMemory final : public Backing {
 public:
  // Each size is rounded up to whole pages. The memory is zero, and takes no room before it
  // is used.
  //   Fails  INVALID      the size is 0 or too large.
  //          EXHAUSTED    no memory, address space or descriptor is left.
  //          UNSUPPORTED  the kernel has no memfd or no such seal (Linux before 5.1).
  static Result<SharedMemory> MakeForReader(size_t size);  // input
  static Result<SharedMemory> MakeForWriter(size_t size);  // output
  static Result<SharedMemory> MakeShared(size_t size);     // control

  // In the worker: map what the host made. The size is that of the file.
  //   Takes  fd.
  //   Fails  INVALID    not a segment, or one with other seals than the host gives it.
  //          EXHAUSTED  no memory or address space is left.
  static Result<SharedMemory> Attach(Fd fd, bool writable);

  SharedMemory() = default;  // no segment; size() is 0

  // As Backing. What was backed once takes a few nanoseconds.
  //   Fails  EXHAUSTED    no memory is left for the pages.
  //          UNSUPPORTED  the kernel refuses to say so (fallocate).
  Status Back(const std::byte* begin, size_t size) noexcept override;

  std::byte* data() const { return const_cast<std::byte*>(mapping_.get().data); }
  size_t size() const { return mapping_.get().size; }
  bool is_writable() const { return is_writable_; }  // else a write to data() is a crash
  const Fd& fd() const { return fd_; }

 private:
  static Result<SharedMemory> Make(const char* name, size_t size, bool writable,
                                   int more_seals);
  Status Map(size_t size, bool writable);
  bool IsBacked(size_t chunk) const;
  Status BackChunks(size_t first, size_t end);

  Fd fd_;
  Mapping mapping_;
  bool is_writable_ = false;
  // A bit for each chunk that this side has backed.
  size_t chunk_bytes_ = 0;
  std::unique_ptr<std::atomic<uint64_t>[]> backed_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SHARED_MEMORY_H_

namespace alloy::core_v0_1 {

// Threads  immutable: shared.
class Segment : public std::enable_shared_from_this<Segment> {
 public:
  enum class For : uint8_t { kInputs, kResults };

  // Make a segment of at least `wanted` bytes, and of `better` if the budget allows it.
  //   Fails  EXHAUSTED; the text has the size and the limit.
  static Result<std::shared_ptr<Segment>> Make(For what, int64_t wanted, int64_t better,
                                               const std::shared_ptr<Budget>& budget);
  ~Segment() { budget_->Give(counted_); }
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  bool is_for_results() const { return what_ == For::kResults; }
  SharedMemory& memory() { return memory_; }

 private:
  Segment(For what, SharedMemory memory, int64_t counted, std::shared_ptr<Budget> budget)
      : what_(what),
        memory_(std::move(memory)),
        counted_(counted),
        budget_(std::move(budget)) {}

  const For what_;
  SharedMemory memory_;
  const int64_t counted_;
  const std::shared_ptr<Budget> budget_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_SEGMENT_H_

namespace alloy::core_v0_1 {

// Threads  shared: memory may be freed on any thread.
class InputMemory : public std::enable_shared_from_this<InputMemory> {
 public:
  explicit InputMemory(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  InputMemory(const InputMemory&) = delete;
  InputMemory& operator=(const InputMemory&) = delete;

  // A piece of a segment, which nobody else gets as long as it lives.
  //
  // Threads  immutable: shared.
  class Piece {
   public:
    Piece(std::shared_ptr<InputMemory> memory, Segment& segment, std::byte* data,
          size_t size)
        : memory_(std::move(memory)), segment_(segment), data_(data), size_(size) {}
    ~Piece() { memory_->arena_.Free(data_); }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    Segment& segment() const { return segment_; }
    std::byte* data() const { return data_; }
    size_t size() const { return size_; }
    size_t offset() const {
      return static_cast<size_t>(data_ - segment_.memory().data());
    }

   private:
    const std::shared_ptr<InputMemory> memory_;
    Segment& segment_;
    std::byte* const data_;
    const size_t size_;
  };

  // A piece that is aligned to 64 bytes.
  //   Fails  EXHAUSTED.
  Result<std::shared_ptr<const Piece>> Reserve(size_t size);

  // As alloy_services.resize. What finds no room in a segment is in the heap.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

  // All segments so far, the first ones first. Those from `known` on are new to a caller
  // that has seen `known` of them.
  std::vector<std::shared_ptr<Segment>> SegmentsFrom(size_t known) const;
  size_t n_segments() const { return n_segments_.load(std::memory_order_acquire); }

 private:
  Status Grow(size_t size);
  Segment* Find(const std::byte* data) const;

  const std::shared_ptr<Budget> budget_;
  Arena arena_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Segment>> segments_;
  std::atomic<size_t> n_segments_{0};
};

// The shared memory of one bridge: of all its workers, and of the host's own data. A value;
// copies are the same memory.
struct WorkerMemory {
  std::shared_ptr<Budget> inputs, results;
  // From which the host allocates data itself, so that it crosses without a copy.
  std::shared_ptr<InputMemory> pool;

  static WorkerMemory Make(int64_t input_bytes, int64_t output_bytes) {
    WorkerMemory memory{.inputs = std::make_shared<Budget>(input_bytes),
                        .results = std::make_shared<Budget>(output_bytes),
                        .pool = nullptr};
    memory.pool = std::make_shared<InputMemory>(memory.inputs);
    return memory;
  }
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_INPUT_MEMORY_H_
//
// What all bridges of one host share: its policy, its log, its deadlines, its libraries.
#ifndef ALLOY_SRC_ENGINE_OPEN_HOST_H_
#define ALLOY_SRC_ENGINE_OPEN_HOST_H_

#include <memory>
#include <string>
#include <string_view>

//
// One thread that watches the clock for every run with a timeout, so that a backend finds
// out with one load whether its time is over. The thread starts with the first deadline.
//
// A child of fork has no such thread: its first deadline starts a new one, with a queue of
// its own. What belonged to the thread of the parent is dropped without being used.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
#define ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>


namespace alloy::core_v0_1 {

class Channel;
struct RunControl;

// Threads  shared.
class Deadlines {
 public:
  using Clock = std::chrono::steady_clock;

  // Borrows mark, as long as this lives.
  explicit Deadlines(ProcessMark& mark) : mark_(mark) {}
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  ProcessMark& mark() const { return mark_; }

  // What has to stop when the time has come.
  struct Target {
    Channel* channel;
    RunControl* control;
    uint64_t run;
  };

 private:
  using Queue = std::multimap<Clock::time_point, Target>;
  struct Timer;

 public:
  // From Start to Stop or its end, and once the time has come: control->expired is `run`,
  // and the channel was interrupted. Borrows both.
  //
  // Threads  serial.
  class Watch {
   public:
    Watch() = default;
    ~Watch() { Stop(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Only if it is stopped.
    //   Fails  EXHAUSTED: the thread cannot be started, or memory is not enough.
    Status Start(Deadlines& deadlines, Clock::time_point when, const Target& target);
    void Stop() noexcept;

   private:
    Deadlines* deadlines_ = nullptr;  // NULL: stopped
    Timer* timer_ = nullptr;
    uint32_t process_ = 0;  // where it was started; in a child of that it does nothing
    Queue::iterator place_;
  };

 private:
  // The timer of this process.
  Timer& OfThisProcess();

  ProcessMark& mark_;
  std::atomic<Timer*> timer_{nullptr};
};

// `time` after `when`; a sum beyond the clock's range means never.
inline Deadlines::Clock::time_point After(Deadlines::Clock::time_point when,
                                          std::chrono::nanoseconds time) {
  constexpr auto kNever = Deadlines::Clock::time_point::max();
  return time < kNever - when ? when + time : kNever;
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_DEADLINES_H_
//
// The libraries that one host has loaded. None is ever unloaded, and the same file is
// loaded only once, for any number of bridges.
#ifndef ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_
#define ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

//
// Admission: from a file to memory that the loader takes, in one order of steps. The
// compiler holds the order. Each type below is move-only, and only the step before makes
// it:
//
//   Admitter::Open      Candidate  The file is open. With a certificate, its signed
//                                  statement is verified. No byte of the file is read.
//   Candidate::Seal     Sealed     A copy of the file in memory that cannot be changed.
//   Sealed::Verify      Verified   With a certificate: the copy is what was signed.
//   Verified::Clear     Cleared    Inspected: nothing in it runs or misleads too early,
//                                  and it needs only what the host allows.
//
// LoadBackend takes a Cleared. Candidate::Confirm is for a file whose signed digest the
// caller has loaded already: it hashes the file without a copy, and leads to no Cleared.
//
// An inspection (Admitter::Inspect) runs the same steps, and goes on after a fault.
// procedure.h has the steps.
//
// Threads  Admitter is shared; the other types are serial.
#ifndef ALLOY_SRC_ADMIT_ADMIT_H_
#define ALLOY_SRC_ADMIT_ADMIT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

//
// Where trust gets its functions from: libcrypto.so.3 of this machine. It is found by its
// SONAME when the first certificate is checked, so a program that uses no certificate does
// not need it.
#ifndef ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
#define ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_

#include <atomic>
#include <memory>
#include <string>


namespace alloy::core_v0_1 {

class Crypto;

// Threads  shared. Fixed in place.
class LibcryptoSource {
 public:
  // `soname` is another one only in tests.
  explicit LibcryptoSource(std::string soname = "libcrypto.so.3")
      : soname_(std::move(soname)) {}

  ~LibcryptoSource();
  LibcryptoSource(const LibcryptoSource&) = delete;
  LibcryptoSource& operator=(const LibcryptoSource&) = delete;

  // The same one each time. After a failure the next call tries again: the package may be
  // installed by then.
  //   Fails  REFUSED with NO_LIBCRYPTO; the text names the package. UNSUPPORTED in a
  //          program that is linked statically.
  Result<std::shared_ptr<const Crypto>> Get();

 private:
  const std::string soname_;
  // Owned; NULL until the first success, then constant. Not under a lock: in a child of
  // fork, a thread of the parent would hold it for ever.
  std::atomic<const std::shared_ptr<const Crypto>*> crypto_{nullptr};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_LIBCRYPTO_SOURCE_H_
//
// The libraries that backends of a host may need, in addition to the runtimes of C and
// C++. The host trusts them itself.
#ifndef ALLOY_SRC_ADMIT_MAY_NEED_H_
#define ALLOY_SRC_ADMIT_MAY_NEED_H_

#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  immutable: shared.
class MayNeed {
 public:
  // SONAMEs, which the loader finds where it always does, and absolute paths. `list` ends
  // with NULL; NULL: none.
  //   Fails  INVALID: an entry is empty, or a path that is not absolute.
  static Result<MayNeed> Make(const char* const* list);

  // The same list, for libraries that are loaded in other processes: Check loads nothing
  // here, and leaves the names of Unsettled to the process that loads.
  MayNeed Elsewhere() const;

  // The names that are neither runtimes nor SONAMEs of the list: a file must answer to
  // each.
  std::vector<std::string> Unsettled(const std::vector<std::string>& needed) const;
  const std::vector<std::string>& paths() const { return paths_; }

  // Check that a library that needs these may be loaded. If it needs more than runtimes
  // and SONAMEs of the list, the files of the list are loaded, in its order, and their
  // constructors run.
  //   Fails  REFUSED with NEEDED: one is not allowed, or a file cannot be loaded.
  // `not_allowed`, unless NULL, gets all names that are not allowed, in their order. If a
  // file cannot be loaded: every name that no SONAME allows.
  Status Check(const std::vector<std::string>& needed,
               std::vector<std::string>* not_allowed = nullptr) const;

 private:
  std::vector<std::string> sonames_, paths_;
  bool loads_here_ = true;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_MAY_NEED_H_
#ifndef ALLOY_SRC_ADMIT_POLICY_H_
#define ALLOY_SRC_ADMIT_POLICY_H_

#include <cstdint>
#include <string>

namespace alloy::core_v0_1 {

// What a host demands of one library.
struct Policy {
  std::string library;      // the path of the file
  std::string certificate;  // base64 of one DER certificate; empty: none is given
  std::string sidecar;      // the path of the signature file; empty: <library>.alloysig
  bool allows_unsigned = false;  // whether a library may be loaded without a certificate
  std::string name;              // of the backend; empty: any
  uint64_t min_sequence = 0;     // of the signed statement
  // That the file must have, as 64 digits in lower case; empty: any.
  std::string sha256;
  // Whether the process that loads the library takes a Go runtime: only one that serves
  // nothing else may.
  bool allows_go_runtime = false;
  int64_t now = 0;  // seconds since 1970
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_POLICY_H_

namespace alloy::core_v0_1 {

class Procedure;
class VerifiedStatement;

struct DeleteProcedure {
  void operator()(Procedure* procedure) const;
};
using OwnedProcedure = std::unique_ptr<Procedure, DeleteProcedure>;

// Where a loaded library comes from. A value.
struct SourceFile {
  std::shared_ptr<const Mapping> bytes;  // of a sealed copy of the file
  std::string sha256;                    // as signed, in hex; empty without a certificate
  // The certificate of the signer; empty and 0 without one.
  std::string signer, signer_sha256;
  std::string signer_json;  // all of this certificate, as alloy_inspect describes it
  uint64_t sequence = 0;

  bool operator==(const SourceFile&) const = default;
};

// What a library must turn out to be: what its signer stated, or, without a certificate,
// what the host asks for. A value.
class Expectations {
 public:
  // `statement` is NULL without a certificate.
  Expectations(std::shared_ptr<const VerifiedStatement> statement, const Policy& policy)
      : statement_(std::move(statement)),
        library_(policy.library),
        name_(policy.name),
        now_(policy.now) {}

  // Compare the SONAMEs that the library needs, in any order, with the statement.
  //   Fails  REFUSED with NEEDED; the text names the file.
  Status CheckNeeded(const std::vector<std::string>& needed) const;
  // Compare what the table of the loaded backend says with the statement; without one,
  // with the name that the host asks for.
  //   Fails  REFUSED with STATEMENT_TABLE, or with NAME; the text names the file.
  Status CheckTable(std::string_view name, std::string_view version, uint32_t abi) const;
  // `bytes` are those of the file that is loaded.
  SourceFile Describe(std::shared_ptr<const Mapping> bytes) const;
  // What the operator of the host should know: a certificate that ends within 30 days.
  std::vector<std::string> Warnings() const;

 private:
  std::shared_ptr<const VerifiedStatement> statement_;
  std::string library_, name_;
  int64_t now_;
};

// What distinguishes one file from another. A value.
struct FileIdentity {
  std::string sha256;                    // in hex; empty: it came without a certificate
  std::shared_ptr<const Mapping> bytes;  // of the sealed copy

  // By the two digests; where one is missing, by all bytes.
  bool IsSameFile(const FileIdentity& other) const;
};

class Verified {
 public:
  FileIdentity identity() const;
  Expectations expectations() const;

  // Inspect the library, and compare what it needs with the statement and with what the
  // host allows. Refuse a Go runtime, unless the policy allows it. A static archive is linked into a library first.
  //   Fails  REFUSED with ELF_MALFORMED, ELF_REFUSED, EXPORTS, ARCHIVE_MALFORMED,
  //          LINK_FAILED, CANNOT_SEAL, NEEDED or GO_RUNTIME; the text names the file.
  Result<Cleared> Clear() &&;

 private:
  friend class Sealed;
  explicit Verified(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Sealed {
 public:
  // With a certificate, compare the digest of the copy with the signed one.
  //   Fails  REFUSED with DIGEST; the text names the file.
  Result<Verified> Verify() &&;

 private:
  friend class Candidate;
  explicit Sealed(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

class Candidate {
 public:
  // In hex; empty without a certificate.
  std::string_view signed_sha256() const;

  // Read the file once, exactly its size, into memory under all four seals.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or CANNOT_SEAL; the text names the file.
  Result<Sealed> Seal() &&;
  // Only with a certificate: hash the file, and compare the digest with the signed one.
  // Nothing of this file will run.
  //   Fails  REFUSED with CHANGED, CANNOT_OPEN or DIGEST; the text names the file.
  Result<Expectations> Confirm() &&;

 private:
  friend class Admitter;
  explicit Candidate(OwnedProcedure procedure) : procedure_(std::move(procedure)) {}
  OwnedProcedure procedure_;
};

// What one host admits libraries with. It must live as long as what it gives. Fixed in
// place.
class Admitter {
 public:
  // `libcrypto` is another SONAME only in tests.
  explicit Admitter(MayNeed may_need, std::string libcrypto = "libcrypto.so.3")
      : may_need_(std::move(may_need)), libcrypto_(std::move(libcrypto)) {}
  Admitter(const Admitter&) = delete;
  Admitter& operator=(const Admitter&) = delete;

  // Parse the certificate, open a regular file of 64 bytes to 1 GiB, and, with a
  // certificate, verify the signed statement and compare it with the policy.
  //   Fails  REFUSED with a reason of 2001 to 2024 or 3001 to 3004, with UNSIGNED or with
  //          NO_LIBCRYPTO; the text names the file.
  Result<Candidate> Open(const Policy& policy);

  // All that can be known of a library without running it, and the verdict of a load: the
  // JSON that alloy.h documents for alloy_inspect. An archive is checked, not linked.
  //   Fails  REFUSED with a reason of 3001 to 3006: the file cannot be read.
  Result<std::string> Inspect(const Policy& policy);

  // In hex; empty without libcrypto.
  std::string Sha256(const SourceFile& file);

  // Where certificates are checked with; benchmarks use it too.
  LibcryptoSource& libcrypto() { return libcrypto_; }

 private:
  const MayNeed may_need_;
  LibcryptoSource libcrypto_;
};

// The JSON that alloy.h documents for alloy_bridge_identity. `file` is NULL, and `library`
// and `sha256` are empty, for the built-in echo. `isolated`: what the workers of the backend
// have given up; nullopt: it is in this process.
std::string IdentityAsJson(const alloy_backend& backend, const std::string& library,
                           const std::string& sha256, const SourceFile* file,
                           std::optional<Restrictions> isolated);

// Link a static archive into a library, as a load of it does. Nothing of it runs.
//   Gives  the bytes of the library, in sealed memory.
//   Fails  INVALID: the file is not an archive. REFUSED: why a load would refuse it.
Result<std::shared_ptr<const Mapping>> LinkLibraryFrom(const std::string& archive);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ADMIT_ADMIT_H_

namespace alloy::core_v0_1 {

struct LoadedLibrary {
  std::shared_ptr<Channel> channel;
  std::vector<std::string> warnings;  // for the log of the host
  SourceFile file;
};

// Threads  shared.
class Libraries {
 public:
  // What is loaded is opened by `opener`. Borrows mark, as long as this lives.
  Libraries(std::unique_ptr<ChannelOpener> opener, MayNeed may_need, ProcessMark& mark)
      : opener_(std::move(opener)), admitter_(std::move(may_need)), entries_(mark) {}

  // Admit a library and load it, or find it among the loaded ones. Two files are the same
  // if their signed SHA-256 digests match; if one came without a certificate, all bytes
  // of both sealed copies are compared. A file whose signed digest is loaded is only
  // hashed.
  //   Fails  REFUSED; the text names the file.
  Result<LoadedLibrary> Load(const Policy& policy);

  Admitter& admitter() { return admitter_; }

 private:
  struct Entry {
    FileIdentity file;  // of the archive, if it is one
    // One thread loads it, and may write what follows. No lock is held then: constructors
    // may do anything.
    bool is_loading = true;
    // NULL while it is loading, and after a load that failed once the code was mapped.
    std::shared_ptr<Channel> channel;
    uint32_t process = 0;  // whose thread loads it
    LoadedCode code;
    // Of the library, once there is a channel.
    std::vector<std::string> needed;
    bool is_linked = false;
  };
  using Entries = std::list<std::shared_ptr<Entry>>;

  class Finish;

  static Result<LoadedLibrary> Reuse(const Entry& entry, const Expectations& expected);
  std::shared_ptr<const Entry> FindLoaded(std::string_view sha256);
  // The entry of the same file once it is loaded; otherwise one without a channel, which
  // the caller loads.
  std::shared_ptr<Entry> FindOrBegin(const FileIdentity& file);
  Result<LoadedLibrary> LoadNew(const std::shared_ptr<Entry>& entry, Verified verified);

  const std::unique_ptr<ChannelOpener> opener_;
  Admitter admitter_;
  // Counts the ends of loads, so that other threads can wait for one. A condition variable
  // would not survive a fork while a thread waits.
  std::atomic<uint32_t> ends_{0};
  ForkGuarded<Entries> entries_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_LIBRARIES_H_

namespace alloy::core_v0_1 {

// Threads  shared. Fixed in place, since bridges and calls share it.
class Host {
 public:
  //   Fails  INVALID, UNSUPPORTED.
  static Result<std::shared_ptr<Host>> Make(const alloy_host_options& options);

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  bool allows_unsigned() const { return allows_unsigned_; }
  bool loads_plainly() const { return load_from_ == LoadFrom::kPath; }
  // Write a warning to the host's log, unless the host asked for no log.
  void Warn(const std::string& text);
  bool warns() const;
  const std::string& language() const { return language_; }
  Log& log() { return log_; }
  // Tells this process from children of fork; see process_mark.h.
  ProcessMark& mark() { return mark_; }
  Deadlines& deadlines() { return deadlines_; }
  // Those that are loaded into this process.
  Libraries& libraries() { return libraries_; }
  const MayNeed& may_need() const { return may_need_; }
  // The path of the worker program; empty: find it.
  const std::string& worker() const { return worker_; }

  // Whether calls to this backend are logged.
  bool LogsCallsTo(std::string_view backend_name) const;

 private:
  Host(const alloy_host_options& options, MayNeed may_need);

  ProcessMark mark_;  // what follows borrows it
  const bool allows_unsigned_;
  const LoadFrom load_from_;
  const int32_t log_mode_;
  const std::string language_;
  Log log_;
  Deadlines deadlines_{mark_};
  const std::string worker_;
  const MayNeed may_need_;
  Libraries libraries_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_HOST_H_

namespace alloy::core_v0_1 {

// A bridge is open, failed or closed. A failed load leaves a sticky error: it stays, and
// every call gets it, until a load succeeds. A closed bridge stays closed.
//
// Threads  shared. Fixed in place, since calls share it.
class Bridge {
 public:
  // `waiting`: how host and workers wait for each other.
  static Result<std::shared_ptr<Bridge>> Make(std::shared_ptr<Host> host,
                                              const alloy_bridge_options& options,
                                              Waiting waiting = Waiting::kAdaptive);

  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // As alloy_bridge_load. certificate NULL or empty: none. Whatever ends it, memory that
  // ran out included, leaves a sticky error; so nothing is copied before it begins.
  Status Load(const char* library, const char* certificate);
  Status Load(const std::string& library, const char* certificate) {
    return Load(library.c_str(), certificate);
  }
  void Close();

  // Whether calls may run. One atomic load while they may.
  //   Fails  CLOSED, or the sticky error.
  Status CheckOpen() const {
    if (state_.load(std::memory_order_acquire) == kOpen) [[likely]]
      return Status();
    return ErrorOfState();
  }

  Result<const alloy_backend*> Backend();
  // As alloy_bridge_origin. `out` is zero before.
  Status GetOrigin(alloy_origin* out);
  // As alloy_bridge_identity.
  Result<std::string> Identity();
  Result<BoundFunction> Bind(const std::string& function, const ArrowSchema* inputs,
                             int32_t n_inputs, const char* const* options);

  Host& host() const { return *host_; }
  // Where the host may allocate inputs, so that they cross to a worker without a copy; NULL:
  // the backend is in this process.
  const std::shared_ptr<InputMemory>& pool() const { return memory_.pool; }
  // How much the gate checks of what the host passes to a function with these flags, and
  // of what the backend returns.
  Checks check_inputs(uint32_t function_flags) const;
  Level check_results() const { return check_results_; }

 private:
  enum State : int { kOpen, kFailed, kClosed };

  Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options,
         Waiting waiting);

  class FailUnlessDone;

  // Where a backend comes from.
  struct Origin {
    std::string library;
    SourceFile file;
    // Once it was asked for. Guarded as the rest of Serving; never changed then, since hosts
    // have pointers to it.
    std::string sha256 = {};
  };

  // What changes with each load.
  struct Serving {
    std::shared_ptr<ServedBackend> backend;  // NULL: closed
    // All that ever served: hosts hold pointers into the tables.
    std::vector<std::shared_ptr<const BackendTable>> tables;
    std::vector<std::shared_ptr<Origin>> origins;  // for the same reason
    std::shared_ptr<Origin> origin;                // NULL: the echo
    Status sticky_error;

    void Keep(const std::shared_ptr<const BackendTable>& table);
    // The same origin, if it was kept before.
    std::shared_ptr<Origin> Keep(std::shared_ptr<Origin> origin);
  };
  // The digest is known after it. NULL: the echo.
  std::shared_ptr<Origin> OriginWithDigest();
  Libraries& libraries() const {
    return isolated_ != nullptr ? *isolated_ : host_->libraries();
  }
  Status ErrorOfState() const;
  Result<std::shared_ptr<ServedBackend>> Current() const;
  std::shared_ptr<ServedBackend> Serve(std::shared_ptr<Channel> channel) const;
  Result<LoadedLibrary> Open(const std::string& library, const char* certificate) const;

  const std::shared_ptr<Host> host_;
  const std::string wanted_name_;  // of the backend; empty: any
  const Level check_inputs_;
  const bool unsafe_inputs_;  // ALLOY_CHECK_UNSAFE_SHAPE
  const Level check_results_;
  const std::string sidecar_;  // empty: next to the library
  const uint64_t min_sequence_;
  const std::string wanted_sha256_;  // of the library, in lower case; empty: any
  std::atomic<int> state_{kOpen};
  const WorkerMemory memory_;
  // Each bridge has workers of its own. NULL: libraries are loaded into this process.
  const std::unique_ptr<Libraries> isolated_;
  mutable ForkGuarded<Serving> serving_;
  // The sticky error of a load that an exception ended. Made in advance, since out of
  // memory no text can be made.
  const Status exhausted_ =
      Fail(ALLOY_EXHAUSTED, "out of memory while loading a library");
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_BRIDGE_H_

namespace alloy::core_v0_1 {

// Threads  serial: one user at a time. AdmitInput, Cancel and Progress: any thread.
class CallCore {
 public:
  CallCore(std::shared_ptr<Bridge> bridge, BoundFunction bound)
      : bridge_(std::move(bridge)),
        bound_(std::move(bound)),
        input_checks_(bridge_->check_inputs(binding().function().flags)),
        given_(binding().inputs().size()) {
    call_log_.function = binding().function().name;
  }
  CallCore(const CallCore&) = delete;
  CallCore& operator=(const CallCore&) = delete;

  const Binding& binding() const { return *bound_.lease.binding(); }
  void* state() const { return bound_.lease.state(); }
  Channel& channel() const { return binding().channel(); }
  const LogContext& log_context() const { return bound_.backend->log_context; }
  CallLog& call_log() { return call_log_; }
  RunControl& control() { return control_; }
  Deadlines& deadlines() const { return bridge_->host().deadlines(); }

  // Nobody may use the backend's state any more, nor give it back: a run that holds it did
  // not end.
  void AbandonState() { bound_.lease.Abandon(); }

  // The number of a new run; see RunControl.
  uint64_t BeginRun() { return ++run_; }

  // Whether the bridge is open; a failed load's sticky error or CLOSED if not.
  Status CheckOpen() const { return bridge_->CheckOpen(); }
  // The same, and whether the ticket is not cancelled.
  Status CheckStart(uint64_t ticket) const;

  // One run of a map function. Takes what the backend moves out of `inputs`; the caller
  // releases the rest.
  Status Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns, uint64_t ticket);

  // Pass a batch of input `i` through the gate, and leave only the declared columns.
  Status AdmitInput(int32_t i, ArrowArray* batch) const;
  // Pass a result through the gate; it is released when it fails.
  //   rows    what a ROWWISE function must return; -1: any number.
  //   inputs  of which it was made, to find out whose a fault is.
  Status CheckOutput(int64_t rows, const RunInputs& inputs, ArrowArray* output) const;
  // Whether a fault of a result may be one of its inputs.
  bool ChecksResultsMore() const {
    return input_checks_.level < bridge_->check_results();
  }
  // The error of a run for which the backend returned `code` and reported `text`. A run
  // that was cancelled or is late failed for that reason, whatever the backend reports.
  Status Failure(alloy_code code, std::string text, Scope& scope, bool late) const;

  // Warn about the function in the host's log.
  void WarnOf(const std::string& text) const;
  std::string FunctionName() const;

  void Cancel(uint64_t ticket);
  void Progress(int64_t* done, int64_t* total) const;
  // A new run or stream has not reported anything yet.
  void ClearProgress();

 private:
  Status AdmitInputs(ArrowArray* inputs) const;
  Status Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
               uint64_t ticket);
  Status CheckMoved(const RunInputs& inputs, const Status& run, ArrowArray* output) const;
  void ReleaseOutput(ArrowArray* output) const;
  void LogBegin() const;
  void LogEnd() const;

  const std::shared_ptr<Bridge> bridge_;
  BoundFunction bound_;
  const Checks input_checks_;
  CallLog call_log_;
  // The roots of the inputs, as the last run gave them to the backend. Of one size from the
  // start, so that a run allocates nothing.
  std::vector<ArrowArray> given_;
  uint64_t run_ = 0;  // the number of the last run
  // On its own cache line, since other threads write it.
  alignas(64) RunControl control_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CALL_CALL_CORE_H_

namespace alloy::core_v0_1 {

class CallUse;

// Threads  serial; a second user gets BUSY. Cancel and Progress: any thread.
class Call {
 public:
  Call(std::shared_ptr<Bridge> bridge, BoundFunction bound)
      : core_(std::move(bridge), std::move(bound)) {}
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const ArrowSchema& output() const { return core_.binding().output(); }

  // As alloy_call_run.
  Status Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns, uint64_t ticket);

  // Use the call for longer than one run, as a stream does.
  //   Fails  BUSY.
  static Result<CallUse> Use(std::shared_ptr<Call> call);

  // As alloy_call_set_log.
  void SetLog(int32_t level, void* context) {
    core_.call_log().level.store(level, std::memory_order_relaxed);
    core_.call_log().context.store(context, std::memory_order_release);
  }

  void Cancel(uint64_t ticket) { core_.Cancel(ticket); }
  void Progress(int64_t* done, int64_t* total) const { core_.Progress(done, total); }

 private:
  static Status Busy();

  CallCore core_;
  std::atomic<bool> busy_{false};
};

// The turn of one user. The call is busy for others until this ends.
class CallUse {
 public:
  CallCore& core() const { return *core_; }
  // For parts that may outlive the turn, such as an input that a backend has kept.
  const std::shared_ptr<CallCore>& shared_core() const { return core_; }

 private:
  friend class Call;
  CallUse(std::shared_ptr<CallCore> core, Turn turn)
      : core_(std::move(core)), turn_(std::move(turn)) {}

  // In this order: the turn ends before the call can.
  std::shared_ptr<CallCore> core_;  // also keeps the Call that it is part of
  Turn turn_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CALL_CALL_H_

#include <string>
#include <utility>


namespace alloy::core_v0_1 {

// A call that is still in use belongs to a thread that does not exist here: it was running
// in the parent when this process was forked. The state is in the middle of its run.
Call::~Call() {
  if (busy_.load(std::memory_order_acquire)) core_.AbandonState();
}

Status Call::Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                 uint64_t ticket) {
  if (output != nullptr) *output = ArrowArray{};
  const Turn turn(&busy_);
  if (!turn) return Busy();
  const Binding& binding = core_.binding();
  const size_t n_inputs = binding.inputs().size();
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  // After the turn, so it ends first: releasing the inputs is part of the run.
  const ReleaseRest<ArrowArray> rest(inputs, n_inputs);
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  if (binding.is_stream()) {
    return Fail(ALLOY_INVALID, std::string(binding.function().name) +
                                   " is a stream function; open a stream of it: "
                                   "Stream, in C alloy_call_stream");
  }
  Status status = core_.Run(inputs, output, timeout_ns, ticket);
  // Here and not by its end: a callback that ends its thread may do so.
  if (const std::string thrown = rest.Release(); !thrown.empty()) [[unlikely]] {
    core_.WarnOf("the release of an input, which is the host's: " + thrown);
  }
  return status;
}

Result<CallUse> Call::Use(std::shared_ptr<Call> call) {
  Turn turn(&call->busy_);
  if (!turn) return Busy();
  CallCore* const core = &call->core_;
  return CallUse(std::shared_ptr<CallCore>(std::move(call), core), std::move(turn));
}

Status Call::Busy() {
  return Fail(
      ALLOY_BUSY,
      "this call is in use by another thread or by an open stream, or was so when "
      "the process was forked; bind a second call, or release the stream");
}

}  // namespace alloy::core_v0_1

// src/engine/call/call_core.cc ----------------------------------------------------------

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

//
// The gate for batches: every batch that crosses between host and backend passes here.
//
// Threads  shared; a batch belongs to one thread at a time.
#ifndef ALLOY_SRC_GATE_BATCH_H_
#define ALLOY_SRC_GATE_BATCH_H_


namespace alloy::core_v0_1 {

// Check a batch. Then repair what can be repaired without a change of data (repair.h): on
// success *batch follows the rules of backend.h, and only validity bitmaps may be NULL. A
// batch that needs no repair is not changed.
//   Takes  nothing: on failure *batch is unchanged, and still the caller's.
//   Fails  ALLOY_BAD_DATA   with reason and column.
//          ALLOY_EXHAUSTED  not enough memory for the repair.
Status AdmitBatch(const Layout& layout, Checks checks, ArrowArray* batch);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_BATCH_H_

namespace alloy::core_v0_1 {
namespace {

// Whether a checked column has nulls. Counts them where the backend did not.
bool HasNull(const ArrowArray& column) {
  return column.null_count != 0 &&
         AnyNull(column.buffers[0], {column.offset, column.length});
}

// The lines about a run are what an echo is for. With other backends they only trace it.
int32_t LevelOfOwnLines(const LogContext& context) {
  return context.is_echo ? ALLOY_LOG_INFO : ALLOY_LOG_DEBUG;
}

Status Cancelled(std::string text, int32_t reason = ALLOY_REASON_NONE) {
  return Fail(ALLOY_CANCELLED, reason, text.empty() ? "cancelled" : std::move(text));
}

}  // namespace

Status CallCore::CheckStart(uint64_t ticket) const {
  ALLOY_TRY(CheckOpen());
  if (ticket != 0 && control_.cancelled_upto.load(std::memory_order_relaxed) >= ticket) {
    return Cancelled("cancelled before it started");
  }
  return Status();
}

Status CallCore::Run(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                     uint64_t ticket) {
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  ALLOY_TRY(CheckStart(ticket));
  BeginRun();
  ClearProgress();
  const bool logs = log_context().Logs(LevelOfOwnLines(log_context()), &call_log_);
  if (logs) [[unlikely]]
    LogBegin();
  ALLOY_TRY(AdmitInputs(inputs));
  const int64_t rows = binding().inputs().empty() ? 0 : inputs[0].length;
  std::copy_n(inputs, given_.size(), given_.data());
  const RunInputs run_inputs{given_, {inputs, given_.size()}};
  Status run = Enter(inputs, output, timeout_ns, ticket);
  ALLOY_TRY(CheckMoved(run_inputs, run, output));
  if (!run.ok()) [[unlikely]] {
    ReleaseOutput(output);
    return BlameRun(binding(), {input_checks_.level, bridge_->check_results()},
                    run_inputs, run);
  }
  ALLOY_TRY(CheckOutput(rows, run_inputs, output));
  if (logs) [[unlikely]]
    LogEnd();
  return Status();
}

Status CallCore::AdmitInputs(ArrowArray* inputs) const {
  const auto n = static_cast<int32_t>(binding().inputs().size());
  for (int32_t i = 0; i < n; ++i) ALLOY_TRY(AdmitInput(i, &inputs[i]));
  return Status();
}

Status CallCore::AdmitInput(int32_t i, ArrowArray* batch) const {
  const Binding::Input& input = binding().inputs()[static_cast<size_t>(i)];
  Status status = AdmitBatch(input.layout, input_checks_, batch);
  if (status.ok() && !input.projection.identity) {
    status = ProjectBatch(input.projection, batch);
  }
  if (status.ok()) [[likely]]
    return status;
  return status.WithInput(i).WithSide(ALLOY_SIDE_CALLER);
}

Status CallCore::Enter(ArrowArray* inputs, ArrowArray* output, int64_t timeout_ns,
                       uint64_t ticket) {
  using Clock = Deadlines::Clock;
  Scope scope(&log_context(), &control_, run_, ticket, &call_log_);
  Deadlines::Watch watch;
  Clock::time_point deadline = Clock::time_point::max();
  // Without a timeout, nothing here asks for the time or takes a lock.
  if (timeout_ns != 0) {
    deadline = After(Clock::now(), std::chrono::nanoseconds(timeout_ns));
    ALLOY_TRY(watch.Start(deadlines(), deadline, {&channel(), &control_, run_}));
  }
  const alloy_code code =
      channel().Run(binding().function(), state(), scope, inputs,
                    static_cast<int32_t>(binding().inputs().size()), output);
  if (code == ALLOY_OK) [[likely]]
    return Status();
  return Failure(code, scope.TakeErrorText(), scope,
                 timeout_ns != 0 && Clock::now() >= deadline);
}

Status CallCore::Failure(alloy_code code, std::string text, Scope& scope,
                         bool late) const {
  Status failure = scope.TakeFailure();
  if (text.empty() && !failure.ok()) text = failure.fault().text;
  // A worker that did not stop in time is gone, and the caller wants to know that.
  const int32_t reason =
      failure.code() == ALLOY_LOST ? failure.fault().reason : ALLOY_REASON_NONE;
  if (scope.cancelled()) {
    return Cancelled(std::move(text), reason).WithSide(ALLOY_SIDE_CALLER);
  }
  if (late) {
    return Fail(ALLOY_TIMEOUT, reason,
                text.empty() ? "the deadline has passed"
                             : "the deadline has passed: " + text)
        .WithSide(ALLOY_SIDE_CALLER);
  }
  if (!failure.ok()) return failure;
  return BackendFault(*channel().table(), binding().function(), code, std::move(text));
}

// A backend that returns an input must move it out: a copied struct would be released
// twice, once as the input and once as the result. A run that fails may leave one too.
Status CallCore::CheckMoved(const RunInputs& inputs, const Status& run,
                            ArrowArray* output) const {
  const Copied copied = Disarm(binding().output_layout(), inputs, output);
  if (!copied.any()) [[likely]]
    return Status();
  ReleaseOutput(output);
  // Who stopped the run wants to know that it has stopped.
  if (!run.ok() && run.fault().side == ALLOY_SIDE_CALLER) return run;
  return copied.Describe(FunctionName(), run.ok() ? "" : run.fault().text);
}

void CallCore::ReleaseOutput(ArrowArray* output) const {
  OwnedArray owned(output);
  if (const std::string thrown = ReleaseForeign(&owned); !thrown.empty()) {
    WarnOf("the release of its result: " + thrown);
  }
}

Status CallCore::CheckOutput(int64_t rows, const RunInputs& inputs,
                             ArrowArray* output) const {
  Status status = AdmitBatch(binding().output_layout(), bridge_->check_results(), output);
  if (status.ok() && rows >= 0 && (binding().function().flags & ALLOY_ROWWISE) != 0 &&
      output->length != rows) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_ROW_COUNT,
                  "the function is declared ROWWISE but returned " +
                      std::to_string(output->length) + " rows for " +
                      std::to_string(rows) + " input rows");
  }
  if (status.ok() && binding().is_from_chunks() &&
      (output->length != 1 || HasNull(*output->children[0]))) {
    status = Fail(ALLOY_BAD_DATA, ALLOY_REASON_RESULT_SHAPE,
                  "the backend's function from_chunks must return one row without nulls");
  }
  if (status.ok()) [[likely]]
    return status;
  status = BlameResult(binding(), {input_checks_.level, bridge_->check_results()}, inputs,
                       *output, status);
  ReleaseOutput(output);
  return status;
}

std::string CallCore::FunctionName() const {
  return std::string(binding().function().name) + " of " +
         channel().table()->backend().name;
}

void CallCore::WarnOf(const std::string& text) const {
  Warn(log_context(), FunctionName() + ": " + text);
}

void CallCore::Cancel(uint64_t ticket) {
  uint64_t before = control_.cancelled_upto.load(std::memory_order_relaxed);
  // Only upwards: a late cancel of an older ticket must not undo a newer one.
  while (before < ticket && !control_.cancelled_upto.compare_exchange_weak(
                                before, ticket, std::memory_order_relaxed)) {
  }
  channel().Interrupt(control_);
}

void CallCore::Progress(int64_t* done, int64_t* total) const {
  *done = control_.done.load(std::memory_order_relaxed);
  *total = control_.total.load(std::memory_order_relaxed);
}

void CallCore::ClearProgress() {
  // Most functions never report. Then nothing is written, and the line stays shared.
  if (control_.done.load(std::memory_order_relaxed) == 0 &&
      control_.total.load(std::memory_order_relaxed) == 0) [[likely]] {
    return;
  }
  control_.done.store(0, std::memory_order_relaxed);
  control_.total.store(0, std::memory_order_relaxed);
}

// The lines about exporting are a promise of the log's form, not a trace: the host has
// exported its arrays before it called the engine, and only the engine knows whether the
// log is on.
void CallCore::LogBegin() const {
  const LogContext& context = log_context();
  const int32_t level = LevelOfOwnLines(context);
  const size_t n = binding().inputs().size();
  for (size_t i = 1; i <= n; ++i) {
    context.WriteAsHost(
        level, "Exporting ArrowSchema and ArrowArray #" + std::to_string(i) + " to C",
        &call_log_);
  }
  context.WriteAsHost(level,
                      "Calling " + context.backend_language + " through C ffi now with " +
                          std::to_string(n) + " ArrowArrays",
                      &call_log_);
}

void CallCore::LogEnd() const {
  const LogContext& context = log_context();
  try {
    context.WriteAsHost(
        LevelOfOwnLines(context),
        "Hello, again! Successfully sent Arrow data to " + context.backend_language + ".",
        &call_log_);
  } catch (...) {
    // Without memory the line is lost. The result is ready, and stays valid.
  }
}

}  // namespace alloy::core_v0_1

// src/engine/channel/deadlines.cc -------------------------------------------------------

#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>


namespace alloy::core_v0_1 {

// The thread of one process, and what it shares with the runs of that process.
struct Deadlines::Timer {
  explicit Timer(uint32_t number) : process(number) {}

  void Loop();

  const uint32_t process;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex. A target whose time has come stays until its Watch ends.
  Queue queue;
  bool stopping = false;  // guarded by mutex
  std::thread thread;     // started under mutex

  // In the process that made it: end the thread.
  static void End(Timer* timer) {
    const std::unique_ptr<Timer> owner(timer);
    {
      const std::lock_guard lock(timer->mutex);
      timer->stopping = true;
    }
    timer->changed.notify_one();
    if (timer->thread.joinable()) timer->thread.join();
  }

  // In a child of that process: there is no thread to end. The destructors of the thread
  // object and of the condition variable would wait for it, and they own no memory. The
  // queue does. It is intact unless the parent's thread was writing to it.
  static void Forget(Timer* timer) {
    if (timer == nullptr) return;
    if (timer->mutex.try_lock()) std::destroy_at(&timer->queue);
    ::operator delete(timer, sizeof(Timer));
  }
};

void Deadlines::Timer::Loop() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto now = Clock::now();
    auto next = queue.begin();
    for (; next != queue.end() && next->first <= now; ++next) {
      // Under the lock, which a Watch needs to end: so the target is still there.
      const Target& target = next->second;
      if (target.control->expired.exchange(target.run, std::memory_order_relaxed) !=
          target.run) {
        target.channel->Interrupt(*target.control);
      }
    }
    if (next == queue.end()) {
      changed.wait(lock);
    } else {
      const auto when = next->first;  // a copy: the Watch may end during the wait
      changed.wait_until(lock, when);
    }
  }
}

Deadlines::~Deadlines() {
  Timer* timer = timer_.load(std::memory_order_acquire);
  if (timer == nullptr) return;
  if (timer->process == mark_.Number()) {
    Timer::End(timer);
  } else {
    Timer::Forget(timer);
  }
}

// Threads that come here at once agree on one timer, without a lock: a thread of the parent
// might have held it.
Deadlines::Timer& Deadlines::OfThisProcess() {
  const uint32_t process = mark_.Number();
  Timer* timer = timer_.load(std::memory_order_acquire);
  if (timer != nullptr && timer->process == process) [[likely]]
    return *timer;
  auto made = std::make_unique<Timer>(process);
  if (!timer_.compare_exchange_strong(timer, made.get(), std::memory_order_acq_rel)) {
    return *timer;  // another thread's, and of this process
  }
  Timer::Forget(timer);
  return *made.release();
}

Status Deadlines::Watch::Start(Deadlines& deadlines, Clock::time_point when,
                               const Target& target) {
  Timer& timer = deadlines.OfThisProcess();
  const std::lock_guard lock(timer.mutex);
  if (!timer.thread.joinable()) {
    try {
      timer.thread = std::thread([&timer] { timer.Loop(); });
    } catch (const std::system_error& e) {
      return Fail(ALLOY_EXHAUSTED,
                  std::string("the thread that watches deadlines cannot be started: ") +
                      e.code().message() +
                      "; raise the limit of threads (ulimit -u, or pids.max of the "
                      "container), or call without a timeout");
    }
  }
  place_ = timer.queue.emplace(when, target);
  deadlines_ = &deadlines;
  timer_ = &timer;
  process_ = timer.process;
  // Always, and not only for a new first entry: expired targets stay in the queue, so the
  // first entry need not be the next to come.
  timer.changed.notify_one();
  return Status();
}

void Deadlines::Watch::Stop() noexcept {
  if (deadlines_ == nullptr) return;
  const bool is_here = deadlines_->mark_.Number() == process_;
  deadlines_ = nullptr;
  if (!is_here) return;  // the process was forked meanwhile, and its timer stayed there
  const std::lock_guard lock(timer_->mutex);
  timer_->queue.erase(place_);
}

}  // namespace alloy::core_v0_1

// src/engine/channel/local_channel.cc ---------------------------------------------------
//
// The channel of a backend in this process: it calls the backend's entry points.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_

#include <memory>


namespace alloy::core_v0_1 {

// For a backend whose entry points are in this process already.
std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table);

// Loads libraries into this process, where they stay for its life.
std::unique_ptr<ChannelOpener> MakeLocalOpener(LoadFrom from);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOCAL_CHANNEL_H_

#include <string>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

class LocalChannel final : public Channel {
 public:
  explicit LocalChannel(std::shared_ptr<const BackendTable> table)
      : table_(std::move(table)) {}

  const std::shared_ptr<const BackendTable>& table() const override { return table_; }

  alloy_code Bind(const alloy_function& function, Scope& scope, const ArrowSchema* inputs,
                  int32_t n_inputs, const char* const* values, ArrowSchema* output,
                  void** state) override {
    return Enter(function, "bind", scope, [&] {
      return function.bind(function.self, &scope, inputs, n_inputs, values, output,
                           state);
    });
  }

  alloy_code Run(const alloy_function& function, void* state, Scope& scope,
                 ArrowArray* inputs, int32_t n_inputs, ArrowArray* output) override {
    return Enter(function, "run", scope,
                 [&] { return function.run(state, &scope, inputs, n_inputs, output); });
  }

  alloy_code Open(const alloy_function& function, void* state, Scope& scope,
                  ArrowArrayStream* inputs, int32_t n_inputs,
                  ArrowArrayStream* output) override {
    return Enter(function, "open", scope,
                 [&] { return function.open(state, &scope, inputs, n_inputs, output); });
  }

  std::string Unbind(const alloy_function& function, void* state) override {
    std::string thrown;
    if (function.unbind == nullptr) return thrown;
    EnterForeign(&thrown, [&] { function.unbind(state); });
    return thrown;
  }

  // The backend polls the control itself, through its scope.
  void Interrupt(RunControl&) noexcept override {}

 private:
  // An exception out of the backend is its failure.
  template <typename Body>
  alloy_code Enter(const alloy_function& function, const char* entry, Scope& scope,
                   Body&& body) const {
    alloy_code code = ALLOY_INTERNAL;
    std::string text;
    try {
      if (EnterForeign(&text, [&] { code = body(); })) return code;
    } catch (abi::__forced_unwind&) {
      if (scope.log_context() != nullptr) {
        Warn(*scope.log_context(),
             std::string("the thread was ended inside ") + entry + " of " +
                 function.name + " of " + table_->backend().name +
                 ", by pthread_exit or pthread_cancel; the call has no result");
      }
      throw;
    }
    scope.SetError(ALLOY_FAILED, std::move(text));
    return ALLOY_FAILED;
  }

  const std::shared_ptr<const BackendTable> table_;
};

class LocalOpener final : public ChannelOpener {
 public:
  explicit LocalOpener(LoadFrom from) : loader_(from) {}

  Status CheckUsable() const override { return loader_.CheckUsable(); }

  Result<std::shared_ptr<Channel>> Open(Cleared library, LoadedCode* code) override {
    const std::string path = library.path() + ": ";
    if (code->init == nullptr) {
      auto mapped = loader_.Map(std::move(library));
      if (!mapped.ok()) return mapped.status().WithPrefix(path);
      *code = *mapped;
    }
    Scope scope(nullptr);
    auto table = InitialiseBackend(*code, &Services(), &scope);
    if (table.ok()) return MakeLocalChannel(*std::move(table));
    const Status status = table.status();
    // A backend that returned no table explains why with the service `fail`.
    const std::string reported = scope.TakeErrorText();
    if (status.reason() == ALLOY_REASON_INIT && !reported.empty()) {
      return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT,
                  path + "alloy_backend_init failed: " + reported);
    }
    return status.WithPrefix(path);
  }

 private:
  Loader loader_;
};

}  // namespace

std::shared_ptr<Channel> MakeLocalChannel(std::shared_ptr<const BackendTable> table) {
  return std::make_shared<LocalChannel>(std::move(table));
}

std::unique_ptr<ChannelOpener> MakeLocalOpener(LoadFrom from) {
  return std::make_unique<LocalOpener>(from);
}

}  // namespace alloy::core_v0_1

// src/engine/channel/log.cc -------------------------------------------------------------

#include <algorithm>
#include <utility>

//
// Makes bytes from elsewhere safe to show: names and formats in error texts, strings in
// logs.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_TEXT_H_
#define ALLOY_SRC_BASE_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

//
// Makes text from elsewhere harmless: what a file, a certificate or a backend chose to
// contain can neither control a terminal nor look like a line of a log. The engine uses
// it for every error text and log line, the command line for everything that it prints.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_HARMLESS_HPP_
#define ALLOY_DETAIL_HARMLESS_HPP_

#include <cstddef>
#include <string>
#include <string_view>

//
// The characters of UTF-8 text: how long they are, and where text may be cut.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_UTF8_HPP_
#define ALLOY_DETAIL_UTF8_HPP_

#include <cstddef>
#include <string_view>

namespace alloy::detail {

// True for the second and later bytes of a character, which are 10xxxxxx.
constexpr bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The longest prefix of at most `limit` bytes that does not cut a character.
inline std::string_view CutText(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  // A character has at most three continuation bytes. If there are more, the text is not
  // UTF-8 and may be cut anywhere.
  size_t end = limit;
  for (int i = 0; i < 3 && end > 0 && IsContinuation(text[end]); ++i) --end;
  return text.substr(0, IsContinuation(text[end]) ? limit : end);
}

// The length in bytes, 1 to 4, of the character at the start of `bytes`; 0 if these
// bytes are not UTF-8.
//
// Source: The Unicode Standard, table 3-7, "Well-Formed UTF-8 Byte Sequences".
constexpr size_t Utf8Length(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(bytes[i])) return 0;
  }
  // Longer than the character needs, or a surrogate, or above U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F)) return 0;
  if ((first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) return 0;
  return length;
}

// The number of one whole character.
constexpr char32_t Utf8Character(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0);
  char32_t number = at(0) & (0x7FU >> character.size());
  for (size_t i = 1; i < character.size(); ++i) number = number << 6U | (at(i) & 0x3FU);
  return number;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_UTF8_HPP_

namespace alloy::detail {

// True for characters that are obeyed instead of shown: control characters (C0, DEL, C1),
// separators of lines and paragraphs, and the format characters that reverse or hide
// text. The joiners U+200C and U+200D are not: scripts and emoji are written with them,
// and they only change the shapes of their neighbours.
//
// Source: the Unicode Character Database, general categories Cc, Cf, Zl and Zp.
constexpr bool IsHarmful(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
  if (c < 0x2000) return c == 0xAD || c == 0x61C || c == 0x180E;
  if (c < 0x2070) {
    return c == 0x200B || c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
           c >= 0x2060;
  }
  if (c < 0x10000) return c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
  return (c >= 0x13430 && c <= 0x1343F) || (c >= 0x1BCA0 && c <= 0x1BCA3) ||
         (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0xE0000 && c <= 0xE0FFF);
}

// Append the character at the start of `text`, escaped when it is harmful or not UTF-8,
// and return its length in bytes. Line ends and tabs become \n, \r and \t; other bytes
// become \xNN. `text` is not empty.
inline size_t AppendHarmlessCharacter(std::string_view text, std::string* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  const size_t length = Utf8Length(text);
  const std::string_view character = text.substr(0, length == 0 ? 1 : length);
  if (length != 0 && !IsHarmful(Utf8Character(character))) {
    out->append(character);
  } else if (character == "\n") {
    out->append("\\n");
  } else if (character == "\r") {
    out->append("\\r");
  } else if (character == "\t") {
    out->append("\\t");
  } else {
    for (const char byte : character) {
      const auto value = static_cast<unsigned char>(byte);
      out->append({'\\', 'x', kDigits[value >> 4U], kDigits[value & 15U]});
    }
  }
  return character.size();
}

inline constexpr size_t kMostHarmless = size_t{16} << 10U;

// `text` as one line of UTF-8 without harmful characters, cut with `…` after `limit`
// bytes. Text that is harmless already stays the same.
inline std::string Harmless(std::string_view text, size_t limit = kMostHarmless) {
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    at += AppendHarmlessCharacter(kept.substr(at), &out);
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

// The same for text that may have several lines: every line after the first begins with
// two blanks, so that none looks like a line of its own. Line feeds at the end are left
// out.
inline std::string HarmlessLines(std::string_view text, size_t limit = kMostHarmless) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string out;
  const std::string_view kept = CutText(text, limit);
  out.reserve(kept.size());
  for (size_t at = 0; at < kept.size();) {
    const std::string_view rest = kept.substr(at);
    if (rest.starts_with('\n') || rest.starts_with("\r\n")) {
      at += rest[0] == '\n' ? 1 : 2;
      out += kept.substr(at).starts_with("  ") ? "\n" : "\n  ";
    } else {
      at += AppendHarmlessCharacter(rest, &out);
    }
  }
  if (kept.size() < text.size()) out += "…";
  return out;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_HARMLESS_HPP_

namespace alloy::core_v0_1 {

using alloy::detail::Harmless;
using alloy::detail::HarmlessLines;
using alloy::detail::IsHarmful;
using alloy::detail::kMostHarmless;

// Append `bytes`, and escape what cannot be shown, as Harmless does. Backslashes are
// escaped too, and `quote` unless it is NUL, so that the bytes can be read back.
void AppendEscaped(std::string_view bytes, char quote, std::string* out);

// `bytes` in double quotes, escaped, and cut after 64 bytes: a format, a name or a line
// of a file in an error text.
std::string Quoted(std::string_view bytes);

// Append one step of the path to a column: its name, `#2` for a third child without a
// name, or `dictionary` for ordinal -1.
void AppendPathPart(std::string_view name, int64_t ordinal, std::string* path);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_TEXT_H_

namespace alloy::core_v0_1 {
namespace {

// Lines of several processes mix when a write is longer than a pipe takes at once.
constexpr size_t kLongestLine = size_t{64} << 10U;

const char* LevelName_log(int32_t level) {
  switch (level) {
    case ALLOY_LOG_DEBUG:
      return "DEBUG";
    case ALLOY_LOG_INFO:
      return "INFO";
    case ALLOY_LOG_WARN:
      return "WARN";
    default:
      return "ERROR";
  }
}

// A text with several lines, or with tabs, stays readable as one line.
std::string OneLine(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return Harmless(line, kLongestLine);
}

}  // namespace

void Log::Write(int32_t level, std::string_view language, std::string_view text,
                const char* backend, const CallLog* call) {
  if (line_callback_ != nullptr) {
    Pass({level, std::string(language), OneLine(text)}, backend, call);
    return;
  }
  if (callback_ != nullptr) {
    Deliver({level, OneLine(language), OneLine(text)});
    return;
  }
  std::string line = "[" + clock_.Text() + "] [" + LevelName_log(level) + "] [";
  line.append(OneLine(language)).append("]\t").append(OneLine(text)).push_back('\n');
  const auto lock = queue_.Write();
  WriteLine(fd_, line);
}

void Log::Pass(const Line& line, const char* backend, const CallLog* call) {
  const alloy_log_line passed{
      .struct_size = sizeof(passed),
      .level = line.level,
      .language = line.language.c_str(),
      .text = line.text.c_str(),
      .length = static_cast<int64_t>(line.text.size()),
      .backend = backend,
      .function = call != nullptr ? call->function : nullptr,
      .call_context =
          call != nullptr ? call->context.load(std::memory_order_acquire) : nullptr};
  std::string ignored;  // a callback that throws must not stop the call
  EnterForeign(&ignored, [&] { line_callback_(context_, &passed); });
}

void Log::Deliver(Line line) {
  const uint32_t process = queue_.mark().Number();
  {
    const auto queue = queue_.Write();
    if (queue->process != process) {
      queue->waiting.clear();
      queue->delivering = false;
      queue->process = process;
    }
    queue->waiting.push_back(std::move(line));
    if (queue->delivering) return;
    queue->delivering = true;
  }
  for (;;) {
    Line next;
    {
      const auto queue = queue_.Write();
      // The callback has forked: this is the child, and the lines are the parent's.
      if (queue_.mark().Number() != process) {
        if (queue->process == process) *queue = Queue();
        return;
      }
      if (queue->waiting.empty()) {
        queue->delivering = false;
        return;
      }
      next = std::move(queue->waiting.front());
      queue->waiting.pop_front();
    }
    std::string ignored;  // a callback that throws must not stop the next lines
    EnterForeign(&ignored, [&] {
      callback_(context_, next.level, next.language.c_str(), next.text.c_str(),
                static_cast<int64_t>(next.text.size()));
    });
  }
}

void Warn(const LogContext& context, const std::string& text) noexcept {
  if (!context.warns) return;
  try {
    context.log->Write(ALLOY_LOG_WARN, context.host_language, text);
  } catch (...) {
    // What is warned of is no reason to fail.
  }
}

}  // namespace alloy::core_v0_1

// src/engine/channel/scope.cc -----------------------------------------------------------

#include <utility>

namespace alloy::core_v0_1 {

void Scope::SetError(alloy_code code, std::string text) {
  auto error = std::make_unique<BackendError>(BackendError{code, std::move(text)});
  const std::unique_ptr<BackendError> old(
      error_.exchange(error.release(), std::memory_order_acq_rel));
}

void Scope::SetFailure(Status failure) {
  auto kept = std::make_unique<Status>(std::move(failure));
  const std::unique_ptr<Status> old(
      failure_.exchange(kept.release(), std::memory_order_acq_rel));
}

Status Scope::TakeFailure() {
  if (failure_.load(std::memory_order_relaxed) == nullptr) return Status();
  const std::unique_ptr<Status> failure(
      failure_.exchange(nullptr, std::memory_order_acq_rel));
  return failure != nullptr ? std::move(*failure) : Status();
}

BackendError Scope::TakeError() {
  if (error_.load(std::memory_order_relaxed) == nullptr) return {};
  const std::unique_ptr<BackendError> error(
      error_.exchange(nullptr, std::memory_order_acq_rel));
  return error != nullptr ? std::move(*error) : BackendError{};
}

}  // namespace alloy::core_v0_1

// src/engine/channel/services.cc --------------------------------------------------------
//
// A backend calls these functions through C, from any thread and often from inside its
// own error handling. So none of them throws, and a lack of memory loses a text or a log
// line but never the call.

#include <string>
#include <string_view>

//
// Memory for the buffers of columns: what alloy_services.resize promises, for the engine
// and for hosts.
//
// Threads  shared.
#ifndef ALLOY_DETAIL_RESIZE_HPP_
#define ALLOY_DETAIL_RESIZE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace alloy::detail {

// Allocate (old_size 0), resize, or free (new_size 0) memory that is aligned to 64 bytes.
//
//   Takes  memory. If NULL is returned for a new_size above 0, the caller keeps it.
//   Gives  the memory; NULL if there is not enough.
inline void* AlignedResize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  constexpr size_t kAlignment = 64;
  if (new_size <= 0) {
    std::free(memory);
    return nullptr;
  }
  // No object is larger than PTRDIFF_MAX, and the sum below must not pass it.
  if (new_size > PTRDIFF_MAX - static_cast<int64_t>(kAlignment)) return nullptr;
  // aligned_alloc needs a multiple of the alignment; there is no aligned realloc.
  const size_t rounded =
      (static_cast<size_t>(new_size) + kAlignment - 1) & ~(kAlignment - 1);
  void* grown = std::aligned_alloc(kAlignment, rounded);
  if (grown == nullptr || memory == nullptr) return grown;
  std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  std::free(memory);
  return grown;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_RESIZE_HPP_
//
// Finds the characters of UTF-8 text, for checks of columns and for texts that must be
// cut or repaired.
//
// Threads  shared.
#ifndef ALLOY_SRC_BASE_UTF8_H_
#define ALLOY_SRC_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

using alloy::detail::CutText;
using alloy::detail::IsContinuation;
using alloy::detail::Utf8Character;
using alloy::detail::Utf8Length;

// `text` with a question mark in place of each byte that is not UTF-8. What a host reads
// is always text, whatever a backend wrote.
std::string AsUtf8(std::string_view text);

// Copy `text` to a caller's memory, cut by CutText where it is too long, and end it with a
// NUL. Returns the number of bytes before the NUL. `capacity` is at least 1.
size_t CopyText(std::string_view text, char* out, size_t capacity);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_BASE_UTF8_H_
//
// Shows an array that nobody has checked yet as text: checks it first, then describes it.
//
// Threads  shared.
#ifndef ALLOY_SRC_GATE_DESCRIBE_H_
#define ALLOY_SRC_GATE_DESCRIBE_H_

#include <cstdint>
#include <string>


namespace alloy::core_v0_1 {

// The text of DescribeRows (arrow/describe.h).
//   Fails  ALLOY_BAD_DATA  schema or array is malformed, or a string to show points
//                          outside its buffer.
Result<std::string> Describe(const ArrowSchema& schema, const ArrowArray& array);

// Write that text to `text`, as alloy_describe does: cut between two characters and ended
// by a NUL, unless capacity is 0. Returns the length of the whole text.
Result<int64_t> DescribeInto(const ArrowSchema& schema, const ArrowArray& array,
                             char* text, int64_t capacity);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_GATE_DESCRIBE_H_

namespace alloy::core_v0_1 {
namespace {

Scope& ScopeOf(alloy_scope* scope) { return *static_cast<Scope*>(scope); }

// length -1: the text ends with a NUL.
std::string_view ViewOf(const char* text, int64_t length) {
  if (text == nullptr) return {};
  return length < 0 ? std::string_view(text)
                    : std::string_view(text, static_cast<size_t>(length));
}

alloy_code ServiceFail(alloy_scope* scope, alloy_code code, const char* text,
                       int64_t length) {
  // A failure with the code OK would pass for a result that was never made.
  if (code <= ALLOY_OK || code > ALLOY_INTERNAL) code = ALLOY_INTERNAL;
  try {
    ScopeOf(scope).SetError(code, AsUtf8(ViewOf(text, length)));
  } catch (...) {
    // Without memory for the text, the caller gets only the code.
  }
  return code;
}

int32_t ServiceCancelled(alloy_scope* scope) { return ScopeOf(scope).stopped() ? 1 : 0; }

void ServiceProgress(alloy_scope* scope, int64_t done, int64_t total) {
  if (RunControl* control = ScopeOf(scope).control(); control != nullptr) {
    control->done.store(done, std::memory_order_relaxed);
    control->total.store(total, std::memory_order_relaxed);
  }
}

void ServiceLog(alloy_scope* scope, int32_t level, const char* text, int64_t length) {
  try {
    ScopeOf(scope).WriteLog(level, ViewOf(text, length));
  } catch (...) {
    // Without memory the line is lost, and the call goes on.
  }
}

int32_t ServiceLogging(alloy_scope* scope, int32_t level) {
  return ScopeOf(scope).Logs(level) ? 1 : 0;
}

int64_t ServiceDescribe(const ArrowSchema* schema, const ArrowArray* array, char* text,
                        int64_t capacity) {
  if (schema == nullptr || array == nullptr || (text == nullptr && capacity > 0)) {
    return -1;
  }
  try {
    const Result<int64_t> length = DescribeInto(*schema, *array, text, capacity);
    return length.ok() ? *length : -1;
  } catch (...) {
    return -1;
  }
}

constexpr alloy_services kServices = {.struct_size = sizeof(alloy_services),
                                      .abi = ALLOY_ABI,
                                      .fail = ServiceFail,
                                      .cancelled = ServiceCancelled,
                                      .progress = ServiceProgress,
                                      .resize = alloy::detail::AlignedResize,
                                      .log = ServiceLog,
                                      .logging = ServiceLogging,
                                      .describe = ServiceDescribe};

}  // namespace

const alloy_services& Services() { return kServices; }

}  // namespace alloy::core_v0_1

// src/engine/isolated/death.cc ----------------------------------------------------------
//
// Why a worker is gone, and the words for it.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_
#define ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace alloy::core_v0_1 {

enum class DeathCause : uint8_t {
  kSignal,     // value: the signal
  kExit,       // value: the exit status
  kHang,       // it did not stop in the grace time
  kLate,       // it did not answer in the time for what has no deadline; value: in ms
  kMemory,     // it had no memory left
  kViolation,  // it broke the rules of the conversation
  kUnknown,    // somebody else has reaped it
};

// A value.
struct Death {
  DeathCause cause = DeathCause::kUnknown;
  int value = 0;
  std::string detail;      // of a violation
  std::string last_words;  // the end of what it wrote to standard error

  bool said_fatal_memory = false;

  // The runtime of Go says first that it dies of memory, and then writes the stacks of all
  // goroutines. Call it before the beginning of last_words is dropped.
  void FindFatalMemory();
  // A worker that ended by a signal or an exit may have said that it was out of memory.
  void FindMemory();
};

// The cause as a reason of alloy/reason.h. ALLOY_REASON_NONE: it is unknown.
int32_t ReasonOf(DeathCause cause);

// `died by SIGSEGV`
std::string DescribeDeath(const Death& death, int64_t grace_ns, int64_t heap_bytes);

// What the user may not know about this death: `; the kernel sends SIGKILL …`; mostly empty.
std::string DescribeHint(const Death& death);

// The last lines of a text, as one line: `; its last words: …`; empty if it said nothing.
std::string DescribeLastWords(std::string_view text);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_DEATH_H_

#include <array>
#include <csignal>
#include <cstring>


namespace alloy::core_v0_1 {
namespace {

std::string SignalName(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

// `0.5 s`
std::string Seconds(int64_t nanoseconds) {
  std::string text = std::to_string(static_cast<double>(nanoseconds) / 1e9);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

// How the Go runtime says that it has no memory for objects, for its own books, or for the
// stack of a thread.
constexpr std::array kFatalWords = {"fatal error: out of memory",
                                    "runtime: out of memory",
                                    "cannot map pages in arena address space",
                                    "runtime: cannot allocate memory",
                                    "runtime/cgo: pthread_create failed",
                                    "failed to create new OS thread"};
// How Rust, C++ and glibc do.
constexpr std::array kLastWords = {"memory allocation of ", "std::bad_alloc",
                                   "cannot allocate memory", "Cannot allocate memory"};

}  // namespace

// A runtime may write a long trace behind these words.
void Death::FindFatalMemory() {
  for (const char* const words : kFatalWords) {
    if (last_words.find(words) != std::string::npos) said_fatal_memory = true;
  }
}

void Death::FindMemory() {
  if (cause != DeathCause::kSignal && cause != DeathCause::kExit) return;
  FindFatalMemory();
  if (said_fatal_memory) cause = DeathCause::kMemory;
  for (const char* const words : kLastWords) {
    if (last_words.find(words) != std::string::npos) cause = DeathCause::kMemory;
  }
}

int32_t ReasonOf(DeathCause cause) {
  switch (cause) {
    case DeathCause::kSignal:
      return ALLOY_REASON_WORKER_SIGNAL;
    case DeathCause::kExit:
      return ALLOY_REASON_WORKER_EXIT;
    case DeathCause::kHang:
    case DeathCause::kLate:
      return ALLOY_REASON_WORKER_HANG;
    case DeathCause::kMemory:
      return ALLOY_REASON_WORKER_MEMORY;
    case DeathCause::kViolation:
      return ALLOY_REASON_WORKER_VIOLATION;
    case DeathCause::kUnknown:
      break;
  }
  return ALLOY_REASON_NONE;
}

std::string DescribeDeath(const Death& death, int64_t grace_ns, int64_t heap_bytes) {
  switch (death.cause) {
    case DeathCause::kSignal:
      return "died by " + SignalName(death.value);
    case DeathCause::kExit:
      return "ended itself with exit status " + std::to_string(death.value);
    case DeathCause::kHang:
      return "was killed, because it did not stop within the grace time of " +
             Seconds(grace_ns);
    case DeathCause::kLate:
      return "was killed, because it did not answer within " +
             Seconds(int64_t{death.value} * 1'000'000);
    case DeathCause::kMemory:
      return "ran out of memory (heap_bytes is " + std::to_string(heap_bytes) + ")";
    case DeathCause::kViolation:
      return "was killed, because it broke the rules: " + death.detail;
    case DeathCause::kUnknown:
      break;
  }
  return "ended for an unknown reason: this process ignores SIGCHLD, or reaps all its "
         "children";
}

// This process has not sent it, or the cause would be another one.
std::string DescribeHint(const Death& death) {
  if (death.cause != DeathCause::kSignal || death.value != SIGKILL) return {};
  return "; the kernel sends SIGKILL when a memory limit of the container or the machine "
         "is reached: compare heap_bytes, input_bytes and output_bytes with it";
}

std::string DescribeLastWords(std::string_view text) {
  constexpr size_t kMostBytes = 300, kMostLines = 3;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text.empty()) return {};
  size_t begin = text.size();
  for (size_t lines = 0; begin > 0 && text.size() - begin < kMostBytes; --begin) {
    if (text[begin - 1] == '\n' && ++lines == kMostLines) break;
  }
  std::string words = "; its last words: ";
  for (const char c : text.substr(begin))
    words += c == '\n' ? std::string(" | ") : std::string(1, c);
  return words;
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/find_worker.cc ----------------------------------------------------
//
// Where the worker program is. No environment variable names it.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_
#define ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_

#include <string>


namespace alloy::core_v0_1 {

// In this order: the path that the host names; a program next to the engine; this program
// itself, if the engine was compiled into it as into a Go program.
//   named  an absolute path; empty: none.
//   Fails  REFUSED with WORKER: it is missing; the text has the path.
Result<std::string> FindWorker(const std::string& named);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_FIND_WORKER_H_

//
// Where this program and the engine lie on the disk.
#ifndef ALLOY_SRC_PORT_OWN_PROGRAM_H_
#define ALLOY_SRC_PORT_OWN_PROGRAM_H_

#include <string>

namespace alloy::core_v0_1 {

// A path that always leads to the program of the process that uses it.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

// The file that holds the engine: a shared library, or a program. Empty if the loader does
// not know it.
std::string FileOfEngine();

// The worker program that is installed with the engine in this folder, which ends in '/'.
// Empty if it is not there.
std::string WorkerIn(const std::string& folder);

// Whether an open descriptor is memory that can be sealed.
bool IsSealable(int fd);

// Without the destructors of libraries, which may wait for anything.
[[noreturn]] void EndProcess(int status);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_OWN_PROGRAM_H_
//
// Runs another program to its end: by absolute path, with an empty environment, in the
// root folder, with only the descriptors that are handed to it.
#ifndef ALLOY_SRC_PORT_SPAWN_H_
#define ALLOY_SRC_PORT_SPAWN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

struct ProgramRun {
  std::string program;                 // an absolute path
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<const Fd*> hand_over;    // borrowed; they arrive as 3, 4, 5, …
  int64_t limit_ns = 0;                // then it is killed, with all that it started
  size_t most_output = 0;  // bytes that are kept; the rest is read and dropped
  // Of each process that is started, in bytes; 0: no limit. Memory is the writable memory
  // of its own (RLIMIT_DATA).
  uint64_t most_memory = 0, most_file = 0;
};

struct ProgramEnd {
  bool timed_out = false;
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string output;  // what it wrote to standard output and error
};

// Run a program and wait until it ends. Its standard input is empty.
// Returns 0, or an errno if it could not be started or waited for: ECHILD in a process
// that ignores SIGCHLD, or that reaps all children.
//
// Threads  shared. It blocks.
int RunProgram(const ProgramRun& run, ProgramEnd* out);

// Whether a file is there and this process may execute it.
bool IsExecutable(const std::string& path);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SPAWN_H_

namespace alloy::core_v0_1 {

Result<std::string> FindWorker(const std::string& named) {
  if (!named.empty()) {
    if (IsExecutable(named)) return named;
    return Fail(
        ALLOY_REFUSED, ALLOY_REASON_WORKER,
        "the worker program " + named +
            " is missing or cannot be executed; correct `worker`, or leave it out");
  }
#ifdef ALLOY_AMALGAMATED
  if (IsExecutable(kOwnProgram)) return std::string(kOwnProgram);
  return Fail(ALLOY_REFUSED, ALLOY_REASON_NO_PROC,
              "the worker is this program itself, which is found by " +
                  std::string(kOwnProgram) +
                  "; the proc file system is not mounted on /proc: mount it (mount -t "
                  "proc proc /proc), or set `worker`");
#else
  const std::string engine = FileOfEngine();
  const std::string folder = engine.substr(0, engine.find_last_of('/') + 1);
  if (std::string found = WorkerIn(folder); !found.empty()) return found;
  return Fail(ALLOY_REFUSED, ALLOY_REASON_WORKER,
              "the isolated mode needs the program " + folder +
                  "alloy-worker, which is missing or cannot be executed; install it next "
                  "to the engine, or set `worker` to its path");
#endif
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/host_pool.cc ------------------------------------------------------
//
// Memory for the data of a host: alloy_pool of alloy.h.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_
#define ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_

#include <cstdint>
#include <memory>
#include <utility>


namespace alloy::core_v0_1 {

// Threads  shared.
class HostPool {
 public:
  // memory NULL: the backend is in this process, and so plain memory will do.
  explicit HostPool(std::shared_ptr<InputMemory> memory)
      : memory_(std::move(memory)), process_(mark_.Number()) {}
  HostPool(const HostPool&) = delete;
  HostPool& operator=(const HostPool&) = delete;

  // As alloy_pool_resize.
  void* Resize(void* memory, int64_t old_size, int64_t new_size) noexcept;

 private:
  const std::shared_ptr<InputMemory> memory_;
  ProcessMark mark_;
  const uint32_t process_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_HOST_POOL_H_

#include <algorithm>
#include <cstring>


namespace alloy::core_v0_1 {

void* HostPool::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  using alloy::detail::AlignedResize;
  if (memory_ == nullptr) return AlignedResize(memory, old_size, new_size);
  if (mark_.Number() == process_) [[likely]]
    return memory_->Resize(memory, old_size, new_size);
  // In a child of fork the shared memory and its books are the parent's. What is allocated
  // here is in the heap. What is freed here came from either, and is left as it is.
  if (new_size <= 0) return nullptr;
  void* const grown = AlignedResize(nullptr, 0, new_size);
  if (grown != nullptr && memory != nullptr) {
    std::memcpy(grown, memory, static_cast<size_t>(std::min(old_size, new_size)));
  }
  return grown;
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/input_memory.cc ---------------------------------------------------

#include <algorithm>
#include <string>

namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kFirstSegment = int64_t{4} << 20;
constexpr int64_t kLargestStep = int64_t{256} << 20;
// The arena gives out multiples of it.
constexpr int64_t kAlignment_input_memory = 64;

}  // namespace

Result<std::shared_ptr<const InputMemory::Piece>> InputMemory::Reserve(size_t size) {
  void* data = arena_.Allocate(size);
  if (data == nullptr && !arena_.HasRoomFor(size)) {
    ALLOY_TRY(Grow(size));
    data = arena_.Allocate(size);
  }
  if (data == nullptr) {
    return Fail(ALLOY_EXHAUSTED,
                "an input needs " + std::to_string(size) +
                    " bytes of shared memory, which input_bytes allows, but the machine "
                    "has no memory for them; free memory, or raise the memory limit of "
                    "this process or container");
  }
  auto* const begin = static_cast<std::byte*>(data);
  return std::make_shared<const Piece>(shared_from_this(), *Find(begin), begin, size);
}

void* InputMemory::Resize(void* memory, int64_t old_size, int64_t new_size) noexcept {
  try {
    if (new_size > 0) {
      const size_t room = memory != nullptr ? arena_.SizeOf(memory) : 0;
      const auto wanted = static_cast<size_t>(new_size);
      // Without room in the budget it is in the heap, and is copied when it crosses.
      if (room < wanted && !arena_.HasRoomFor(wanted)) (void)Grow(wanted);
    }
  } catch (...) {
    // The same.
  }
  return arena_.Resize(memory, old_size, new_size);
}

Status InputMemory::Grow(size_t size) {
  const std::scoped_lock lock(mutex_);
  const int64_t last =
      segments_.empty() ? 0 : static_cast<int64_t>(segments_.back()->memory().size());
  const auto wanted = static_cast<int64_t>(
      std::min<size_t>(size, size_t{1} << 62) / kAlignment_input_memory * kAlignment_input_memory + kAlignment_input_memory);
  ALLOY_ASSIGN_OR_RETURN(
      auto segment,
      Segment::Make(Segment::For::kInputs, wanted,
                    std::max(kFirstSegment, std::min(2 * last, kLargestStep)), budget_));
  SharedMemory& memory = segment->memory();
  segments_.push_back(std::move(segment));
  n_segments_.store(segments_.size(), std::memory_order_release);
  arena_.Add(memory.data(), memory.size(), &memory);
  return Status();
}

Segment* InputMemory::Find(const std::byte* data) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& segment : segments_) {
    const SharedMemory& memory = segment->memory();
    if (data >= memory.data() && data < memory.data() + memory.size()) {
      return segment.get();
    }
  }
  return nullptr;
}

std::vector<std::shared_ptr<Segment>> InputMemory::SegmentsFrom(size_t known) const {
  const std::scoped_lock lock(mutex_);
  return {segments_.begin() + static_cast<ptrdiff_t>(std::min(known, segments_.size())),
          segments_.end()};
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/pool.cc -----------------------------------------------------------
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

//
// The thread that starts workers, reads what they say on standard error, and notices their
// end. Workers end with the thread that started them, so it lives as long as their group.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_
#define ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_

#include <memory>
#include <string>

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

//
// Results that lie in the memory of a worker, and how it hears that a host has released
// them.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
#define ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {

// The results of one worker that hosts have released, and that the worker does not know of
// yet. They travel with the next message, so a release never waits and never fails.
//
// Threads  shared: Add on any thread; the others serial.
class ReleasedResults {
 public:
  // A delivered result, until the worker knows that it was released. It is made with the
  // result, so that a release allocates nothing.
  struct Node {
    uint64_t result = 0;
    // Where the result may lie: the segments for results, and the inputs of its call.
    std::vector<std::shared_ptr<Segment>> segments = {};
    std::vector<std::shared_ptr<const void>> inputs = {};
    Node* next = nullptr;
  };

  ReleasedResults() = default;
  ~ReleasedResults();
  ReleasedResults(const ReleasedResults&) = delete;
  ReleasedResults& operator=(const ReleasedResults&) = delete;

  // An empty node, with the memory of an earlier one if there is one.
  std::unique_ptr<Node> NewNode();
  void Add(std::unique_ptr<Node> node) noexcept;
  // The numbers of at most `most` of them; the rest stays for the next message. They are
  // valid until the next Take.
  std::span<const uint64_t> Take(size_t most);

 private:
  std::atomic<Node*> added_{nullptr};
  Node* waiting_ = nullptr;
  std::vector<uint64_t> taken_;
  std::unique_ptr<Node> spare_;
};

// What a delivered result keeps alive. When it ends, the worker may use the memory again.
//
// In a child of fork it does nothing: worker and locks are the parent's.
class ResultOwner {
 public:
  ResultOwner(std::shared_ptr<ReleasedResults> released,
              std::unique_ptr<ReleasedResults::Node> node,
              std::shared_ptr<ProcessMark> mark)
      : released_(std::move(released)),
        node_(std::move(node)),
        mark_(std::move(mark)),
        process_(mark_->Number()) {}
  ~ResultOwner();
  ResultOwner(const ResultOwner&) = delete;
  ResultOwner& operator=(const ResultOwner&) = delete;

 private:
  std::shared_ptr<ReleasedResults> released_;
  std::unique_ptr<ReleasedResults::Node> node_;
  std::shared_ptr<ProcessMark> mark_;
  const uint32_t process_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_RESULTS_H_
//
// A child process that lives as long as its owner wants: a worker.
//
// For a program that is only run to its end, see RunProgram in port/spawn.h.
#ifndef ALLOY_SRC_PORT_CHILD_H_
#define ALLOY_SRC_PORT_CHILD_H_

#include <optional>
#include <utility>

//
// Starts another program, without a fork: in the root folder, with default signal handling,
// in a process group of its own, with only the descriptors that are handed to it. Its
// standard input is empty; its standard output and error are one pipe.
#ifndef ALLOY_SRC_PORT_PROGRAM_START_H_
#define ALLOY_SRC_PORT_PROGRAM_START_H_

#include <string>
#include <vector>


namespace alloy::core_v0_1 {

struct ProgramStart {
  std::string program;                   // an absolute path
  const Fd* image = nullptr;             // borrowed; if set, this open file is executed
  std::vector<std::string> arguments;    // from argv[0], which is the program's name
  std::vector<std::string> environment;  // NAME=value; empty by default
  std::vector<const Fd*> hand_over;      // borrowed; they arrive as 3, 4, 5, …
};

// The process id and the reading end of the pipe, which does not block. Returns 0, or the
// errno of what could not be done; then no process was started.
//
// Threads  shared.
int StartProgram(const ProgramStart& start, int* pid, Fd* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_PROGRAM_START_H_

namespace alloy::core_v0_1 {

// How a process ended. Nobody knows if the host reaped the child itself, or ignores
// SIGCHLD, and Linux is older than 6.15.
struct ChildEnd {
  int exit_code = -1;  // -1: not by exit
  int signal = 0;      // 0: not by a signal
  bool is_known() const { return exit_code >= 0 || signal != 0; }
};

// Threads  serial, but Kill: any thread, as long as the object is not moved. Move-only.
class Child {
 public:
  // Start a program, as port/program_start.h says.
  //   Fails  EXHAUSTED    descriptors, processes or memory ran out.
  //          UNSUPPORTED  the program cannot be executed, or the kernel has no pidfd.
  static Result<Child> Start(const ProgramStart& start);

  // Whether this machine has what Start needs.
  //   Fails  UNSUPPORTED, if the kernel has no pidfd or a container refuses it.
  static Status CheckMachine();

  Child() = default;
  Child(Child&& other) noexcept { *this = std::move(other); }
  Child& operator=(Child&& other) noexcept;
  // Kills the child and waits until it has ended. In a forked child of the process that
  // started it, only descriptors are closed.
  ~Child() { EndAndReap(); }

  int pid() const { return pid_; }
  // Becomes readable when the child has ended.
  const Fd& handle() const { return handle_; }
  // What the child writes to standard output and error. It does not block; close it as
  // you like.
  Fd& output() { return output_; }

  // By the handle, so that no other process can be hit. Returns whether the child was
  // there to get the signal. Does nothing in a forked child of the process.
  bool Kill(int signal) const;

  // Returns how the child ended, once it has; then what it started in its process group is
  // killed too. nullopt: it still runs.
  std::optional<ChildEnd> TryReap() { return Reap(false); }

 private:
  std::optional<ChildEnd> Reap(bool wait);
  void EndAndReap();

  int pid_ = 0;
  int owner_ = 0;  // the process that started it
  Fd handle_;
  Fd output_;
  std::optional<ChildEnd> end_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_CHILD_H_
//
// What host and worker say to each other. They take turns: the host asks, and waits for the
// worker. While it works, the worker may ask the host for a batch of an input, or for more
// memory, and waits for that. Neither writes while the other one may read.
//
//   Host to worker: HostWord, the exchange, what is released, new segments, then the body.
//   Worker to host: WorkerWord, the exchange, what is released, then the body.
//
// The bodies are written and read in one place each: engine/isolated/worker.cc and
// worker/serve.cc.
#ifndef ALLOY_SRC_WIRE_PROTOCOL_H_
#define ALLOY_SRC_WIRE_PROTOCOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>


namespace alloy::core_v0_1 {

// Changes with every change of what follows: both sides are of the same build, or they do
// not talk.
inline constexpr uint64_t kProtocol = 0x616c6c6f79000002;  // "alloy", 2

// What a host asks, or answers.
enum class HostWord : uint32_t {
  kNothing = 0,
  kLoad = 1,
  kBind,
  kUnbind,
  kRun,
  kOpen,
  kNext,
  kClose,
  kQuit,
  kBatch,    // answers kPull
  kSegment,  // answers kNeed
};

// What a worker answers, or asks.
enum class WorkerWord : uint32_t {
  kNothing = 0,
  kDone = 1,  // the answer to what the host asked
  kPull,      // the next batch of an input
  kNeed,      // a segment for results, with room for so many bytes
};

// The descriptors that a worker inherits, besides standard error.
enum WorkerDescriptor : int { kControlFd = 3, kSocketFd = 4, kLibraryFd = 5 };

// The first argument of a process that is to become a worker.
inline constexpr const char* kWorkerArgument = "--alloy-worker";

inline constexpr size_t kMessageBytes = size_t{4} << 20;
inline constexpr size_t kLogBytes = size_t{64} << 10;

// The memory that both sides may write. Pages that are never used cost nothing.
struct ControlBlock {
  std::atomic<uint64_t> protocol{kProtocol};
  // How the worker waits; written before it starts.
  std::atomic<Waiting> waiting{Waiting::kAdaptive};

  Mailbox to_worker;
  Mailbox to_host;

  // The exchange that is asked to stop, written by the host.
  alignas(64) std::atomic<uint64_t> stop{0};

  // Progress and log lines of the running exchange, written by the worker. A line is its
  // level (1 byte), its length (4 bytes) and its text. The host takes all lines at once.
  alignas(64) std::atomic<int64_t> done{0};
  std::atomic<int64_t> total{0};
  std::atomic<uint32_t> log_turn{0};  // 1: one side uses what follows
  std::atomic<uint32_t> log_used{0};
  std::atomic<uint32_t> log_lost{0};  // lines that did not fit
  std::array<std::byte, kLogBytes> log;

  alignas(4096) std::array<std::byte, kMessageBytes> for_worker;
  alignas(4096) std::array<std::byte, kMessageBytes> for_host;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WIRE_PROTOCOL_H_
//
// Arrays as records. A record says where each buffer lies: (segment, offset, length), never
// an address. So the two processes need not share addresses, and every buffer has a known
// size, which the C data interface does not carry.
//
// A record is written in preorder along the layout (a dictionary first, then the children),
// as the gate counts columns. Neither side tells the other the nesting.
//
//   places         the words of a record      record_copies  checked copies of what readers follow
//   record_writer  from an ArrowArray         record_reader  to an ArrowArray
#ifndef ALLOY_SRC_WIRE_RECORDS_H_
#define ALLOY_SRC_WIRE_RECORDS_H_


#endif  // ALLOY_SRC_WIRE_RECORDS_H_

namespace alloy::core_v0_1 {

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

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_H_

namespace alloy::core_v0_1 {

// How a worker is started.
struct WorkerProgram {
  std::string path;  // absolute
  const Fd* library = nullptr;
};

// Threads  shared.
class Supervisor {
 public:
  // Borrows mark, as long as this lives.
  explicit Supervisor(std::shared_ptr<ProcessMark> mark) : mark_(std::move(mark)) {}
  // Kills the workers that are left.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Start the process of a worker, and watch over it.
  //   Fails  REFUSED with WORKER: the program is missing, or cannot run.
  //          EXHAUSTED: no descriptors, processes or threads are left.
  Status Start(const std::shared_ptr<Worker>& worker, const WorkerProgram& program);

 private:
  struct Thread;  // in supervisor.cc

  const std::shared_ptr<ProcessMark> mark_;
  // NULL: no worker was started yet.
  std::atomic<Thread*> thread_{nullptr};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_SUPERVISOR_H_

namespace alloy::core_v0_1 {

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

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_POOL_H_

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>


namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/isolated/results.cc --------------------------------------------------------

namespace alloy::core_v0_1 {
namespace {

void FreeNodes(ReleasedResults::Node* node) {
  while (node != nullptr) {
    const std::unique_ptr<ReleasedResults::Node> gone(node);
    node = gone->next;
  }
}

}  // namespace

ReleasedResults::~ReleasedResults() {
  FreeNodes(added_.load(std::memory_order_acquire));
  FreeNodes(waiting_);
}

void ReleasedResults::Add(std::unique_ptr<Node> node) noexcept {
  Node* const added = node.release();
  added->next = added_.load(std::memory_order_relaxed);
  while (!added_.compare_exchange_weak(added->next, added, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
}

std::unique_ptr<ReleasedResults::Node> ReleasedResults::NewNode() {
  return spare_ != nullptr ? std::move(spare_) : std::make_unique<Node>();
}

std::span<const uint64_t> ReleasedResults::Take(size_t most) {
  taken_.clear();
  if (waiting_ == nullptr) {
    if (added_.load(std::memory_order_relaxed) == nullptr) return taken_;
    waiting_ = added_.exchange(nullptr, std::memory_order_acquire);
  }
  while (waiting_ != nullptr && taken_.size() < most) {
    std::unique_ptr<Node> node(waiting_);
    waiting_ = node->next;
    taken_.push_back(node->result);
    spare_ = std::move(node);
  }
  return taken_;
}

ResultOwner::~ResultOwner() {
  if (mark_->Number() != process_) {
    (void)node_.release();  // NOLINT(bugprone-unused-return-value): lost on purpose
    return;
  }
  // What is in the list keeps nothing.
  node_->segments.clear();
  node_->inputs.clear();
  released_->Add(std::move(node_));
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/segment.cc --------------------------------------------------------

#include <algorithm>
#include <string>

namespace alloy::core_v0_1 {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kMostBytes = int64_t{1} << 46;

// Gives bytes back to a budget, unless they are used.
class Taken {
 public:
  explicit Taken(Budget& budget) : budget_(budget) {}
  ~Taken() {
    if (bytes_ > 0) budget_.Give(bytes_);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  bool Take(int64_t bytes) {
    const bool taken = budget_.Take(bytes);
    if (taken) bytes_ = bytes;
    return taken;
  }
  void Use() { bytes_ = 0; }

 private:
  Budget& budget_;
  int64_t bytes_ = 0;
};

Status NoRoom(Segment::For what, int64_t wanted, const Budget& budget) {
  const bool inputs = what == Segment::For::kInputs;
  return Fail(ALLOY_EXHAUSTED,
              std::string(inputs ? "an input needs " : "a result needs ") +
                  std::to_string(wanted) + " bytes of shared memory, and only " +
                  std::to_string(std::max<int64_t>(budget.left(), 0)) + " of " +
                  std::to_string(budget.limit()) +
                  " are left; release results, or raise " +
                  (inputs ? "input_bytes" : "output_bytes"));
}

}  // namespace

Result<std::shared_ptr<Segment>> Segment::Make(For what, int64_t wanted, int64_t better,
                                               const std::shared_ptr<Budget>& budget) {
  if (wanted > kMostBytes) return NoRoom(what, wanted, *budget);
  const auto pages = [](int64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; };
  const int64_t least = pages(wanted);
  int64_t size = std::max(least, std::min(pages(better), budget->left() / kPage * kPage));
  Taken taken(*budget);
  if (!taken.Take(size)) {
    size = least;
    if (!taken.Take(size)) return NoRoom(what, wanted, *budget);
  }
  auto memory = what == For::kInputs
                    ? SharedMemory::MakeForReader(static_cast<size_t>(size))
                    : SharedMemory::MakeForWriter(static_cast<size_t>(size));
  if (!memory.ok()) return memory.status();
  auto* const segment = new Segment(what, *std::move(memory), size, budget);
  taken.Use();
  return std::shared_ptr<Segment>(segment);
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/supervisor.cc -----------------------------------------------------

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

//
// Waits for many descriptors at once: for the ends of children and for what they write.
//
// The set belongs to the process that made it. A forked child shares it, so it may only
// destroy its copy, which closes descriptors and leaves the set unchanged.
#ifndef ALLOY_SRC_PORT_WATCHER_H_
#define ALLOY_SRC_PORT_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <span>


namespace alloy::core_v0_1 {

// Threads  shared for Add, Remove and Wake; one thread at a time waits. Move-only.
class Watcher {
 public:
  //   Fails  EXHAUSTED, if descriptors or memory ran out.
  static Result<Watcher> Make();

  // Report `tag` from each Wait, as long as the descriptor is readable or its other side is
  // closed. kWoken is not a tag.
  //   Borrows  fd, until Remove. Remove it before it is closed: the set keeps what a forked
  //            child of the host still has open.
  //   Fails    EXHAUSTED, if memory or the user's limit on watches ran out.
  Status Add(const Fd& fd, uint64_t tag);
  // A wait that is going on may still report it.
  void Remove(const Fd& fd);

  // The next Wait returns at once, or the one that is going on. Async-signal-safe.
  void Wake() const;

  // Wait until something is ready or MonotonicNanos (port/clock.h) is `deadline_ns`; a
  // negative one never comes, and one that has passed only looks. Returns the tags at the
  // front of `tags`, of which there are none after the deadline or after Wake.
  std::span<const uint64_t> Wait(std::span<uint64_t> tags, int64_t deadline_ns);

 private:
  static constexpr uint64_t kWoken = ~uint64_t{0};

  Fd set_;
  Fd wake_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_WATCHER_H_

namespace alloy::core_v0_1 {
namespace {

// What a program cannot be for another reason than a lack of resources.
Status NotStarted(const std::string& program, const Status& status) {
  if (status.code() != ALLOY_UNSUPPORTED) return status;
  return Fail(ALLOY_REFUSED, ALLOY_REASON_WORKER,
              "the worker program " + program + ": " + status.fault().text +
                  "; install alloy-worker next to the engine, or set `worker`");
}

// What is there to read, but not more than a pipe holds: a worker that writes without end
// may neither keep the thread nor fill the memory of the host. Returns false at the end.
bool ReadSome(const Fd& pipe, std::string* out) {
  constexpr size_t kMost = size_t{64} << 10;
  std::array<std::byte, 4096> chunk;
  while (out->size() < kMost) {
    size_t done = 0;
    const int error = ReadFully(pipe, chunk, &done);
    out->append(reinterpret_cast<const char*>(chunk.data()), done);
    if (error != 0) return true;  // nothing more at the moment
    if (done < chunk.size()) return false;
  }
  return true;
}

}  // namespace

// The thread of one process, and the workers that it watches over.
struct Supervisor::Thread {
  Thread(uint32_t number, Watcher made) : process(number), watcher(std::move(made)) {}

  struct Job {
    std::shared_ptr<Worker> worker;
    const WorkerProgram* program = nullptr;
    Status* status = nullptr;
    bool* done = nullptr;
  };
  struct Ward {
    std::shared_ptr<Worker> worker;
    std::shared_ptr<Child> child;
    bool is_read = true;  // its standard error is still open
  };

  void Loop();
  Status Start(const Job& job);
  void See(uint64_t key);
  void Read(Ward& ward);
  void Show(const std::string& text);

  const uint32_t process;
  Watcher watcher;
  std::mutex mutex;
  std::condition_variable done;
  std::deque<Job> jobs;   // guarded by mutex
  bool stopping = false;  // guarded by mutex
  // Of the thread alone. Each ward has two keys: 2n of its process, 2n + 1 of its pipe.
  std::unordered_map<uint64_t, Ward> wards;
  uint64_t last_key = 0;
  uint64_t unshown = 0;  // bytes that standard error did not take
  std::thread thread;
};

void Supervisor::Thread::Loop() {
  for (;;) {
    std::array<uint64_t, 32> ready;
    for (const uint64_t key : watcher.Wait(ready, kNoDeadline)) See(key);
    std::unique_lock lock(mutex);
    while (!jobs.empty()) {
      const Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      Status status;
      try {
        status = Start(job);
      } catch (const std::bad_alloc&) {
        status = Fail(ALLOY_EXHAUSTED, "out of memory while a worker was started");
      }
      lock.lock();
      *job.status = std::move(status);
      *job.done = true;
      done.notify_all();
    }
    if (stopping) break;
  }
  // Each child is killed and reaped when its ward ends.
  for (auto& [key, ward] : wards) ward.worker->Kill();
  for (auto& [key, ward] : wards) {
    ward.child.reset();
    ward.worker->Ended(DeathCause::kSignal, 9);
  }
  wards.clear();
}

Status Supervisor::Thread::Start(const Job& job) {
  ProgramStart start{.program = job.program->path,
                     .image = nullptr,
                     .arguments = {job.program->path, kWorkerArgument},
                     .environment = {},
                     .hand_over = {&job.worker->control_file(), &job.worker->far_socket(),
                                   job.program->library}};
  auto child = Child::Start(start);
  if (!child.ok()) return NotStarted(job.program->path, child.status());
  Ward ward{.worker = job.worker, .child = std::make_shared<Child>(*std::move(child))};
  const uint64_t key = ++last_key;
  ALLOY_TRY(watcher.Add(ward.child->handle(), 2 * key));
  if (Status status = watcher.Add(ward.child->output(), 2 * key + 1); !status.ok()) {
    watcher.Remove(ward.child->handle());
    return status;
  }
  job.worker->Started(ward.child);
  wards.emplace(key, std::move(ward));
  return Status();
}

// A backend in process writes to standard error too. But a reader that does not read must
// not keep this thread, which starts workers and notices their ends.
void Supervisor::Thread::Show(const std::string& text) {
  constexpr int kStandardError = 2;
  if (unshown > 0) {
    const std::string note =
        "[alloy] standard error was full: " + std::to_string(unshown) +
        " bytes that workers wrote are lost\n";
    if (WriteWithoutWaiting(kStandardError, note) == 0) {
      unshown += text.size();
      return;
    }
    unshown = 0;
  }
  unshown += text.size() - WriteWithoutWaiting(kStandardError, text);
}

void Supervisor::Thread::Read(Ward& ward) {
  if (!ward.is_read) return;
  bool more = true;
  try {
    std::string text;
    more = ReadSome(ward.child->output(), &text);
    if (!text.empty()) {
      ward.worker->Wrote(text);
      Show(text);
    }
  } catch (const std::bad_alloc&) {
    // Without memory the words are lost. What is left is read later.
  }
  if (!more) {
    watcher.Remove(ward.child->output());
    ward.is_read = false;
  }
}

void Supervisor::Thread::See(uint64_t key) {
  const auto found = wards.find(key / 2);
  if (found == wards.end()) return;
  Ward& ward = found->second;
  Read(ward);
  if (key % 2 != 0) return;
  const auto end = ward.child->TryReap();
  if (!end.has_value()) return;
  Read(ward);  // what it wrote just before
  watcher.Remove(ward.child->handle());
  if (ward.is_read) watcher.Remove(ward.child->output());
  if (end->signal != 0) {
    ward.worker->Ended(DeathCause::kSignal, end->signal);
  } else if (end->is_known()) {
    ward.worker->Ended(DeathCause::kExit, end->exit_code);
  } else {
    ward.worker->Ended(DeathCause::kUnknown, 0);
  }
  wards.erase(found);
}

Status Supervisor::Start(const std::shared_ptr<Worker>& worker,
                         const WorkerProgram& program) {
  Thread* thread = thread_.load(std::memory_order_acquire);
  if (thread == nullptr) {
    ALLOY_ASSIGN_OR_RETURN(Watcher watcher, Watcher::Make());
    auto made = std::make_unique<Thread>(mark_->Number(), std::move(watcher));
    if (thread_.compare_exchange_strong(thread, made.get(), std::memory_order_acq_rel)) {
      thread = made.release();
      const std::scoped_lock lock(thread->mutex);
      try {
        thread->thread = std::thread([thread] { thread->Loop(); });
      } catch (const std::system_error&) {
        thread->stopping = true;  // for ever: this host has no thread for it
      }
    }
  }
  Status status;
  bool done = false;
  std::unique_lock lock(thread->mutex);
  if (thread->stopping) {
    return Fail(ALLOY_EXHAUSTED,
                "the thread that watches over workers could not be started; raise the "
                "limit of threads (ulimit -u)");
  }
  thread->jobs.push_back({worker, &program, &status, &done});
  thread->watcher.Wake();
  thread->done.wait(lock, [&done] { return done; });
  return status;
}

Supervisor::~Supervisor() {
  Thread* const thread = thread_.load(std::memory_order_acquire);
  // In a child of fork there is no thread to end, and its workers are the parent's.
  if (thread == nullptr || thread->process != mark_->Number()) return;
  const std::unique_ptr<Thread> owner(thread);
  {
    const std::scoped_lock lock(thread->mutex);
    thread->stopping = true;
  }
  thread->watcher.Wake();
  if (thread->thread.joinable()) thread->thread.join();
}

}  // namespace alloy::core_v0_1

// src/engine/isolated/worker.cc ---------------------------------------------------------

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

//
// Pass open files to another process, over a pair of sockets. Errors are numbers of
// <cerrno>; 0 is success.
#ifndef ALLOY_SRC_PORT_DESCRIPTORS_H_
#define ALLOY_SRC_PORT_DESCRIPTORS_H_


namespace alloy::core_v0_1 {

// Two ends of a connection, closed on exec.
int MakeSocketPair(Fd* one, Fd* other);

// The process that made the pair of sockets; 0 if this one cannot see it.
int MakerOf(const Fd& socket);

// Never waits: EAGAIN if the other side has not taken what it was sent before.
int SendDescriptor(const Fd& socket, const Fd& file);
// Waits until one comes. ECONNRESET: the other side is gone, or sent something else.
int ReceiveDescriptor(const Fd& socket, Fd* out);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_DESCRIPTORS_H_

namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/isolated/worker_channel.cc -------------------------------------------------
//
// The channel of a backend in worker processes.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_

#include <memory>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Loads libraries into workers of their own.
//   plainly    for debuggers: by the path of the library.
//   may_need   what a library may need.
std::unique_ptr<ChannelOpener> MakeWorkerOpener(WorkerLimits limits, WorkerMemory memory,
                                                bool plainly, MayNeed may_need);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_CHANNEL_H_

#include <algorithm>
#include <utility>

//
// A bind of a function in workers. A worker that starts later knows none of the earlier
// binds, so a state keeps what it was bound with.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  serial.
struct WorkerState {
  uint64_t id = 0;
  uint32_t function = 0;  // its place in the table
  const char* name = "";
  bool may_repeat = false;
  std::vector<OwnedSchema> schemas;
  std::vector<std::string> values;
  std::vector<std::unique_ptr<Layout>> layouts;
  std::vector<std::unique_ptr<RecordWriter>> writers;
  std::string output_key;  // what makes the schema of the output different from others
  std::unique_ptr<Layout> output;
  std::unique_ptr<RecordReader> reader;
  std::vector<Worker::Input> prepared;  // of a run; kept for its memory
  uint64_t batches = 0;
  int64_t rows = -1;                         // of the run; -1: unknown
  std::optional<WorkerPool::Turn> reserved;  // for a stream that is about to open
};

// What a backend answered.
struct WorkerAnswer {
  alloy_code code = ALLOY_OK;
  ByteReader rest{{}};
};

// Read the head of an answer. The scope gets what the backend reported, or what the engine's
// side in the worker found.
Result<WorkerAnswer> ReadAnswer(Worker& worker, const Worker::Ask& ask, ByteReader in,
                                Scope& scope);

// Make a worker know a state, and forget those that nobody needs. `output` may be NULL.
// Returns the code of the backend's bind.
Result<alloy_code> BindIn(Worker& worker, WorkerState& state, Scope& scope,
                          OwnedSchema* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_STATE_H_
//
// A stream function in a worker, as the channel gives its output to the engine.
#ifndef ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_
#define ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_

#include <span>


namespace alloy::core_v0_1 {

// Open a stream in the worker of a turn, which it keeps until it is released. The worker
// pulls its inputs through the thread that waits for the output.
//   Borrows  state and scope, until `output` is released.
//   Takes    turn. Moves out inputs.
//   Gives    output, if ALLOY_OK is returned.
Result<alloy_code> OpenWorkerStream(WorkerPool::Turn turn, WorkerState& state,
                                    Scope& scope, std::span<ArrowArrayStream> inputs,
                                    ArrowArrayStream* output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_ISOLATED_WORKER_STREAM_H_

namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/isolated/worker_state.cc ---------------------------------------------------

#include <utility>


namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/isolated/worker_stream.cc --------------------------------------------------

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

//
// Every stream that Alloy gives to a host or a backend: the C struct, and the interface
// that is behind it.
//
// Threads  serial: a second user at the same time gets EBUSY.
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_H_

#include <memory>


namespace alloy::core_v0_1 {

// The errno that the C stream interface returns for a code.
int ErrnoOf(alloy_code code);

// A failure of a stream: the errno that the C stream interface returns, and the whole
// Status.
struct StreamFault {
  int number = 0;  // an errno; 0: no failure
  Status status;

  StreamFault() = default;
  StreamFault(int errno_number, Status whole)
      : number(errno_number), status(std::move(whole)) {}
  // With the errno for the code.
  explicit StreamFault(Status whole);

  bool ok() const { return number == 0; }
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<OwnedSchema> Schema() = 0;
  // Move the next batch into *out, which is released before and stays so at the end. Not
  // called again after a failure or the end.
  virtual StreamFault Next(ArrowArray* out) = 0;
  // Next has failed: it returned a fault or threw.
  virtual void Failed(const StreamFault&) noexcept {}
};

// Make a C stream of it. Exceptions become failures. Failures and the end repeat, and
// get_schema works any number of times.
void ExportStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out);

// The failure of a stream that this engine made; ok if it has not failed. NULL for every
// other stream.
const StreamFault* FaultOf(const ArrowArrayStream& stream);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_H_

namespace alloy::core_v0_1 {
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

}  // namespace alloy::core_v0_1

// src/engine/open/bridge.cc -------------------------------------------------------------

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

//
// The built-in backend of a new bridge: it counts its inputs, prints them to the log, and
// returns them.
#ifndef ALLOY_SRC_ENGINE_OPEN_ECHO_H_
#define ALLOY_SRC_ENGINE_OPEN_ECHO_H_


namespace alloy::core_v0_1 {

inline constexpr const char* kEchoName = "alloy.echo";

const alloy_backend& EchoBackend();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_ECHO_H_
//
// Option structs of programs that are older or newer than this engine.
#ifndef ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_
#define ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace alloy::core_v0_1 {

// Whether struct_size may be that of some version: at least the size of the first version,
// and not so large that it must be uninitialised memory.
template <typename Options>
bool IsPlausibleSize(const Options& options, size_t first = sizeof(Options)) {
  return options.struct_size >= first && options.struct_size <= 4096;
}

// The options of a program that may be older: fields that it does not know are zero. Reads
// at most struct_size bytes.
template <typename Options>
Options Completed(const Options& options) {
  Options whole{};
  std::memcpy(&whole, &options, std::min<size_t>(options.struct_size, sizeof(Options)));
  return whole;
}

// True if all bytes after the fields that this engine knows are zero. A newer program's
// non-zero field is an option that would otherwise be silently ignored. Reads struct_size
// bytes.
template <typename Options>
bool TailIsZero(const Options& options) {
  if (options.struct_size <= sizeof(Options)) return true;
  const std::span whole(reinterpret_cast<const std::byte*>(&options),
                        options.struct_size);
  return std::ranges::all_of(whole.subspan(sizeof(Options)),
                             [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_OPTIONS_H_
//
// Libraries of the system that are used if they are installed. They are found at run time
// by their SONAME, so the build does not need them. They stay for the life of the process.
//
// Threads  shared.
#ifndef ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_
#define ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

// Ask this before any library is loaded: dlopen of a statically linked program crashes.
//   Fails  UNSUPPORTED, if the program is linked statically.
Status CheckHasLoader();

// By SONAME, or by absolute path. NULL if it cannot be loaded; `text` is then the loader's
// own error.
void* OpenSystemLibrary(const char* name, std::string* text);

// Whether the loader would use this library for `soname`.
bool AnswersAs(void* library, const char* soname);

// NULL when the library has no such symbol.
void* FindInSystemLibrary(void* library, const char* symbol);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_SYSTEM_LIBRARY_H_

namespace alloy::core_v0_1 {
namespace {

Status CheckLevel(uint32_t level, const char* field) {
  if (level <= ALLOY_CHECK_FULL) return Status();
  if (level == ALLOY_CHECK_UNSAFE_SHAPE) {
    return Fail(ALLOY_INVALID, std::string("alloy_bridge_options.") + field +
                                   " is ALLOY_CHECK_UNSAFE_SHAPE, which exists only for "
                                   "check_inputs; set it to 0, 1, 2 or 3");
  }
  return Fail(ALLOY_INVALID, std::string("alloy_bridge_options.") + field + " is " +
                                 std::to_string(level) + "; set it to 0, 1, 2 or 3");
}

Status CheckDigestOption(const char* sha256) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  if (sha256 == nullptr) return Status();
  const std::string_view text(sha256);
  if (text.size() == 64 && text.find_first_not_of(kDigits) == text.npos) return Status();
  return Fail(ALLOY_INVALID, "alloy_bridge_options.sha256 is " + Quoted(text) +
                                 "; set it to 64 hexadecimal digits, or to NULL");
}

// 0 in the options means the default.
Level LevelOr(Level default_level, uint32_t level) {
  return level == 0 ? default_level : static_cast<Level>(level);
}

Status CheckWorkerLimits(const alloy_bridge_options& options) {
  const auto negative = [](const char* field) {
    return Fail(ALLOY_INVALID,
                std::string("alloy_bridge_options.") + field +
                    " is negative; set it to a number of bytes or nanoseconds, or to 0");
  };
  if (options.input_bytes < 0) return negative("input_bytes");
  if (options.output_bytes < 0) return negative("output_bytes");
  if (options.heap_bytes < 0) return negative("heap_bytes");
  if (options.grace_ns < 0) return negative("grace_ns");
  if ((options.demand & ~uint32_t{ALLOY_RESTRICT_ALL}) != 0) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.demand has an unknown bit");
  }
  constexpr uint32_t kMostWorkers = 64;
  if (options.max_workers <= kMostWorkers) return Status();
  return Fail(ALLOY_INVALID, "alloy_bridge_options.max_workers is " +
                                 std::to_string(options.max_workers) +
                                 "; set it to 1 to 64, or to 0");
}

WorkerLimits LimitsOf(const alloy_bridge_options& options, const Host& host,
                      Waiting waiting) {
  WorkerLimits limits;
  const auto set = [](auto& limit, auto value) {
    if (value != 0) limit = value;
  };
  set(limits.max_workers, options.max_workers);
  set(limits.input_bytes, options.input_bytes);
  set(limits.output_bytes, options.output_bytes);
  set(limits.heap_bytes, options.heap_bytes);
  set(limits.grace_ns, options.grace_ns);
  if (options.setup_ms != 0) limits.setup_ns = int64_t{options.setup_ms} * 1'000'000;
  limits.retries = options.retries;
  limits.demanded = options.demand;
  limits.copies_results = options.isolated == 2;
  limits.program = host.worker();
  limits.waiting = waiting;
  return limits;
}

WorkerMemory MemoryOf(const alloy_bridge_options& options) {
  if (options.isolated == 0) return {};
  const WorkerLimits defaults;
  return WorkerMemory::Make(
      options.input_bytes != 0 ? options.input_bytes : defaults.input_bytes,
      options.output_bytes != 0 ? options.output_bytes : defaults.output_bytes);
}

// What workers return is checked at level safe at least: see docs/isolation.md.
Level ResultLevel(const alloy_bridge_options& options) {
  const Level level = LevelOr(Level::kSafe, options.check_results);
  return options.isolated != 0 ? std::max(level, Level::kSafe) : level;
}

// The size of the struct before it had a sidecar.
constexpr size_t kFirstSize_bridge = offsetof(alloy_bridge_options, sidecar);

Status CheckBridgeOptions(const alloy_bridge_options& options) {
  if (!IsPlausibleSize(options, kFirstSize_bridge)) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.struct_size is " +
                                   std::to_string(options.struct_size) +
                                   "; set it to sizeof(alloy_bridge_options)");
  }
  if (!TailIsZero(options)) {
    return Fail(ALLOY_UNSUPPORTED,
                "alloy_bridge_options has a field that this engine does not know: the "
                "program is newer than the engine; use a newer engine");
  }
  if (options.isolated > 2) {
    return Fail(ALLOY_INVALID, "alloy_bridge_options.isolated is " +
                                   std::to_string(options.isolated) +
                                   "; set it to 0, 1 or 2");
  }
  if (options.isolated != 0) ALLOY_TRY(CheckWorkerLimits(Completed(options)));
  if (options.check_inputs != ALLOY_CHECK_UNSAFE_SHAPE) {
    ALLOY_TRY(CheckLevel(options.check_inputs, "check_inputs"));
  }
  ALLOY_TRY(CheckLevel(options.check_results, "check_results"));
  return CheckDigestOption(Completed(options).sha256);
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = 'A' <= c && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Status Closed() { return Fail(ALLOY_CLOSED, "the bridge is closed; open another"); }

// In a child of fork, of which another thread of the parent was changing the backend.
Status LostByFork() {
  return Fail(ALLOY_CLOSED,
              "the process was forked while another thread loaded a library into this "
              "bridge; load the library again");
}

}  // namespace

Result<std::shared_ptr<Bridge>> Bridge::Make(std::shared_ptr<Host> host,
                                             const alloy_bridge_options& options,
                                             Waiting waiting) {
  ALLOY_TRY(CheckBridgeOptions(options));
  std::shared_ptr<Bridge> bridge(
      new Bridge(std::move(host), Completed(options), waiting));
  ALLOY_ASSIGN_OR_RETURN(auto echo, BackendTable::Make(&EchoBackend()));
  const auto serving = bridge->serving_.Write();
  serving->Keep(echo);
  serving->backend = bridge->Serve(MakeLocalChannel(std::move(echo)));
  return bridge;
}

Bridge::Bridge(std::shared_ptr<Host> host, const alloy_bridge_options& options,
               Waiting waiting)
    : host_(std::move(host)),
      wanted_name_(options.name != nullptr ? options.name : ""),
      check_inputs_(options.check_inputs == ALLOY_CHECK_UNSAFE_SHAPE
                        ? Level::kShape
                        : LevelOr(Level::kShape, options.check_inputs)),
      unsafe_inputs_(options.check_inputs == ALLOY_CHECK_UNSAFE_SHAPE),
      check_results_(ResultLevel(options)),
      sidecar_(options.sidecar != nullptr ? options.sidecar : ""),
      min_sequence_(options.min_sequence),
      wanted_sha256_(LowerCase(options.sha256 != nullptr ? options.sha256 : "")),
      memory_(MemoryOf(options)),
      isolated_(options.isolated == 0
                    ? nullptr
                    : std::make_unique<Libraries>(
                          MakeWorkerOpener(LimitsOf(options, *host_, waiting), memory_,
                                           host_->loads_plainly(), host_->may_need()),
                          host_->may_need().Elsewhere(), host_->mark())),
      serving_(host_->mark()) {}

// A level that a host asks for never takes away what the function relies on. A flag that
// this engine does not know may mean that the function relies on more than it says.
Checks Bridge::check_inputs(uint32_t function_flags) const {
  constexpr uint32_t kTrustsNothing = ALLOY_IDEMPOTENT | ALLOY_ROWWISE | ALLOY_STREAM;
  const bool trusts = (function_flags & ~kTrustsNothing) != 0;
  return {check_inputs_, trusts && !unsafe_inputs_};
}

std::shared_ptr<ServedBackend> Bridge::Serve(std::shared_ptr<Channel> channel) const {
  const alloy_backend& backend = channel->table()->backend();
  LogContext log_context{.log = &host_->log(),
                         .enabled = host_->LogsCallsTo(backend.name),
                         .is_echo = std::string_view(backend.name) == kEchoName,
                         .warns = host_->warns(),
                         .host_language = host_->language(),
                         .backend_language = backend.language,
                         .backend_name = backend.name};
  return std::make_shared<ServedBackend>(std::move(channel), std::move(log_context),
                                         host_->mark());
}

Result<LoadedLibrary> Bridge::Open(const std::string& library,
                                   const char* certificate) const {
  if (library.empty()) return Fail(ALLOY_INVALID, "the path of the library is empty");
  if (isolated_ == nullptr) ALLOY_TRY(CheckHasLoader());
  const Policy policy{.library = library,
                      .certificate = certificate != nullptr ? certificate : "",
                      .sidecar = sidecar_,
                      .allows_unsigned = host_->allows_unsigned(),
                      .name = wanted_name_,
                      .min_sequence = min_sequence_,
                      .sha256 = wanted_sha256_,
                      .allows_go_runtime = isolated_ != nullptr,
                      .now = UnixSeconds()};
  ALLOY_ASSIGN_OR_RETURN(LoadedLibrary loaded, libraries().Load(policy));
  for (const std::string& warning : loaded.warnings) {
    host_->Warn(library + ": " + warning);
  }
  if (host_->loads_plainly()) {
    host_->Warn(
        library +
        ": loaded by its path, for debuggers (ALLOY_LOAD_PLAINLY): the file runs as "
        "it is now, and may differ from the bytes that were verified");
  }
  return loaded;
}

// Makes the bridge fail when a load ends by an exception: then the library that was asked
// for does not serve it.
class Bridge::FailUnlessDone {
 public:
  explicit FailUnlessDone(Bridge& bridge) : bridge_(bridge) {}
  ~FailUnlessDone() {
    if (done_) return;
    const auto serving = bridge_.serving_.Write();
    if (bridge_.state_.load(std::memory_order_relaxed) == kClosed) return;
    serving->sticky_error = bridge_.exhausted_;
    bridge_.state_.store(kFailed, std::memory_order_release);
  }
  FailUnlessDone(const FailUnlessDone&) = delete;
  FailUnlessDone& operator=(const FailUnlessDone&) = delete;
  void Done() { done_ = true; }

 private:
  Bridge& bridge_;
  bool done_ = false;
};

void Bridge::Serving::Keep(const std::shared_ptr<const BackendTable>& table) {
  if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
}

std::shared_ptr<Bridge::Origin> Bridge::Serving::Keep(std::shared_ptr<Origin> one) {
  const auto found = std::ranges::find_if(origins, [&](const auto& kept) {
    return kept->library == one->library && kept->file == one->file;
  });
  if (found != origins.end()) return *found;
  origins.push_back(one);
  return one;
}

Status Bridge::Load(const char* library, const char* certificate) {
  if (state_.load(std::memory_order_acquire) == kClosed) return ErrorOfState();
  FailUnlessDone guard(*this);
  auto opened = Open(library, certificate);
  std::shared_ptr<ServedBackend> served;
  std::shared_ptr<Origin> origin;
  if (opened.ok()) {
    served = Serve(opened->channel);
    origin = std::make_shared<Origin>(
        Origin{.library = library, .file = std::move(opened->file)});
  }
  // The backend that this one replaces ends after the lock, which is declared later: its
  // states go back to foreign code.
  const auto serving = serving_.Write();
  if (state_.load(std::memory_order_relaxed) == kClosed) {
    guard.Done();
    return Closed();
  }
  if (opened.ok()) {
    serving->Keep(opened->channel->table());
    origin = serving->Keep(std::move(origin));
  }
  guard.Done();  // nothing below throws
  if (!opened.ok()) {
    serving->sticky_error = opened.status();
    state_.store(kFailed, std::memory_order_release);
    return serving->sticky_error;
  }
  serving->backend.swap(served);
  serving->origin = std::move(origin);
  state_.store(kOpen, std::memory_order_release);
  return Status();
}

void Bridge::Close() {
  std::shared_ptr<ServedBackend> gone;  // ends after the lock, as in Load
  const auto serving = serving_.Write();
  state_.store(kClosed, std::memory_order_release);
  gone.swap(serving->backend);
}

Status Bridge::ErrorOfState() const {
  const auto serving = serving_.Read();
  switch (state_.load(std::memory_order_relaxed)) {
    case kFailed:
      return serving->sticky_error.ok() ? LostByFork() : serving->sticky_error;
    case kClosed:
      return Closed();
    default:
      return Status();  // another thread's load succeeded since the caller looked
  }
}

Result<std::shared_ptr<ServedBackend>> Bridge::Current() const {
  ALLOY_TRY(CheckOpen());
  const auto serving = serving_.Read();
  if (serving->backend != nullptr) return serving->backend;
  return state_.load(std::memory_order_relaxed) == kClosed ? Closed() : LostByFork();
}

Result<const alloy_backend*> Bridge::Backend() {
  ALLOY_ASSIGN_OR_RETURN(const std::shared_ptr<ServedBackend> served, Current());
  return &served->channel->table()->shown();
}

std::shared_ptr<Bridge::Origin> Bridge::OriginWithDigest() {
  std::shared_ptr<Origin> origin;
  {
    const auto serving = serving_.Read();
    origin = serving->origin;
    if (origin == nullptr || !origin->sha256.empty()) return origin;
  }
  // Outside of the lock, since it takes a while: without a certificate nobody has needed
  // the digest yet.
  std::string sha256 = host_->libraries().admitter().Sha256(origin->file);
  const auto serving = serving_.Write();
  if (origin->sha256.empty()) origin->sha256 = std::move(sha256);
  return origin;
}

Result<std::string> Bridge::Identity() {
  ALLOY_ASSIGN_OR_RETURN(const std::shared_ptr<ServedBackend> served, Current());
  const std::shared_ptr<Origin> origin = OriginWithDigest();
  const alloy_backend& backend = served->channel->table()->backend();
  if (origin == nullptr) return IdentityAsJson(backend, "", "", nullptr, std::nullopt);
  return IdentityAsJson(backend, origin->library, origin->sha256, &origin->file,
                        served->channel->restrictions());
}

Status Bridge::GetOrigin(alloy_origin* out) {
  ALLOY_TRY(CheckOpen());
  const std::shared_ptr<Origin> origin = OriginWithDigest();
  if (origin == nullptr) return Status();  // the echo
  const auto text = [](const std::string& from) {
    return from.empty() ? nullptr : from.c_str();
  };
  out->library = text(origin->library);
  out->sha256 = text(origin->sha256);
  out->signer = text(origin->file.signer);
  out->signer_sha256 = text(origin->file.signer_sha256);
  out->sequence = origin->file.sequence;
  return Status();
}

Result<BoundFunction> Bridge::Bind(const std::string& function, const ArrowSchema* inputs,
                                   int32_t n_inputs, const char* const* options) {
  ALLOY_ASSIGN_OR_RETURN(std::shared_ptr<ServedBackend> served, Current());
  return BindFunction(std::move(served), function, inputs, n_inputs, options);
}

}  // namespace alloy::core_v0_1

// src/engine/open/echo.cc ---------------------------------------------------------------

#include <memory>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

// The schemas of the inputs, which the log lines need.
using EchoState = std::vector<OwnedSchema>;

void LogLine(alloy_scope* scope, const std::string& text) {
  scope->services->log(scope, ALLOY_LOG_INFO, text.data(),
                       static_cast<int64_t>(text.size()));
}

alloy_code ReturnStatus(alloy_scope* scope, const Status& status) {
  if (status.ok()) return ALLOY_OK;
  const std::string& text = status.fault().text;
  return scope->services->fail(scope, status.code(), text.data(),
                               static_cast<int64_t>(text.size()));
}

// `array1: Int32[1, 2, 3, -4]`. A chunk is the one column of its batch.
Status LogArrays(alloy_scope* scope, const EchoState& state, const ArrowArray* inputs,
                 bool chunks) {
  if (scope->services->logging(scope, ALLOY_LOG_INFO) == 0) return Status();
  LogLine(scope, "Hello! Reading the ffi pointers now.");
  for (size_t i = 0; i < state.size(); ++i) {
    const ArrowSchema& schema = chunks ? *state[i]->children[0] : *state[i];
    const ArrowArray& array = chunks ? *inputs[i].children[0] : inputs[i];
    ALLOY_ASSIGN_OR_RETURN(const std::string text, Describe(schema, array));
    LogLine(scope, "array" + std::to_string(i + 1) + ": " + text);
  }
  return Status();
}

Result<std::unique_ptr<EchoState>> KeepSchemas(const ArrowSchema* inputs,
                                               int32_t n_inputs) {
  auto state = std::make_unique<EchoState>();
  for (int32_t i = 0; i < n_inputs; ++i) {
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(inputs[i]));
    state->push_back(std::move(schema));
  }
  return state;
}

Status BindEcho(const ArrowSchema* inputs, int32_t n_inputs, ArrowSchema* output,
                void** state) {
  ALLOY_ASSIGN_OR_RETURN(auto kept, KeepSchemas(inputs, n_inputs));
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(inputs[0]));
  schema.MoveTo(output);
  *state = kept.release();
  return Status();
}

Status BindFromChunks(const ArrowSchema* inputs, int32_t n_inputs, ArrowSchema* output,
                      void** state) {
  for (int32_t i = 0; i < n_inputs; ++i) {
    if (inputs[i].n_children != 1) {
      return Fail(ALLOY_NO_MATCH, "from_chunks takes batches of one column; input " +
                                      std::to_string(i) + " has " +
                                      std::to_string(inputs[i].n_children));
    }
  }
  ALLOY_ASSIGN_OR_RETURN(auto kept, KeepSchemas(inputs, n_inputs));
  ArrowSchema count{.format = "l",
                    .name = "count",
                    .metadata = nullptr,
                    .flags = 0,
                    .n_children = 0,
                    .children = nullptr,
                    .dictionary = nullptr,
                    .release = [](ArrowSchema* schema) { schema->release = nullptr; },
                    .private_data = nullptr};
  ArrowSchema* columns[] = {&count};
  const ArrowSchema batch{.format = "+s",
                          .name = "",
                          .metadata = nullptr,
                          .flags = 0,
                          .n_children = 1,
                          .children = columns,
                          .dictionary = nullptr,
                          .release = count.release,
                          .private_data = nullptr};
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, CopySchema(batch));
  schema.MoveTo(output);
  *state = kept.release();
  return Status();
}

// One row of one column. The value is the owner of its own block.
Status ReturnCount(int64_t count, ArrowArray* output) {
  auto block = Block<int64_t>::Make(2, 3, int64_t{count});
  if (!block) return Fail(ALLOY_EXHAUSTED, "out of memory");
  block.Init(output, {.length = 1, .n_buffers = 1, .n_children = 1});
  ArrowArray* column = output->children[0];
  block.Init(column, {.length = 1, .n_buffers = 2});
  column->buffers[1] = &block.owner();
  block.Finish();
  return Status();
}

alloy_code BindEchoEntry(void*, alloy_scope* scope, const ArrowSchema* inputs,
                         int32_t n_inputs, const char* const*, ArrowSchema* output,
                         void** state) {
  return ReturnStatus(scope, BindEcho(inputs, n_inputs, output, state));
}

alloy_code RunEchoEntry(void* state, alloy_scope* scope, ArrowArray* inputs, int32_t,
                        ArrowArray* output) {
  const Status logged = LogArrays(scope, *static_cast<EchoState*>(state), inputs, false);
  if (!logged.ok()) return ReturnStatus(scope, logged);
  OwnedArray(&inputs[0]).MoveTo(output);
  return ALLOY_OK;
}

alloy_code BindFromChunksEntry(void*, alloy_scope* scope, const ArrowSchema* inputs,
                               int32_t n_inputs, const char* const*, ArrowSchema* output,
                               void** state) {
  return ReturnStatus(scope, BindFromChunks(inputs, n_inputs, output, state));
}

alloy_code RunFromChunksEntry(void* state, alloy_scope* scope, ArrowArray* inputs,
                              int32_t n_inputs, ArrowArray* output) {
  const Status logged = LogArrays(scope, *static_cast<EchoState*>(state), inputs, true);
  return ReturnStatus(scope, logged.ok() ? ReturnCount(n_inputs, output) : logged);
}

void UnbindEntry(void* state) {
  const std::unique_ptr<EchoState> owner(static_cast<EchoState*>(state));
}

constexpr alloy_function kFromChunks = {.struct_size = sizeof(alloy_function),
                                        .flags = ALLOY_IDEMPOTENT,
                                        .name = "from_chunks",
                                        .summary = "Count the arrays, and print them",
                                        .options = nullptr,
                                        .self = nullptr,
                                        .min_inputs = 0,
                                        .max_inputs = -1,
                                        .columns = nullptr,
                                        .bind = BindFromChunksEntry,
                                        .run = RunFromChunksEntry,
                                        .open = nullptr,
                                        .unbind = UnbindEntry};

constexpr alloy_function kEcho = {.struct_size = sizeof(alloy_function),
                                  .flags = ALLOY_IDEMPOTENT | ALLOY_ROWWISE,
                                  .name = "echo",
                                  .summary = "Return the batch, and print it",
                                  .options = nullptr,
                                  .self = nullptr,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .columns = nullptr,
                                  .bind = BindEchoEntry,
                                  .run = RunEchoEntry,
                                  .open = nullptr,
                                  .unbind = UnbindEntry};

constexpr const alloy_function* kFunctions[] = {&kFromChunks, &kEcho, nullptr};

constexpr alloy_backend kEchoBackend = {.struct_size = sizeof(alloy_backend),
                                        .abi = ALLOY_ABI,
                                        .name = kEchoName,
                                        .version = ALLOY_VERSION,
                                        .language = "C++",
                                        .functions = kFunctions};

}  // namespace

const alloy_backend& EchoBackend() { return kEchoBackend; }

}  // namespace alloy::core_v0_1

// src/engine/open/host.cc ---------------------------------------------------------------

#include <cstddef>
#include <string_view>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// The values of alloy_host_options.log_mode.
// The size of the struct before it had log_line.
constexpr size_t kFirstSize_host = offsetof(alloy_host_options, log_line);

enum LogMode : int32_t { kWhileEcho = 0, kAlways = 1, kNever = 2 };

Status CheckHostOptions(const alloy_host_options& options) {
  if (!IsPlausibleSize(options, kFirstSize_host)) {
    return Fail(ALLOY_INVALID, "alloy_host_options.struct_size is " +
                                   std::to_string(options.struct_size) +
                                   "; set it to sizeof(alloy_host_options)");
  }
  if (!TailIsZero(options)) {
    return Fail(
        ALLOY_UNSUPPORTED,
        "alloy_host_options has a field that this engine does not know: the program is "
        "newer than the engine; use a newer engine");
  }
  if ((options.flags & ~(ALLOY_ALLOW_UNSIGNED | ALLOY_LOAD_PLAINLY)) != 0) {
    return Fail(ALLOY_INVALID, "alloy_host_options.flags has an unknown bit");
  }
  if (options.log_mode < kWhileEcho || options.log_mode > kNever) {
    return Fail(ALLOY_INVALID, "alloy_host_options.log_mode is " +
                                   std::to_string(options.log_mode) +
                                   "; set it to 0, 1 or 2");
  }
  if (options.log_fd < 0) {
    return Fail(ALLOY_INVALID, "alloy_host_options.log_fd is negative");
  }
  if (options.worker != nullptr && *options.worker != '/') {
    return Fail(ALLOY_INVALID, "alloy_host_options.worker is " + Quoted(options.worker) +
                                   ", which is not an absolute path");
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<Host>> Host::Make(const alloy_host_options& options) {
  ALLOY_TRY(CheckHostOptions(options));
  ALLOY_ASSIGN_OR_RETURN(MayNeed may_need, MayNeed::Make(options.may_need));
  return std::shared_ptr<Host>(new Host(Completed(options), std::move(may_need)));
}

Host::Host(const alloy_host_options& options, MayNeed may_need)
    : allows_unsigned_((options.flags & (ALLOY_ALLOW_UNSIGNED | ALLOY_LOAD_PLAINLY)) !=
                       0),
      load_from_((options.flags & ALLOY_LOAD_PLAINLY) != 0 ? LoadFrom::kPath
                                                           : LoadFrom::kSealedCopy),
      log_mode_(options.log_mode),
      language_(options.language != nullptr ? options.language : "C"),
      log_(options.log_fd == 0 ? 2 : options.log_fd, options.log, options.log_context,
           mark_, options.log_line),
      worker_(options.worker != nullptr ? options.worker : ""),
      may_need_(std::move(may_need)),
      libraries_(MakeLocalOpener(load_from_), may_need_, mark_) {}

void Host::Warn(const std::string& text) {
  if (warns()) log_.Write(ALLOY_LOG_WARN, language_, text);
}

bool Host::warns() const { return log_mode_ != kNever; }

bool Host::LogsCallsTo(std::string_view backend_name) const {
  return log_mode_ == kAlways || (log_mode_ == kWhileEcho && backend_name == kEchoName);
}

}  // namespace alloy::core_v0_1

// src/engine/open/inspect_library.cc ----------------------------------------------------
#ifndef ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_
#define ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

// The JSON of alloy_inspect; alloy.h documents it. certificate empty: none.
//   Fails  INVALID, or REFUSED with a reason of 3001 to 3006: the file cannot be read.
Result<std::string> InspectLibrary(Host& host, const std::string& library,
                                   const std::string& certificate);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_INSPECT_LIBRARY_H_


namespace alloy::core_v0_1 {

Result<std::string> InspectLibrary(Host& host, const std::string& library,
                                   const std::string& certificate) {
  if (library.empty()) return Fail(ALLOY_INVALID, "the path of the library is empty");
  Policy policy;
  policy.library = library;
  policy.certificate = certificate;
  policy.allows_unsigned = host.allows_unsigned();
  policy.now = UnixSeconds();
  return host.libraries().admitter().Inspect(policy);
}

}  // namespace alloy::core_v0_1

// src/engine/open/libraries.cc ----------------------------------------------------------

#include <algorithm>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// Compare what was loaded with what was expected.
Result<LoadedLibrary> Finished(std::shared_ptr<Channel> channel,
                               std::shared_ptr<const Mapping> bytes,
                               const Expectations& expected) {
  const alloy_backend& backend = channel->table()->backend();
  ALLOY_TRY(expected.CheckTable(backend.name, backend.version, backend.abi));
  return LoadedLibrary{std::move(channel), expected.Warnings(),
                       expected.Describe(std::move(bytes))};
}

}  // namespace

// Ends the wait of other threads on every way out, exceptions included: with the channel,
// or, because a failed load may be tried again, without the entry. If the code is mapped,
// the entry stays, so that the next try maps nothing more.
class Libraries::Finish {
 public:
  Finish(Libraries& libraries, std::shared_ptr<Entry> entry)
      : libraries_(libraries), entry_(std::move(entry)) {}
  ~Finish() {
    {
      const auto entries = libraries_.entries_.Write();
      entry_->channel = channel_;
      entry_->is_loading = false;
      if (channel_ == nullptr && entry_->code.init == nullptr) {
        entries->remove(entry_);
      }
    }
    libraries_.ends_.fetch_add(1, std::memory_order_release);
    libraries_.ends_.notify_all();
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  void Keep(std::shared_ptr<Channel> channel) { channel_ = std::move(channel); }

 private:
  Libraries& libraries_;
  const std::shared_ptr<Entry> entry_;
  std::shared_ptr<Channel> channel_;
};

// An entry with a channel never changes its library and never goes away.
std::shared_ptr<const Libraries::Entry> Libraries::FindLoaded(std::string_view sha256) {
  if (sha256.empty()) return nullptr;
  const auto entries = entries_.Read();
  // One that is still being loaded may fail, and go away.
  const auto found = std::ranges::find_if(*entries, [&](const auto& entry) {
    return entry->channel != nullptr && entry->file.sha256 == sha256;
  });
  return found != entries->end() ? *found : nullptr;
}

std::shared_ptr<Libraries::Entry> Libraries::FindOrBegin(const FileIdentity& file) {
  const uint32_t process = entries_.mark().Number();
  for (;;) {
    const uint32_t seen = ends_.load(std::memory_order_acquire);
    {
      auto entries = entries_.Read();
      const auto found = std::ranges::find_if(
          *entries, [&](const auto& one) { return one->file.IsSameFile(file); });
      auto entry = found != entries->end() ? *found : nullptr;
      if (entry != nullptr && entry->channel != nullptr) {
        // It may have come without a certificate: the next signed load finds it by digest.
        if (entry->file.sha256.empty()) {
          entries.BeginToWrite();
          entry->file.sha256 = file.sha256;
        }
        return entry;
      }
      if (entry != nullptr && !entry->is_loading) {
        entries.BeginToWrite();
        entry->is_loading = true;
        entry->process = process;
        return entry;
      }
      // The thread that loads it may be one of the parent, which is not here to finish.
      if (entry == nullptr || entry->process != process) {
        auto begun = std::make_shared<Entry>();
        begun->file = file;
        begun->process = process;
        Entries& all = entries.BeginToWrite();
        all.remove(entry);
        all.push_back(begun);
        return begun;
      }
    }
    ends_.wait(seen, std::memory_order_acquire);
  }
}

// That a file is loaded does not make another statement about it true.
Result<LoadedLibrary> Libraries::Reuse(const Entry& entry, const Expectations& expected) {
  if (!entry.is_linked) ALLOY_TRY(expected.CheckNeeded(entry.needed));
  return Finished(entry.channel, entry.file.bytes, expected);
}

Result<LoadedLibrary> Libraries::LoadNew(const std::shared_ptr<Entry>& entry,
                                         Verified verified) {
  Finish finish(*this, entry);
  const Expectations expected = verified.expectations();
  ALLOY_ASSIGN_OR_RETURN(Cleared cleared, std::move(verified).Clear());
  // Written before others see the channel.
  entry->needed = cleared.needed();
  entry->is_linked = cleared.is_linked();
  ALLOY_ASSIGN_OR_RETURN(auto channel, opener_->Open(std::move(cleared), &entry->code));
  finish.Keep(channel);
  return Finished(std::move(channel), entry->file.bytes, expected);
}

Result<LoadedLibrary> Libraries::Load(const Policy& policy) {
  ALLOY_TRY(opener_->CheckUsable().WithPrefix(policy.library + ": "));
  ALLOY_ASSIGN_OR_RETURN(Candidate candidate, admitter_.Open(policy));
  if (const auto loaded = FindLoaded(candidate.signed_sha256()); loaded != nullptr) {
    ALLOY_ASSIGN_OR_RETURN(const Expectations expected, std::move(candidate).Confirm());
    return Reuse(*loaded, expected);
  }
  ALLOY_ASSIGN_OR_RETURN(Sealed sealed, std::move(candidate).Seal());
  ALLOY_ASSIGN_OR_RETURN(Verified verified, std::move(sealed).Verify());
  const auto entry = FindOrBegin(verified.identity());
  if (entry->channel != nullptr) return Reuse(*entry, verified.expectations());
  return LoadNew(entry, std::move(verified));
}

}  // namespace alloy::core_v0_1

// src/engine/open/link_library.cc -------------------------------------------------------
#ifndef ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_
#define ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

// Link a static archive as a load of it does, and write the library to `output`. Nothing
// of it runs.
//   Fails  INVALID: `archive` is not an archive, or `output` cannot be written.
//          REFUSED: a load would refuse the library.
Status LinkLibrary(const std::string& archive, const std::string& output);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_OPEN_LINK_LIBRARY_H_

#ifndef ALLOY_SRC_PORT_REPLACE_FILE_H_
#define ALLOY_SRC_PORT_REPLACE_FILE_H_

#include <cstddef>
#include <span>
#include <string>

namespace alloy::core_v0_1 {

// Create or replace the file at `path`. The bytes are written under a temporary name next
// to it and then moved, so nobody sees half a file. `executable`: with execute permission,
// as far as the process's umask allows. Returns an error number; the old file is unchanged
// then.
int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_REPLACE_FILE_H_

namespace alloy::core_v0_1 {

Status LinkLibrary(const std::string& archive, const std::string& output) {
  if (archive.empty()) return Fail(ALLOY_INVALID, "the path of the archive is empty");
  if (output.empty()) return Fail(ALLOY_INVALID, "the path of the output is empty");
  ALLOY_ASSIGN_OR_RETURN(const auto library, LinkLibraryFrom(archive));
  if (const int error = ReplaceFile(output, Bytes(*library), true); error != 0) {
    return Fail(ALLOY_INVALID, output + ": cannot be written: " + ErrorText(error));
  }
  return Status();
}

}  // namespace alloy::core_v0_1

// src/engine/stream/batch_clock.cc ------------------------------------------------------
//
// The deadline of each batch of a stream. It counts the time that the host waits, without
// the time inside the host's own inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_
#define ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// Threads  shared: a backend may pull from two inputs on two threads of its own.
class BatchClock {
 public:
  using Clock = Deadlines::Clock;

  // timeout_ns 0: there is no deadline, and the clock never takes its lock. Else the run is
  // stopped through channel and control (see Deadlines) once its time is over.
  BatchClock(Deadlines& deadlines, Channel* channel, RunControl* control,
             int64_t timeout_ns)
      : deadlines_(deadlines),
        channel_(channel),
        control_(control),
        timeout_(timeout_ns),
        batch_(deadlines.mark()) {}

  // The host begins to wait for a batch.
  //   Fails  EXHAUSTED: nothing can watch the deadline. Stop must be called all the same.
  Status Start(uint64_t run);
  void Stop() noexcept;
  // Whether the time of the batch was over before Stop.
  bool late() const { return late_; }

  // While it lives, an input of the host runs, and no time counts.
  class Pause {
   public:
    explicit Pause(BatchClock& clock) : clock_(clock) { clock_.BeginPause(); }
    ~Pause() { clock_.EndPause(); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    BatchClock& clock_;
  };

 private:
  void BeginPause();
  void EndPause() noexcept;
  // The batch that the host waits for.
  struct Batch {
    Batch() noexcept = default;

    bool running = false;
    int pauses = 0;
    uint64_t run = 0;
    Clock::time_point deadline;
    Clock::time_point paused_at;
    Deadlines::Watch watch;
    uint32_t process = 0;  // to which the pauses and the watch belong
  };
  // After a fork: drop what belongs to threads that are not in this process.
  void Renew(Batch& batch);
  Status Arm(Batch& batch);

  Deadlines& deadlines_;
  Channel* const channel_;
  RunControl* const control_;
  const std::chrono::nanoseconds timeout_;
  bool late_ = false;  // only the thread that waits uses it

  ForkGuarded<Batch> batch_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_BATCH_CLOCK_H_

namespace alloy::core_v0_1 {

Status BatchClock::Start(uint64_t run) {
  if (timeout_.count() == 0) return Status();
  const auto batch = batch_.Write();
  Renew(*batch);
  const auto now = Clock::now();
  batch->running = true;
  batch->run = run;
  batch->deadline = After(now, timeout_);
  // A thread of the backend may already be inside an input.
  batch->paused_at = now;
  return batch->pauses == 0 ? Arm(*batch) : Status();
}

void BatchClock::Stop() noexcept {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  batch->running = false;
  batch->watch.Stop();
  late_ = batch->pauses == 0 && Clock::now() >= batch->deadline;
}

void BatchClock::BeginPause() {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  if (++batch->pauses > 1) return;
  batch->paused_at = Clock::now();
  batch->watch.Stop();
}

void BatchClock::EndPause() noexcept {
  if (timeout_.count() == 0) return;
  const auto batch = batch_.Write();
  Renew(*batch);
  // A pause that began in the parent of this process is over already.
  if (batch->pauses == 0) return;
  --batch->pauses;
  if (batch->pauses > 0 || !batch->running) return;
  batch->deadline = After(batch->deadline, Clock::now() - batch->paused_at);
  try {
    // Without a watch, the backend is not told to stop. Stop still finds out that it was
    // late.
    (void)Arm(*batch);
  } catch (...) {
    // The same, without memory.
  }
}

void BatchClock::Renew(Batch& batch) {
  const uint32_t process = batch_.mark().Number();
  if (batch.process == process) return;
  batch.process = process;
  batch.pauses = 0;
  batch.watch.Stop();
}

Status BatchClock::Arm(Batch& batch) {
  return batch.watch.Start(deadlines_, batch.deadline, {channel_, control_, batch.run});
}

}  // namespace alloy::core_v0_1

// src/engine/stream/call_stream.cc ------------------------------------------------------
//
// Streams of results: a bound function over streams of batches.
#ifndef ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_

#include <cstdint>
#include <memory>


namespace alloy::core_v0_1 {

// As alloy_call_stream. `output` keeps the call, and keeps it busy.
Status OpenCallStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                      int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                      uint64_t ticket);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_CALL_STREAM_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

//
// A stream of batches that the host passes in. Its callbacks are foreign code: here is
// where they are called, and where exceptions and malformed structs end.
//
// Threads  serial.
#ifndef ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_

#include <cstdint>
#include <string>


namespace alloy::core_v0_1 {

// Whether it can be pulled from.
//   Fails  BAD_DATA: it is released, or a callback is missing.
Status CheckCallable(const ArrowArrayStream& stream);

// The text of get_last_error; empty when there is none, or when the callback throws.
std::string LastErrorOf(ArrowArrayStream* stream);

// `errno 5 (Input/output error)`
std::string ErrnoText(int number);

class HostStream {
 public:
  //   Takes  stream.
  HostStream(ArrowArrayStream* stream, int32_t input) : stream_(stream), input_(input) {}
  HostStream(HostStream&&) = default;
  ~HostStream() { Release(); }

  // Check that it is a stream, and that its schema is the bound one.
  Status Check(const ArrowSchema& bound);

  // Move the next batch, unchecked, into *out, which is released at the end of the stream.
  // The host's own failure is returned unchanged.
  StreamFault Pull(ArrowArray* out);

  // Returns what its callback threw, for people; empty: nothing.
  std::string Release();

 private:
  // The failure of a callback that returned `number`, or threw `thrown`.
  StreamFault Failure(int number, std::string thrown);

  OwnedArrayStream stream_;
  const int32_t input_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_
//
// An input of a stream function: it pulls from the host's stream, and the backend pulls
// from it.
#ifndef ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_
#define ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_

#include <atomic>
#include <cstdint>
#include <memory>

//
// What the parts of one open stream of a stream function share: its call, the scope of its
// backend, the clock of its batches, and the first fault of its inputs.
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_

#include <array>
#include <atomic>
#include <memory>
#include <vector>


namespace alloy::core_v0_1 {

// Threads  shared: a backend pulls its inputs from any thread.
class StreamState {
 public:
  StreamState(std::shared_ptr<CallCore> call, int64_t timeout_ns, uint64_t ticket);
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;

  CallCore& call() const { return *call_; }
  Scope& scope() { return scope_; }
  BatchClock& clock() { return clock_; }

  // An input has failed. Then the stream fails too, even if its backend ignores the error.
  // Later faults change nothing.
  void Record(const StreamFault& fault) noexcept;
  StreamFault fault() const;

  // A batch of an input goes to the backend. If the gate later refuses a result, the last
  // ones show whether the backend returned what it got.
  void Remember(int32_t input, const ArrowArray& batch);
  struct Remembered {
    std::vector<ArrowArray> batches;  // only what identifies them; nothing may be read
    std::vector<int32_t> inputs;      // of each
  };
  Remembered LastBatches() const;

  // Fails once the caller has cancelled, or the time of the batch is over: then no input is
  // asked for more.
  Status CheckNotStopped() const;

  // While it lives, the host waits for a batch: this is a run of its own, with its own
  // deadline.
  class Wait {
   public:
    explicit Wait(StreamState& state);
    ~Wait();
    // Fails if the deadline cannot be watched: then do not wait.
    const Status& status() const { return status_; }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    StreamState& state_;
    Status status_;
  };

 private:
  // Written by threads of the backend, maybe while another reads: then the parts belong to
  // two batches, and are not found anywhere.
  struct Seen {
    std::atomic<void (*)(ArrowArray*)> release{nullptr};
    std::atomic<void*> private_data{nullptr};
    std::atomic<const void**> buffers{nullptr};
    std::atomic<ArrowArray**> children{nullptr};
    std::atomic<int32_t> input{-1};
  };

  const std::shared_ptr<CallCore> call_;
  Scope scope_;
  BatchClock clock_;
  // Not under a lock: in a child of fork, a thread of the parent would hold it for ever.
  enum FaultState : uint8_t { kNone, kBeingSet, kSet };
  std::atomic<FaultState> fault_state_{kNone};
  StreamFault fault_;  // the first one, once the state is kSet
  std::array<Seen, 16> seen_;
  std::atomic<uint32_t> n_seen_{0};
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_STATE_H_

namespace alloy::core_v0_1 {

// Threads  pulling: serial. Close: any thread, also while another pulls.
class InputPort {
 public:
  InputPort(std::shared_ptr<StreamState> state, HostStream host, int32_t input)
      : state_(std::move(state)), host_(std::move(host)), input_(input) {}
  InputPort(const InputPort&) = delete;
  InputPort& operator=(const InputPort&) = delete;

  // The host's next batch, through the gate and with only the declared columns.
  StreamFault Next(ArrowArray* out);
  void Failed(const StreamFault& fault) noexcept { state_->Record(fault); }
  Result<OwnedSchema> Schema() const;

  // Release the host's stream, once: now, or as soon as a thread that pulls from it comes
  // back.
  void Close() noexcept;

  // Make the stream that the backend gets. Its release closes the port.
  static void Export(std::shared_ptr<InputPort> port, ArrowArrayStream* out);

 private:
  StreamFault Pull(ArrowArray* out);
  void ReleaseHost() noexcept;

  const std::shared_ptr<StreamState> state_;
  HostStream host_;
  const int32_t input_;
  std::atomic<uint32_t> use_{0};  // kPulling, kClosed
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_INPUT_PORT_H_

namespace alloy::core_v0_1 {
namespace {

// The code for a backend that failed with an errno and reported nothing.
alloy_code CodeOf(int number) {
  switch (number) {
    case ENOMEM:
      return ALLOY_EXHAUSTED;
    case EAGAIN:
      return ALLOY_RETRY;
    case ENOSYS:
    case ENOTSUP:
      return ALLOY_UNSUPPORTED;
    default:
      return ALLOY_FAILED;
  }
}

// A map function, run on each batch of its one input.
class MapStream final : public Stream {
 public:
  MapStream(CallUse use, HostStream host, int64_t timeout_ns, uint64_t ticket)
      : use_(std::move(use)),
        host_(std::move(host)),
        timeout_ns_(timeout_ns),
        ticket_(ticket) {}

  Result<OwnedSchema> Schema() override {
    return CopySchema(use_.core().binding().output());
  }

  StreamFault Next(ArrowArray* out) override {
    // Run checks this too, but only after the batch was taken out of the input.
    if (Status status = use_.core().CheckStart(ticket_); !status.ok()) {
      return StreamFault(std::move(status));
    }
    OwnedArray batch;
    if (StreamFault fault = host_.Pull(batch.get()); !fault.ok()) return fault;
    if (!batch) return {};
    return StreamFault(use_.core().Run(batch.get(), out, timeout_ns_, ticket_));
  }

 private:
  // In this order: the input is released before the call is free for others.
  const CallUse use_;
  HostStream host_;
  const int64_t timeout_ns_;
  const uint64_t ticket_;
};

// The output of a stream function.
class FunctionStream final : public Stream {
 public:
  FunctionStream(std::shared_ptr<StreamState> state, CallUse use)
      : state_(std::move(state)), use_(std::move(use)) {}
  ~FunctionStream() override {
    if (const std::string thrown = ReleaseForeign(&backend_); !thrown.empty()) {
      call().WarnOf("the release of its stream: " + thrown);
    }
    // A backend that has kept an input must not keep the host's stream as well.
    for (const auto& port : ports_) port->Close();
  }
  FunctionStream(const FunctionStream&) = delete;
  FunctionStream& operator=(const FunctionStream&) = delete;

  Status Open(std::vector<HostStream> inputs);

  Result<OwnedSchema> Schema() override { return CopySchema(call().binding().output()); }
  StreamFault Next(ArrowArray* out) override;

 private:
  CallCore& call() const { return state_->call(); }
  // The failure of the backend's get_next, with its own errno and text.
  StreamFault Failure(int number, std::string thrown);
  // An end after a cancel or a deadline is an error: the backend may have stopped early.
  Status CheckEnd(bool late) const;
  // Whose a fault of a batch is; see CallCore::CheckOutput.
  Status CheckBatch(ArrowArray* batch) const;

  const std::shared_ptr<StreamState> state_;
  const CallUse use_;
  std::vector<std::shared_ptr<InputPort>> ports_;
  OwnedArrayStream backend_;
};

Status FunctionStream::Open(std::vector<HostStream> inputs) {
  std::vector<ArrowArrayStream> given(inputs.size());
  const ReleaseRest<ArrowArrayStream> rest(given.data(), given.size());
  ports_.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    ports_.push_back(std::make_shared<InputPort>(state_, std::move(inputs[i]),
                                                 static_cast<int32_t>(i)));
    InputPort::Export(ports_.back(), &given[i]);
  }
  ArrowArrayStream output{};
  alloy_code code = ALLOY_INTERNAL;
  {
    // A backend may already pull from its inputs here, so this counts as a run.
    const StreamState::Wait wait(*state_);
    ALLOY_TRY(wait.status());
    code = call().channel().Open(call().binding().function(), call().state(),
                                 state_->scope(), given.data(),
                                 static_cast<int32_t>(given.size()), &output);
  }
  // Also after a failure: the engine releases what is in output then.
  Status moved = DisarmStreams(call().FunctionName(), given, &output);
  backend_ = OwnedArrayStream(&output);
  if (const StreamFault fault = state_->fault(); !fault.ok()) return fault.status;
  if (code != ALLOY_OK) {
    Status failure = call().Failure(code, state_->scope().TakeErrorText(),
                                    state_->scope(), state_->clock().late());
    // Who stopped the stream wants to know that it has stopped.
    if (moved.ok() || failure.fault().side == ALLOY_SIDE_CALLER) return failure;
    return moved.WithSuffix("; open also failed: " + failure.fault().text);
  }
  ALLOY_TRY(std::move(moved));
  return CheckCallable(*backend_)
      .WithSide(ALLOY_SIDE_BACKEND)
      .WithPrefix(std::string("the stream of ") + call().binding().function().name +
                  " of " + call().channel().table()->backend().name + ": ");
}

Status FunctionStream::CheckBatch(ArrowArray* batch) const {
  if (!call().ChecksResultsMore()) return call().CheckOutput(-1, {}, batch);
  const StreamState::Remembered last = state_->LastBatches();
  const Status status = call().CheckOutput(-1, {last.batches, {}}, batch);
  // It counts the batches, not the inputs.
  const int32_t n = status.ok() ? -1 : status.fault().input;
  return n < 0 ? status : status.WithInput(last.inputs[static_cast<size_t>(n)]);
}

StreamFault FunctionStream::Next(ArrowArray* out) {
  if (Status status = call().CheckOpen(); !status.ok()) {
    return StreamFault(std::move(status));
  }
  if (state_->scope().cancelled()) return StreamFault(state_->CheckNotStopped());
  ArrowArray given{};
  int number = 0;
  std::string thrown;
  {
    const StreamState::Wait wait(*state_);
    if (!wait.status().ok()) return StreamFault(wait.status());
    if (!EnterForeign(&thrown,
                      [&] { number = backend_->get_next(backend_.get(), &given); })) {
      number = EIO;
    }
  }
  // A failed call may leave anything in the struct, and nobody owns it.
  if (number != 0) given = ArrowArray{};
  OwnedArray batch(&given);
  // The fault of an input is the cause, whatever the backend reports.
  if (StreamFault fault = state_->fault(); !fault.ok()) return fault;
  if (number != 0) return Failure(number, std::move(thrown));
  if (!batch) return StreamFault(CheckEnd(state_->clock().late()));
  Status status = CheckBatch(batch.get());
  if (!status.ok()) return StreamFault(std::move(status));
  batch.MoveTo(out);
  return {};
}

StreamFault FunctionStream::Failure(int number, std::string thrown) {
  // The most specific source first: an exception, the service `fail`, get_last_error.
  BackendError error = state_->scope().TakeError();
  if (!thrown.empty()) error = {ALLOY_FAILED, std::move(thrown)};
  if (error.code == ALLOY_OK) {
    error = {CodeOf(number), AsUtf8(LastErrorOf(backend_.get()))};
  }
  if (error.text.empty()) {
    error.text = std::string(call().binding().function().name) + " of " +
                 call().channel().table()->backend().name +
                 " failed without a text: " + ErrnoText(number);
  }
  Status status = call().Failure(error.code, std::move(error.text), state_->scope(),
                                 state_->clock().late());
  // The backend's own errno, unless the caller stopped the stream.
  const bool stopped = status.fault().side == ALLOY_SIDE_CALLER;
  return stopped ? StreamFault(std::move(status))
                 : StreamFault(number, std::move(status));
}

Status FunctionStream::CheckEnd(bool late) const {
  if (!state_->scope().cancelled() && !late) return Status();
  return call().Failure(ALLOY_FAILED, "", state_->scope(), late);
}

// One stream that is given twice would be released twice, and each of the two would get
// only a part of its batches. Streams without private data have nothing that tells them
// apart, and may share their callbacks.
Status CheckDistinct(std::span<ArrowArrayStream> inputs) {
  Status status;
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].release == nullptr || inputs[i].private_data == nullptr) continue;
    const auto first =
        std::ranges::find_if(inputs.first(i), [&](const ArrowArrayStream& one) {
          return one.release == inputs[i].release &&
                 one.private_data == inputs[i].private_data;
        });
    if (first == inputs.begin() + static_cast<ptrdiff_t>(i)) continue;
    inputs[i] = ArrowArrayStream{};  // the first one releases it
    if (!status.ok()) continue;
    status =
        Fail(ALLOY_INVALID, ALLOY_REASON_SAME_STREAM,
             "the stream is that of input " + std::to_string(first - inputs.begin()) +
                 " as well, so each would get only a part of the batches; pass a "
                 "stream for each input")
            .WithInput(static_cast<int32_t>(i))
            .WithSide(ALLOY_SIDE_CALLER);
  }
  return status;
}

Status CheckStreamArguments(const Binding& binding, int32_t n_inputs,
                            int64_t timeout_ns) {
  const std::string name = binding.function().name;
  if (static_cast<size_t>(n_inputs) != binding.inputs().size()) {
    return Fail(ALLOY_INVALID, name + ": the call was bound to " +
                                   std::to_string(binding.inputs().size()) +
                                   " inputs, and this stream has " +
                                   std::to_string(n_inputs));
  }
  if (!binding.is_stream() && n_inputs != 1) {
    return Fail(ALLOY_INVALID,
                name + " is a map function, so its stream has one input, not " +
                    std::to_string(n_inputs));
  }
  if (timeout_ns < 0) return Fail(ALLOY_INVALID, "timeout_ns is negative");
  return Status();
}

}  // namespace

Status OpenCallStream(std::shared_ptr<Call> call, ArrowArrayStream* inputs,
                      int32_t n_inputs, ArrowArrayStream* output, int64_t timeout_ns,
                      uint64_t ticket) {
  if (output != nullptr) *output = ArrowArrayStream{};
  // Before anything is taken: a caller that gets BUSY keeps its inputs.
  ALLOY_ASSIGN_OR_RETURN(CallUse use, Call::Use(std::move(call)));
  if (n_inputs < 0) return Fail(ALLOY_INVALID, "n_inputs is negative");
  if (inputs == nullptr && n_inputs > 0) return Fail(ALLOY_INVALID, "inputs is NULL");
  Result<std::shared_ptr<void>> reserved = std::shared_ptr<void>();
  if (use.core().binding().is_stream() && use.core().CheckOpen().ok()) {
    reserved = use.core().channel().Reserve(use.core().state());
  }
  // Only with BUSY the caller keeps its inputs.
  if (!reserved.ok() && reserved.status().code() == ALLOY_BUSY) return reserved.status();
  const ReleaseRest<ArrowArrayStream> rest(inputs, static_cast<size_t>(n_inputs));
  if (!reserved.ok()) return reserved.status();
  ALLOY_TRY(CheckDistinct({inputs, static_cast<size_t>(n_inputs)}));
  if (output == nullptr) return Fail(ALLOY_INVALID, "output is NULL");
  const Binding& binding = use.core().binding();
  use.core().ClearProgress();
  ALLOY_TRY(CheckStreamArguments(binding, n_inputs, timeout_ns));
  ALLOY_TRY(use.core().CheckStart(ticket));
  std::vector<HostStream> hosts;
  hosts.reserve(static_cast<size_t>(n_inputs));
  for (int32_t i = 0; i < n_inputs; ++i) {
    hosts.emplace_back(&inputs[i], i);
    ALLOY_TRY(hosts.back().Check(*binding.inputs()[static_cast<size_t>(i)].schema));
  }
  if (!binding.is_stream()) {
    ExportStream(std::make_unique<MapStream>(std::move(use), std::move(hosts[0]),
                                             timeout_ns, ticket),
                 output);
    return Status();
  }
  auto state = std::make_shared<StreamState>(use.shared_core(), timeout_ns, ticket);
  auto stream = std::make_unique<FunctionStream>(std::move(state), std::move(use));
  ALLOY_TRY(stream->Open(std::move(hosts)));
  ExportStream(std::move(stream), output);
  return Status();
}

}  // namespace alloy::core_v0_1

// src/engine/stream/host_stream.cc ------------------------------------------------------

#include <cerrno>
#include <system_error>
#include <utility>

//
// Compares the schema of a stream with the schema that was bound.
//
// Threads  shared.
#ifndef ALLOY_SRC_ARROW_SAME_SCHEMA_H_
#define ALLOY_SRC_ARROW_SAME_SCHEMA_H_


namespace alloy::core_v0_1 {

// Check that `found`, which nobody has checked yet, describes the same batches as `bound`.
// Name, flags and metadata of the root are not compared: producers fill them differently,
// and they change nothing about the columns.
//   Fails  ALLOY_BAD_DATA  at the first place that differs (STREAM_SCHEMA) or is
//                          malformed.
Status CheckSameSchema(const ArrowSchema& bound, const ArrowSchema& found);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ARROW_SAME_SCHEMA_H_

namespace alloy::core_v0_1 {
namespace {

Status StreamShapeFault(int32_t reason, const char* callback) {
  std::string text(ReasonText(reason));
  if (callback != nullptr) text += std::string(": ") + callback;
  return Fail(ALLOY_BAD_DATA, reason, std::move(text));
}

}  // namespace

Status CheckCallable(const ArrowArrayStream& stream) {
  if (stream.release == nullptr) {
    return StreamShapeFault(ALLOY_REASON_STREAM_RELEASED, nullptr);
  }
  if (stream.get_next == nullptr) {
    return StreamShapeFault(ALLOY_REASON_STREAM_CALLBACK, "get_next");
  }
  return Status();
}

std::string LastErrorOf(ArrowArrayStream* stream) {
  std::string text, thrown;
  if (stream->get_last_error == nullptr) return text;
  EnterForeign(&thrown, [&] {
    const char* last = stream->get_last_error(stream);
    if (last != nullptr) text = last;
  });
  return text;
}

std::string ErrnoText(int number) {
  return "errno " + std::to_string(number) + " (" +
         std::generic_category().message(number) + ")";
}

Status HostStream::Check(const ArrowSchema& bound) {
  const auto at = [this](const Status& status) {
    return status.WithInput(input_).WithSide(ALLOY_SIDE_CALLER);
  };
  Status status = CheckCallable(*stream_);
  if (status.ok() && stream_->get_schema == nullptr) {
    status = StreamShapeFault(ALLOY_REASON_STREAM_CALLBACK, "get_schema");
  }
  if (!status.ok()) return at(status);
  ArrowSchema schema{};
  int number = 0;
  std::string thrown;
  if (!EnterForeign(&thrown,
                    [&] { number = stream_->get_schema(stream_.get(), &schema); })) {
    number = EIO;
  }
  // A failed call may leave anything in the struct, and nobody owns it.
  if (number != 0) return Failure(number, std::move(thrown)).status;
  const OwnedSchema found(&schema);
  return at(CheckSameSchema(bound, *found));
}

StreamFault HostStream::Pull(ArrowArray* out) {
  *out = ArrowArray{};
  int number = 0;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] { number = stream_->get_next(stream_.get(), out); })) {
    number = EIO;
  }
  if (number == 0) [[likely]]
    return {};
  *out = ArrowArray{};
  return Failure(number, std::move(thrown));
}

StreamFault HostStream::Failure(int number, std::string thrown) {
  // A stream of this engine has the whole fault, not only an errno and a text.
  const StreamFault* whole = FaultOf(*stream_);
  if (whole != nullptr && !whole->ok()) {
    return {number, whole->status.WithInput(input_).WithSide(ALLOY_SIDE_CALLER)};
  }
  std::string text = thrown.empty() ? LastErrorOf(stream_.get()) : std::move(thrown);
  if (text.empty()) text = "the stream failed without a text: " + ErrnoText(number);
  return {number, Status(Fault{.code = ALLOY_FAILED,
                               .reason = ALLOY_REASON_INPUT_FAILED,
                               .input = input_,
                               .side = ALLOY_SIDE_CALLER,
                               .text = std::move(text)})};
}

std::string HostStream::Release() { return ReleaseForeign(&stream_); }

}  // namespace alloy::core_v0_1

// src/engine/stream/input_port.cc -------------------------------------------------------

#include <string>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// Bits of use_. Together they decide who releases the host's stream: the last of the
// thread that pulls and the one that closes.
constexpr uint32_t kPulling = 1;
constexpr uint32_t kClosed = 2;

class PortStream final : public Stream {
 public:
  explicit PortStream(std::shared_ptr<InputPort> port) : port_(std::move(port)) {}
  ~PortStream() override { port_->Close(); }
  PortStream(const PortStream&) = delete;
  PortStream& operator=(const PortStream&) = delete;

  Result<OwnedSchema> Schema() override { return port_->Schema(); }
  StreamFault Next(ArrowArray* out) override { return port_->Next(out); }
  void Failed(const StreamFault& fault) noexcept override { port_->Failed(fault); }

 private:
  const std::shared_ptr<InputPort> port_;
};

StreamFault ClosedFault() {
  return StreamFault(
      Fail(ALLOY_CANCELLED,
           "cannot read an input: the stream of results is already released"));
}

}  // namespace

StreamFault InputPort::Next(ArrowArray* out) {
  if ((use_.fetch_or(kPulling, std::memory_order_acq_rel) & kClosed) != 0) {
    return ClosedFault();
  }
  OwnedArray batch;
  StreamFault fault;
  {
    // A thread that closes the port meanwhile leaves the release to this one.
    struct Leave {
      InputPort& port;
      ~Leave() {
        const uint32_t before = port.use_.fetch_and(~kPulling, std::memory_order_acq_rel);
        if ((before & kClosed) != 0) port.ReleaseHost();
      }
    } const leave{*this};
    fault = Pull(batch.get());
  }
  if (fault.ok()) batch.MoveTo(out);
  return fault;
}

StreamFault InputPort::Pull(ArrowArray* out) {
  if (Status stopped = state_->CheckNotStopped(); !stopped.ok()) {
    return StreamFault(std::move(stopped));
  }
  {
    const BatchClock::Pause pause(state_->clock());
    StreamFault fault = host_.Pull(out);
    if (!fault.ok()) return fault;
  }
  if (out->release == nullptr) return {};  // the end
  Status admitted = state_->call().AdmitInput(input_, out);
  if (admitted.ok() && state_->call().ChecksResultsMore()) state_->Remember(input_, *out);
  return StreamFault(std::move(admitted));
}

Result<OwnedSchema> InputPort::Schema() const {
  return CopySchema(state_->call().binding().read_schema(static_cast<size_t>(input_)));
}

void InputPort::Close() noexcept {
  const uint32_t before = use_.fetch_or(kClosed, std::memory_order_acq_rel);
  if (before == 0) ReleaseHost();
}

void InputPort::ReleaseHost() noexcept {
  if (const std::string thrown = host_.Release(); !thrown.empty()) {
    state_->call().WarnOf("the release of input stream " + std::to_string(input_) +
                          ", which is the host's: " + thrown);
  }
}

void InputPort::Export(std::shared_ptr<InputPort> port, ArrowArrayStream* out) {
  ExportStream(std::make_unique<PortStream>(std::move(port)), out);
}

}  // namespace alloy::core_v0_1

// src/engine/stream/stream.cc -----------------------------------------------------------

#include <cxxabi.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <string>
#include <utility>


namespace alloy::core_v0_1 {

int ErrnoOf(alloy_code code) {
  switch (code) {
    case ALLOY_OK:
      return 0;
    case ALLOY_INVALID:
    case ALLOY_BAD_DATA:
    case ALLOY_NO_MATCH:
    case ALLOY_NOT_FOUND:
      return EINVAL;
    case ALLOY_RETRY:
      return EAGAIN;
    case ALLOY_CANCELLED:
      return ECANCELED;
    case ALLOY_TIMEOUT:
      return ETIMEDOUT;
    case ALLOY_EXHAUSTED:
      return ENOMEM;
    case ALLOY_BUSY:
      return EBUSY;
    case ALLOY_UNSUPPORTED:
      return ENOSYS;
    default:
      return EIO;
  }
}

namespace {

// What private_data points to.
class Exported {
 public:
  explicit Exported(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  int GetSchema(ArrowSchema* out) {
    const Turn turn(&busy_);
    if (!turn) return EBUSY;
    const Status status = Try([&]() -> Status {
      ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, stream_->Schema());
      schema.MoveTo(out);
      return Status();
    });
    if (!status.ok()) last_error_ = status;
    return ErrnoOf(status.code());
  }

  int GetNext(ArrowArray* out) {
    const Turn turn(&busy_);
    if (!turn) return EBUSY;
    if (!fault_.ok() || ended_) return fault_.number;
    StreamFault fault;
    const Status thrown = Try([&] {
      fault = stream_->Next(out);
      return Status();
    });
    if (!thrown.ok()) fault = StreamFault(thrown);
    if (fault.ok()) [[likely]] {
      ended_ = out->release == nullptr;
      return 0;
    }
    fault_ = std::move(fault);
    last_error_ = fault_.status;
    stream_->Failed(fault_);
    return fault_.number;
  }

  const char* LastError() const {
    return last_error_.ok() ? nullptr : last_error_.fault().text.c_str();
  }

  const StreamFault& fault() const { return fault_; }
  bool is_busy() const { return busy_.load(std::memory_order_acquire); }

 private:
  // Foreign code calls this through C, so no exception may leave it. A forced unwind must:
  // see guard.h.
  template <typename Body>
  Status Try(Body&& body) {
    try {
      return body();
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (const std::bad_alloc&) {
      return exhausted_;
    } catch (...) {
      return broken_;
    }
  }

  const std::unique_ptr<Stream> stream_;
  // Made in advance, since out of memory no text can be made.
  const Status exhausted_ = Fail(ALLOY_EXHAUSTED, "out of memory");
  const Status broken_ =
      Fail(ALLOY_INTERNAL, "an exception inside the engine; please report it");
  std::atomic<bool> busy_{false};
  bool ended_ = false;
  StreamFault fault_;
  Status last_error_;  // for get_last_error: of get_next or of get_schema
};

Exported& ExportedOf(const ArrowArrayStream* stream) {
  return *static_cast<Exported*>(stream->private_data);
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  if (stream == nullptr || out == nullptr) return EINVAL;
  *out = ArrowSchema{};
  return ExportedOf(stream).GetSchema(out);
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  if (stream == nullptr || out == nullptr) return EINVAL;
  *out = ArrowArray{};
  return ExportedOf(stream).GetNext(out);
}

const char* GetLastError(ArrowArrayStream* stream) {
  return stream == nullptr ? nullptr : ExportedOf(stream).LastError();
}

void ReleaseStream(ArrowArrayStream* stream) {
  stream->release = nullptr;
  std::unique_ptr<Exported> owner(&ExportedOf(stream));
  // A stream that is still in use belongs to a thread that does not exist here: it was
  // inside when this process was forked. What it left cannot be released.
  if (!owner->is_busy()) return;
  [[maybe_unused]] const auto* left_alone = owner.release();
}

}  // namespace

StreamFault::StreamFault(Status whole)
    : number(ErrnoOf(whole.code())), status(std::move(whole)) {}

void ExportStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out) {
  auto exported = std::make_unique<Exported>(std::move(stream));
  *out = {.get_schema = GetSchema,
          .get_next = GetNext,
          .get_last_error = GetLastError,
          .release = ReleaseStream,
          .private_data = exported.release()};
}

const StreamFault* FaultOf(const ArrowArrayStream& stream) {
  return stream.release == ReleaseStream ? &ExportedOf(&stream).fault() : nullptr;
}

}  // namespace alloy::core_v0_1

// src/engine/stream/stream_of.cc --------------------------------------------------------
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_

#include <cstdint>


namespace alloy::core_v0_1 {

// A stream over batches that are in memory: see alloy_stream_of.
Status StreamOf(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                ArrowArrayStream* out);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_OF_H_

#include <string>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

class BatchesStream final : public Stream {
 public:
  BatchesStream(OwnedSchema schema, std::vector<OwnedArray> batches)
      : schema_(std::move(schema)), batches_(std::move(batches)) {}

  Result<OwnedSchema> Schema() override { return CopySchema(*schema_); }

  StreamFault Next(ArrowArray* out) override {
    if (next_ < batches_.size()) batches_[next_++].MoveTo(out);
    return {};
  }

 private:
  const OwnedSchema schema_;
  std::vector<OwnedArray> batches_;
  size_t next_ = 0;
};

// Check the batches before the stream exists: in a stream, a released batch would mean its
// end.
Status AdmitAll(const Layout& layout, std::vector<OwnedArray>* batches) {
  for (size_t i = 0; i < batches->size(); ++i) {
    const Status status = AdmitBatch(layout, Level::kShape, (*batches)[i].get());
    if (status.ok()) continue;
    return status.WithInput(static_cast<int32_t>(i)).WithSide(ALLOY_SIDE_CALLER);
  }
  return Status();
}

}  // namespace

Status StreamOf(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                ArrowArrayStream* out) {
  if (out != nullptr) *out = ArrowArrayStream{};
  if (n < 0) return Fail(ALLOY_INVALID, "n is negative");
  if (batches == nullptr && n > 0) return Fail(ALLOY_INVALID, "batches is NULL");
  const auto count = static_cast<size_t>(n);
  const ReleaseRest<ArrowArray> rest(batches, count);
  if (schema == nullptr) return Fail(ALLOY_INVALID, "schema is NULL");
  if (out == nullptr) return Fail(ALLOY_INVALID, "out is NULL");
  auto layout = Layout::OfBatch(*schema);
  if (!layout.ok()) return layout.status().WithSide(ALLOY_SIDE_CALLER);
  ALLOY_ASSIGN_OR_RETURN(OwnedSchema copy, CopySchema(*schema));
  std::vector<OwnedArray> taken;
  taken.reserve(count);
  for (size_t i = 0; i < count; ++i) taken.emplace_back(&batches[i]);
  ALLOY_TRY(AdmitAll(*layout, &taken));
  ExportStream(std::make_unique<BatchesStream>(std::move(copy), std::move(taken)), out);
  return Status();
}

}  // namespace alloy::core_v0_1

// src/engine/stream/stream_state.cc -----------------------------------------------------

#include <utility>

namespace alloy::core_v0_1 {

StreamState::StreamState(std::shared_ptr<CallCore> call, int64_t timeout_ns,
                         uint64_t ticket)
    : call_(std::move(call)),
      scope_(&call_->log_context(), &call_->control(), 0, ticket, &call_->call_log()),
      clock_(call_->deadlines(), &call_->channel(), &call_->control(), timeout_ns) {}

void StreamState::Record(const StreamFault& fault) noexcept {
  FaultState seen = kNone;
  if (!fault_state_.compare_exchange_strong(seen, kBeingSet, std::memory_order_relaxed)) {
    return;
  }
  fault_ = fault;
  fault_state_.store(kSet, std::memory_order_release);
}

StreamFault StreamState::fault() const {
  const bool failed = fault_state_.load(std::memory_order_acquire) == kSet;
  return failed ? fault_ : StreamFault();
}

void StreamState::Remember(int32_t input, const ArrowArray& batch) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Seen& seen = seen_[n_seen_.fetch_add(1, kRelaxed) % seen_.size()];
  seen.release.store(batch.release, kRelaxed);
  seen.private_data.store(batch.private_data, kRelaxed);
  seen.buffers.store(batch.buffers, kRelaxed);
  seen.children.store(batch.children, kRelaxed);
  seen.input.store(input, kRelaxed);
}

StreamState::Remembered StreamState::LastBatches() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Remembered last;
  for (const Seen& seen : seen_) {
    if (seen.input.load(kRelaxed) < 0) continue;
    ArrowArray batch{};
    batch.release = seen.release.load(kRelaxed);
    batch.private_data = seen.private_data.load(kRelaxed);
    batch.buffers = seen.buffers.load(kRelaxed);
    batch.children = seen.children.load(kRelaxed);
    batch.n_buffers = batch.buffers != nullptr ? 1 : 0;
    batch.n_children = batch.children != nullptr ? 1 : 0;
    last.batches.push_back(batch);
    last.inputs.push_back(seen.input.load(kRelaxed));
  }
  return last;
}

Status StreamState::CheckNotStopped() const {
  if (scope_.cancelled()) {
    return Fail(ALLOY_CANCELLED, "cancelled").WithSide(ALLOY_SIDE_CALLER);
  }
  if (scope_.expired()) {
    return Fail(ALLOY_TIMEOUT, "the deadline has passed").WithSide(ALLOY_SIDE_CALLER);
  }
  return Status();
}

StreamState::Wait::Wait(StreamState& state) : state_(state) {
  const uint64_t run = state_.call_->BeginRun();
  state_.scope_.SetRun(run);
  status_ = state_.clock_.Start(run);
}

StreamState::Wait::~Wait() {
  state_.clock_.Stop();
  // Between two batches no deadline applies.
  state_.scope_.SetRun(0);
}

}  // namespace alloy::core_v0_1

// src/capi/capi.cc ----------------------------------------------------------------------
//
// The C ABI of alloy.h: each function checks its pointers, enters Guard and calls the
// engine. It adds no behaviour of its own.
#include <cstring>
#include <memory>
#include <string>
#include <utility>


using alloy::core_v0_1::Bridge;
using alloy::core_v0_1::Call;
using alloy::core_v0_1::Fail;
using alloy::core_v0_1::Guard;
using alloy::core_v0_1::Host;
using alloy::core_v0_1::Status;

struct alloy_host {
  std::shared_ptr<Host> host;
};
struct alloy_bridge {
  std::shared_ptr<Bridge> bridge;
};
struct alloy_pool {
  explicit alloy_pool(std::shared_ptr<alloy::core_v0_1::InputMemory> memory)
      : pool(std::move(memory)) {}
  alloy::core_v0_1::HostPool pool;
};
struct alloy_call {
  std::shared_ptr<Call> call;  // shared with open streams
};

namespace {

Status NullArgument(const char* name) {
  return Fail(ALLOY_INVALID, std::string(name) + " is NULL");
}

// The buffer for a text, as in alloy_inspect.
Status CheckText(const char* json, int64_t capacity) {
  if (capacity < 0) return Fail(ALLOY_INVALID, "capacity is negative");
  if (json == nullptr && capacity > 0) return NullArgument("json");
  return Status();
}
void GiveText(const std::string& text, char* json, int64_t capacity,
              int64_t* out_length) {
  if (capacity > 0) alloy::core_v0_1::CopyText(text, json, static_cast<size_t>(capacity));
  if (out_length != nullptr) *out_length = static_cast<int64_t>(text.size());
}

template <typename T>
void Free_capi(T* object) {
  const std::unique_ptr<T> owner(object);
}

}  // namespace

extern "C" {

const char* alloy_version(void) { return ALLOY_VERSION; }

const char* alloy_code_name(alloy_code code) { return alloy::core_v0_1::CodeName(code); }

const char* alloy_reason_name(int32_t reason) { return alloy::core_v0_1::ReasonName(reason); }

alloy_code alloy_host_new(const alloy_host_options* options, alloy_host** out,
                          alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    alloy_host_options defaults{};
    defaults.struct_size = sizeof(defaults);
    ALLOY_ASSIGN_OR_RETURN(auto host,
                           Host::Make(options != nullptr ? *options : defaults));
    *out = std::make_unique<alloy_host>(std::move(host)).release();
    return Status();
  });
}

void alloy_host_free(alloy_host* host) { Free_capi(host); }

void alloy_host_log(alloy_host* host, int32_t level, const char* text, int64_t length) {
  if (host == nullptr || text == nullptr) return;
  Guard(nullptr, [&]() -> Status {
    const auto size = length < 0 ? std::strlen(text) : static_cast<size_t>(length);
    host->host->log().Write(level, host->host->language(), {text, size});
    return Status();
  });
}

alloy_code alloy_bridge_new(alloy_host* host, const alloy_bridge_options* options,
                            alloy_bridge** out, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (host == nullptr) return NullArgument("host");
    alloy_bridge_options defaults{};
    defaults.struct_size = sizeof(defaults);
    ALLOY_ASSIGN_OR_RETURN(
        auto bridge, Bridge::Make(host->host, options != nullptr ? *options : defaults));
    *out = std::make_unique<alloy_bridge>(std::move(bridge)).release();
    return Status();
  });
}

alloy_code alloy_bridge_load(alloy_bridge* bridge, const char* library,
                             const char* certificate, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (bridge == nullptr) return NullArgument("bridge");
    // A load without a path fails as every load does: it leaves a sticky error.
    return bridge->bridge->Load(library != nullptr ? library : "", certificate);
  });
}

alloy_code alloy_inspect(alloy_host* host, const char* library, const char* certificate,
                         char* json, int64_t capacity, int64_t* out_length,
                         alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (host == nullptr) return NullArgument("host");
    if (library == nullptr) return NullArgument("library");
    ALLOY_TRY(CheckText(json, capacity));
    ALLOY_ASSIGN_OR_RETURN(
        const std::string text,
        alloy::core_v0_1::InspectLibrary(*host->host, library,
                                    certificate != nullptr ? certificate : ""));
    GiveText(text, json, capacity, out_length);
    return Status();
  });
}

void alloy_bridge_close(alloy_bridge* bridge) {
  if (bridge == nullptr) return;
  Guard(nullptr, [&]() -> Status {
    bridge->bridge->Close();
    return Status();
  });
}

void alloy_bridge_free(alloy_bridge* bridge) { Free_capi(bridge); }

alloy_code alloy_bridge_functions(alloy_bridge* bridge,
                                  const alloy_function* const** out_functions,
                                  alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_functions == nullptr) return NullArgument("out_functions");
    *out_functions = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_ASSIGN_OR_RETURN(const alloy_backend* backend, bridge->bridge->Backend());
    *out_functions = backend->functions;
    return Status();
  });
}

alloy_code alloy_bridge_backend(alloy_bridge* bridge, const alloy_backend** out_backend,
                                alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_backend == nullptr) return NullArgument("out_backend");
    *out_backend = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_ASSIGN_OR_RETURN(*out_backend, bridge->bridge->Backend());
    return Status();
  });
}

alloy_code alloy_bridge_origin(alloy_bridge* bridge, alloy_origin* out_origin,
                               alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_origin == nullptr) return NullArgument("out_origin");
    const uint32_t size = out_origin->struct_size;
    if (!alloy::core_v0_1::IsPlausibleSize(*out_origin)) {
      return Fail(ALLOY_INVALID, "alloy_origin.struct_size is " + std::to_string(size) +
                                     "; set it to sizeof(alloy_origin)");
    }
    // A newer program has more fields, which this engine leaves zero.
    std::memset(static_cast<void*>(out_origin), 0, size);
    out_origin->struct_size = size;
    if (bridge == nullptr) return NullArgument("bridge");
    return bridge->bridge->GetOrigin(out_origin);
  });
}

alloy_code alloy_bridge_identity(alloy_bridge* bridge, char* json, int64_t capacity,
                                 int64_t* out_length, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (bridge == nullptr) return NullArgument("bridge");
    ALLOY_TRY(CheckText(json, capacity));
    ALLOY_ASSIGN_OR_RETURN(const std::string text, bridge->bridge->Identity());
    GiveText(text, json, capacity, out_length);
    return Status();
  });
}

alloy_code alloy_pool_new(alloy_bridge* bridge, alloy_pool** out, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    *out = new alloy_pool(bridge->bridge->pool());
    return Status();
  });
}

void* alloy_pool_resize(alloy_pool* pool, void* memory, int64_t old_size,
                        int64_t new_size) {
  return pool->pool.Resize(memory, old_size, new_size);
}

void alloy_pool_free(alloy_pool* pool) { Free_capi(pool); }

alloy_code alloy_call_bind(alloy_bridge* bridge, const char* function,
                           const ArrowSchema* inputs, int32_t n_inputs,
                           const char* const* options, alloy_call** out,
                           alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out == nullptr) return NullArgument("out");
    *out = nullptr;
    if (bridge == nullptr) return NullArgument("bridge");
    if (function == nullptr) return NullArgument("function");
    if (n_inputs < 0) return Fail(ALLOY_INVALID, "n_inputs is negative");
    if (inputs == nullptr && n_inputs > 0) return NullArgument("inputs");
    ALLOY_ASSIGN_OR_RETURN(auto bound,
                           bridge->bridge->Bind(function, inputs, n_inputs, options));
    auto call = std::make_shared<Call>(bridge->bridge, std::move(bound));
    *out = std::make_unique<alloy_call>(std::move(call)).release();
    return Status();
  });
}

const ArrowSchema* alloy_call_schema(const alloy_call* call) {
  return call != nullptr ? &call->call->output() : nullptr;
}

alloy_code alloy_call_run(alloy_call* call, ArrowArray* inputs, ArrowArray* output,
                          int64_t timeout_ns, uint64_t ticket, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (call == nullptr) return NullArgument("call");
    return call->call->Run(inputs, output, timeout_ns, ticket);
  });
}

alloy_code alloy_call_stream(alloy_call* call, ArrowArrayStream* inputs, int32_t n_inputs,
                             ArrowArrayStream* output, int64_t timeout_ns,
                             uint64_t ticket, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (call == nullptr) return NullArgument("call");
    return alloy::core_v0_1::OpenCallStream(call->call, inputs, n_inputs, output, timeout_ns,
                                       ticket);
  });
}

void alloy_call_cancel(alloy_call* call, uint64_t ticket) {
  if (call != nullptr) call->call->Cancel(ticket);
}

void alloy_call_progress(const alloy_call* call, int64_t* out_done, int64_t* out_total) {
  int64_t done = 0, total = 0;
  if (call != nullptr) call->call->Progress(&done, &total);
  if (out_done != nullptr) *out_done = done;
  if (out_total != nullptr) *out_total = total;
}

void alloy_call_set_log(alloy_call* call, int32_t level, void* context) {
  if (call != nullptr) call->call->SetLog(level, context);
}

void alloy_call_free(alloy_call* call) { Free_capi(call); }

alloy_code alloy_link(const char* archive, const char* library, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (archive == nullptr) return NullArgument("archive");
    if (library == nullptr) return NullArgument("library");
    return alloy::core_v0_1::LinkLibrary(archive, library);
  });
}

alloy_code alloy_stream_of(const ArrowSchema* schema, ArrowArray* batches, int64_t n,
                           ArrowArrayStream* out, alloy_error* err) {
  return Guard(
      err, [&]() -> Status { return alloy::core_v0_1::StreamOf(schema, batches, n, out); });
}

alloy_code alloy_stream_error(const ArrowArrayStream* stream, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (stream == nullptr) return NullArgument("stream");
    const alloy::core_v0_1::StreamFault* fault = alloy::core_v0_1::FaultOf(*stream);
    if (fault != nullptr) return fault->status;
    return Fail(ALLOY_INVALID, "the stream is released, or was not made by this engine");
  });
}

alloy_code alloy_describe(const ArrowSchema* schema, const ArrowArray* array, char* text,
                          int64_t capacity, int64_t* out_length, alloy_error* err) {
  return Guard(err, [&]() -> Status {
    if (out_length != nullptr) *out_length = 0;
    if (schema == nullptr) return NullArgument("schema");
    if (array == nullptr) return NullArgument("array");
    if (capacity < 0) return Fail(ALLOY_INVALID, "capacity is negative");
    if (text == nullptr && capacity > 0) return NullArgument("text");
    ALLOY_ASSIGN_OR_RETURN(const int64_t length,
                           alloy::core_v0_1::DescribeInto(*schema, *array, text, capacity));
    if (out_length != nullptr) *out_length = length;
    return Status();
  });
}

}  // extern "C"

// src/worker/connection.cc --------------------------------------------------------------
//
// The worker's side of the conversation with its host (wire/protocol.h).
#ifndef ALLOY_SRC_WORKER_CONNECTION_H_
#define ALLOY_SRC_WORKER_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <utility>
#include <vector>


namespace alloy::core_v0_1 {

// What the host said. Its body stays where it is until the worker sends something, and
// `released` until it receives something.
struct HostMessage {
  HostWord word = HostWord::kQuit;
  uint32_t log_levels = 0;
  uint64_t exchange = 0;
  std::span<const uint64_t> released;  // results that the host has released
  ByteReader body{{}};
};

// Threads  serial, but ReleasedInput: any thread.
class Connection {
 public:
  //   Takes  control and socket, which the process inherited.
  Connection(SharedMemory control, Fd socket)
      : memory_(std::move(control)),
        control_(*reinterpret_cast<ControlBlock*>(memory_.data())),
        socket_(std::move(socket)),
        receiver_(control_.to_worker, control_.waiting.load()) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ControlBlock& control() { return control_; }
  const std::vector<SegmentView>& segments() const { return segments_; }

  // Wait for the host, and take over the segments that come with its message.
  //   Fails  CLOSED: the host is gone, or says what this worker does not understand.
  Result<HostMessage> Receive();

  // Write the body by `body(ByteWriter&)`, and send it. Returns false, and sends nothing,
  // if it does not fit.
  template <typename Body>
  [[nodiscard]] bool Send(WorkerWord word, uint64_t exchange, Body&& body) {
    ByteWriter out(control_.for_host, memory_);
    const size_t told = WriteHead(word, exchange, &out);
    body(out);
    if (out.full()) return false;
    Sent(told);
    control_.to_host.Post(static_cast<uint32_t>(out.used()));
    return true;
  }

  // An input that the backend does not use any more: the host hears of it with the next
  // message.
  void ReleasedInput(uint64_t input) noexcept;

 private:
  size_t WriteHead(WorkerWord word, uint64_t exchange, ByteWriter* out);
  void Sent(size_t told);
  Status AddSegments(ByteReader* in);

  SharedMemory memory_;
  ControlBlock& control_;
  Fd socket_;
  Receiver receiver_;
  std::deque<SharedMemory> mappings_;  // none moves: the memory for results knows them
  std::vector<SegmentView> segments_;
  std::vector<uint64_t> released_results_;  // as the last message has told
  std::mutex mutex_;
  std::vector<uint64_t> released_;  // inputs
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_CONNECTION_H_

#include <algorithm>
#include <string>

//
// Memory for the results of a worker, in segments that its host can read. What a backend
// allocates here crosses without a copy.
#ifndef ALLOY_SRC_WORKER_RESULT_MEMORY_H_
#define ALLOY_SRC_WORKER_RESULT_MEMORY_H_


namespace alloy::core_v0_1 {

// The one of this process. The service `resize` has no argument that could lead to it.
Arena& ResultMemory();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_RESULT_MEMORY_H_

namespace alloy::core_v0_1 {
namespace {

// A message tells of so many releases at most; the rest waits for the next one.
constexpr size_t kMostTold = 4096;

Status HostIsGone(std::string text) { return Fail(ALLOY_CLOSED, std::move(text)); }

}  // namespace

Result<HostMessage> Connection::Receive() {
  Receiver::Event event;
  do {
    event = receiver_.Wait(-1);
    if (event == Receiver::Event::kClosed) return HostIsGone("the host has closed");
  } while (event != Receiver::Event::kMessage);
  const size_t size = std::min<size_t>(
      control_.to_worker.length.load(std::memory_order_relaxed), kMessageBytes);
  ByteReader in({control_.for_worker.data(), size});
  HostMessage message;
  message.word = in.Get<HostWord>();
  message.log_levels = in.Get<uint32_t>();
  message.exchange = in.Get<uint64_t>();
  const auto n_released = in.Get<uint32_t>();
  released_results_.clear();
  for (uint32_t i = 0; i < n_released && in.ok(); ++i) {
    released_results_.push_back(in.Get<uint64_t>());
  }
  message.released = released_results_;
  ALLOY_TRY(AddSegments(&in));
  if (!in.ok()) return HostIsGone("a message of the host is cut");
  message.body = in;
  return message;
}

Status Connection::AddSegments(ByteReader* in) {
  const auto n = in->Get<uint32_t>();
  for (uint32_t i = 0; i < n && in->ok(); ++i) {
    const auto number = in->Get<uint32_t>();
    const bool writable = in->Get<uint8_t>() != 0;
    Fd file;
    if (const int error = ReceiveDescriptor(socket_, &file); error != 0) {
      return HostIsGone("a segment did not arrive: " + ErrorText(error));
    }
    ALLOY_ASSIGN_OR_RETURN(SharedMemory memory,
                           SharedMemory::Attach(std::move(file), writable));
    segments_.push_back({number, {memory.data(), memory.size()}});
    SharedMemory& kept = mappings_.emplace_back(std::move(memory));
    if (writable) ResultMemory().Add(kept.data(), kept.size(), &kept);
  }
  return Status();
}

void Connection::ReleasedInput(uint64_t input) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    released_.push_back(input);
  } catch (...) {
    // The host keeps the memory of the input until this worker ends.
  }
}

size_t Connection::WriteHead(WorkerWord word, uint64_t exchange, ByteWriter* out) {
  out->Put(word);
  const std::scoped_lock lock(mutex_);
  const size_t told = std::min(released_.size(), kMostTold);
  out->Put(static_cast<uint32_t>(told));
  out->Put(exchange);
  out->PutBytes(released_.data(), told * sizeof(uint64_t));
  out->Put(ResultMemory().used());
  return told;
}

void Connection::Sent(size_t told) {
  if (told == 0) return;
  const std::scoped_lock lock(mutex_);
  released_.erase(released_.begin(), released_.begin() + static_cast<ptrdiff_t>(told));
}

}  // namespace alloy::core_v0_1

// src/worker/input_streams.cc -----------------------------------------------------------
//
// The inputs of a stream function in a worker: each batch is asked of the host when the
// backend pulls it.
#ifndef ALLOY_SRC_WORKER_INPUT_STREAMS_H_
#define ALLOY_SRC_WORKER_INPUT_STREAMS_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {

// An input batch that came from the host. When the backend has released it, the host hears
// of it.
std::shared_ptr<void> InputOwner(Connection& connection, uint64_t input);

// The inputs of one open stream. A backend may pull from any thread; it waits while the host
// waits for nothing, since nobody there could answer.
//
// Threads  shared.
class InputStreams : public std::enable_shared_from_this<InputStreams> {
 public:
  struct Input {
    OwnedSchema schema;
    RecordReader* reader = nullptr;
  };

  //   Borrows  connection and the readers, as long as this lives.
  InputStreams(Connection& connection, std::vector<Input> inputs)
      : connection_(connection), inputs_(std::move(inputs)) {}

  // Make the stream of input i. It keeps this.
  void Export(size_t i, ArrowArrayStream* out);

  // The host waits for an answer to `exchange`: now backends may pull.
  void HostWaits(uint64_t exchange);
  // The answer will be sent: waits for a pull that is under way.
  void HostIsAnswered();
  // No pull succeeds any more.
  void Close();

  // What results the host released while it answered a pull.
  std::vector<uint64_t> TakeReleased();

 private:
  struct Port;
  int Pull(size_t i, ArrowArray* out, std::string* text);

  Connection& connection_;
  const std::vector<Input> inputs_;
  std::mutex mutex_;
  std::condition_variable turned_;
  bool host_waits_ = false;
  bool pulls_ = false;
  bool closed_ = false;
  uint64_t exchange_ = 0;
  std::vector<uint64_t> released_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_INPUT_STREAMS_H_

#include <cerrno>
#include <new>
#include <utility>


namespace alloy::core_v0_1 {

std::shared_ptr<void> InputOwner(Connection& connection, uint64_t input) {
  struct Owner {
    Connection& connection;
    const uint64_t input;
    Owner(Connection& c, uint64_t i) : connection(c), input(i) {}
    ~Owner() { connection.ReleasedInput(input); }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
  };
  return std::make_shared<Owner>(connection, input);
}

// One input, as the backend holds it.
struct InputStreams::Port {
  std::shared_ptr<InputStreams> streams;
  size_t input;
  std::string last_error;
  bool ended = false;

  static Port& Of(ArrowArrayStream* stream) {
    return *static_cast<Port*>(stream->private_data);
  }

  static int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
    Port& port = Of(stream);
    try {
      auto copy = CopySchema(*port.streams->inputs_[port.input].schema);
      if (!copy.ok()) return ENOMEM;
      copy->MoveTo(out);
      return 0;
    } catch (...) {
      return ENOMEM;
    }
  }
  static int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
    *out = ArrowArray{};
    Port& port = Of(stream);
    if (port.ended) return 0;
    try {
      port.last_error.clear();
      const int number = port.streams->Pull(port.input, out, &port.last_error);
      port.ended = number == 0 && out->release == nullptr;
      return number;
    } catch (...) {
      return ENOMEM;
    }
  }
  static const char* GetLastError(ArrowArrayStream* stream) {
    const Port& port = Of(stream);
    return port.last_error.empty() ? nullptr : port.last_error.c_str();
  }
  static void Release(ArrowArrayStream* stream) {
    delete static_cast<Port*>(stream->private_data);
    stream->release = nullptr;
  }
};

void InputStreams::Export(size_t i, ArrowArrayStream* out) {
  *out = {.get_schema = &Port::GetSchema,
          .get_next = &Port::GetNext,
          .get_last_error = &Port::GetLastError,
          .release = &Port::Release,
          .private_data = new Port{shared_from_this(), i, {}}};
}

void InputStreams::HostWaits(uint64_t exchange) {
  const std::scoped_lock lock(mutex_);
  exchange_ = exchange;
  host_waits_ = true;
  turned_.notify_all();
}

void InputStreams::HostIsAnswered() {
  std::unique_lock lock(mutex_);
  turned_.wait(lock, [this] { return !pulls_; });
  host_waits_ = false;
}

void InputStreams::Close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  turned_.notify_all();
}

std::vector<uint64_t> InputStreams::TakeReleased() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(released_, {});
}

int InputStreams::Pull(size_t i, ArrowArray* out, std::string* text) {
  {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [this] { return closed_ || (host_waits_ && !pulls_); });
    if (closed_) {
      *text = "cannot read an input: the stream of results is already released";
      return ECANCELED;
    }
    pulls_ = true;
  }
  struct Turn {
    InputStreams& streams;
    ~Turn() {
      const std::scoped_lock lock(streams.mutex_);
      streams.pulls_ = false;
      streams.turned_.notify_all();
    }
  } const turn{*this};
  if (!connection_.Send(WorkerWord::kPull, exchange_,
                        [i](ByteWriter& body) { body.Put(static_cast<uint32_t>(i)); })) {
    return EIO;
  }
  auto message = connection_.Receive();
  if (!message.ok()) {
    *text = message.status().fault().text;
    return EIO;
  }
  if (!message->released.empty()) {
    const std::scoped_lock lock(mutex_);
    released_.insert(released_.end(), message->released.begin(), message->released.end());
  }
  ByteReader& in = message->body;
  const auto number = in.Get<int32_t>();
  *text = in.GetText();
  if (number != 0 || in.Get<uint8_t>() == 0) return number;
  const auto input = in.Get<uint64_t>();
  const Status read = inputs_[i].reader->Read(in, connection_.segments(), TakeOver::kView,
                                              InputOwner(connection_, input), out);
  if (read.ok()) return 0;
  *text = read.fault().text;
  return EIO;
}

}  // namespace alloy::core_v0_1

// src/worker/prepare.cc -----------------------------------------------------------------
//
// What a worker does to itself before it loads the library, so that the library's
// constructors run restricted already.
#ifndef ALLOY_SRC_WORKER_PREPARE_H_
#define ALLOY_SRC_WORKER_PREPARE_H_


namespace alloy::core_v0_1 {

// End with the host, and keep only the descriptors of a worker: before anything else, so
// that a host that ends now leaves no worker behind. Returns what is reached.
Restrictions PrepareFirst(const Fd& socket);

// Load what the library may need, then give up what it does not need. `reached` has the
// restrictions that hold already, and gets those that hold now.
//   Fails  REFUSED with NEEDED: a library cannot be loaded.
//          UNSUPPORTED: a restriction that the host demands is not possible here.
Status Prepare(const LoadOrder& order, Restrictions* reached);

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_PREPARE_H_

#include <algorithm>
#include <string>
#include <vector>


namespace alloy::core_v0_1 {
namespace {

// As in process (admit/may_need.cc), but here the constructors of these files cannot harm
// the host.
Status LoadNeeded(const LoadOrder& order) {
  if (order.sonames.empty()) return Status();
  std::vector<void*> files;
  for (const std::string& path : order.files) {
    std::string text;
    files.push_back(OpenSystemLibrary(path.c_str(), &text));
    if (files.back() == nullptr) {
      return Fail(
          ALLOY_REFUSED, ALLOY_REASON_NEEDED,
          order.library + ": a file of the host's may_need cannot be loaded: " + text);
    }
  }
  for (const std::string& soname : order.sonames) {
    const bool is_there = std::ranges::any_of(
        files, [&](void* file) { return AnswersAs(file, soname.c_str()); });
    if (is_there) continue;
    return Fail(ALLOY_REFUSED, ALLOY_REASON_NEEDED,
                order.library + ": needs " + soname +
                    ", which this host does not allow: link it statically and hidden, or "
                    "allow it when the host is made (may_need, MayNeed)");
  }
  return Status();
}

// What the loader and the C library read by themselves. The libraries that a backend may
// need are mapped already.
std::vector<std::string> Readable(const LoadOrder& order) {
  std::vector<std::string> paths = {"/proc/self",
                                    "/etc/localtime",
                                    "/etc/ld.so.cache",
                                    "/etc/ld.so.preload",
                                    "/lib",
                                    "/lib64",
                                    "/usr/lib",
                                    "/usr/lib64",
                                    "/usr/local/lib",
                                    "/usr/share/zoneinfo",
                                    "/usr/share/locale",
                                    "/dev/null",
                                    "/dev/urandom",
                                    "/sys/devices/system/cpu",
                                    "/sys/fs/cgroup",
                                    "/sys/kernel/mm/transparent_hugepage"};
  if (order.plainly) paths.push_back(order.library);
  return paths;
}

}  // namespace

Restrictions PrepareFirst(const Fd& socket) {
  Restrictions first;
  first.Add(Restriction::kCommonEnd);
  first.Add(Restriction::kDescriptors);
  RestrictOptions options;
  options.host = MakerOf(socket);
  options.keep = {kControlFd, kSocketFd, kLibraryFd};
  return Reached(Restrict(options, first));
}

Status Prepare(const LoadOrder& order, Restrictions* reached) {
  ALLOY_TRY(LoadNeeded(order));
  RestrictOptions options;
  options.most_heap = static_cast<uint64_t>(order.heap_bytes);
  options.readable = Readable(order);
  const std::vector<RestrictStep> steps =
      Restrict(options, Restrictions::All().Without(*reached));
  for (const RestrictStep& step : steps) {
    if (step.reached) reached->Add(step.restriction);
  }
  const auto demanded = static_cast<uint32_t>(order.demanded);
  const Restrictions missing = Restrictions(demanded).Without(*reached);
  if (missing == Restrictions()) return Status();
  std::string why;
  for (const RestrictStep& step : steps) {
    if (step.reached || !missing.Has(step.restriction)) continue;
    why += (why.empty() ? "" : "; ") + std::string(RestrictionName(step.restriction)) +
           ": " + step.text;
  }
  return Fail(ALLOY_UNSUPPORTED,
              order.library +
                  ": the host demands a restriction of workers that is not "
                  "possible here (" +
                  why + "); arrowalloy doctor shows what this machine allows");
}

}  // namespace alloy::core_v0_1

// src/worker/result_memory.cc -----------------------------------------------------------

namespace alloy::core_v0_1 {

Arena& ResultMemory() {
  // Never destroyed: threads of the backend may use it until the process ends.
  static Arena* const arena = new Arena();
  return *arena;
}

}  // namespace alloy::core_v0_1

// src/worker/server.cc ------------------------------------------------------------------
//
// Does what the host asks, one thing after another, until the host is gone.
#ifndef ALLOY_SRC_WORKER_SERVER_H_
#define ALLOY_SRC_WORKER_SERVER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

//
// What a backend in a worker gets of the engine: the services, and one entry into it.
#ifndef ALLOY_SRC_WORKER_WORKER_SCOPE_H_
#define ALLOY_SRC_WORKER_WORKER_SCOPE_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>


namespace alloy::core_v0_1 {

// The table that every scope points to; constant. Its entries expect a WorkerScope.
const alloy_services& WorkerServices();

// Threads  shared: a backend uses its scope from any thread.
class WorkerScope : public alloy_scope {
 public:
  // Borrows control, as long as the scope lives.
  explicit WorkerScope(ControlBlock& control)
      : alloy_scope{&WorkerServices()}, control_(control) {}
  WorkerScope(const WorkerScope&) = delete;
  WorkerScope& operator=(const WorkerScope&) = delete;

  // The exchange that the scope belongs to from now on, and the levels that the host
  // writes: bit n is level n.
  void Enter(uint64_t exchange, uint32_t log_levels) {
    exchange_.store(exchange, std::memory_order_relaxed);
    log_levels_.store(log_levels, std::memory_order_relaxed);
  }

  bool stopped() const {
    return control_.stop.load(std::memory_order_relaxed) ==
           exchange_.load(std::memory_order_relaxed);
  }
  bool Logs(int32_t level) const {
    return level >= ALLOY_LOG_DEBUG && level <= ALLOY_LOG_ERROR &&
           (log_levels_.load(std::memory_order_relaxed) >> level & 1) != 0;
  }
  void WriteLog(int32_t level, std::string_view text);
  void SetProgress(int64_t done, int64_t total) {
    control_.done.store(done, std::memory_order_relaxed);
    control_.total.store(total, std::memory_order_relaxed);
  }

  struct Error {
    alloy_code code = ALLOY_OK;  // ALLOY_OK: nothing was reported
    std::string text;
  };
  void SetError(alloy_code code, std::string text);
  // The last error; the scope then has none.
  Error TakeError();

 private:
  ControlBlock& control_;
  std::atomic<uint64_t> exchange_{0};
  std::atomic<uint32_t> log_levels_{0};
  std::mutex mutex_;  // guards the error and, in this process, the log
  Error error_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_WORKER_SCOPE_H_

namespace alloy::core_v0_1 {

// Threads  serial: the main thread of the worker.
class Server {
 public:
  // `reached` are the restrictions that hold already.
  //
  //   Borrows  connection.
  //   Takes    library: the sealed copy, which the process inherited.
  Server(Connection& connection, Fd library, Restrictions reached)
      : connection_(connection), library_(std::move(library)), reached_(reached) {}

  // Until the host is gone, or says that it needs this worker no more.
  void Run();

 private:
  // One bound function.
  struct Bound {
    const alloy_function* function = nullptr;
    void* state = nullptr;
    std::vector<OwnedSchema> schemas;  // of the inputs
    std::vector<std::unique_ptr<Layout>> inputs;
    std::unique_ptr<Layout> output;
    std::vector<std::unique_ptr<RecordReader>> readers;
    std::unique_ptr<RecordWriter> writer;
    std::vector<ArrowArray> arrays;  // the inputs of a run; kept for its memory
  };
  // What the host may still read.
  struct Kept {
    OwnedArray array;
    void* copy = nullptr;  // in the arena

    Kept(OwnedArray a, void* c) : array(std::move(a)), copy(c) {}
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { ResultMemory().Free(copy); }
  };
  // `score of acme.models`, for texts.
  std::string NameOf(const Bound& bound) const;
  // Of the schema that a bind returned.
  static Status ReadOutput(Bound& bound, const ArrowSchema& schema);
  static Fault NoFault() {
    Fault fault;
    fault.code = ALLOY_OK;
    return fault;
  }
  // What a backend returned for one exchange.
  struct Outcome {
    alloy_code code = ALLOY_OK;
    WorkerScope::Error error;  // what the backend reported
    Fault fault = NoFault();   // what the engine's side found; OK: nothing

    void Write(ByteWriter& out) const;
  };

  void Answer(HostMessage& message);
  void Load(HostMessage& message);
  void Bind(HostMessage& message);
  void Unbind(HostMessage& message);
  void RunFunction(HostMessage& message);
  void Open(HostMessage& message);
  void Next(HostMessage& message);
  void Close(HostMessage& message);

  Status LoadLibrary(ByteReader& in);
  Status BindFunction(ByteReader& in, uint64_t id, Outcome* outcome, OwnedSchema* output);
  // Leave a result where the host can read it. Returns its number.
  Result<uint64_t> Keep(Bound& bound, OwnedArray array, uint64_t exchange);
  Result<std::byte*> ReserveForCopy(uint64_t size, uint64_t exchange);
  void SendOutcome(uint64_t exchange, const Outcome& outcome, const Bound* bound,
                   const Result<uint64_t>* result);
  static Outcome FailedBy(const Status& status);
  static Outcome Thrown(std::string text);
  Bound* Find(uint64_t id);
  // Unbind a function, if it is bound. Returns what the backend threw.
  std::string Drop(uint64_t id);
  void Release(std::span<const uint64_t> results);
  void EndStream(std::string* thrown);

  Connection& connection_;
  Fd library_;
  Restrictions reached_;
  WorkerScope scope_{connection_.control()};
  std::unique_ptr<Loader> loader_;
  std::shared_ptr<const BackendTable> table_;
  std::unordered_map<uint64_t, Bound> bound_;
  std::unordered_map<uint64_t, Kept> results_;
  uint64_t last_result_ = 0;
  std::vector<ArrowArray> given_;  // what a run got; a member, so that its room stays
  // The open stream. A worker has one at most.
  Bound* streaming_ = nullptr;
  OwnedArrayStream stream_;
  std::shared_ptr<InputStreams> inputs_;
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_SERVER_H_

#include <cerrno>
#include <string_view>
#include <utility>

//
// How a worker gets a Cleared: from the host that started it, which has admitted the
// library.
#ifndef ALLOY_SRC_PORT_INHERITED_LIBRARY_H_
#define ALLOY_SRC_PORT_INHERITED_LIBRARY_H_

#include <string>


namespace alloy::core_v0_1 {

class InheritedLibrary {
 public:
  //   Takes  sealed: what the host passed on.
  //   Fails  REFUSED with IDENTITY: it is not memory under all four seals.
  static Result<Cleared> Take(Fd sealed, std::string path, bool is_linked);
};

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_PORT_INHERITED_LIBRARY_H_

namespace alloy::core_v0_1 {
void Server::Run() {
  for (;;) {
    auto message = connection_.Receive();
    if (!message.ok() || message->word == HostWord::kQuit) return;
    scope_.Enter(message->exchange, message->log_levels);
    Release(message->released);
    Answer(*message);
  }
}

// What a body cannot say in the room of a message becomes a failure that can.
void Server::Answer(HostMessage& message) {
  switch (message.word) {
    case HostWord::kLoad:
      return Load(message);
    case HostWord::kBind:
      return Bind(message);
    case HostWord::kUnbind:
      return Unbind(message);
    case HostWord::kRun:
      return RunFunction(message);
    case HostWord::kOpen:
      return Open(message);
    case HostWord::kNext:
      return Next(message);
    case HostWord::kClose:
      return Close(message);
    case HostWord::kNothing:
    case HostWord::kQuit:
    case HostWord::kBatch:
    case HostWord::kSegment:
      return;
  }
}

void Server::Release(std::span<const uint64_t> results) {
  for (const uint64_t result : results) {
    const auto found = results_.find(result);
    if (found == results_.end()) continue;
    // A release that throws has still released as much as it could.
    (void)ReleaseForeign(&found->second.array);
    results_.erase(found);
  }
}

// ---- Load

void Server::Load(HostMessage& message) {
  const Status status = LoadLibrary(message.body);
  const bool sent =
      connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
        out.Put(status.code());
        out.Put(status.reason());
        out.PutWords(status.ok() ? "" : status.fault().text);
        out.Put(uint64_t{reached_.bits()});
        if (status.ok()) WriteTable(table_->backend(), out);
      });
  if (sent) return;
  (void)connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
    out.Put(ALLOY_REFUSED);
    out.Put(ALLOY_REASON_TABLE);
    out.PutText(
        "the table of the backend is too large to cross to the host: it has more "
        "than " +
        std::to_string(kMessageBytes) + " bytes");
    out.Put(uint64_t{reached_.bits()});
  });
}

Status Server::LoadLibrary(ByteReader& in) {
  ALLOY_ASSIGN_OR_RETURN(const LoadOrder order, LoadOrder::Read(in));
  ALLOY_TRY(Prepare(order, &reached_));
  const std::string path = order.library + ": ";
  loader_ =
      std::make_unique<Loader>(order.plainly ? LoadFrom::kPath : LoadFrom::kSealedCopy);
  auto library =
      InheritedLibrary::Take(std::move(library_), order.library, order.is_linked);
  if (!library.ok()) return library.status().WithPrefix(path);
  auto code = loader_->Map(*std::move(library));
  if (!code.ok()) return code.status().WithPrefix(path);
  auto table = InitialiseBackend(*code, &WorkerServices(), &scope_);
  const std::string reported = scope_.TakeError().text;
  if (table.ok()) {
    table_ = *std::move(table);
    return CheckCrosses(table_->backend()).WithPrefix(path);
  }
  // A backend that returned no table explains why with the service `fail`.
  if (table.status().reason() == ALLOY_REASON_INIT && !reported.empty()) {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_INIT,
                path + "alloy_backend_init failed: " + reported);
  }
  return table.status().WithPrefix(path);
}

// ---- Bind

// A failure of this side of the engine, not of the backend.
Server::Outcome Server::FailedBy(const Status& status) {
  return {status.code(), {status.code(), status.fault().text}, status.fault()};
}

Server::Outcome Server::Thrown(std::string text) {
  Outcome outcome;
  outcome.code = ALLOY_FAILED;
  outcome.error = {ALLOY_FAILED, std::move(text)};
  return outcome;
}

void Server::Outcome::Write(ByteWriter& out) const {
  out.Put(code);
  out.Put(error.code);
  out.PutWords(error.text);
  out.Put(fault.reason);
  out.Put(fault.column);
  out.Put(static_cast<uint8_t>(fault.code != ALLOY_OK));
}

std::string Server::NameOf(const Bound& bound) const {
  return std::string(bound.function->name) + " of " + table_->backend().name;
}

Server::Bound* Server::Find(uint64_t id) {
  const auto found = bound_.find(id);
  return found != bound_.end() ? &found->second : nullptr;
}

void Server::Bind(HostMessage& message) {
  const auto id = message.body.Get<uint64_t>();
  Outcome outcome;
  OwnedSchema output;
  Status status = BindFunction(message.body, id, &outcome, &output);
  if (!status.ok()) outcome = FailedBy(status);
  const bool sent =
      connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
        outcome.Write(out);
        if (outcome.code != ALLOY_OK) return;
        status = WriteSchema(*output, out);
        // The host gets one answer: a half schema is none.
        if (!status.ok()) out.Fail();
      });
  if (sent) return;
  // The host does not hear of it, and would never free it.
  (void)Drop(id);
  outcome = FailedBy(status.ok() ? Fail(ALLOY_EXHAUSTED,
                                        "the schema of the result is too large to cross")
                                 : status);
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { outcome.Write(out); });
}

Status Server::BindFunction(ByteReader& in, uint64_t id, Outcome* outcome,
                            OwnedSchema* output) {
  const auto index = in.Get<uint32_t>();
  const alloy_function* const* functions = table_->backend().functions;
  for (uint32_t i = 0; i <= index; ++i) {
    if (functions[i] == nullptr) return Fail(ALLOY_INTERNAL, "a function is not there");
  }
  Bound bound;
  bound.function = functions[index];
  std::vector<ArrowSchema> schemas;
  for (auto n = in.Get<uint32_t>(); n > 0; --n) {
    ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, ReadSchema(in));
    ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(*schema));
    schemas.push_back(*schema);
    bound.schemas.push_back(std::move(schema));
    bound.inputs.push_back(std::make_unique<Layout>(std::move(layout)));
    bound.readers.push_back(std::make_unique<RecordReader>(*bound.inputs.back()));
  }
  std::vector<std::string> texts;
  for (auto n = in.Get<uint32_t>(); n > 0 && in.ok(); --n) {
    texts.emplace_back(in.GetText());
  }
  std::vector<const char*> values;
  values.reserve(texts.size() + 1);
  for (const std::string& text : texts) values.push_back(text.c_str());
  values.push_back(nullptr);
  if (!in.ok()) return Fail(ALLOY_INTERNAL, "a message of the host is cut");
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome->code =
            bound.function->bind(bound.function->self, &scope_, schemas.data(),
                                 static_cast<int32_t>(schemas.size()), values.data(),
                                 output->get(), &bound.state);
      })) {
    outcome->code = ALLOY_FAILED;
    outcome->error = {ALLOY_FAILED, std::move(thrown)};
    return Status();
  }
  outcome->error = scope_.TakeError();
  Status status = DisarmSchema(NameOf(bound), schemas, output->get());
  if (outcome->code != ALLOY_OK) return status;
  if (status.ok()) {
    status = ReadOutput(bound, **output)
                 .WithPrefix("the schema that " + NameOf(bound) + " returned: ");
  }
  if (status.ok()) {
    (void)Drop(id);
    bound_.insert_or_assign(id, std::move(bound));
  } else if (bound.function->unbind != nullptr) {
    EnterForeign(&thrown, [&] { bound.function->unbind(bound.state); });
  }
  return status;
}

// The checks of the engine, since a malformed schema cannot cross.
Status Server::ReadOutput(Bound& bound, const ArrowSchema& schema) {
  ALLOY_ASSIGN_OR_RETURN(Layout layout, Layout::OfBatch(schema));
  std::string unused;
  ALLOY_TRY(AppendFingerprint(schema, &unused));
  bound.output = std::make_unique<Layout>(std::move(layout));
  bound.writer = std::make_unique<RecordWriter>(*bound.output);
  return Status();
}

std::string Server::Drop(uint64_t id) {
  std::string thrown;
  const auto found = bound_.find(id);
  if (found == bound_.end()) return thrown;
  const Bound& bound = found->second;
  if (bound.function->unbind != nullptr) {
    EnterForeign(&thrown, [&] { bound.function->unbind(bound.state); });
  }
  bound_.erase(found);
  return thrown;
}

void Server::Unbind(HostMessage& message) {
  const std::string thrown = Drop(message.body.Get<uint64_t>());
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { out.PutWords(thrown); });
}

// ---- Results

Result<std::byte*> Server::ReserveForCopy(uint64_t size, uint64_t exchange) {
  void* memory = ResultMemory().Allocate(size);
  if (memory != nullptr) return static_cast<std::byte*>(memory);
  const auto no_memory = [size] {
    return Fail(ALLOY_EXHAUSTED,
                "a result needs " + std::to_string(size) +
                    " bytes of shared memory, which output_bytes allows, but the machine "
                    "has no memory for them; free memory, or raise the memory limit of "
                    "the host or its container");
  };
  if (ResultMemory().HasRoomFor(size)) return no_memory();
  if (!connection_.Send(WorkerWord::kNeed, exchange,
                        [size](ByteWriter& out) { out.Put(size); })) {
    return Fail(ALLOY_INTERNAL, "a message to the host is full");
  }
  ALLOY_ASSIGN_OR_RETURN(HostMessage message, connection_.Receive());
  Release(message.released);
  const auto code = message.body.Get<alloy_code>();
  const std::string text(message.body.GetText());
  if (code != ALLOY_OK) return Fail(code, text);
  memory = ResultMemory().Allocate(size);
  if (memory != nullptr) return static_cast<std::byte*>(memory);
  return no_memory();
}

Result<uint64_t> Server::Keep(Bound& bound, OwnedArray array, uint64_t exchange) {
  if (bound.writer == nullptr) return Fail(ALLOY_INTERNAL, "the function is not bound");
  Status status = AdmitBatch(*bound.output, {Level::kShape, false}, array.get());
  if (status.ok()) status = bound.writer->Plan(*array, connection_.segments());
  if (!status.ok()) return status.WithPrefix("the result of " + NameOf(bound) + ": ");
  void* copy = nullptr;
  if (const uint64_t size = bound.writer->copied_bytes(); size > 0) {
    ALLOY_ASSIGN_OR_RETURN(std::byte* const place, ReserveForCopy(size, exchange));
    copy = place;
    for (const SegmentView& segment : connection_.segments()) {
      if (place >= segment.bytes.data() &&
          place < segment.bytes.data() + segment.bytes.size()) {
        bound.writer->Copy(place, segment.number,
                           static_cast<uint64_t>(place - segment.bytes.data()));
      }
    }
  }
  results_.try_emplace(++last_result_, std::move(array), copy);
  return last_result_;
}

void Server::SendOutcome(uint64_t exchange, const Outcome& outcome, const Bound* bound,
                         const Result<uint64_t>* result) {
  const auto send = [&](const Outcome& what, bool with_result) {
    return connection_.Send(WorkerWord::kDone, exchange, [&](ByteWriter& out) {
      what.Write(out);
      out.Put(static_cast<uint8_t>(with_result));
      if (!with_result) return;
      out.Put(**result);
      bound->writer->Write(out);
    });
  };
  if (result != nullptr && !result->ok()) {
    (void)send(FailedBy(result->status()), false);
    return;
  }
  if (send(outcome, result != nullptr)) return;
  if (result != nullptr) results_.erase(**result);
  (void)send(FailedBy(Fail(ALLOY_EXHAUSTED,
                           "the result has too many columns or buffers to cross to the "
                           "host")),
             false);
}

// ---- Run

void Server::RunFunction(HostMessage& message) {
  ByteReader& in = message.body;
  Bound* const bound = Find(in.Get<uint64_t>());
  const auto n = in.Get<uint32_t>();
  if (bound == nullptr || n != bound->inputs.size()) {
    return SendOutcome(message.exchange,
                       FailedBy(Fail(ALLOY_INTERNAL, "the function is not bound here")),
                       nullptr, nullptr);
  }
  std::vector<ArrowArray>& inputs = bound->arrays;
  inputs.assign(n, ArrowArray{});
  const ReleaseRest<ArrowArray> rest(inputs.data(), n);
  for (uint32_t i = 0; i < n; ++i) {
    const auto input = in.Get<uint64_t>();
    const Status read =
        bound->readers[i]->Read(in, connection_.segments(), TakeOver::kView,
                                InputOwner(connection_, input), &inputs[i]);
    if (!read.ok()) {
      return SendOutcome(message.exchange, FailedBy(read), nullptr, nullptr);
    }
  }
  given_.assign(inputs.begin(), inputs.end());
  Outcome outcome;
  OwnedArray output;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome.code = bound->function->run(bound->state, &scope_, inputs.data(),
                                            static_cast<int32_t>(n), output.get());
      })) {
    outcome = Thrown(std::move(thrown));
    scope_.TakeError();
  } else {
    outcome.error = scope_.TakeError();
  }
  if (const Copied copied = Disarm(*bound->output, {given_, inputs}, output.get());
      copied.any()) {
    (void)ReleaseForeign(&output);
    outcome = FailedBy(copied.Describe(NameOf(*bound), outcome.error.text));
  }
  (void)rest.Release();
  if (outcome.code != ALLOY_OK) {
    (void)ReleaseForeign(&output);
    return SendOutcome(message.exchange, outcome, nullptr, nullptr);
  }
  if (!output) return SendOutcome(message.exchange, outcome, nullptr, nullptr);
  const Result<uint64_t> kept = Keep(*bound, std::move(output), message.exchange);
  SendOutcome(message.exchange, outcome, bound, &kept);
}

// ---- Streams

void Server::Open(HostMessage& message) {
  ByteReader& in = message.body;
  Bound* const bound = Find(in.Get<uint64_t>());
  if (bound == nullptr || streaming_ != nullptr) {
    return SendOutcome(message.exchange,
                       FailedBy(Fail(ALLOY_INTERNAL, "the function is not bound here")),
                       nullptr, nullptr);
  }
  const size_t n = bound->inputs.size();
  std::vector<InputStreams::Input> inputs;
  for (size_t i = 0; i < n; ++i) {
    auto schema = CopySchema(*bound->schemas[i]);
    if (!schema.ok()) {
      return SendOutcome(message.exchange, FailedBy(schema.status()), nullptr, nullptr);
    }
    inputs.push_back({*std::move(schema), bound->readers[i].get()});
  }
  inputs_ = std::make_shared<InputStreams>(connection_, std::move(inputs));
  std::vector<ArrowArrayStream> streams(n);
  const ReleaseRest<ArrowArrayStream> rest(streams.data(), n);
  for (size_t i = 0; i < n; ++i) inputs_->Export(i, &streams[i]);
  streaming_ = bound;
  inputs_->HostWaits(message.exchange);
  Outcome outcome;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] {
        outcome.code = bound->function->open(bound->state, &scope_, streams.data(),
                                             static_cast<int32_t>(n), stream_.get());
      })) {
    outcome = Thrown(std::move(thrown));
    scope_.TakeError();
  } else {
    outcome.error = scope_.TakeError();
  }
  inputs_->HostIsAnswered();
  if (const Status moved = DisarmStreams(NameOf(*bound), streams, stream_.get());
      !moved.ok()) {
    outcome =
        FailedBy(outcome.code == ALLOY_OK
                     ? moved
                     : moved.WithSuffix("; open also failed: " + outcome.error.text));
  }
  if (outcome.code == ALLOY_OK && (!stream_ || stream_->get_next == nullptr)) {
    outcome = Thrown(std::string(bound->function->name) +
                     " opened no stream, and reported no error");
  }
  (void)rest.Release();
  if (outcome.code != ALLOY_OK) EndStream(&thrown);
  Release(inputs_ != nullptr ? inputs_->TakeReleased() : std::vector<uint64_t>());
  SendOutcome(message.exchange, outcome, nullptr, nullptr);
}

void Server::Next(HostMessage& message) {
  const auto send = [&](int32_t number, const Outcome& outcome,
                        const std::string& last_error) {
    (void)connection_.Send(WorkerWord::kDone, message.exchange, [&](ByteWriter& out) {
      outcome.Write(out);
      out.Put(uint8_t{0});
      out.Put(number);
      out.PutWords(last_error);
    });
  };
  if (streaming_ == nullptr) {
    return send(EINVAL, FailedBy(Fail(ALLOY_INTERNAL, "no stream is open here")), "");
  }
  inputs_->HostWaits(message.exchange);
  OwnedArray batch;
  int number = EIO;
  std::string thrown, last_error;
  const bool came_back = EnterForeign(
      &thrown, [&] { number = stream_->get_next(stream_.get(), batch.get()); });
  // A failed call may leave anything in the struct, and nobody owns it.
  if (!came_back || number != 0) *batch.get() = ArrowArray{};
  if (came_back && number != 0 && stream_->get_last_error != nullptr) {
    std::string ignored;
    EnterForeign(&ignored, [&] {
      const char* const last = stream_->get_last_error(stream_.get());
      if (last != nullptr) last_error = last;
    });
  }
  inputs_->HostIsAnswered();
  Release(inputs_->TakeReleased());
  Outcome outcome;
  outcome.error = scope_.TakeError();
  if (!came_back) {
    outcome.error = {ALLOY_FAILED, std::move(thrown)};
    number = EIO;
  }
  if (number != 0 || !batch) return send(number, outcome, last_error);
  const Result<uint64_t> kept = Keep(*streaming_, std::move(batch), message.exchange);
  SendOutcome(message.exchange, outcome, streaming_, &kept);
}

void Server::Close(HostMessage& message) {
  std::string thrown;
  EndStream(&thrown);
  (void)connection_.Send(WorkerWord::kDone, message.exchange,
                         [&](ByteWriter& out) { out.PutWords(thrown); });
}

void Server::EndStream(std::string* thrown) {
  if (inputs_ != nullptr) inputs_->Close();
  *thrown = ReleaseForeign(&stream_);
  if (inputs_ != nullptr) Release(inputs_->TakeReleased());
  inputs_.reset();
  streaming_ = nullptr;
}

}  // namespace alloy::core_v0_1

// src/worker/takeover.cc ----------------------------------------------------------------
//
// For programs that have the engine compiled in, such as Go programs: they are their own
// worker program. The engine starts the program again, and this takes it over before any
// runtime starts. It is in no other build, and does nothing in a process that was started
// in any other way.
//
// The program alloy-worker, also inside of programs that have the engine compiled in.
#ifndef ALLOY_SRC_WORKER_WORKER_H_
#define ALLOY_SRC_WORKER_WORKER_H_

namespace alloy::core_v0_1 {

// Whether this process was started as a worker.
bool IsWorker(int argc, char** argv);

// Serve the host that started this process, until it is gone. Returns the exit status.
int RunWorker();

}  // namespace alloy::core_v0_1

#endif  // ALLOY_SRC_WORKER_WORKER_H_

namespace alloy::core_v0_1 {
namespace {

// Priority: after those of the C++ library, whose objects the worker uses.
__attribute__((constructor)) void TakeOver(int argc, char** argv, char**) {
  if (!IsWorker(argc, argv)) return;
  // A user could type the argument. Only an engine passes sealed memory on.
  if (IsSealable(kControlFd)) EndProcess(RunWorker());
}

}  // namespace
}  // namespace alloy::core_v0_1

// src/worker/worker.cc ------------------------------------------------------------------

#include <cstdio>
#include <string_view>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

// A worker that cannot talk to its host tells its operator.
int GiveUp(const char* what) {
  std::fprintf(stderr, "alloy-worker: %s\n", what);
  return 3;
}

}  // namespace

bool IsWorker(int argc, char** argv) {
  return argc == 2 && std::string_view(argv[1]) == kWorkerArgument;
}

int RunWorker() {
  auto control = SharedMemory::Attach(Fd(kControlFd), true);
  if (!control.ok() || control->size() < sizeof(ControlBlock)) {
    return GiveUp("the descriptor of the host is missing");
  }
  if (reinterpret_cast<ControlBlock*>(control->data())->protocol.load() != kProtocol) {
    return GiveUp(
        "the host is of another version; install the worker that belongs to its engine");
  }
  Fd socket(kSocketFd);
  const Restrictions reached = PrepareFirst(socket);
  if (!reached.Has(Restriction::kCommonEnd)) return GiveUp("the host has ended");
  Connection connection(*std::move(control), std::move(socket));
  Server server(connection, Fd(kLibraryFd), reached);
  server.Run();
  return 0;
}

}  // namespace alloy::core_v0_1

// src/worker/worker_scope.cc ------------------------------------------------------------
//
// A backend calls these functions through C, from any thread and often from inside its
// own error handling. So none of them throws, and a lack of memory loses a text or a log
// line but never the call.

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>


namespace alloy::core_v0_1 {
namespace {

WorkerScope& WorkerScopeOf(alloy_scope* scope) {
  return *static_cast<WorkerScope*>(scope);
}

// length -1: the text ends with a NUL.
std::string_view TextOf(const char* text, int64_t length) {
  if (text == nullptr) return {};
  return length < 0 ? std::string_view(text)
                    : std::string_view(text, static_cast<size_t>(length));
}

alloy_code WorkerFail(alloy_scope* scope, alloy_code code, const char* text,
                      int64_t length) {
  // A failure with the code OK would pass for a result that was never made.
  if (code <= ALLOY_OK || code > ALLOY_INTERNAL) code = ALLOY_INTERNAL;
  try {
    WorkerScopeOf(scope).SetError(code, AsUtf8(TextOf(text, length)));
  } catch (...) {
    // Without memory for the text, the caller gets only the code.
  }
  return code;
}

int32_t WorkerCancelled(alloy_scope* scope) {
  return WorkerScopeOf(scope).stopped() ? 1 : 0;
}

void WorkerProgress(alloy_scope* scope, int64_t done, int64_t total) {
  WorkerScopeOf(scope).SetProgress(done, total);
}

void WorkerLog(alloy_scope* scope, int32_t level, const char* text, int64_t length) {
  try {
    if (WorkerScopeOf(scope).Logs(level)) {
      WorkerScopeOf(scope).WriteLog(level, TextOf(text, length));
    }
  } catch (...) {
    // Without memory the line is lost, and the call goes on.
  }
}

int32_t WorkerLogging(alloy_scope* scope, int32_t level) {
  return WorkerScopeOf(scope).Logs(level) ? 1 : 0;
}

int64_t WorkerDescribe(const ArrowSchema* schema, const ArrowArray* array, char* text,
                       int64_t capacity) {
  if (schema == nullptr || array == nullptr || (text == nullptr && capacity > 0)) {
    return -1;
  }
  try {
    const Result<int64_t> length = DescribeInto(*schema, *array, text, capacity);
    return length.ok() ? *length : -1;
  } catch (...) {
    return -1;
  }
}

void* WorkerResize(void* memory, int64_t old_size, int64_t new_size) {
  return ResultMemory().Resize(memory, old_size, new_size);
}

constexpr alloy_services kWorkerServices = {.struct_size = sizeof(alloy_services),
                                            .abi = ALLOY_ABI,
                                            .fail = WorkerFail,
                                            .cancelled = WorkerCancelled,
                                            .progress = WorkerProgress,
                                            .resize = WorkerResize,
                                            .log = WorkerLog,
                                            .logging = WorkerLogging,
                                            .describe = WorkerDescribe};

}  // namespace

const alloy_services& WorkerServices() { return kWorkerServices; }

void WorkerScope::SetError(alloy_code code, std::string text) {
  const std::scoped_lock lock(mutex_);
  error_ = {code, std::move(text)};
}

WorkerScope::Error WorkerScope::TakeError() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(error_, Error());
}

// The host takes the lines while it waits, and holds the turn only for a copy. A line that
// does not fit is counted.
void WorkerScope::WriteLog(int32_t level, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  while (control_.log_turn.exchange(1, std::memory_order_acquire) != 0) {
    std::this_thread::yield();
  }
  const size_t used = std::min<size_t>(control_.log_used.load(std::memory_order_relaxed),
                                       control_.log.size());
  const auto length = static_cast<uint32_t>(std::min<size_t>(text.size(), kLogBytes / 2));
  constexpr size_t kHead = 1 + sizeof(length);
  if (kHead + length > control_.log.size() - used) {
    control_.log_lost.fetch_add(1, std::memory_order_relaxed);
  } else {
    std::byte* const line = control_.log.data() + used;
    line[0] = static_cast<std::byte>(level);
    std::memcpy(line + 1, &length, sizeof(length));
    std::memcpy(line + kHead, text.data(), length);
    control_.log_used.store(static_cast<uint32_t>(used + kHead + length),
                            std::memory_order_relaxed);
  }
  control_.log_turn.store(0, std::memory_order_release);
}

}  // namespace alloy::core_v0_1
