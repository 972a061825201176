// SPDX-License-Identifier: MIT
//
// Attacks 34 to 38 as races: ten thousand loads, each in a process of its own, while
// another process swaps, overwrites and truncates the file, or reaches for the copy.
#include <cstdio>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

// A process of a sanitizer takes many times as long to come and go. With workers each load
// is a process more.
int Share() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 50;
#else
  return support::IsIsolated() ? 10 : 1;
#endif
}

class RaceAttackTest : public AttackTest {
 protected:
  struct Outcomes {
    int verified = -1, refused = -1, wrong = -1, other = -1;
  };
  Outcomes Race(const char* kind, int loads) {
    MayRun();  // the verified bytes
    std::string good = SampleBytes("victim.so"), evil = SampleBytes("evil.so");
    const size_t size = std::max(good.size(), evil.size());
    good.resize(size);
    evil.resize(size);
    const std::string library = PutSigned("library.so", good);
    const ProgramEnd end =
        RunProgram(ALLOY_TEST_BUILD "/tests/attack_race",
                   {kind, std::to_string(loads / Share()), library,
                    Pinned().cert.Base64(), Put("good", good), Put("evil", evil)});
    Outcomes told;
    EXPECT_EQ(
        std::sscanf(end.output.c_str(), "verified %d, refused %d, wrong %d, other %d",
                    &told.verified, &told.refused, &told.wrong, &told.other),
        4)
        << end.output;
    RecordProperty("outcomes", end.output);
    EXPECT_EQ(told.wrong, 0) << end.output;
    EXPECT_EQ(told.other, 0) << end.output;
    EXPECT_EQ(told.verified + told.refused, loads / Share());
    // Of the bytes that were not signed not even a constructor ran.
    EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
    EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.resolver"));
    return told;
  }
  static void ExpectBothOutcomes(const Outcomes& told) {
    if (Share() > 10) return;  // so few may all end one way
    EXPECT_GT(told.verified, 0);
    EXPECT_GT(told.refused, 0);
  }
};

TEST_F(RaceAttackTest, Attack34AFileThatIsSwappedByRename) {
  ExpectBothOutcomes(Race("swap", 3500));
}

TEST_F(RaceAttackTest, Attack35AFileThatIsOverwrittenInPlace) {
  ExpectBothOutcomes(Race("write", 3500));
}

TEST_F(RaceAttackTest, Attack36AFileThatIsTruncatedBeforeAndAfterTheLoad) {
  ExpectBothOutcomes(Race("truncate", 3000));
}

TEST_F(RaceAttackTest, Attack38ACopyThatIsWrittenAndMappedWhileItIsMade) {
  const Outcomes told = Race("copy", 1000);
  if (Share() == 1) {
    EXPECT_GT(told.verified, 0);
  }
}

}  // namespace
}  // namespace attacks
