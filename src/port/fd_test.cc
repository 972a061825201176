// SPDX-License-Identifier: MIT
#include "port/fd.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <vector>

#include "port/clock.h"

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
