// SPDX-License-Identifier: MIT
//
// A backend that crashes, ends itself, hangs, or writes where it may not, in each place
// where it has a turn. The host gets a typed error that names the cause, keeps what it has,
// and its next call on the same object succeeds. Nothing is left behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <concepts>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/isolated/isolated.h"

namespace {

using isolated::Bind;
using isolated::Contains;
using isolated::ExpectDoubled;
using isolated::ExpectSoonHeld;
using isolated::Held;
using isolated::Input;
using isolated::Options;
using isolated::PidOf;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)

// A call that should end takes far less, however slow the machine is.
constexpr auto kHangs = 1min;

// A backend with the function `act`, in each language.
struct Language {
  const char* name;
  const char* library;
  const char* backend;
};
std::ostream& operator<<(std::ostream& out, const Language& language) {
  return out << language.name;
}

// The reason that belongs to the words for a death.
int32_t ReasonOf(std::string_view words) {
  const auto has = [words](std::string_view part) {
    return words.find(part) != std::string_view::npos;
  };
  if (has("broke the rules")) return ALLOY_REASON_WORKER_VIOLATION;
  if (has("exit status")) return ALLOY_REASON_WORKER_EXIT;
  return has("ran out of memory") ? ALLOY_REASON_WORKER_MEMORY
                                  : ALLOY_REASON_WORKER_SIGNAL;
}

class IsolatedCrash : public testing::TestWithParam<Language> {
 protected:
  static bool IsCpp() { return std::string_view(GetParam().name) == "Cpp"; }

  alloy::Result<alloy::Batch> RunWell() { return call_.Run(Input(WAY_WELL)); }

  // One failure, between calls that succeed. `fail` makes it.
  template <std::invocable Fail>
  alloy::Status Survive(Fail&& fail) {
    // The first deadline of a host starts its clock, a thread.
    EXPECT_TRUE(call_.Run(Input(WAY_WELL), {.timeout = 1min}).ok());
    const Held before = Held::Now();
    alloy::Status status;
    {
      const auto kept = RunWell();
      EXPECT_TRUE(kept.ok()) << kept.status();
      status = fail();
      const auto next = RunWell();
      EXPECT_TRUE(next.ok()) << next.status();
      if (kept.ok()) ExpectDoubled(*kept);
      if (next.ok()) ExpectDoubled(*next);
    }
    ExpectSoonHeld(before, [this] { EXPECT_TRUE(RunWell().ok()); });
    return status;
  }
  alloy::Status Survive(int64_t way, const alloy::CallLimits& limits = {}) {
    return Survive([&] { return call_.Run(Input(way, 8192), limits).status(); });
  }

  void ExpectLost(const alloy::Status& status, std::string_view words) {
    EXPECT_EQ(status.code(), ALLOY_LOST) << status;
    EXPECT_EQ(status.reason(), ReasonOf(words)) << status;
    EXPECT_EQ(status.side(), ALLOY_SIDE_WORKER) << status;
    EXPECT_TRUE(
        Contains(status, std::string("the worker of ") + GetParam().backend + " "))
        << status;
    EXPECT_TRUE(Contains(status, words)) << status;
    EXPECT_TRUE(Contains(status, "; the next call starts a new worker")) << status;
  }

  alloy::Bridge bridge_ = support::Load(GetParam().library, support::TestHost(),
                                        Options({.heap_bytes = int64_t{64} << 20}));
  alloy::BoundCall call_ = Bind(bridge_);
};

INSTANTIATE_TEST_SUITE_P(In, IsolatedCrash,
                         testing::Values(Language{"C", "tests/crash", "test.crash"},
                                         Language{"Cpp", "tests/crash_cpp",
                                                  "test.crash_cpp"}
#ifdef ALLOY_TEST_RUST
                                         ,
                                         Language{"Rust", "faults_rust", "test.faults"}
#endif
                                         ),
                         [](const auto& one) { return one.param.name; });

// ---- In a run

TEST_P(IsolatedCrash, ASegmentationFaultInARun) {
  ExpectLost(Survive(WAY_SEGV), "died by SIGSEGV in act, batch 3 (rows 0 to 8191)");
}

TEST_P(IsolatedCrash, AnAbortInARun) {
  ExpectLost(Survive(WAY_ABORT), "died by SIGABRT");
}

TEST_P(IsolatedCrash, AnExitInARun) {
  ExpectLost(Survive(WAY_EXIT), "ended itself with exit status 7");
}

TEST_P(IsolatedCrash, AStackOverflowInARun) {
  ExpectLost(Survive(WAY_OVERFLOW), "died by SIGSEGV");
}

// So ends a worker in a cgroup without memory: the kernel kills it, and says nothing.
TEST_P(IsolatedCrash, AKillInARun) {
  const auto status = Survive(WAY_KILLED);
  ExpectLost(status, "died by SIGKILL");
  EXPECT_TRUE(Contains(status,
                       "; the kernel sends SIGKILL when a memory limit of the container "
                       "or the machine is reached: compare heap_bytes, input_bytes and "
                       "output_bytes with it; the next call starts a new worker"))
      << status;
  EXPECT_FALSE(Contains(Survive(WAY_ABORT), "memory limit"));
}

TEST_P(IsolatedCrash, ABackendThatBreaksTheRulesOfTheConversation) {
  if (!IsCpp()) GTEST_SKIP() << "a backend in C++ stands for all: it writes to memory";
  ExpectLost(Survive(WAY_BREAK_RULES),
             "was killed, because it broke the rules: it closed its mailbox in act");
}

TEST_P(IsolatedCrash, TheLastWordsAreInTheError) {
  ExpectLost(Survive(WAY_LAST_WORDS),
             "; its last words: the model has a hole | at line 3;");
}

TEST_P(IsolatedCrash, AHeapThatIsUsedUpIsNamedMemory) {
  if (!isolated::kHasHeapLimit) GTEST_SKIP() << "a sanitizer has no limit of the heap";
  const auto status = Survive(WAY_HEAP);
  if (IsCpp()) {  // bad_alloc is an exception, and the worker stays
    EXPECT_EQ(status.code(), ALLOY_EXHAUSTED) << status;
    return;
  }
  ExpectLost(status, "ran out of memory (heap_bytes is 67108864)");
}

TEST_P(IsolatedCrash, AWriteToTheInput) {
  ExpectLost(Survive(WAY_WRITE_INPUT), "died by SIGSEGV");
}

TEST_P(IsolatedCrash, AnInputThatIsReleasedTwiceHarmsAtMostTheWorker) {
  const auto status = Survive(WAY_RELEASE_TWICE);
  EXPECT_TRUE(status.ok() || status.code() == ALLOY_LOST) << status;
}

TEST_P(IsolatedCrash, AReleaseOfWhatWasNeverGivenHarmsAtMostTheWorker) {
  const auto status = Survive(WAY_RELEASE_OTHER);
  EXPECT_TRUE(status.ok() || status.code() == ALLOY_LOST) << status;
}

TEST_P(IsolatedCrash, AnExceptionOrAPanicKeepsTheWorker) {
  if (std::string_view(GetParam().name) == "C") GTEST_SKIP() << "C has none";
  const int64_t worker = PidOf(*RunWell());
  const auto status = Survive(WAY_THROW);
  EXPECT_EQ(status.code(), ALLOY_FAILED) << status;
  EXPECT_TRUE(Contains(status, "one is too many")) << status;
  EXPECT_EQ(PidOf(*RunWell()), worker);
}

TEST_P(IsolatedCrash, AResultInMemoryThatIsNotThere) {
  ExpectLost(Survive(WAY_OUTSIDE), "died by SIGSEGV");
}

TEST_P(IsolatedCrash, TenCrashesOneAfterAnotherWithACallBetweenThem) {
  for (int i = 0; i < 10; ++i) {
    ExpectLost(call_.Run(Input(WAY_SEGV)).status(), "died by SIGSEGV");
    const auto next = RunWell();
    ASSERT_TRUE(next.ok()) << next.status();
    ExpectDoubled(*next);
  }
}

// ---- In bind, and when the library is loaded

TEST_P(IsolatedCrash, ACrashInBind) {
  for (const auto& [way, words] :
       {std::pair(WAY_SEGV, "died by SIGSEGV"), std::pair(WAY_ABORT, "died by SIGABRT"),
        std::pair(WAY_EXIT, "exit status 7")}) {
    ExpectLost(Survive([&] {
                 return bridge_
                     .Call("act", Input(WAY_WELL), {{"bind", std::to_string(way)}})
                     .status();
               }),
               words);
  }
}

TEST_P(IsolatedCrash, ACrashWhenTheLibraryIsLoaded) {
  if (std::string_view(GetParam().name) == "Rust") {
    GTEST_SKIP() << "a library in Rust runs no code of its own when it is loaded";
  }
  const Held before = Held::Now();
  if (IsCpp()) {
    alloy::Bridge bridge(support::TestHost(), Options());
    const auto status =
        bridge.SetImplLib(support::BackendPath("tests/constructor_throws"));
    EXPECT_EQ(status.code(), ALLOY_LOST) << status;
    EXPECT_TRUE(Contains(status, "died by SIGABRT")) << status;
    EXPECT_TRUE(Contains(status, "there is no model")) << status;
  }
  for (const std::string place : {"init", "constructor"}) {
    for (const auto& [name, words] :
         {std::pair<std::string, const char*>("segv", "died by SIGSEGV"),
          {"abort", "died by SIGABRT"},
          {"exit", "exit status 7"},
          {"overflow", "died by SIGSEGV"}}) {
      const std::string library = support::BackendPath("tests/" + place + "_" + name);
      alloy::Bridge bridge(support::TestHost(), Options());
      const auto status = bridge.SetImplLib(library);
      EXPECT_EQ(status.code(), ALLOY_LOST) << status;
      EXPECT_EQ(status.reason(), ReasonOf(words)) << status;
      EXPECT_TRUE(Contains(status, library)) << status;
      EXPECT_TRUE(Contains(status, words)) << status;
    }
  }
  ExpectSoonHeld(before, [] {});
  EXPECT_TRUE(RunWell().ok());
}

// ---- Time

TEST_P(IsolatedCrash, AnEndlessLoopIsKilledAfterItsDeadlineAndTheGraceTime) {
  const auto status = Survive(WAY_LOOP, {.timeout = 50ms});
  EXPECT_EQ(status.code(), ALLOY_TIMEOUT) << status;
  EXPECT_EQ(status.reason(), ALLOY_REASON_WORKER_HANG) << status;
}

TEST_P(IsolatedCrash, AnEndlessLoopIsKilledAfterACancelAndTheGraceTime) {
  std::stop_source source;
  const auto status = Survive([&] {
    const std::jthread canceller([&] {
      std::this_thread::sleep_for(30ms);
      source.request_stop();
    });
    return call_.Run(Input(WAY_LOOP), {.stop = source.get_token()}).status();
  });
  EXPECT_EQ(status.code(), ALLOY_CANCELLED) << status;
  EXPECT_EQ(status.reason(), ALLOY_REASON_WORKER_HANG) << status;
}

// The thread that reads what workers say has other workers to look after.
TEST_P(IsolatedCrash, AWorkerThatWritesWithoutEndFillsNoMemory) {
  const int kept = dup(2);
  const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nothing, 2);
  const auto begin = std::chrono::steady_clock::now();
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const auto code = call_.Run(Input(WAY_CHATTER), {.timeout = 500ms}).status().code();
  getrusage(RUSAGE_SELF, &after);
  dup2(kept, 2);
  close(kept);
  close(nothing);
  EXPECT_EQ(code, ALLOY_TIMEOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kHangs);
  // A sanitizer keeps what is freed.
  if (isolated::kHasHeapLimit) {
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 << 10);  // in KiB
  }
}

// No worker has to write it full, which takes a slow machine long.
void FillPipe(int end) {
  const int flags = fcntl(end, F_GETFL);
  fcntl(end, F_SETFL, flags | O_NONBLOCK);
  const std::string dots(4096, '.');
  while (write(end, dots.data(), dots.size()) > 0) {
  }
  fcntl(end, F_SETFL, flags);
}

// Nobody reads the standard error of the host: it is full, or its reader has gone. Workers
// still start and end, and their last words are in the error.
TEST_P(IsolatedCrash, AHostWhoseStandardErrorIsFullOrClosedGoesOn) {
  for (const bool is_closed : {false, true}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const int kept = dup(2);
    FillPipe(ends[1]);
    dup2(ends[1], 2);
    close(ends[1]);
    if (is_closed) close(ends[0]);
    const auto begin = std::chrono::steady_clock::now();
    const auto chatter = call_.Run(Input(WAY_CHATTER), {.timeout = 300ms}).status();
    const auto lost = call_.Run(Input(WAY_LAST_WORDS)).status();
    const auto next = RunWell();
    const auto took = std::chrono::steady_clock::now() - begin;
    std::string shown(size_t{1} << 17, '\0');
    if (!is_closed)
      shown.resize(static_cast<size_t>(read(ends[0], shown.data(), shown.size())));
    const auto after = call_.Run(Input(WAY_LAST_WORDS)).status();
    std::string note(size_t{1} << 12, '\0');
    if (!is_closed)
      note.resize(static_cast<size_t>(read(ends[0], note.data(), note.size())));
    dup2(kept, 2);
    close(kept);
    if (!is_closed) close(ends[0]);
    EXPECT_EQ(chatter.code(), ALLOY_TIMEOUT) << chatter;
    ExpectLost(lost, "; its last words: the model has a hole | at line 3;");
    EXPECT_TRUE(next.ok()) << next.status();
    EXPECT_LT(took, kHangs);
    ExpectLost(after, "; its last words: the model has a hole | at line 3;");
    if (is_closed) continue;
    EXPECT_GE(shown.size(), size_t{4096});
    EXPECT_NE(note.find("[alloy] standard error was full: "), std::string::npos) << note;
  }
}

// Standard error is a file on a full disk, or one of the largest size (`ulimit -f`), at which
// a write raises SIGXFSZ. The last words are in the error all the same.
TEST_P(IsolatedCrash, AHostWhoseLogIsOnAFullDiskGoesOn) {
  const std::string path = testing::TempDir() + "/alloy_full_log";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  // Workers are made with segments, which are files too.
  ASSERT_TRUE(RunWell().ok());
  for (const bool is_disk : {true, false}) {
    const int file =
        is_disk ? open("/dev/full", O_WRONLY | O_CLOEXEC)
                : open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const int kept = dup(2);
    dup2(file, 2);
    close(file);
    rlimit small = before;
    small.rlim_cur = 10;
    if (!is_disk) setrlimit(RLIMIT_FSIZE, &small);
    const auto chatter = call_.Run(Input(WAY_CHATTER), {.timeout = 100ms}).status();
    setrlimit(RLIMIT_FSIZE, &before);
    const auto lost = call_.Run(Input(WAY_LAST_WORDS)).status();
    const auto next = RunWell();
    dup2(kept, 2);
    close(kept);
    EXPECT_EQ(chatter.code(), ALLOY_TIMEOUT) << chatter;
    ExpectLost(lost, "; its last words: the model has a hole | at line 3;");
    EXPECT_TRUE(next.ok()) << next.status();
  }
  unlink(path.c_str());
}

TEST_P(IsolatedCrash, ATrickleOfProgressDoesNotPutADeadlineOff) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(call_.Run(Input(WAY_TRICKLE), {.timeout = 50ms}).status().code(),
            ALLOY_TIMEOUT);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kHangs);
  EXPECT_EQ(Survive(WAY_TRICKLE, {.timeout = 50ms}).code(), ALLOY_TIMEOUT);
}

TEST_P(IsolatedCrash, AStoppedWorkerIsKilledAfterItsDeadline) {
  EXPECT_EQ(Survive(WAY_STOP, {.timeout = 50ms}).code(), ALLOY_TIMEOUT);
}

TEST_P(IsolatedCrash, ABackendThatStopsWhenAskedKeepsItsWorker) {
  // It has all the time that a slow machine wants.
  bridge_ = support::Load(GetParam().library, support::TestHost(),
                          Options({.grace_ns = std::chrono::nanoseconds(5min).count()}));
  call_ = Bind(bridge_);
  const int64_t worker = PidOf(*RunWell());
  const auto late = Survive(WAY_POLITE, {.timeout = 30ms});
  EXPECT_EQ(late.code(), ALLOY_TIMEOUT) << late;
  EXPECT_EQ(late.reason(), ALLOY_REASON_NONE) << late;
  EXPECT_EQ(PidOf(*RunWell()), worker);
}

}  // namespace
