// SPDX-License-Identifier: MIT
//
// Attacks 41, 42, 44 and 63: what surrounds the process. Each runs in a process of its
// own.
#include <unistd.h>

#include <ctime>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

constexpr int kNotPermitted = 77;  // what the loader answers where it may not try

class EnvironmentAttackTest : public AttackTest {
 protected:
  ProgramEnd Run(std::vector<std::string> words,
                 const std::vector<std::string>& settings = {}) {
    words.push_back(PutVictim());
    words.push_back(Pinned().cert.Base64());
    return RunProgram(Loader(), words, settings);
  }
};

TEST_F(EnvironmentAttackTest, Attack41EverySettingOfMemfdNoexecLoads) {
  MayRun();
  for (const char* setting : {"0", "1", "2"}) {
    const ProgramEnd end = Run({"noexec", setting});
    if (end.exit_code == kNotPermitted) GTEST_SKIP() << end.output;
    EXPECT_EQ(end.exit_code, 0) << setting << ": " << end.output;
    EXPECT_EQ(end.output, "loaded 1.0.0\n") << setting;
  }
}

TEST_F(EnvironmentAttackTest, Attack42WithoutProcTheErrorSaysSo) {
  const ProgramEnd end = Run({"noproc"});
  if (end.exit_code == kNotPermitted) GTEST_SKIP() << end.output;
  EXPECT_EQ(end.output, "refused NO_PROC\n");
}

TEST_F(EnvironmentAttackTest, Attack44ALimitOnTheSizeOfFilesIsNoSignal) {
  const ProgramEnd end = Run({"limit", "1000"});
  EXPECT_EQ(end.exit_code, 0) << end.output;
  EXPECT_EQ(end.output, "refused CANNOT_SEAL\n");
}

TEST_F(EnvironmentAttackTest, Attack44ALinkerThatMayNotWriteIsAnError) {
  const std::string archive = Put("libvictim.a", SampleBytes("victim.a"));
  PutSidecar(archive, Pinned().Sidecar(TrueStatement(SampleBytes("victim.a")).Text()));
  const std::string limit = std::to_string(fs::file_size(archive) + 512);
  const ProgramEnd end =
      RunProgram(Loader(), {"limit", limit, archive, Pinned().cert.Base64()});
  EXPECT_EQ(end.exit_code, 0) << end.output;
  EXPECT_EQ(end.output, "refused LINK_FAILED\n");
}

TEST_F(EnvironmentAttackTest, Attack44AFullFileSystemLeavesNoHalfALibrary) {
  const ProgramEnd end = RunProgram(Loader(), {"full", SamplePath("victim.a"), folder_});
  if (end.exit_code == kNotPermitted) GTEST_SKIP() << end.output;
  EXPECT_EQ(end.exit_code, 0) << end.output;
  EXPECT_EQ(end.output, "refused: No space left on device, 0 files\n");
}

// A file of a time zone with a leap second of so many seconds, long ago.
std::string LeapSeconds(int32_t seconds) {
  const auto big = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) {
      text += static_cast<char>(value >> static_cast<unsigned>(8 * i));
    }
    return text;
  };
  std::string file;
  for (const int width : {4, 8}) {
    file += "TZif2" + std::string(15, '\0');
    for (const uint64_t count : {0, 0, 1, 0, 1, 4}) file += big(count, 4);
    file += std::string(6, '\0') + std::string("UTC\0", 4) + big(78796800, width) +
            big(static_cast<uint64_t>(seconds), 4);
  }
  return file + "\nUTC0\n";
}

// Times are compared as numbers, whatever the environment says about the calendar.
TEST_F(EnvironmentAttackTest, Attack81LeapSecondsChangeNothing) {
  constexpr int64_t kYear = int64_t{365} * 86400;
  const auto now = static_cast<int64_t>(::time(nullptr));
  const struct {
    int64_t from, to;
    const char* told;
  } kinds[] = {{now - 2 * kYear, now - 86400, "refused CERTIFICATE_EXPIRED\n"},
               {now + 86400, now + kYear, "refused CERTIFICATE_NOT_YET_VALID\n"},
               {now - 86400, now + 60 * int64_t{86400}, "loaded 1.0.0\n"}};
  MayRun();
  for (const auto& kind : kinds) {
    signing::CertificateSpec spec;
    spec.not_before = kind.from;
    spec.not_after = kind.to;
    const signing::Signer signer("ed25519", spec);
    const std::string library = PutVictim(signer);
    for (const int32_t seconds : {0, -31536000, 31536000, -1000000000, 1000000000}) {
      const std::string zone = Put("leap.tz", LeapSeconds(seconds));
      const ProgramEnd end =
          RunProgram(Loader(), {"load", library, signer.cert.Base64()}, {"TZ=:" + zone});
      EXPECT_EQ(end.output, kind.told) << seconds;
    }
  }
}

// A configuration by which OpenSSL would load the victim as a provider, and one of its
// own algorithms' settings that would refuse every signature.
TEST_F(EnvironmentAttackTest, Attack63AConfigurationOfOpensslIsIgnored) {
  const std::string module = Put("provider.so", SampleBytes("evil.so"));
  const std::string config = Put("openssl.cnf",
                                 "openssl_conf = init\n"
                                 "[init]\nproviders = providers\n"
                                 "[providers]\nevil = evil\n"
                                 "[evil]\nmodule = " +
                                     module + "\nactivate = 1\n");
  const ProgramEnd end = Run({"load"}, {"OPENSSL_CONF=" + config});
  EXPECT_EQ(end.output, "loaded 1.0.0\n");
  // The victim that was signed ran; the other one, which leaves its marks elsewhere, not.
  MayRun();
  EXPECT_TRUE(Ran());
  EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
  // The configuration is one that OpenSSL does follow.
  (void)RunProgram("openssl", {"list", "-providers"}, {"OPENSSL_CONF=" + config});
  EXPECT_TRUE(fs::exists(ALLOY_ATTACK_MARKER ".evil.constructor"));
  fs::remove(ALLOY_ATTACK_MARKER ".evil.constructor");
  fs::remove(ALLOY_ATTACK_MARKER ".evil.resolver");
}

}  // namespace
}  // namespace attacks
