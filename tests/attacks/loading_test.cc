// SPDX-License-Identifier: MIT
//
// Attacks 56 to 58, 74, 75, 78 and 79: what code does, or would do, once it is loaded.
#include <atomic>
#include <thread>

#include "tests/attacks/attack_support.h"
#include "tests/faults/cases.h"
#include "tests/support/support.h"

namespace attacks {
namespace {

class LoadingAttackTest : public AttackTest {};

TEST_F(LoadingAttackTest, Attack56ANameThatTheHostHasTooStaysTheBackendsOwn) {
  MayRun();
  const ProgramEnd end = RunProgram(
      Loader(),
      {"name", PutSigned("shared.so", SampleBytes("shared.so")), Pinned().cert.Base64()});
  EXPECT_EQ(end.output, "loaded 1.0.0\nanswer 2, host 1\n");
}

// The base of the tests sees that no file was left, by either.
TEST_F(LoadingAttackTest, Attack57AConstructorOfALibraryThatIsRefusedDoesNotRun) {
  const std::string library = PutVictim();
  ExpectReason(Load(library, ""), ALLOY_REASON_UNSIGNED);
  ExpectReason(Load(library, signing::Signer("ed25519", Valid()).cert.Base64()),
               ALLOY_REASON_CERTIFICATE_UNTRUSTED);
  const std::string extra = PutSigned("extra.so", SampleBytes("extra_export.so"));
  ExpectReason(Load(extra), ALLOY_REASON_EXPORTS);
  EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".constructor"));
}

TEST_F(LoadingAttackTest, Attack58AResolverOfALibraryThatIsRefusedDoesNotRun) {
  const std::string library = PutVictim();
  fs::remove(library + ".alloysig");
  ExpectReason(Load(library), ALLOY_REASON_NO_SIDECAR);
  EXPECT_FALSE(fs::exists(ALLOY_ATTACK_MARKER ".resolver"));
}

TEST_F(LoadingAttackTest, Attack74AnExceptionOrAPanicIsAnErrorWithItsText) {
  auto bridge = support::Load("tests/unruly");
  const auto thrown = bridge.Call("throws", support::SmallBatch());
  EXPECT_FALSE(thrown.ok());
  EXPECT_FALSE(thrown.status().text().empty());
  EXPECT_TRUE(bridge.Functions().ok());
#ifdef ALLOY_TEST_RUST
  auto rust = support::Load("faults_rust");
  const auto panicked = rust.Call("panic", support::SmallBatch());
  EXPECT_FALSE(panicked.ok());
  EXPECT_FALSE(panicked.status().text().empty());
#endif
}

TEST_F(LoadingAttackTest, Attack75AResultThatLiesIsCaughtByTheGate) {
  auto bridge = support::Load("tests/lie");
  int told = 0;
  for (const faults::Case& fault : faults::ShapeCases()) {
    const auto result =
        bridge.Call("lie", support::SmallBatch(), {{"fault", std::string(fault.name)}});
    ASSERT_FALSE(result.ok()) << fault.name;
    told += result.status().code() == ALLOY_BAD_DATA ? 1 : 0;
  }
  EXPECT_GT(told, 10);
}

// Ten libraries, a hundred threads, of one host: each library is loaded once.
TEST_F(LoadingAttackTest, Attack78AHundredConcurrentLoads) {
  MayRun();
  constexpr int kLibraries = 10, kThreads = 100;
  std::vector<std::string> paths;
  paths.reserve(kLibraries);
  for (int i = 0; i < kLibraries; ++i) {
    // What follows the sections is nobody's business, and makes another library of it.
    paths.push_back(PutSigned("library" + std::to_string(i) + ".so",
                              SampleBytes("victim.so") + std::string(1 + i, 'x')));
  }
  const std::string certificate = Pinned().cert.Base64();
  const alloy::Host host{alloy::HostOptions{}};
  std::vector<alloy::Bridge> bridges;
  bridges.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) bridges.push_back(support::NewBridge(host));
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const auto at = static_cast<size_t>(i);
        if (!bridges[at].SetImplLib(paths[at % kLibraries], certificate).ok()) ++failures;
        if (!bridges[at].Call("answer", support::SmallBatch()).ok()) ++failures;
      });
    }
  }
  EXPECT_EQ(failures, 0);
  for (size_t i = kLibraries; i < kThreads; ++i) {
    const alloy_backend *one = nullptr, *first = nullptr;
    alloy_bridge_backend(bridges[i].get(), &one, nullptr);
    alloy_bridge_backend(bridges[i % kLibraries].get(), &first, nullptr);
    EXPECT_STREQ(one->version, first->version);
    // Each bridge has workers of its own.
    if (!support::IsIsolated()) {
      EXPECT_EQ(one, first);
    }
  }
}

TEST_F(LoadingAttackTest, Attack79ACallAfterCloseIsToldThatItIsClosed) {
  MayRun();
  alloy::Bridge bridge = support::NewBridge(alloy::Host(alloy::HostOptions{}));
  ASSERT_TRUE(bridge.SetImplLib(PutVictim(), Pinned().cert.Base64()).ok());
  alloy_bridge_close(bridge.get());
  EXPECT_EQ(bridge.Call("answer", support::SmallBatch()).status().code(), ALLOY_CLOSED);
  EXPECT_EQ(bridge.SetImplLib(PutVictim(), Pinned().cert.Base64()).code(), ALLOY_CLOSED);
}

}  // namespace
}  // namespace attacks
