// SPDX-License-Identifier: MIT
//
// What opening a signed library costs, by its parts, beside a plain dlopen of the same
// file in the same run. The libraries are small backends that are padded to 5 and 50 MB
// by one section, so the parts that look at every byte are those of a library of that
// size, and the loader's own work (relocations, symbols) is that of a small one. Files
// are in the page cache: how fast a disk is says nothing about Alloy.
//
// Each repetition is one call: what it takes is made before the clock starts, and what it
// gives is dropped after it ended.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "admit/admit.h"
#include "admit/check_statement.h"
#include "admit/elf.h"
#include "admit/sealed_copy.h"
#include "admit/sidecar_file.h"
#include "bench/median_reporter.h"
#include "engine/open/bridge.h"
#include "engine/open/host.h"
#include "port/clock.h"
#include "port/library.h"
#include "tests/support/cleared_for_test.h"
#include "tests/support/signed_copy.h"
#include "trust/verify.h"

namespace alloy::core {
namespace {

// Nothing that was loaded is ever unloaded: each repetition of dlopen and of whole keeps
// the memory of one library.
constexpr int kRepetitions = 11;

std::shared_ptr<Host> MakeHost() {
  alloy_host_options options{};
  options.struct_size = sizeof(options);
  return *Host::Make(options);
}

std::shared_ptr<Bridge> MakeBridge(std::shared_ptr<Host> host) {
  alloy_bridge_options options{};
  options.struct_size = sizeof(options);
  return *Bridge::Make(std::move(host), options);
}

// A signed library, and a host that has loaded it.
class Sample {
 public:
  explicit Sample(int64_t megabytes)
      : copy_(ALLOY_BENCH_SAMPLES "padded_" + std::to_string(megabytes) + ".so",
              "acme.one", "1.0.0"),
        policy_{.library = copy_.path(),
                .certificate = copy_.certificate(),
                .sidecar = {},
                .name = {},
                .sha256 = {},
                .now = UnixSeconds()} {}

  const std::string& path() const { return copy_.path(); }
  const Policy& policy() const { return policy_; }
  std::shared_ptr<Host> host() {
    if (host_ == nullptr) {
      host_ = MakeHost();
      const Status loaded = Load(*MakeBridge(host_));
      if (!loaded.ok()) std::fprintf(stderr, "%s\n", loaded.fault().text.c_str());
    }
    return host_;
  }
  Status Load(Bridge& bridge) const {
    return bridge.Load(path(), policy_.certificate.c_str());
  }

 private:
  const support::SignedCopy copy_;
  const Policy policy_;
  std::shared_ptr<Host> host_;
};

Sample& SampleOf(const benchmark::State& state) {
  static std::map<int64_t, Sample> samples;
  return samples.try_emplace(state.range(0), state.range(0)).first->second;
}

void Expect(benchmark::State& state, const Status& status) {
  if (!status.ok()) state.SkipWithError(status.fault().text.c_str());
}

std::optional<SealedCopy> CopyOf(benchmark::State& state) {
  auto opened = OpenLibraryFile(SampleOf(state).path());
  if (!opened.ok()) return Expect(state, opened.status()), std::nullopt;
  auto copy = CopySealed(*opened);
  if (!copy.ok()) return Expect(state, copy.status()), std::nullopt;
  return *std::move(copy);
}

// dlopen of the file itself, and its end, so that the next one begins anew.
void PlainDlopen(benchmark::State& state) {
  const std::string path = SampleOf(state).path();
  void* library = nullptr;
  for (auto _ : state) library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return state.SkipWithError(dlerror());
  dlclose(library);
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr) {
    state.SkipWithError("it stayed loaded: another dlopen of it would do nothing");
  }
}

// What the first certificate of a host costs once: a library context of its own. This
// program has loaded libcrypto before.
void FirstCertificate(benchmark::State& state) {
  LibcryptoSource source;
  for (auto _ : state) Expect(state, source.Get().status());
}

// From the path to sealed memory.
void Read(benchmark::State& state) {
  SampleOf(state);
  std::optional<SealedCopy> copy;
  for (auto _ : state) copy = CopyOf(state);
}

void Hash(benchmark::State& state) {
  LibcryptoSource source;
  const auto crypto = source.Get();
  const auto copy = CopyOf(state);
  if (!crypto.ok() || !copy) return Expect(state, crypto.status());
  for (auto _ : state) Expect(state, (*crypto)->Sha256(Bytes(copy->bytes)).status());
}

// Certificate argument, sidecar, chain, signature and statement.
void Chain(benchmark::State& state) {
  const Sample& sample = SampleOf(state);
  LibcryptoSource source;
  const auto crypto = source.Get();
  const auto opened = OpenLibraryFile(sample.path());
  if (!crypto.ok() || !opened.ok()) return state.SkipWithError("nothing to verify");
  const auto verify = [&]() -> Status {
    ALLOY_ASSIGN_OR_RETURN(
        const Certificate anchor,
        ParseCertificateArgument(**crypto, sample.policy().certificate));
    ALLOY_ASSIGN_OR_RETURN(const std::string sidecar,
                           ReadSidecar(SidecarPathOf(sample.path()), sample.path()));
    ALLOY_ASSIGN_OR_RETURN(const VerifiedStatement verified,
                           VerifySidecar(**crypto, anchor, sidecar, sample.policy().now));
    return CheckStatement(verified.statement(), opened->size, sample.policy());
  };
  for (auto _ : state) Expect(state, verify());
}

void Preflight(benchmark::State& state) {
  const auto copy = CopyOf(state);
  if (!copy) return;
  for (auto _ : state) Expect(state, CheckElf(Bytes(copy->bytes)).status());
}

// Of a new sealed copy each time, which the loader takes for another library.
void DlopenSealed(benchmark::State& state) {
  auto copy = CopyOf(state);
  if (!copy) return;
  Cleared cleared = ClearedForTest::Make(std::move(copy->sealed));
  SymbolLookup found;
  // Once for each copy: state has one iteration.
  const auto load = [&] { return LoadSealed(std::move(cleared), "alloy_backend_init"); };
  for (auto _ : state) found = load();
  if (found.symbol == nullptr) state.SkipWithError(found.text.c_str());
}

// In a new host each time, which knows nothing of what others have loaded.
void Whole(benchmark::State& state) {
  const Sample& sample = SampleOf(state);
  const auto bridge = MakeBridge(MakeHost());
  for (auto _ : state) Expect(state, sample.Load(*bridge));
}

// In a host that has the library: the file has the SHA-256 of what was loaded.
void Second(benchmark::State& state) {
  Sample& sample = SampleOf(state);
  const auto bridge = MakeBridge(sample.host());
  for (auto _ : state) Expect(state, sample.Load(*bridge));
}

// What of a second one is verification: up to the digest, in a host that has libcrypto.
void SecondUpToTheHash(benchmark::State& state) {
  Sample& sample = SampleOf(state);
  Admitter& admitter = sample.host()->libraries().admitter();
  std::optional<Expectations> expected;
  for (auto _ : state) {
    auto candidate = admitter.Open(sample.policy());
    if (!candidate.ok()) return Expect(state, candidate.status());
    auto confirmed = (*std::move(candidate)).Confirm();
    if (!confirmed.ok()) return Expect(state, confirmed.status());
    expected = *std::move(confirmed);
  }
}

struct Part {
  const char* name;
  void (*run)(benchmark::State&);
};
constexpr Part kParts[] = {{"plain_dlopen", PlainDlopen},
                           {"first_certificate", FirstCertificate},
                           {"chain", Chain},
                           {"read", Read},
                           {"hash", Hash},
                           {"preflight", Preflight},
                           {"dlopen_sealed", DlopenSealed},
                           {"whole", Whole},
                           {"second", Second},
                           {"second_up_to_the_hash", SecondUpToTheHash}};

void PrintColumn(const bench::MedianReporter& medians, int64_t megabytes, double target) {
  const double plain = medians.Median("plain_dlopen", megabytes);
  const double whole = medians.Median("whole", megabytes);
  const double second = medians.Median("second", megabytes);
  if (plain == 0 || whole == 0 || second == 0) return;
  std::printf("%3ld MB", static_cast<long>(megabytes));
  for (const Part& part : kParts) {
    std::printf("  %s %.3f", part.name, medians.Median(part.name, megabytes));
  }
  std::printf(
      "\n        whole: %.2f, to reach %.0f; %.0f times the plain dlopen"
      "\n        second bridge, after the hash: %.3f, to reach 1 (a difference of "
      "two medians)\n",
      whole, target, whole / plain,
      second - medians.Median("second_up_to_the_hash", megabytes));
}

}  // namespace
}  // namespace alloy::core

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (const auto& part : alloy::core::kParts) {
    benchmark::RegisterBenchmark(part.name, part.run)
        ->Arg(5)
        ->Arg(50)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1)
        ->Repetitions(alloy::core::kRepetitions)
        ->ReportAggregatesOnly(true);
  }
  alloy::bench::MedianReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::printf(
      "\nOpening a signed library, median of %d, milliseconds of processor time\n",
      alloy::core::kRepetitions);
  alloy::core::PrintColumn(reporter, 5, 15);
  alloy::core::PrintColumn(reporter, 50, 80);
}
