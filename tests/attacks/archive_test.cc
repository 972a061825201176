// SPDX-License-Identifier: MIT
//
// Attacks 64 to 73: static archives. Each is well signed, so that it is the walk, or the
// linker, that must refuse it.
#include <sys/stat.h>

#include "tests/attacks/attack_support.h"
#include "tests/support/support.h"

namespace attacks {
namespace {

class ArchiveAttackTest : public AttackTest {
 protected:
  static signing::StatementSpec StatementOf(std::string_view bytes) {
    auto statement = TrueStatement(bytes);
    statement.file = "libvictim.a";
    return statement;
  }
  std::string PutArchive(std::string_view bytes,
                         std::string_view name = "libvictim.a") const {
    const std::string path = Put(name, bytes);
    PutSidecar(path, Pinned().Sidecar(StatementOf(bytes).Text()));
    return path;
  }
  void ExpectMalformed(std::string_view bytes, std::string_view part) const {
    ExpectReason(Load(PutArchive(bytes)), ALLOY_REASON_ARCHIVE_MALFORMED, part);
  }
  // The archive of these members, by ar itself; `flags` as ar takes them.
  std::string Ar(const std::string& flags, const std::vector<std::string>& members) {
    const std::string path = folder_ / "made.a";
    fs::remove(path);
    std::vector<std::string> words = {flags, path};
    words.insert(words.end(), members.begin(), members.end());
    EXPECT_EQ(RunProgram("ar", words).exit_code, 0);
    return signing::ReadFile(path);
  }
};

TEST_F(ArchiveAttackTest, Attack00AGoodArchiveIsLinkedAndRuns) {
  MayRun();
  alloy::Bridge bridge = support::NewBridge(alloy::Host(alloy::HostOptions{}));
  const alloy::Status status =
      bridge.SetImplLib(PutArchive(SampleBytes("victim.a")), Pinned().cert.Base64());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(bridge.Call("answer", support::SmallBatch())->rows(), 1);
}

TEST_F(ArchiveAttackTest, Attack64ALinkerScriptNamedAsAnArchive) {
  const std::string real = Put("real.a", SampleBytes("victim.a"));
  ExpectMalformed("/* GNU ld script */\nGROUP ( " + real + " )\n" + std::string(64, '\n'),
                  "script");
}

TEST_F(ArchiveAttackTest, Attack65AThinArchive) {
  const std::string member = Put("a.txt", std::string(100, 'x'));
  ExpectMalformed(Ar("rcT", {member}), "thin");
}

TEST_F(ArchiveAttackTest, Attack66TruncatedLyingAndEmptyArchives) {
  const std::string good = SampleBytes("victim.a");
  for (const size_t size : {good.size() - 2, good.size() / 2, size_t{68}, size_t{70}}) {
    ExpectReason(Load(PutArchive(good.substr(0, size))), ALLOY_REASON_ARCHIVE_MALFORMED);
  }
  std::string lying = good;
  lying.replace(8 + 48, 10, "9999999999");
  ExpectMalformed(lying, "9999999999");
  ExpectMalformed(
      "!<arch>\n/               0           0     0     0       4         `\n" +
          std::string(4, '\0'),
      "has no object file");
}

TEST_F(ArchiveAttackTest, Attack67ObjectsThatAreNotPositionIndependent) {
  const auto bytes = ElfSampleBytes("not_pic.a");
  ExpectReason(Load(PutArchive(bytes)), ALLOY_REASON_LINK_FAILED, "-fPIC");
}

TEST_F(ArchiveAttackTest, Attack68IntermediateCode) {
  const std::string member = Put("a.o", "BC\xc0\xde" + std::string(96, 'x'));
  ExpectMalformed(Ar("rcS", {member}), "LLVM");
  ExpectMalformed(ElfSampleBytes("slim_lto.a"), "GCC");
}

TEST_F(ArchiveAttackTest, Attack69SymbolsThatAreDefinedTwice) {
  ExpectReason(Load(PutArchive(ElfSampleBytes("twice.a"))), ALLOY_REASON_LINK_FAILED,
               "multiple definition");
}

TEST_F(ArchiveAttackTest, Attack70AFakeLinkerInTheEnvironmentIsNotRun) {
  MayRun();
  const std::string marker = folder_ / "fake_ran";
  for (const char* tool : {"ld", "ld.bfd", "ld.gold", "collect2", "c++", "g++", "cc"}) {
    const std::string path = Put(tool, "#!/bin/sh\ntouch " + marker + "\nexit 1\n");
    ::chmod(path.c_str(), 0700);
  }
  const std::string folder = folder_.string();
  const ProgramEnd end = RunProgram(
      Loader(), {"load", PutArchive(SampleBytes("victim.a")), Pinned().cert.Base64()},
      {"PATH=" + folder + ":/usr/bin:/bin", "COMPILER_PATH=" + folder,
       "GCC_EXEC_PREFIX=" + folder + "/", "LIBRARY_PATH=" + folder,
       "LDEMULATION=nonsense", "CXX=" + folder + "/c++"});
  EXPECT_EQ(end.output, "loaded 1.0.0\n");
  EXPECT_FALSE(fs::exists(marker));
}

#ifdef ALLOY_TEST_RUST
TEST_F(ArchiveAttackTest, Attack71TwoRustStaticlibsWorkInOneProcess) {
  const alloy::Host host{alloy::HostOptions{}};
  alloy::Bridge echo = support::NewBridge(host), distance = support::NewBridge(host);
  const auto load = [&](alloy::Bridge& bridge, const char* file, const char* name) {
    const std::string bytes =
        signing::ReadFile(std::string(ALLOY_TEST_BUILD "/backends/") + file);
    auto statement = StatementOf(bytes);
    statement.name = name;
    statement.version = "0.1.0";
    const std::string path = Put(file, bytes);
    PutSidecar(path, Pinned().Sidecar(statement.Text()));
    const alloy::Status status = bridge.SetImplLib(path, Pinned().cert.Base64());
    EXPECT_TRUE(status.ok()) << status;
  };
  load(echo, "echo_rust.a", "alloy.echo");
  load(distance, "distance_rust.a", "example.distance");
  const auto points = alloy::MakeBatch(
      {{"x", alloy::MakeArray<double>({3})}, {"y", alloy::MakeArray<double>({4})}});
  const auto far = distance.Call("distance", *points);
  ASSERT_TRUE(far.ok()) << far.status();
  EXPECT_EQ(*far->column<double>("distance")->Get(0), 5);
  const auto back = echo.Call("echo", support::SmallBatch());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->rows(), 3);
}
#endif

TEST_F(ArchiveAttackTest, Attack72AMemberWhoseNameLeadsElsewhere) {
  MayRun();
  std::string bytes = SampleBytes("victim.a");
  const size_t name = bytes.find("victim.c.o/");
  ASSERT_NE(name, std::string::npos);
  bytes.replace(name, 11, "../../x/   ");
  const std::string path = PutArchive(bytes);
  const auto before = fs::last_write_time(folder_.parent_path().parent_path());
  const alloy::Status status = Load(path);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_FALSE(fs::exists(folder_.parent_path().parent_path() / "x"));
  EXPECT_EQ(fs::last_write_time(folder_.parent_path().parent_path()), before);
}

}  // namespace
}  // namespace attacks
