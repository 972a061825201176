// SPDX-License-Identifier: MIT
//
// Attack 85: loads that fail, over and over, keep no descriptor and no memory.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

// What this process holds.
struct Holdings {
  ptrdiff_t descriptors = 0;
  int mappings = 0;  // of files in memory

  static Holdings Now() {
    Holdings now;
    now.descriptors = std::distance(fs::directory_iterator("/proc/self/fd"), {});
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
      now.mappings += line.find("/memfd:") != line.npos ? 1 : 0;
    }
    return now;
  }
};

class LeakAttackTest : public AttackTest {
 protected:
  // Let one host fail to load the library so many times, and return how many descriptors
  // and mappings that cost after the first time.
  static Holdings CostOf(const std::string& library, int32_t reason, int times = 100,
                         const std::string& certificate = Pinned().cert.Base64(),
                         bool allow_unsigned = false) {
    const alloy::Host host({.allow_unsigned = allow_unsigned});
    const auto fail = [&] {
      alloy::Bridge bridge = support::NewBridge(host);
      ExpectReason(bridge.SetImplLib(library, certificate), reason);
    };
    fail();  // what is made once, such as the mapping of a library that will not start
    const Holdings before = Holdings::Now();
    for (int i = 0; i < times; ++i) fail();
    const Holdings after = Holdings::Now();
    return {after.descriptors - before.descriptors, after.mappings - before.mappings};
  }
  static void ExpectNoCost(const Holdings& cost) {
    EXPECT_EQ(cost.descriptors, 0);
    EXPECT_EQ(cost.mappings, 0);
  }
};

TEST_F(LeakAttackTest, Attack85OfALibraryThatTheLoaderRefuses) {
  const std::string undefined = PutSigned("a.so", SampleBytes("undefined.so"));
  const Holdings before = Holdings::Now();
  ExpectNoCost(CostOf(undefined, ALLOY_REASON_LOADER));
  ExpectNoCost(CostOf(PutSigned("b.so", SampleBytes("big_tls.so")), ALLOY_REASON_LOADER));
  // Not even the first one.
  const Holdings after = Holdings::Now();
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.mappings, before.mappings);
}

// A library stays loaded once its constructors ran. It stays once, however often it fails.
TEST_F(LeakAttackTest, Attack85OfALibraryThatFailsAfterItWasLoaded) {
  MayRun();
  const std::string engine = ALLOY_TEST_BUILD "/tests/engine/";
  const struct {
    const char* sample;
    int32_t reason;
  } kinds[] = {{"fails", ALLOY_REASON_INIT},
               {"silent", ALLOY_REASON_INIT},
               {"throws", ALLOY_REASON_INIT},
               {"other_abi", ALLOY_REASON_ABI},
               {"bad_name", ALLOY_REASON_TABLE}};
  for (const auto& kind : kinds) {
    ExpectNoCost(CostOf(engine + kind.sample + ".so", kind.reason, 50, "", true));
  }
  ExpectNoCost(CostOf(PutSigned("other.so", SampleBytes("other.so")),
                      ALLOY_REASON_STATEMENT_TABLE));
}

TEST_F(LeakAttackTest, Attack85OfALibraryThatIsRefusedBefore) {
  const std::string library = PutVictim();
  ExpectNoCost(CostOf(library, ALLOY_REASON_CERTIFICATE_BASE64, 100, "no base64"));
  ExpectNoCost(CostOf(library, ALLOY_REASON_CERTIFICATE_DER, 100, "AAAA"));
  ExpectNoCost(CostOf(library, ALLOY_REASON_UNSIGNED, 100, ""));
  ExpectNoCost(CostOf(library, ALLOY_REASON_CERTIFICATE_UNTRUSTED, 100,
                      signing::Signer("ed25519", Valid()).cert.Base64()));
  ExpectNoCost(CostOf(folder_ / "missing.so", ALLOY_REASON_CANNOT_OPEN));
  ExpectNoCost(CostOf(folder_, ALLOY_REASON_NOT_A_FILE));
  ExpectNoCost(CostOf(Put("small.so", "x"), ALLOY_REASON_TOO_SMALL));
  ExpectNoCost(
      CostOf(Put("alone.so", SampleBytes("victim.so")), ALLOY_REASON_NO_SIDECAR));
  const std::string good = signing::ReadFile(library + ".alloysig");
  PutSidecar(library, good + "x");
  ExpectNoCost(CostOf(library, ALLOY_REASON_SIDECAR_MALFORMED));
  std::string other = good;
  other.replace(other.find("acme"), 4, "acne");
  PutSidecar(library, other);
  ExpectNoCost(CostOf(library, ALLOY_REASON_SIGNATURE));
  PutSidecar(library, good);
  std::string bytes = SampleBytes("victim.so");
  bytes.back() ^= 1;
  Put("victim.so", bytes);
  ExpectNoCost(CostOf(library, ALLOY_REASON_DIGEST));
  ExpectNoCost(CostOf(PutSigned("exports.so", SampleBytes("extra_export.so")),
                      ALLOY_REASON_EXPORTS));
  ExpectNoCost(
      CostOf(PutSigned("text.so", SampleBytes("textrel.so")), ALLOY_REASON_ELF_REFUSED));
  ExpectNoCost(
      CostOf(PutSigned("cut.so", bytes.substr(0, 900)), ALLOY_REASON_ELF_MALFORMED));
  ExpectNoCost(
      CostOf(PutSigned("needs.so", SampleBytes("needs_more.so")), ALLOY_REASON_NEEDED));
}

TEST_F(LeakAttackTest, Attack85OfAnArchive) {
  const std::string undefined =
      signing::ReadFile(ALLOY_TEST_BUILD "/tests/elf/undefined.a");
  ExpectNoCost(CostOf(PutSigned("undefined.a", undefined), ALLOY_REASON_LINK_FAILED, 5));
  ExpectNoCost(CostOf(PutSigned("cut.a", "!<arch>\n" + std::string(60, 'x')),
                      ALLOY_REASON_ARCHIVE_MALFORMED));
}

}  // namespace
}  // namespace attacks
