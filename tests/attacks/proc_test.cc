// SPDX-License-Identifier: MIT
//
// Attack 80: what is mounted on /proc belongs to others, or is not there. The verified
// library runs, or nothing does.
#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

constexpr int kNotPermitted = 77;

class ProcAttackTest : public AttackTest {
 protected:
  void TearDown() override {
    EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
    RemoveEvilMarkers();
    AttackTest::TearDown();
  }
  static void RemoveEvilMarkers() {
    fs::remove(ALLOY_ATTACK_MARKER ".evil.constructor");
    fs::remove(ALLOY_ATTACK_MARKER ".evil.resolver");
  }

  // What the loader writes. Skips where this user may not make namespaces.
  std::string Run(std::vector<std::string> words,
                  const std::vector<std::string>& settings = {}) {
    RemoveEvilMarkers();
    // Another user has to read it.
    fs::permissions(folder_, fs::perms::all);
    words.push_back(Pinned().cert.Base64());
    const ProgramEnd end = RunProgram(Loader(), words, settings);
    is_permitted_ = end.exit_code != kNotPermitted;
    EXPECT_TRUE(end.exit_code == 0 || !is_permitted_) << end.output;
    return end.output;
  }
  bool is_permitted_ = true;
};

TEST_F(ProcAttackTest, Attack80InAForeignProcTheVerifiedLibraryIsLoaded) {
  MayRun();
  const std::string told = Run({"foreign", SamplePath("evil.so"), PutVictim()});
  if (!is_permitted_) GTEST_SKIP() << told;
  EXPECT_EQ(told, "loaded\n");
}

TEST_F(ProcAttackTest, Attack80AProcThatDoesNotKnowTheProcessIsNamed) {
  const std::string told = Run({"inner", PutVictim()});
  if (!is_permitted_) GTEST_SKIP() << told;
  if (support::IsIsolated()) {  // no thread can be started there, so no worker either
    EXPECT_TRUE(told.starts_with("refused NONE # the thread that watches over")) << told;
    return;
  }
  EXPECT_TRUE(told.starts_with("refused NO_PROC # ")) << told;
  EXPECT_NE(told.find("/proc belongs to another PID namespace"), told.npos) << told;
}

TEST_F(ProcAttackTest, Attack80AFolderThatMayNotBeEnteredIsNamed) {
  const std::string told = Run({"private", PutVictim()});
  if (!is_permitted_) GTEST_SKIP() << told;
  if (support::
          IsIsolated()) {  // a worker inherits the sealed copy, and has its own folder
    MayRun();
    EXPECT_EQ(told, "loaded\n");
    return;
  }
  EXPECT_TRUE(told.starts_with("refused NO_PROC # ")) << told;
  EXPECT_NE(told.find("Permission denied"), told.npos) << told;
  EXPECT_EQ(told.find("not mounted"), told.npos) << told;
}

TEST_F(ProcAttackTest, Attack80FilesThatWerePutInPlaceOfDescriptorsAreNotLoaded) {
  const std::string told = Run({"planted", SamplePath("evil.so"), PutVictim()});
  if (!is_permitted_) GTEST_SKIP() << told;
  if (support::
          IsIsolated()) {  // the folder is that of the host, which a worker does not see
    MayRun();
    EXPECT_EQ(told, "loaded\n");
    EXPECT_TRUE(Ran());
    EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
    return;
  }
  EXPECT_TRUE(told.starts_with("refused NO_PROC # ")) << told;
  EXPECT_NE(told.find("is another file"), told.npos) << told;
}

// Whoever controls the environment of a host can do this. The host finds out, and trusts
// its loader no more.
TEST_F(ProcAttackTest, AfterAWrongMappingTheHostLoadsNothingMore) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the runtimes of the sanitizers do not start under LD_AUDIT";
#endif
  MayRun();
  const std::string other = PutSigned("other.so", SampleBytes("victim.so") + "x");
  const std::string told =
      Run({"again", PutVictim(), other},
          {"LD_AUDIT=" + SamplePath("audit.so"), "ATTACK_EVIL=" + SamplePath("evil.so")});
  if (support::IsIsolated()) {  // a worker has none of the host's environment
    EXPECT_EQ(told, "loaded\nloaded\nloaded\n");
    EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
    return;
  }
  EXPECT_EQ(told.find("loaded"), told.npos) << told;
  const size_t second = told.find('\n') + 1, third = told.find('\n', second) + 1;
  EXPECT_TRUE(told.starts_with("refused IDENTITY # ")) << told;
  EXPECT_NE(told.find("is not in the sealed copy"), told.npos) << told;
  for (const size_t at : {second, third}) {
    const std::string line = told.substr(at, told.find('\n', at) - at);
    EXPECT_TRUE(line.starts_with("refused IDENTITY # ")) << told;
    EXPECT_NE(line.find("loads nothing more"), line.npos) << told;
  }
  // The evil one ran, which no host can prevent; it is what the test is about.
  EXPECT_TRUE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
  RemoveEvilMarkers();
}

}  // namespace
}  // namespace attacks
