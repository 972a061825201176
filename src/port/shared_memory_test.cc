// SPDX-License-Identifier: MIT
#include "port/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): setitimer
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "tests/support/in_child.h"
#include "tests/support/refuse_fallocate.h"

namespace alloy::core {
namespace {

constexpr size_t kSize = 1 << 20;

SharedMemory Take(Result<SharedMemory> made) {
  EXPECT_TRUE(made.ok()) << made.status().fault().text;
  return made.ok() ? *std::move(made) : SharedMemory();
}

Fd Copy(const Fd& fd) { return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }

// How many of the ways to change a sealed input succeed; each way is a bit.
int WaysToChange(const Fd& fd) {
  int ways = 0;
  const int number = fd.get();
  const auto try_descriptor = [&ways](int descriptor, int first) {
    char byte = 'x';
    if (::pwrite(descriptor, &byte, 1, 0) == 1) ways |= 1 << first;
    void* shared =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (shared != MAP_FAILED) ways |= 2 << first;
    void* readable = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, descriptor, 0);
    if (readable == MAP_FAILED) ::_exit(99);
    if (::mprotect(readable, kSize, PROT_READ | PROT_WRITE) == 0) ways |= 4 << first;
    if (::ftruncate(descriptor, 0) == 0) ways |= 8 << first;
    if (::ftruncate(descriptor, 2 * kSize) == 0) ways |= 16 << first;
    if (::fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kSize) ==
        0)
      ways |= 32 << first;
    if (::fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE) == 0) ways |= 64 << first;
    if (::madvise(readable, kSize, MADV_REMOVE) == 0) ways |= 128 << first;
  };
  try_descriptor(number, 0);
  const int again =
      ::open(("/proc/self/fd/" + std::to_string(number)).c_str(), O_RDWR | O_CLOEXEC);
  if (again >= 0) try_descriptor(again, 8);
  return ways;
}

TEST(SharedMemoryTest, AWorkerReadsItsInputAndCannotChangeIt) {
  const SharedMemory host = Take(SharedMemory::MakeForReader(kSize));
  std::memcpy(host.data(), "before", 6);
  EXPECT_EQ(InChild([&] {
              const int ways = WaysToChange(host.fd());
              if (ways != 0) return "changed in the ways " + std::to_string(ways);
              auto worker = SharedMemory::Attach(Copy(host.fd()), false);
              if (!worker.ok() || worker->size() != kSize) return std::string("no input");
              return std::string(reinterpret_cast<const char*>(worker->data()), 6);
            }),
            "before");
  // The host still writes, and the worker's kind of mapping sees it.
  const SharedMemory worker = Take(SharedMemory::Attach(Copy(host.fd()), false));
  std::memcpy(host.data(), "after", 5);
  EXPECT_EQ(std::memcmp(worker.data(), "after", 5), 0);
}

TEST(SharedMemoryTest, AWriteToAnInputEndsTheWorkerOnly) {
  const SharedMemory host = Take(SharedMemory::MakeForReader(kSize));
  EXPECT_EQ(InChild([&] {
              auto worker = SharedMemory::Attach(Copy(host.fd()), false);
              if (!worker.ok()) return "no input";
              *static_cast<volatile std::byte*>(worker->data()) = std::byte{1};
              return "written";
            }),
            "signal 11");
  EXPECT_EQ(host.data()[0], std::byte{0});
}

TEST(SharedMemoryTest, AWorkerWritesItsOutputAndTheHostOnlyReads) {
  const SharedMemory host = Take(SharedMemory::MakeForWriter(kSize));
  EXPECT_FALSE(host.is_writable());
  EXPECT_EQ(InChild([&] {
              auto worker = SharedMemory::Attach(Copy(host.fd()), true);
              if (!worker.ok()) return "no output";
              std::memcpy(worker->data() + kSize - 4, "done", 4);
              return "written";
            }),
            "written");
  EXPECT_EQ(std::memcmp(host.data() + kSize - 4, "done", 4), 0);
  EXPECT_EQ(InChild([&] {
              *static_cast<volatile std::byte*>(host.data()) = std::byte{1};
              return "written";
            }),
            "signal 11");
}

TEST(SharedMemoryTest, AWorkerCanNeitherCutNorSealAnOutput) {
  const SharedMemory host = Take(SharedMemory::MakeForWriter(kSize));
  EXPECT_EQ(InChild([&] {
              const int fd = host.fd().get();
              if (::ftruncate(fd, 0) == 0 || ::ftruncate(fd, 2 * kSize) == 0)
                return "cut";
              if (::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0) return "sealed";
              // A hole reads as zeros: the host goes on.
              return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                                 kSize) == 0
                         ? "a hole"
                         : "no hole";
            }),
            "a hole");
  for (size_t at = 0; at < kSize; at += 512) ASSERT_EQ(host.data()[at], std::byte{0});
}

TEST(SharedMemoryTest, BothSidesWriteTheControlBlock) {
  const SharedMemory host = Take(SharedMemory::MakeShared(1));
  EXPECT_EQ(host.size() % 4096, 0u);
  const SharedMemory worker = Take(SharedMemory::Attach(Copy(host.fd()), true));
  worker.data()[0] = std::byte{7};
  EXPECT_EQ(host.data()[0], std::byte{7});
  host.data()[1] = std::byte{8};
  EXPECT_EQ(worker.data()[1], std::byte{8});
}

TEST(SharedMemoryTest, AttachesOnlyWhatTheHostMakes) {
  const auto refused = [](Fd fd, bool writable) {
    return SharedMemory::Attach(std::move(fd), writable).status().code();
  };
  EXPECT_EQ(refused(Fd(), false), ALLOY_INVALID);
  EXPECT_EQ(refused(Fd(::open("/dev/zero", O_RDWR | O_CLOEXEC)), true), ALLOY_INVALID);
  EXPECT_EQ(refused(Fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), false),
            ALLOY_INVALID);
  Fd unsealed;
  ASSERT_EQ(CreateSealable("test", kSize, &unsealed), 0);
  ASSERT_EQ(::ftruncate(unsealed.get(), kSize), 0);
  EXPECT_EQ(refused(std::move(unsealed), true), ALLOY_INVALID);
  const SharedMemory input = Take(SharedMemory::MakeForReader(kSize));
  EXPECT_EQ(refused(Copy(input.fd()), true), ALLOY_INVALID);
  const SharedMemory output = Take(SharedMemory::MakeForWriter(kSize));
  EXPECT_EQ(refused(Copy(output.fd()), false), ALLOY_INVALID);
}

TEST(SharedMemoryTest, SaysWhySizesAreRefused) {
  for (const size_t size : {size_t{0}, SIZE_MAX, SIZE_MAX / 2}) {
    EXPECT_EQ(SharedMemory::MakeShared(size).status().code(), ALLOY_INVALID) << size;
  }
  const Status large = SharedMemory::MakeShared(size_t{1} << 60).status();
  EXPECT_EQ(large.code(), ALLOY_EXHAUSTED);
  EXPECT_NE(large.fault().text.find("1152921504606846976 bytes"), std::string::npos)
      << large.fault().text;
}

TEST(SharedMemoryTest, ALimitOnFilesIsAnErrorAndNoSignal) {
  EXPECT_EQ(InChild([] {
              const struct rlimit none{.rlim_cur = 0, .rlim_max = 0};
              if (::setrlimit(RLIMIT_FSIZE, &none) != 0) return std::string("no limit");
              return SharedMemory::MakeShared(kSize).status().fault().text;
            }),
            "cannot make the segment alloy-control of 1048576 bytes: File too large; "
            "raise the limit on the size of files (ulimit -f)");
}

// The bytes of a segment that have memory behind them.
size_t Backed(const SharedMemory& memory) {
  struct stat facts;
  EXPECT_EQ(::fstat(memory.fd().get(), &facts), 0);
  return static_cast<size_t>(facts.st_blocks) * 512;
}

TEST(SharedMemoryTest, PagesAreThereBeforeTheyAreUsed) {
  SharedMemory host = Take(SharedMemory::MakeForReader(kSize + 4096));
  EXPECT_EQ(Backed(host), 0U);
  EXPECT_TRUE(host.Back(host.data(), 0).ok());
  EXPECT_EQ(Backed(host), 0U);
  // From the last byte of the first chunk to the first one of the third.
  EXPECT_TRUE(host.Back(host.data() + 65535, 65538).ok());
  EXPECT_EQ(Backed(host), size_t{3 * 65536});
  host.data()[65536] = std::byte{7};
  // The last chunk is short.
  EXPECT_TRUE(host.Back(host.data() + kSize, 4096).ok());
  EXPECT_EQ(Backed(host), size_t{3 * 65536 + 4096});
  EXPECT_TRUE(host.Back(host.data(), host.size()).ok());
  EXPECT_EQ(Backed(host), host.size());
  EXPECT_EQ(host.data()[65536], std::byte{7});
  // The other side asks for itself, and changes nothing.
  SharedMemory worker = Take(SharedMemory::Attach(Copy(host.fd()), false));
  EXPECT_TRUE(worker.Back(worker.data(), worker.size()).ok());
  EXPECT_EQ(worker.data()[65536], std::byte{7});
}

TEST(SharedMemoryTest, MemoryThatIsNotThereIsAnErrorAndTakesNone) {
  EXPECT_EQ(InChild([] {
              if (!support::RefuseFallocateAbove(256 << 10))
                return std::string("no seccomp");
              SharedMemory host = Take(SharedMemory::MakeForReader(kSize));
              const Status refused = host.Back(host.data(), (256 << 10) + 1);
              std::string seen = refused.ok() ? "backed" : refused.fault().text;
              seen += refused.code() == ALLOY_EXHAUSTED ? " EXHAUSTED " : " ";
              seen += std::to_string(Backed(host)) + " ";
              seen += host.Back(host.data(), 1000).ok() ? "and less is there" : "";
              return seen;
            }),
            "there is no memory for 327680 bytes of a segment of 1048576 bytes: No space "
            "left on device; free memory, or raise the memory limit of this process or "
            "container EXHAUSTED 0 and less is there");
}

// A signal ends fallocate. One that comes all the time would never let it end.
TEST(SharedMemoryTest, SignalsDoNotKeepLargeMemoryFromBeingThere) {
  EXPECT_EQ(InChild([] {
              ::signal(SIGALRM, [](int) {});
              const struct itimerval often{.it_interval = {0, 200}, .it_value = {0, 200}};
              ::setitimer(ITIMER_REAL, &often, nullptr);
              SharedMemory host = Take(SharedMemory::MakeForReader(size_t{64} << 20));
              const Status status = host.Back(host.data(), host.size());
              return status.ok() ? std::to_string(Backed(host)) : status.fault().text;
            }),
            "67108864");
}

TEST(SharedMemoryTest, AMovedSegmentIsReleasedOnce) {
  const auto open_descriptors = [] {
    int open = 0;
    for (int fd = 0; fd < 256; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return open;
  };
  const int before = open_descriptors();
  {
    SharedMemory first = Take(SharedMemory::MakeShared(kSize));
    SharedMemory second = std::move(first);
    second.data()[0] = std::byte{1};
    EXPECT_EQ(first.size(), 0u);  // NOLINT(bugprone-use-after-move)
    first = std::move(second);
    EXPECT_EQ(first.data()[0], std::byte{1});
    EXPECT_EQ(open_descriptors(), before + 1);
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace alloy::core
