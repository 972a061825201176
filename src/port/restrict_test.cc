// SPDX-License-Identifier: MIT
//
// Each test runs in a child process, which restricts itself. It shows that a forbidden thing
// works before and fails afterwards, or that an allowed thing still works.
#include "port/restrict.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "port/descriptors.h"
#include "port/futex.h"
#include "port/landlock.h"
#include "port/library.h"
#include "port/shared_memory.h"
#include "port/system_call_filter.h"
#include "tests/support/cleared_for_test.h"
#include "tests/support/in_child.h"

namespace alloy::core {
namespace {

RestrictOptions Options() {
  return {
      .host = ::getppid(), .keep = {}, .most_heap = uint64_t{256} << 20, .readable = {}};
}

// Why not all restrictions are reached; empty if they are.
std::string Missing(const std::vector<RestrictStep>& steps) {
  std::string text;
  for (const RestrictStep& step : steps) {
    if (step.reached) continue;
    text += std::string(RestrictionName(step.restriction)) + ": " + step.text + "\n";
  }
  return text;
}

// After all restrictions.
std::string Restricted(const std::function<std::string()>& act,
                       std::function<void(RestrictOptions*)> change = {}) {
  return InChild([&] {
    RestrictOptions options = Options();
    if (change) change(&options);
    const std::string missing = Missing(Restrict(options));
    return missing.empty() ? act() : missing;
  });
}

// The text for the outcome of a system call: "ok" or the name of its error.
std::string Outcome(long result) { return result >= 0 ? "ok" : ::strerrorname_np(errno); }

std::string Read(const std::string& path) {
  Fd fd;
  const int error = OpenForReading(path, &fd);
  return error == 0 ? "ok" : ::strerrorname_np(error);
}

// ---- All of them

TEST(RestrictTest, ReachesEveryRestrictionOnThisMachine) {
  EXPECT_EQ(InChild([] { return Missing(Restrict(Options())); }), "");
  EXPECT_EQ(InChild([] {
              return Reached(Restrict(Options())) == Restrictions::All() ? "all" : "not";
            }),
            "all");
}

TEST(RestrictTest, ASetOfRestrictionsCrossesAsANumber) {
  Restrictions some;
  EXPECT_EQ(some.Names(), "");
  some.Add(Restriction::kSeccomp);
  some.Add(Restriction::kEnvironment);
  EXPECT_EQ(Restrictions(some.bits()), some);
  EXPECT_EQ(some.Names(), "environment, seccomp");
  EXPECT_TRUE(some.Has(Restriction::kSeccomp));
  EXPECT_FALSE(some.Has(Restriction::kLandlock));
  EXPECT_EQ(Restrictions::All().Without(some).Names(),
            "common end, descriptors, OOM killer, rlimits, stack size, privileges, "
            "Landlock");
  EXPECT_EQ(Restrictions(0xffff0000).Names(), "");
}

TEST(RestrictTest, SaysWhichStepsAreNotReachedAndGoesOn) {
  EXPECT_EQ(InChild([] {
              RestrictOptions options = Options();
              options.host = 1 << 22;  // above every process id
              const auto steps = Restrict(options);
              return Missing(steps) + Restrictions::All().Without(Reached(steps)).Names();
            }),
            "common end: the host has ended: No such process\ncommon end");
}

TEST(RestrictTest, DoesNotClaimWhatAnotherThreadWouldEscape) {
  EXPECT_EQ(InChild([] {
              std::thread([] { ::pause(); }).detach();
              return Restrictions::All().Without(Reached(Restrict(Options()))).Names();
            }),
            "privileges, Landlock");
}

// ---- One by one

TEST(RestrictTest, TheEnvironmentIsEmpty) {
  ASSERT_EQ(::setenv("ALLOY_TEST_SECRET", "1", 1), 0);
  EXPECT_EQ(Restricted([] {
              return ::getenv("ALLOY_TEST_SECRET") == nullptr ? "empty" : "not empty";
            }),
            "empty");
}

TEST(RestrictTest, AWorkerEndsWithItsHost) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd reading(ends[0]), writing(ends[1]);
  const pid_t host = ::fork();
  if (host == 0) {
    const pid_t worker = ::fork();
    if (worker == 0) {
      RestrictOptions options = Options();
      options.keep = {writing.get()};
      WriteLine(writing.get(), Missing(Restrict(options)) + "ready");
      for (;;) ::pause();
    }
    for (;;) ::pause();
  }
  writing.Close();
  char text[64];
  const ssize_t n = ::read(reading.get(), text, sizeof(text));
  EXPECT_EQ(std::string(text, static_cast<size_t>(std::max<ssize_t>(n, 0))), "ready");
  ::kill(host, SIGKILL);
  ASSERT_EQ(::waitpid(host, nullptr, 0), host);
  // The end of the pipe: the worker has ended too.
  EXPECT_EQ(::read(reading.get(), text, sizeof(text)), 0);
}

TEST(RestrictTest, OnlyListedDescriptorsStayOpen) {
  EXPECT_EQ(InChild([] {
              for (int fd = 10; fd < 20; ++fd) ::dup2(0, fd);
              RestrictOptions options = Options();
              options.keep = {14, 12, 12, 1};
              std::string open = Missing(Restrict(options));
              for (int fd = 0; fd < 100; ++fd) {
                if (::fcntl(fd, F_GETFD) >= 0) open += std::to_string(fd) + " ";
              }
              return open;
            }),
            "0 1 2 12 14 ");
}

TEST(RestrictTest, TheKernelKillsTheWorkerFirst) {
  EXPECT_EQ(Restricted(
                [] {
                  std::string score;
                  std::ifstream("/proc/self/oom_score_adj") >> score;
                  return score;
                },
                [](RestrictOptions* options) { options->readable = {"/proc"}; }),
            "1000");
}

TEST(RestrictTest, ACrashLeavesNoCore) {
  EXPECT_EQ(InChild([] {
              struct rlimit limit;
              ::getrlimit(RLIMIT_CORE, &limit);
              limit.rlim_cur = limit.rlim_max;
              ::setrlimit(RLIMIT_CORE, &limit);
              const std::string missing = Missing(Restrict(Options()));
              if (missing.empty()) ::raise(SIGSEGV);
              return missing;
            }),
            "signal 11");
  EXPECT_EQ(Restricted([] {
              struct rlimit limit;
              ::getrlimit(RLIMIT_CORE, &limit);
              return std::to_string(limit.rlim_max);
            }),
            "1");
}

TEST(RestrictTest, AWriteToAFileFailsWithoutASignal) {
  EXPECT_EQ(InChild([] {
              const Fd file(::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
              if (!file) return std::string("no file");
              RestrictOptions options = Options();
              options.keep = {file.get()};
              const std::string missing = Missing(Restrict(options));
              if (!missing.empty()) return missing;
              return Outcome(::write(file.get(), "x", 1));
            }),
            "EFBIG");
}

TEST(RestrictTest, NoMoreDescriptorsThanAllowed) {
  EXPECT_EQ(Restricted([] {
              int opened = 0;
              while (::dup(0) >= 0) ++opened;
              return std::to_string(opened) + " " + ::strerrorname_np(errno);
            }),
            "1021 EMFILE");
}

#ifndef __SANITIZE_ADDRESS__
TEST(RestrictTest, TheHeapEndsAtItsLimit) {
  EXPECT_EQ(Restricted([] {
              // Within the limit, and it is really there.
              constexpr size_t kHalf = size_t{128} << 20;
              auto* memory = static_cast<volatile char*>(std::malloc(kHalf));
              if (memory == nullptr) return std::string("too small");
              for (size_t at = 0; at < kHalf; at += 4096) memory[at] = 1;
              return Outcome(std::malloc(size_t{256} << 20) == nullptr ? -1 : 0);
            }),
            "ENOMEM");
}
#endif

TEST(RestrictTest, MemoryThatNoLimitCountsIsRefused) {
  constexpr size_t kSize = 1 << 16;
  const auto map = [](int flags) {
    return Outcome(
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? -1
                                                                                   : 0);
  };
  EXPECT_EQ(Restricted([&] { return map(MAP_SHARED | MAP_ANONYMOUS); }), "EPERM");
  EXPECT_EQ(Restricted([&] {
              return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK);
            }),
            "EPERM");
  EXPECT_EQ(Restricted([&] { return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK); }),
            "ok");
  EXPECT_EQ(Restricted([] { return Outcome(::memfd_create("more", 0)); }), "EPERM");
  EXPECT_EQ(
      Restricted([] { return Outcome(::shmget(IPC_PRIVATE, kSize, IPC_CREAT | 0600)); }),
      "EPERM");
}

TEST(RestrictTest, StacksHaveTheirSize) {
  EXPECT_EQ(Restricted([] {
              size_t size = 0;
              std::thread([&size] {
                pthread_attr_t attributes;
                ::pthread_getattr_np(::pthread_self(), &attributes);
                ::pthread_attr_getstacksize(&attributes, &size);
                ::pthread_attr_destroy(&attributes);
              }).join();
              struct rlimit limit;
              ::getrlimit(RLIMIT_STACK, &limit);
              return std::to_string(size) + " " + std::to_string(limit.rlim_cur);
            }),
            "1048576 1048576");
}

TEST(RestrictTest, PrivilegesAreGone) {
  EXPECT_EQ(Restricted(
                [] {
                  std::ifstream status("/proc/self/status");
                  std::string found;
                  for (std::string line; std::getline(status, line);) {
                    if (line.starts_with("CapEff") || line.starts_with("CapPrm") ||
                        line.starts_with("NoNewPrivs")) {
                      found += line.substr(line.find('\t') + 1) + " ";
                    }
                  }
                  return found;
                },
                [](RestrictOptions* options) { options->readable = {"/proc"}; }),
            "0000000000000000 0000000000000000 1 ");
}

// ---- What is out of reach

TEST(RestrictTest, OnlyListedFilesCanBeRead) {
  const auto passwd_only = [](RestrictOptions* options) {
    options->readable = {"/etc/passwd", "/usr", "/no/such/file"};
  };
  EXPECT_EQ(Restricted([] { return Read("/etc/passwd"); }, passwd_only), "ok");
  EXPECT_EQ(Restricted([] { return Read("/usr"); }, passwd_only), "ok");
  EXPECT_EQ(Restricted([] { return Read("/usr/bin/env"); }, passwd_only), "ok");
  EXPECT_EQ(Restricted([] { return Read("/etc/hosts"); }, passwd_only), "EACCES");
  EXPECT_EQ(Restricted([] { return Read("/etc"); }, passwd_only), "EACCES");
  EXPECT_EQ(Restricted([] { return Read("/proc/self/mem"); }, passwd_only), "EACCES");
  EXPECT_EQ(
      Restricted([] { return Read("/proc/" + std::to_string(::getppid()) + "/mem"); },
                 passwd_only),
      "EACCES");
  EXPECT_EQ(Restricted([] { return Outcome(::open("/etc/passwd", O_RDWR | O_CLOEXEC)); },
                       passwd_only),
            "EPERM");
  EXPECT_EQ(Restricted([] {
              return Outcome(::open("/tmp/alloy", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
            }),
            "EPERM");
}

// Each on its own, because a container may refuse the other.
TEST(RestrictTest, NoFileCanBeOpenedForWriting) {
  const auto write_host = [] {
    const std::string memory = "/proc/" + std::to_string(::getppid()) + "/mem";
    return Outcome(::open(memory.c_str(), O_RDWR | O_CLOEXEC)) + " " +
           Outcome(::open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)) + " " +
           Outcome(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  };
  EXPECT_EQ(InChild(write_host), "ok ok ok");
  const auto without = [&](Restriction one) {
    Restrictions others;
    others.Add(one);
    return InChild([&] {
      const auto steps = Restrict(Options(), Restrictions::All().Without(others));
      const std::string missing = Missing(steps);
      return missing.empty() ? write_host() : missing;
    });
  };
  EXPECT_EQ(without(Restriction::kSeccomp), "EACCES EACCES EACCES");
  EXPECT_EQ(without(Restriction::kLandlock), "EPERM EPERM EPERM");
}

TEST(RestrictTest, AppliesOnlyWhatIsWanted) {
  EXPECT_EQ(InChild([] {
              Restrictions early;
              early.Add(Restriction::kCommonEnd);
              early.Add(Restriction::kDescriptors);
              const Restrictions first = Reached(Restrict(Options(), early));
              const Restrictions rest = Restrictions::All().Without(early);
              return first.Names() + " | " + Reached(Restrict(Options(), rest)).Names();
            }),
            "common end, descriptors | environment, OOM killer, rlimits, stack size, "
            "privileges, Landlock, seccomp");
}

TEST(RestrictTest, AnInputSegmentStaysUnchanged) {
  auto input = SharedMemory::MakeForReader(1 << 16);
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(InChild([&] {
              RestrictOptions options = Options();
              options.keep = {input->fd().get()};
              std::string seen = Missing(Restrict(options));
              const std::string path =
                  "/proc/self/fd/" + std::to_string(input->fd().get());
              const Fd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
              seen += Outcome(again.get()) + " ";
              const int fd = input->fd().get();
              seen += Outcome(::pwrite(fd, "x", 1, 0)) + " ";
              void* memory =
                  ::mmap(nullptr, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
              seen += Outcome(memory == MAP_FAILED ? -1 : 0);
              return seen;
            }),
            "EPERM EFBIG EPERM");
  EXPECT_EQ(input->data()[0], std::byte{0});
}

TEST(RestrictTest, AHoleInASegmentIsRefused) {
  constexpr size_t kSize = 1 << 16;
  auto output = SharedMemory::MakeForWriter(kSize);
  ASSERT_TRUE(output.ok());
  ASSERT_TRUE(output->Back(output->data(), kSize).ok());
  EXPECT_EQ(InChild([&] {
              RestrictOptions options = Options();
              const int fd = output->fd().get();
              options.keep = {fd};
              std::string seen = Missing(Restrict(options));
              void* memory =
                  ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
              seen += Outcome(memory == MAP_FAILED ? -1 : 0) + " ";
              seen += Outcome(::madvise(memory, kSize, MADV_REMOVE)) + " ";
              for (const int mode : {FALLOC_FL_PUNCH_HOLE, FALLOC_FL_COLLAPSE_RANGE,
                                     FALLOC_FL_ZERO_RANGE}) {
                seen += Outcome(::fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, 0, kSize));
                seen += " ";
              }
              // What an honest worker does.
              seen += Outcome(::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, kSize)) + " ";
              return seen + Outcome(::madvise(memory, kSize, MADV_WILLNEED));
            }),
            "ok EPERM EPERM EPERM EPERM ok ok");
}

TEST(RestrictTest, TheNetworkIsOutOfReach) {
  EXPECT_EQ(Restricted([] { return Outcome(::socket(AF_INET, SOCK_STREAM, 0)); }),
            "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::socket(AF_UNIX, SOCK_STREAM, 0)); }),
            "EPERM");
  // A socket that was open before does not help.
  EXPECT_EQ(
      InChild([] {
        const Fd tcp(::socket(AF_INET, SOCK_STREAM, 0));
        RestrictOptions options = Options();
        options.keep = {tcp.get()};
        const std::string missing = Missing(Restrict(options));
        if (!missing.empty()) return missing;
        struct sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(9);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return Outcome(::connect(tcp.get(), reinterpret_cast<struct sockaddr*>(&address),
                                 sizeof(address)));
      }),
      "EPERM");
}

TEST(RestrictTest, NoProgramAndNoProcessStarts) {
  EXPECT_EQ(Restricted(
                [] {
                  char name[] = "true";
                  char* arguments[] = {name, nullptr};
                  return Outcome(::execve("/bin/true", arguments, nullptr));
                },
                [](RestrictOptions* options) { options->readable = {"/"}; }),
            "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::fork()); }), "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }),
            "EPERM");
  EXPECT_EQ(Restricted([] {
              return Outcome(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
            }),
            "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::syscall(SYS_clone3, nullptr, 0)); }),
            "ENOSYS");
  EXPECT_EQ(Restricted([] { return Outcome(::unshare(CLONE_NEWUSER)); }), "EPERM");
}

TEST(RestrictTest, TheHostCannotBeSignalled) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGUSR1, &ignore, &before), 0);
  const auto signal_host = [] { return Outcome(::kill(::getppid(), SIGUSR1)); };
  EXPECT_EQ(InChild(signal_host), "ok");
  EXPECT_EQ(Restricted(signal_host), "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::kill(0, 0)); }), "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::kill(-1, 0)); }), "EPERM");
  EXPECT_EQ(Restricted([] {
              return Outcome(::syscall(SYS_tgkill, ::getppid(), ::getppid(), SIGUSR1));
            }),
            "EPERM");
  EXPECT_EQ(
      Restricted([] { return Outcome(::syscall(SYS_tkill, ::getppid(), SIGUSR1)); }),
      "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::syscall(SYS_pidfd_open, ::getppid(), 0)); }),
            "EPERM");
  // Nor by the kernel, when a pipe has data.
  EXPECT_EQ(Restricted([] {
              int ends[2];
              if (::pipe(ends) != 0) return std::string("no pipe");
              return Outcome(::fcntl(ends[0], F_SETOWN, ::getppid())) + " " +
                     Outcome(::fcntl(ends[0], F_SETSIG, SIGUSR1));
            }),
            "EPERM EPERM");
  ::sigaction(SIGUSR1, &before, nullptr);
}

// Only Landlock is left where a container refuses seccomp.
TEST(RestrictTest, LandlockOnItsOwnKeepsSignalsFromTheHost) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ASSERT_EQ(::sigaction(SIGUSR1, &ignore, &before), 0);
  const std::string outcome = InChild([] {
    int version = 0;
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (RestrictFiles({}, &version) != 0) return std::string("no Landlock");
    return Outcome(::kill(::getppid(), SIGUSR1)) +
           (version >= 6 ? "" : " before version 6");
  });
  EXPECT_TRUE(outcome == "EPERM" || outcome == "ok before version 6") << outcome;
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(RestrictTest, TheHostCannotBeTracedOrChanged) {
  EXPECT_EQ(Restricted([] {
              return Outcome(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr));
            }),
            "EPERM");
  EXPECT_EQ(Restricted([] {
              char byte = 0;
              struct iovec here{&byte, 1}, there{&byte, 1};
              return Outcome(
                  ::syscall(SYS_process_vm_writev, ::getppid(), &here, 1, &there, 1, 0));
            }),
            "EPERM");
  EXPECT_EQ(Restricted([] {
              struct rlimit limit{1, 1};
              return Outcome(::prlimit(::getppid(), RLIMIT_NOFILE, &limit, nullptr));
            }),
            "EPERM");
  EXPECT_EQ(Restricted([] {
              cpu_set_t one;
              CPU_ZERO(&one);
              CPU_SET(0, &one);
              return Outcome(::sched_setaffinity(::getppid(), sizeof(one), &one));
            }),
            "EPERM");
  EXPECT_EQ(
      Restricted([] {
        return Outcome(::setpriority(PRIO_PROCESS, static_cast<id_t>(::getppid()), 19));
      }),
      "EPERM");
}

TEST(RestrictTest, NothingCanBeUndone) {
  EXPECT_EQ(Restricted([] { return Outcome(::prctl(PR_SET_PDEATHSIG, 0)); }), "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::prctl(PR_SET_DUMPABLE, 1)); }), "EPERM");
  EXPECT_EQ(Restricted([] {
              struct rlimit limit;
              ::getrlimit(RLIMIT_CORE, &limit);
              return Outcome(::setrlimit(RLIMIT_CORE, &limit));
            }),
            "EPERM");
  EXPECT_EQ(Restricted([] { return Outcome(::setuid(0)); }), "EPERM");
#if defined(__x86_64__)
  // The numbers of x32, and those of a program of 32 bits.
  EXPECT_EQ(Restricted([] { return Outcome(::syscall(0x40000000L + SYS_getppid)); }),
            "EPERM");
  EXPECT_EQ(
      Restricted([] {
        long result = 20;  // getpid
        asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        return std::to_string(static_cast<int>(result));
      }),
      std::to_string(-EPERM));
#endif
}

TEST(RestrictTest, TheRestOfTheListIsRefused) {
  const std::pair<const char*, long> calls[] = {
      {"bpf", SYS_bpf},
      {"io_uring_setup", SYS_io_uring_setup},
      {"userfaultfd", SYS_userfaultfd},
      {"perf_event_open", SYS_perf_event_open},
      {"mount", SYS_mount},
      {"pidfd_getfd", SYS_pidfd_getfd},
      {"process_vm_readv", SYS_process_vm_readv},
      {"keyctl", SYS_keyctl},
      {"fchmodat", SYS_fchmodat},
      {"setns", SYS_setns},
      {"reboot", SYS_reboot},
      {"execveat", SYS_execveat},
  };
  for (const auto& [name, number] : calls) {
    EXPECT_EQ(Restricted([call = number] {
                return Outcome(::syscall(call, -1L, 0L, 0L, 0L, 0L, 0L));
              }),
              "EPERM")
        << name;
  }
}

// ---- What still works

TEST(RestrictTest, TheHostCanStillPassASegment) {
  Fd host, worker;
  ASSERT_EQ(MakeSocketPair(&host, &worker), 0);
  auto output = SharedMemory::MakeForWriter(1 << 16);
  ASSERT_TRUE(output.ok());
  ASSERT_EQ(SendDescriptor(host, output->fd()), 0);
  EXPECT_EQ(InChild([&] {
              RestrictOptions options = Options();
              options.keep = {worker.get()};
              const std::string missing = Missing(Restrict(options));
              if (!missing.empty()) return missing;
              Fd file;
              if (ReceiveDescriptor(worker, &file) != 0)
                return std::string("nothing came");
              auto memory = SharedMemory::Attach(std::move(file), true);
              if (!memory.ok()) return memory.status().fault().text;
              memory->data()[0] = std::byte{9};
              return std::string("written");
            }),
            "written");
  EXPECT_EQ(output->data()[0], std::byte{9});
}

TEST(RestrictTest, ThreadsMemoryAndClocksWork) {
  EXPECT_EQ(Restricted([] {
              std::atomic<int> done{0};
              std::vector<std::thread> threads;
              for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&done] {
                  ::prctl(PR_SET_NAME, "a name");
                  std::vector<char> memory(1 << 20, 'x');
                  done += memory[5000] == 'x' ? 1 : 0;
                });
              }
              for (std::thread& thread : threads) thread.join();
              void* memory = ::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              struct timespec now;
              char random[16];
              std::atomic<uint32_t> word{1};
              cpu_set_t cpus;
              std::string text = std::to_string(done);
              text += Outcome(memory == MAP_FAILED ? -1 : 0);
              text += Outcome(::mprotect(memory, 1 << 20, PROT_READ));
              text += Outcome(::clock_gettime(CLOCK_REALTIME, &now));
              text += Outcome(::getrandom(random, sizeof(random), 0));
              text += FutexWait(word, 1, 0) ? "woken" : "ok";
              text += Outcome(::sched_getaffinity(0, sizeof(cpus), &cpus));
              text += Outcome(::sched_setaffinity(0, sizeof(cpus), &cpus));
              text += Outcome(::kill(::getpid(), 0));
              ::signal(SIGUSR1, SIG_IGN);
              text += Outcome(::raise(SIGUSR1) == 0 ? 0 : -1);
              return text;
            }),
            "8okokokokokokokokok");
}

TEST(RestrictTest, ALibraryLoadsThatWasOpenedBefore) {
  Fd in, sealed;
  FileFacts facts;
  ASSERT_EQ(OpenForReading(ALLOY_TEST_LIBRARY, &in), 0);
  ASSERT_EQ(GetFileFacts(in, &facts), 0);
  std::vector<std::byte> bytes(static_cast<size_t>(facts.size));
  size_t done = 0;
  ASSERT_EQ(ReadFully(in, bytes, &done), 0);
  ASSERT_EQ(CreateSealable("copy", facts.size, &sealed), 0);
  ASSERT_EQ(WriteFully(sealed, bytes), 0);
  ASSERT_EQ(Seal(sealed), 0);
  EXPECT_EQ(Restricted(
                [&] {
                  const SymbolLookup found =
                      LoadSealed(ClearedForTest::Make(std::move(sealed)), "answer");
                  if (found.fault != LoadFault::kNone) return found.text;
                  return std::to_string(reinterpret_cast<int (*)()>(found.symbol)());
                },
                [&](RestrictOptions* options) {
                  options->keep = {sealed.get()};
                  options->readable = {"/proc/self"};
                }),
            "42");
}

TEST(RestrictTest, AStackOverflowEndsTheWorker) {
  EXPECT_EQ(Restricted([] {
              const std::function<int(int)> deeper = [&](int depth) {
                volatile char room[4096];
                room[0] = static_cast<char>(depth);
                return deeper(depth + 1) + room[0];
              };
              return std::to_string(deeper(0));
            }),
            "signal 11");
}

}  // namespace
}  // namespace alloy::core
