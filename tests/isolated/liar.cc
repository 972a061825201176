// SPDX-License-Identifier: MIT
//
// A hostile worker program. It stands between the host and an honest worker, which runs in a
// thread with a control block of its own, and hands on each message; one of them with a lie.
// The file name ends with the seed of the lie (lies.h): `liar.17`.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <thread>

#include "port/fd.h"
#include "port/shared_memory.h"
#include "tests/isolated/lies.h"
#include "wire/protocol.h"
#include "worker/worker.h"

namespace {

using alloy::core::ControlBlock;
using alloy::core::kMessageBytes;
using alloy::core::Receiver;
using alloy::core::WorkerWord;
using lies::Lie;

// The order of worker/connection.cc: word, number of releases, exchange, releases, arena.
constexpr size_t kWordAt = 0, kReleasedAt = 4, kExchangeAt = 8, kArenaAt = 16;
constexpr size_t kHeadBytes = 24;
// The order of Server::Outcome::Write: two codes, the length of a text, the text, a reason, a
// column and a flag.
constexpr size_t kCodeAt = kHeadBytes, kTextAt = kHeadBytes + 8;
// With an empty text.
constexpr uint32_t kHalfBytes = kTextAt + 8 + 4 + 4 + 1;

class Liar {
 public:
  Liar(ControlBlock& host, ControlBlock& worker, uint32_t seed, bool is_honest)
      : host_(host),
        worker_(worker),
        random_(seed),
        lie_(lies::LieOf(seed)),
        step_(is_honest ? UINT32_MAX : lies::StepOf(seed)) {}

  // Hands on until one side has ended.
  void Run() {
    Receiver asks(host_.to_worker), answers(worker_.to_host);
    if (lie_ == Lie::kEarly) {
      for (uint32_t n = 0; n <= step_; ++n) host_.to_host.Post(kHeadBytes);
    }
    for (uint32_t step = 0;; ++step) {
      if (!Wait(asks)) return;
      uint32_t size = std::min<uint32_t>(host_.to_worker.length, kMessageBytes);
      std::memcpy(worker_.for_worker.data(), host_.for_worker.data(), size);
      worker_.to_worker.Post(size);
      if (!Wait(answers)) return;
      size = std::min<uint32_t>(worker_.to_host.length, kMessageBytes);
      std::memcpy(host_.for_host.data(), worker_.for_host.data(), size);
      if (step == step_) size = Tell(size);
      host_.to_host.Post(size);
      if (step == step_) TellAfter(size);
    }
  }

 private:
  static bool Wait(Receiver& receiver) {
    for (;;) {
      const auto event = receiver.Wait(-1);
      if (event == Receiver::Event::kMessage) return true;
      if (event == Receiver::Event::kClosed) return false;
    }
  }
  [[noreturn]] static void Sleep() {
    for (;;) ::pause();
  }

  template <typename T>
  void Put(size_t at, T value) {
    std::memcpy(host_.for_host.data() + at, &value, sizeof(value));
  }
  template <typename T>
  T Get(size_t at) const {
    T value;
    std::memcpy(&value, host_.for_host.data() + at, sizeof(value));
    return value;
  }
  uint64_t Odd() {
    constexpr auto kOdd = std::to_array<uint64_t>({0,
                                                   1,
                                                   2,
                                                   3,
                                                   7,
                                                   12,
                                                   0x7f,
                                                   0xff,
                                                   0xffff,
                                                   kMessageBytes - 1,
                                                   kMessageBytes,
                                                   kMessageBytes + 1,
                                                   0x7fffffff,
                                                   0x80000000,
                                                   0xffffffff,
                                                   uint64_t{1} << 46,
                                                   INT64_MAX,
                                                   uint64_t{1} << 63,
                                                   UINT64_MAX - 7,
                                                   UINT64_MAX});
    return random_() % 4 == 0 ? random_() : kOdd[random_() % kOdd.size()];
  }
  // A number that is not far from another one.
  uint64_t Near(uint64_t number) { return number + (random_() % 17) - 8; }

  // Overwrite one number of the body.
  void ChangeNumber(uint32_t size) {
    constexpr auto kWidths = std::to_array<size_t>({1, 2, 4, 8});
    const size_t width = kWidths[random_() % kWidths.size()];
    if (size < kHeadBytes + width) return;
    const uint64_t value = Odd();
    std::memcpy(host_.for_host.data() + kHeadBytes +
                    (random_() % (size - kHeadBytes - width + 1)),
                &value, width);
  }
  // Where word `n` from the end is: a record is what a message ends with.
  size_t WordAt(uint32_t size, size_t n) const {
    const size_t words = (size - kHeadBytes) / 8;
    return words == 0 ? 0 : size - (8 * (1 + (n % words)));
  }
  // The place of a buffer, of which there are three words: segment, offset and length.
  size_t PlaceAt(uint32_t size) { return WordAt(size, 2 + (3 * (random_() % 3))); }
  void ChangeWord(size_t at) {
    if (at != 0) Put(at, random_() % 3 == 0 ? Near(Get<uint64_t>(at)) : Odd());
  }
  uint32_t Ask(WorkerWord word, uint64_t what, uint32_t bytes = 8) {
    Put(kWordAt, word);
    Put(kReleasedAt, uint32_t{0});
    Put(kArenaAt, uint64_t{0});
    Put(kHeadBytes, what);
    return kHeadBytes + bytes;
  }
  template <typename What>
  [[noreturn]] void AskForEver(WorkerWord word, What&& what) {
    for (;;) host_.to_host.Post(Ask(word, what()));
  }

  // Changes the message, and returns the length that it tells.
  uint32_t Tell(uint32_t size) {
    switch (lie_) {
      case Lie::kLength:
        return static_cast<uint32_t>(Odd());
      case Lie::kCut:
        return static_cast<uint32_t>(random_() % size);
      case Lie::kHalf:
        return kHalfBytes;
      case Lie::kWord:
        Put(kWordAt, static_cast<uint32_t>(4 + (Odd() % 0xfffffff0)));
        break;
      case Lie::kExchange:
        Put(kExchangeAt, random_() % 2 == 0 ? Get<uint64_t>(kExchangeAt) - 1 : Odd());
        break;
      case Lie::kReleaseCount:
        Put(kReleasedAt, static_cast<uint32_t>(Odd()));
        break;
      case Lie::kRelease: {
        std::byte* const at = host_.for_host.data() + kArenaAt;
        std::memmove(at + 8, at, size - kArenaAt);
        Put(kReleasedAt, Get<uint32_t>(kReleasedAt) + 1);
        Put(kArenaAt, random_() % 2 == 0 ? 1 + (random_() % 4) : Odd());
        return size + 8;
      }
      case Lie::kArena:
        Put(kArenaAt, Odd());
        break;
      case Lie::kSilence:
        Sleep();
      case Lie::kExit:
        ::_exit(0);
      case Lie::kAbort:
        std::abort();
      case Lie::kCloses:
        host_.to_host.Close();
        Sleep();
      case Lie::kClosesOwn:
        host_.to_worker.Close();
        break;
      case Lie::kNudges:
        for (;;) host_.to_host.Nudge();
      case Lie::kRaise:
        host_.to_host.word |= static_cast<uint32_t>(random_() % 8);
        host_.to_worker.word |= static_cast<uint32_t>(random_() % 8);
        break;
      case Lie::kCount:
        host_.to_host.word = static_cast<uint32_t>(Odd());
        host_.to_worker.word = static_cast<uint32_t>(Odd());
        break;
      case Lie::kSocket:
        ::close(alloy::core::kSocketFd);
        // The host has to send a segment.
        return Ask(WorkerWord::kNeed, 4096);
      case Lie::kLog:
        for (std::byte& byte : host_.log) byte = static_cast<std::byte>(random_());
        if (random_() % 2 == 0) std::ranges::fill(host_.log, std::byte{});
        host_.log_used = static_cast<uint32_t>(Odd());
        host_.log_lost = static_cast<uint32_t>(Odd());
        break;
      case Lie::kLogTurn:
        host_.log_used = 100;
        host_.log_turn = static_cast<uint32_t>(1 + (random_() % 2));
        break;
      case Lie::kProgress:
        host_.done = static_cast<int64_t>(Odd());
        host_.total = static_cast<int64_t>(Odd());
        break;
      case Lie::kStops:
        host_.stop = Odd();
        break;
      case Lie::kNeed:
        return Ask(WorkerWord::kNeed, Odd());
      case Lie::kNeedsForEver:
        AskForEver(WorkerWord::kNeed, [] { return 0; });
      case Lie::kNeedsOdd:
        AskForEver(WorkerWord::kNeed, [this] { return Odd(); });
      case Lie::kPull:
        return Ask(WorkerWord::kPull, Odd(), 4);
      case Lie::kPullsForEver:
        AskForEver(WorkerWord::kPull, [this] { return Odd() % 3; });
      case Lie::kUnknownAsks:
        return Ask(random_() % 2 == 0 ? WorkerWord::kNeed : WorkerWord::kPull, 0,
                   static_cast<uint32_t>(random_() % 4));
      case Lie::kCode:
        Put(kCodeAt + (4 * (random_() % 2)), static_cast<int32_t>(Near(random_() % 18)));
        if (random_() % 4 == 0) Put(kCodeAt, static_cast<int32_t>(Odd()));
        break;
      case Lie::kText:
        if (random_() % 2 == 0) {
          Put(kTextAt, random_() % 2 == 0 ? Near(Get<uint64_t>(kTextAt)) : Odd());
        } else {  // a failure with a text that controls terminals
          Put(kCodeAt, int32_t{6});
          Put(kCodeAt + 4, int32_t{6});
          Put(kTextAt, uint64_t{64});
          for (size_t i = 0; i < 64; ++i) {
            Put(kTextAt + 8 + i, static_cast<uint8_t>(random_() % 40));
          }
          return std::max<uint32_t>(size, kTextAt + 8 + 64 + 9);
        }
        break;
      case Lie::
          kFlags:  // of an answer without a text: reason, column, flag, and the next
        for (size_t at = kTextAt + 8; at < std::min<size_t>(size, kTextAt + 24); ++at) {
          if (random_() % 3 == 0) Put(at, static_cast<uint8_t>(Odd()));
        }
        break;
      case Lie::kRecord:
        ChangeWord(WordAt(size, random_() % 24));
        break;
      case Lie::kPlace:
        ChangeWord(WordAt(size, random_() % 9));
        break;
      case Lie::kUnaligned:
        if (const size_t at = PlaceAt(size); at != 0) {
          Put(at + 8, Get<uint64_t>(at + 8) + 1 + (random_() % 7));
        }
        break;
      case Lie::kOverlap:
        if (const size_t one = PlaceAt(size), other = PlaceAt(size);
            one != 0 && other != 0) {
          std::memmove(host_.for_host.data() + one, host_.for_host.data() + other, 24);
        }
        break;
      case Lie::kNumbers:
        for (uint64_t n = 1 + (random_() % 3); n > 0; --n) ChangeNumber(size);
        break;
      case Lie::kBytes:
        for (uint64_t n = 1 + (random_() % 8); n > 0 && size > kHeadBytes; --n) {
          Put(kHeadBytes + (random_() % (size - kHeadBytes)),
              static_cast<uint8_t>(random_()));
        }
        break;
      case Lie::kTwice:
      case Lie::kEarly:
      case Lie::kLate:
      case Lie::kScribbles:
      case Lie::kVersion:
      case Lie::kEnd:
        break;
    }
    return size;
  }

  void TellAfter(uint32_t size) {
    using std::chrono::milliseconds;
    if (lie_ == Lie::kTwice) host_.to_host.Post(size);
    if (lie_ == Lie::kLate) {
      for (int i = 0; i < 3; ++i) {
        std::this_thread::sleep_for(milliseconds(i));
        host_.to_host.Post(size);
      }
    }
    if (lie_ == Lie::kScribbles) {
      for (int i = 0; i < 20'000; ++i) ChangeNumber(size);
    }
  }

  ControlBlock& host_;
  ControlBlock& worker_;
  std::mt19937_64 random_;
  const Lie lie_;
  const uint32_t step_;
};

}  // namespace

int main(int argc, char** argv) {
  using alloy::core::Fd;
  using alloy::core::SharedMemory;
  if (!alloy::core::IsWorker(argc, argv)) return 2;
  const std::string name(argv[0]);
  const auto seed = static_cast<uint32_t>(std::atoi(name.c_str() + name.rfind('.') + 1));
  // The first worker of `later.17` tells no lie, and makes a file that the next ones find.
  const int first = name.find("/later.") == std::string::npos
                        ? -1
                        : ::open((name + ".begun").c_str(),
                                 O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const bool is_honest = first >= 0;
  if (is_honest) ::close(first);
  auto outer = SharedMemory::Attach(Fd(alloy::core::kControlFd), true);
  auto inner = SharedMemory::MakeShared(sizeof(ControlBlock));
  if (!outer.ok() || !inner.ok()) return 4;
  ::new (static_cast<void*>(inner->data())) ControlBlock;
  auto& worker = *reinterpret_cast<ControlBlock*>(inner->data());
  if (lies::LieOf(seed) == Lie::kVersion) worker.protocol += 1 + lies::StepOf(seed);
  const int copy = ::dup(inner->fd().get());
  if (copy < 0 || ::dup2(copy, alloy::core::kControlFd) < 0) return 5;
  std::thread([] { ::_exit(alloy::core::RunWorker()); }).detach();
  Liar(*reinterpret_cast<ControlBlock*>(outer->data()), worker, seed, is_honest).Run();
  ::_exit(0);
}
