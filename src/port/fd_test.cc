// SPDX-License-Identifier: MIT
#include "port/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "port/clock.h"
#include "port/descriptors.h"
#include "tests/support/in_child.h"

namespace alloy::core {
namespace {

std::span<const std::byte> AsBytes(const char* text) {
  return std::as_bytes(std::span(text, std::strlen(text)));
}

TEST(FdTest, ASealedFileCanNeitherBeWrittenNorResized) {
  Fd fd;
  ASSERT_EQ(CreateSealable("test", 5, &fd), 0);
  ASSERT_EQ(WriteFully(fd, AsBytes("hello")), 0);
  ASSERT_EQ(Seal(fd), 0);
  EXPECT_EQ(WriteFully(fd, AsBytes("x")), EPERM);
  EXPECT_EQ(::ftruncate(fd.get(), 1), -1);
  EXPECT_EQ(::ftruncate(fd.get(), 100), -1);
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  std::ofstream again(path, std::ios::binary | std::ios::in | std::ios::out);
  again << "XXXXX";
  again.close();
  Mapping mapping;
  ASSERT_EQ(MapForReading(fd, 5, &mapping), 0);
  EXPECT_EQ(std::memcmp(Bytes(mapping).data(), "hello", 5), 0);
}

TEST(FdTest, SealingFailsWhileAWritableMappingExists) {
  Fd fd;
  ASSERT_EQ(CreateSealable("test", 4096, &fd), 0);
  ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
  void* mapping = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  EXPECT_EQ(Seal(fd), EBUSY);
  ::munmap(mapping, 4096);
  EXPECT_EQ(Seal(fd), 0);
}

TEST(FdTest, SealingWaitsForWhatEndsSoon) {
  Fd fd;
  ASSERT_EQ(CreateSealable("test", 4096, &fd), 0);
  ASSERT_EQ(::ftruncate(fd.get(), 4096), 0);
  void* mapping = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  std::atomic<bool> runs = false;
  std::thread other([&] {
    runs = true;
    ::munmap(mapping, 4096);
  });
  while (!runs) std::this_thread::yield();
  EXPECT_EQ(Seal(fd), 0);
  other.join();
}

TEST(FdTest, TellsTheKindsOfFilesApart) {
  Fd fd;
  FileFacts facts;
  ASSERT_EQ(OpenForReading("/", &fd), 0);
  ASSERT_EQ(GetFileFacts(fd, &facts), 0);
  EXPECT_EQ(facts.kind, FileKind::kFolder);
  ASSERT_EQ(OpenForReading("/dev/zero", &fd), 0);
  ASSERT_EQ(GetFileFacts(fd, &facts), 0);
  EXPECT_EQ(facts.kind, FileKind::kDevice);
  EXPECT_EQ(OpenForReading("/no/such/file", &fd), ENOENT);
}

// A host may have closed its standard error, or all three.
TEST(FdTest, NothingGetsTheNumberOfAStandardStream) {
  EXPECT_EQ(InChild([] {
              const int kept = ::fcntl(2, F_DUPFD_CLOEXEC, 10);
              for (int fd = 0; fd < 3; ++fd) ::close(fd);
              std::string wrong;
              const auto look = [&wrong](const char* what, const Fd& fd) {
                if (fd.get() < 3) wrong += std::string(what) + " ";
              };
              Fd file, memory, one, other;
              if (OpenForReading("/dev/null", &file) != 0) wrong += "no file ";
              if (CreateSealable("test", 1, &memory) != 0) wrong += "no memory ";
              if (MakeSocketPair(&one, &other) != 0) wrong += "no sockets ";
              look("file", file);
              look("memory", memory);
              look("socket", one);
              look("socket", other);
              if (AboveStandard(-1)) wrong += "made from nothing ";
              for (int fd = 0; fd < 3; ++fd) {
                if (::fcntl(fd, F_GETFD) >= 0) wrong += "still open ";
              }
              ::dup2(kept, 2);
              return wrong;
            }),
            "");
}

TEST(FdTest, OpeningAPipeDoesNotWaitForAWriter) {
  const std::string path =
      ::testing::TempDir() + "/alloy_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Fd fd;
  FileFacts facts;
  ASSERT_EQ(OpenForReading(path, &fd), 0);
  ::unlink(path.c_str());
  ASSERT_EQ(GetFileFacts(fd, &facts), 0);
  EXPECT_EQ(facts.kind, FileKind::kPipe);
}

TEST(FdTest, RefusesAnImageAboveTheLimitOnFilesInsteadOfDyingOfASignal) {
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Fd fd;
  EXPECT_EQ(CreateSealable("test", 101, &fd), EFBIG);
  EXPECT_EQ(CreateSealable("test", 100, &fd), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

TEST(FdTest, ReadsToTheEndAndNoFurther) {
  Fd fd;
  ASSERT_EQ(CreateSealable("test", 5, &fd), 0);
  ASSERT_EQ(WriteFully(fd, AsBytes("hello")), 0);
  ASSERT_EQ(::lseek(fd.get(), 0, SEEK_SET), 0);
  std::vector<std::byte> bytes(9);
  size_t done = 0;
  EXPECT_EQ(ReadFully(fd, bytes, &done), 0);
  EXPECT_EQ(done, 5u);
  EXPECT_NE(ReadFully(Fd(), bytes, &done), 0);
}

TEST(ClockTest, WritesTheTimeAsTheSystemDoesInEachZone) {
  for (const char* zone : {"UTC", "Asia/Kathmandu", "America/St_Johns", "EST5EDT"}) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    ProcessMark mark;
    LocalClock clock(mark);
    const auto expected = [] {
      const time_t now = ::time(nullptr);
      struct tm parts{};
      ::localtime_r(&now, &parts);
      char text[32];
      return std::string(text,
                         ::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts));
    };
    std::string before, text;
    do {  // within one second
      before = expected();
      text = clock.Text();
    } while (before != expected());
    EXPECT_EQ(text, before) << zone;
  }
  ::unsetenv("TZ");
  ::tzset();
}

// ---- Writes that do not wait

int64_t Drain(int fd) {
  int64_t drained = 0;
  std::vector<char> bytes(65536);
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  for (ssize_t n = 0; (n = ::read(fd, bytes.data(), bytes.size())) > 0;) drained += n;
  ::fcntl(fd, F_SETFL, flags);
  return drained;
}

TEST(FdTest, AFullPipeAndAFullSocketTakeWhatFitsAndNobodyWaits) {
  const std::string text(1 << 20, 'x');
  for (const bool is_socket : {false, true}) {
    int ends[2];
    ASSERT_EQ(is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends), 0);
    const Fd reading(ends[0]), writing(ends[1]);
    ::alarm(20);  // a write that waits
    const size_t first = WriteWithoutWaiting(writing.get(), text);
    EXPECT_GE(first, size_t{PIPE_BUF});
    EXPECT_LT(first, text.size());
    EXPECT_EQ(WriteWithoutWaiting(writing.get(), "more"), 0u);
    ::alarm(0);
    EXPECT_EQ(Drain(reading.get()), static_cast<int64_t>(first));
    EXPECT_EQ(WriteWithoutWaiting(writing.get(), "again"), 5u);
    EXPECT_EQ(::fcntl(writing.get(), F_GETFL) & O_NONBLOCK, 0) << "it is shared";
  }
}

TEST(FdTest, AReaderThatIsGoneRaisesNoSignal) {
  for (const bool is_socket : {false, true}) {
    int ends[2];
    ASSERT_EQ(is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends), 0);
    const Fd writing(ends[1]);
    ::close(ends[0]);
    ASSERT_EQ(::signal(SIGPIPE, SIG_DFL), SIG_DFL);
    EXPECT_EQ(WriteWithoutWaiting(writing.get(), "nobody reads this"), 0u);
  }
  EXPECT_EQ(WriteWithoutWaiting(-1, "no file"), 0u);
}

TEST(FdTest, AFileTakesAllBehindWhatIsThere) {
  const std::string path = testing::TempDir() + "/alloy_without_waiting";
  const Fd file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  EXPECT_EQ(WriteWithoutWaiting(file.get(), "one "), 4u);
  EXPECT_EQ(WriteWithoutWaiting(file.get(), std::string(10'000, 'x')), 10'000u);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 10'004);
  ::unlink(path.c_str());
}

// The words of a backend may not end the host of a log that is full.
TEST(FdTest, AFileOfItsLargestSizeAndAFullDiskRaiseNoSignal) {
  const std::string path = testing::TempDir() + "/alloy_largest_size";
  const Fd file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  ASSERT_EQ(::signal(SIGXFSZ, SIG_DFL), SIG_DFL);
  EXPECT_EQ(WriteWithoutWaiting(file.get(), std::string(90, 'x')), 90U);
  EXPECT_EQ(WriteWithoutWaiting(file.get(), std::string(90, 'x')), 10U);
  EXPECT_EQ(WriteWithoutWaiting(file.get(), "more"), 0U);
  {
    const NoWriteSignals no_signals;
    WriteLine(file.get(), "a line\n");
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::unlink(path.c_str());
  sigset_t pending;
  ASSERT_EQ(::sigpending(&pending), 0);
  EXPECT_EQ(::sigismember(&pending, SIGXFSZ), 0);

  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  EXPECT_EQ(WriteWithoutWaiting(full.get(), "no room"), 0U);
  WriteLine(full.get(), "a line\n");
}

TEST(ClockTest, WritesTheLocalTimeInNineteenCharacters) {
  ProcessMark mark;
  const std::string text = LocalClock(mark).Text();
  ASSERT_EQ(text.size(), 19u);
  EXPECT_EQ(text[4], '-');
  EXPECT_EQ(text[10], ' ');
  EXPECT_EQ(text[16], ':');
}

}  // namespace
}  // namespace alloy::core
