// SPDX-License-Identifier: MIT
#include "admit/link.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "admit/admit_test_support.h"
#include "admit/archive_samples.h"

namespace alloy::core {
namespace {

namespace fs = std::filesystem;

class LinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("alloy_link_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Program(const std::string& name, const std::string& script) {
    const std::string path = folder_ / name;
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    ::chmod(path.c_str(), 0700);
    return path;
  }
  static Result<Fd> LinkGood(const LinkTools& tools) {
    Fd archive;
    EXPECT_EQ(OpenForReading(SamplePath("good.a"), &archive), 0);
    return LinkArchive(archive, SamplePath("good.a"), tools);
  }
  static void ExpectFailed(const Status& status, const std::string& part) {
    EXPECT_EQ(status.code(), ALLOY_REFUSED);
    EXPECT_EQ(status.reason(), ALLOY_REASON_LINK_FAILED);
    const std::string text = status.ok() ? "it was linked" : status.fault().text;
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }

  fs::path folder_;
};

TEST_F(LinkTest, AnArchiveBecomesALibraryOfOneExport) {
  const auto cleared = ClearUnsigned(SamplePath("good.a"));
  ASSERT_TRUE(cleared.ok()) << cleared.status().fault().text;
  EXPECT_TRUE(cleared->is_linked());
  EXPECT_EQ(WriteFully(cleared->sealed(), AsBytes("x")), EPERM);
  const auto linked = LinkLibraryFrom(SamplePath("good.a"));
  ASSERT_TRUE(linked.ok());
  const auto facts = CheckElf(Bytes(**linked));
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->exports, std::vector<std::string>{"alloy_backend_init"});
}

TEST_F(LinkTest, TheSameArchiveGivesTheSameBytes) {
  const auto one = LinkLibraryFrom(SamplePath("good.a"));
  const auto two = LinkLibraryFrom(SamplePath("good.a"));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE(std::ranges::equal(Bytes(**one), Bytes(**two)));
}

TEST_F(LinkTest, TellsTheLinkersOwnWords) {
  ExpectFailed(ClearUnsigned(SamplePath("not_pic.a")).status(), "-fPIC");
  ExpectFailed(ClearUnsigned(SamplePath("twice.a")).status(),
               "multiple definition of `twice'");
  ExpectFailed(ClearUnsigned(SamplePath("undefined.a")).status(), "nobody_has_it");
  // By the name that the host knows.
  ExpectFailed(ClearUnsigned(SamplePath("undefined.a")).status(),
               SamplePath("undefined.a") + "(undefined.c.o)");
}

TEST_F(LinkTest, AnArchiveWithoutABackendIsNoBackend) {
  const Status status = ClearUnsigned(SamplePath("elsewhere.a")).status();
  EXPECT_EQ(status.reason(), ALLOY_REASON_EXPORTS);
}

TEST_F(LinkTest, ATextNamedAsAnArchiveReachesNoLinker) {
  const std::string path = folder_ / "libscript.a";
  std::ofstream(path) << "INPUT(" << SamplePath("good.a") << ")" << std::string(64, '\n');
  const Status status = ClearUnsigned(path).status();
  EXPECT_EQ(status.reason(), ALLOY_REASON_ARCHIVE_MALFORMED);
}

TEST_F(LinkTest, ASharedLibraryNamedAsAnArchiveIsASharedLibrary) {
  const std::string path = folder_ / "libgood.a";
  fs::copy_file(SamplePath("good.so"), path);
  EXPECT_TRUE(ClearUnsigned(path).ok());
  EXPECT_EQ(LinkLibraryFrom(path).status().code(), ALLOY_INVALID);
}

TEST_F(LinkTest, WithoutACompilerTheErrorSaysWhatToRun) {
  const auto linked = LinkGood({.compilers = {folder_ / "nothing"}});
  ExpectFailed(linked.status(), "arrowalloy link");
}

TEST_F(LinkTest, ALinkerPastItsLimitIsEndedWithAllThatItStarted) {
  // The grandchild holds a lock on a pipe: once that is gone, so is it.
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Fd reading;
  ASSERT_EQ(OpenForReading(pipe, &reading), 0);
  const std::string slow =
      Program("slow", "/bin/sleep 1000 3>" + pipe + " &\n/bin/sleep 1000");
  const auto linked = LinkGood({.compilers = {slow}, .limit_ns = 300'000'000});
  ExpectFailed(linked.status(), "longer than 300 ms");
  // Nobody writes any more: the end of the pipe, where a writer would mean waiting.
  std::byte byte;
  size_t got = 1;
  for (int error = EAGAIN; error == EAGAIN;) {
    error = ReadFully(reading, {&byte, 1}, &got);
  }
  EXPECT_EQ(got, 0u);
}

TEST_F(LinkTest, TheEnvironmentReachesNoLinker) {
  ::setenv("ALLOY_LINK_TEST", "here", 1);
  const std::string tells = Program("tells", "/usr/bin/env; pwd; exit 1");
  const Status status = LinkGood({.compilers = {tells}}).status();
  ::unsetenv("ALLOY_LINK_TEST");
  EXPECT_EQ(status.fault().text.find("ALLOY_LINK_TEST"), std::string::npos);
  EXPECT_EQ(status.fault().text.find("HOME="), std::string::npos) << status.fault().text;
  EXPECT_TRUE(status.fault().text.ends_with("; /")) << status.fault().text;
}

TEST_F(LinkTest, AToolOnThePathOfTheHostIsNotRun) {
  const std::string marker = folder_ / "ran";
  for (const char* tool : {"ld", "ld.bfd", "collect2", "c++", "as"}) {
    Program(tool, "touch " + marker + "; exit 1");
  }
  const std::string path = std::getenv("PATH");
  for (const char* name : {"PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "LIBRARY_PATH"}) {
    ::setenv(name, folder_.c_str(), 1);
  }
  const auto admitted = ClearUnsigned(SamplePath("good.a"));
  ::setenv("PATH", path.c_str(), 1);
  for (const char* name : {"COMPILER_PATH", "GCC_EXEC_PREFIX", "LIBRARY_PATH"}) {
    ::unsetenv(name);
  }
  EXPECT_TRUE(admitted.ok()) << admitted.status().fault().text;
  EXPECT_FALSE(fs::exists(marker));
}

}  // namespace
}  // namespace alloy::core
