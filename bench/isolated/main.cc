// SPDX-License-Identifier: MIT
//
// What the isolated mode costs, next to the ways in which people run native code in another
// process today, in one run. The output is one table in Markdown.
//
// All data is written in full before each round, and the last result of each round is read in
// full and compared. Those that are compared take turns. Each row says how both sides wait:
//
//   asleep     both sleep on a futex until the other one is done
//   spinning   as by default: both spin for a while first, and calls follow each other closely
//
//   isolated_bench [FILTER]                a part of the name of a section: trips, batches,
//                                          ends
//   isolated_bench --calls asleep|spinning COLUMNS TIMES
//                                          only calls with data of the pool, for a profiler
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/isolated/arrow_peers.h"
#include "bench/isolated/backend_process.h"
#include "bench/isolated/child.h"
#include "bench/isolated/cores.h"
#include "bench/isolated/data.h"
#include "bench/isolated/futex_pair.h"
#include "bench/isolated/measure.h"
#include "tests/support/signed_copy.h"

namespace alloy::bench {
namespace {

constexpr int64_t kRows = 1024;
using Kind = Target::Kind;
using Runs = Backend::Runs;

constexpr const char* kBackend = ALLOY_BENCH_SAMPLES "isolated.so";

// The other processes. They sleep while they are not asked.
struct Peers {
  FutexPair pair;  // first: it forks
  BenchChild go;
  std::vector<std::pair<std::string, std::unique_ptr<ArrowPeer>>> arrow;

  Peers() {
    go.Start({}, ALLOY_BENCH_GO_PEER);
    arrow.emplace_back("Arrow Flight, loopback", MakeFlightPeer(false));
    arrow.emplace_back("Arrow Flight, Unix socket", MakeFlightPeer(true));
    arrow.emplace_back("Arrow IPC, pipes", MakePipePeer());
    PinToSecondCore(pair.child());
    SkipNewChildren();
  }
  double AskGo(const std::string& line) const {
    go.WriteLine(line);
    return std::stod(go.ReadLine());
  }
};

constexpr std::string_view kGoPlugin = "go-plugin, gRPC";

// Members by their names.
class Turns {
 public:
  void Add(const std::string& name, Member member) {
    names_.push_back(name);
    members_.push_back(std::move(member));
  }
  void Take(int rounds) {
    std::vector<Samples> taken = TakeTurns(std::move(members_), rounds);
    for (size_t i = 0; i < taken.size(); ++i) {
      samples_[names_[i]] = std::move(taken[i]);
    }
  }
  const Samples& operator[](const std::string& name) const { return samples_.at(name); }

  // All peers that carry batches.
  void AddPeers(Peers& peers, const Data& data) {
    for (auto& [name, peer] : peers.arrow) {
      peer->Begin(data);
      Member member = Repeat([one = peer.get()] { one->RoundTrip(); });
      member.after = [one = peer.get(), &data] { one->Check(data); };
      Add(name, std::move(member));
    }
    Add(std::string(kGoPlugin), {.run = [&peers, size = data.size()](int times) {
          return peers.AskGo("trip " + std::to_string(size.columns) + " " +
                             std::to_string(size.rows) + " " + std::to_string(times));
        }});
  }
  void PrintPeers(const std::string& what, const std::string& alloy, Peers& peers,
                  double than_flight) const {
    for (const auto& [name, peer] : peers.arrow) {
      const bool is_flight = name.starts_with("Arrow Flight");
      PrintRow(
          what, (*this)[alloy], name, (*this)[name],
          is_flight && than_flight > 0 ? Target{Kind::kFaster, than_flight} : Target{});
    }
    PrintRow(what, (*this)[alloy], std::string(kGoPlugin),
             (*this)[std::string(kGoPlugin)]);
  }

 private:
  std::vector<std::string> names_;
  std::vector<Member> members_;
  std::map<std::string, Samples> samples_;
};

// Warm memory of the same size, copied once.
class PlainCopy {
 public:
  explicit PlainCopy(int64_t bytes)
      : from_(static_cast<size_t>(bytes), 1), to_(static_cast<size_t>(bytes), 2) {}
  void Run() {
    std::memcpy(to_.data(), from_.data(), from_.size());
    asm volatile("" : : "r"(to_.data()) : "memory");
  }

 private:
  std::vector<char> from_, to_;
};

// With the host's side on the first core; the other side is on the second one.
Member OnOwnCore(Member member) {
  member.run = [run = std::move(member.run)](int times) {
    const OnFirstCore first;
    return run(times);
  };
  return member;
}

// One way to call the backend on a batch: how both sides wait, and where the data is.
struct Way {
  Way(Runs runs, Size size, bool in_pool, const char* name = "identity")
      : backend(runs, kBackend),
        data(backend.MakeData(size, in_pool)),
        function(backend, name, size.columns) {
    PinNewChildren();
  }

  Member Calls() {
    Member member = OnOwnCore(Repeat([this] { function.Run(data); }));
    member.before = [this] { data.Fill(); };
    member.after = [this] { function.RunAndCheck(data); };
    return member;
  }
  // Batches of a stream, which stays open.
  Member Pulls() {
    stream = function.Open(data);
    const auto pull = [this](OwnedArray* batch) {
      if (stream->get_next(stream.get(), batch->get()) != 0) Die("a stream failed");
    };
    Member member = OnOwnCore(Repeat([pull] {
      OwnedArray batch;
      pull(&batch);
    }));
    member.after = [this, pull] {
      OwnedArray batch;
      pull(&batch);
      data.Check(*batch);
    };
    return member;
  }
  // All of it: the host writes every value, the backend reads it and writes another one,
  // and the host reads that.
  Member Works() {
    return OnOwnCore(Repeat([this] {
      data.Fill();
      function.RunAndCheck(data, 1);
    }));
  }

  Backend backend;
  Data data;
  Function function;
  OwnedArrayStream stream;
};

// ---- Round trips

Member PairMember(FutexPair& pair, FutexPair::Waits waits) {
  Member member = OnOwnCore(Repeat([&pair] { pair.RoundTrip(); }));
  member.before = [&pair, waits] { pair.Set(waits); };
  member.after = [&pair] { pair.Set(FutexPair::Waits::kAsleep); };
  return member;
}

void Trips(Peers& peers) {
  constexpr int kRounds = 61;
  constexpr double kMostAsleep = 1.2, kThanFlight = 200;
  for (const auto& [columns, most_us] :
       {std::pair<int64_t, double>{1, 0.5}, {10, 1}, {100, 5}}) {
    const Size size{.columns = columns, .rows = kRows};
    const std::string n =
        std::to_string(columns) + (columns == 1 ? " column" : " columns");
    Turns turns;
    std::vector<std::unique_ptr<Way>> ways;
    const auto add = [&](const std::string& name, Runs runs, bool in_pool, bool streams) {
      ways.push_back(
          std::make_unique<Way>(runs, size, in_pool, streams ? "pass" : "identity"));
      turns.Add(name, streams ? ways.back()->Pulls() : ways.back()->Calls());
    };
    for (const auto& [mode, runs, waits] :
         {std::tuple{"asleep", Runs::kAsleep, FutexPair::Waits::kAsleep},
          std::tuple{"spinning", Runs::kSpinning, FutexPair::Waits::kSpinning}}) {
      const std::string waiting = std::string(", ") + mode;
      turns.Add("pair" + waiting, PairMember(peers.pair, waits));
      add("pool" + waiting, runs, true, false);
      add("copied" + waiting, runs, false, false);
      add("stream" + waiting, runs, true, true);
    }
    PlainCopy copy(size.bytes());
    turns.Add("memcpy", Repeat([&copy] { copy.Run(); }));
    turns.AddPeers(peers, ways.front()->data);
    turns.Take(kRounds);

    const std::string call = "call, " + n + ", ";
    PrintRow(call + "asleep, from the pool", turns["pool, asleep"], "bare futex pair",
             turns["pair, asleep"], {Kind::kMostTimes, kMostAsleep});
    PrintRow(call + "asleep, copied", turns["copied, asleep"], "bare futex pair",
             turns["pair, asleep"]);
    PrintRow(call + "spinning, from the pool", turns["pool, spinning"],
             "bare pair of words", turns["pair, spinning"],
             {Kind::kMostNs, most_us * 1e3});
    turns.PrintPeers(call + "spinning, from the pool", "pool, spinning", peers,
                     kThanFlight);
    PrintRow(call + "spinning, copied", turns["copied, spinning"], "memcpy",
             turns["memcpy"]);
    const std::string batch = "batch of a stream, " + n + ", ";
    PrintRow(batch + "asleep, from the pool", turns["stream, asleep"], "bare futex pair",
             turns["pair, asleep"]);
    PrintRow(batch + "spinning, from the pool", turns["stream, spinning"],
             "bare pair of words", turns["pair, spinning"]);
  }
}

// ---- Batches of many bytes

void Batches(Peers& peers) {
  constexpr int kRounds = 15;
  constexpr double kOfMemcpy = 0.85, kThanFlight = 10, kIndependent = 1.2;
  const std::pair<const char*, int64_t> sizes[] = {{"64 KiB", int64_t{64} << 10},
                                                   {"1 MiB", int64_t{1} << 20},
                                                   {"64 MiB", int64_t{64} << 20}};
  std::map<std::string, Samples> smallest;  // by the way of waiting
  for (const auto& [name, bytes] : sizes) {
    const Size size{.columns = 1, .rows = bytes / int64_t{sizeof(int64_t)}};
    Way asleep_copied(Runs::kAsleep, size, false), asleep_pool(Runs::kAsleep, size, true);
    Way copied(Runs::kSpinning, size, false), pool(Runs::kSpinning, size, true);
    Way works(Runs::kSpinning, size, true, "plus_one");
    Way local(Runs::kInProcess, size, false, "plus_one");
    PlainCopy copy(bytes);
    Turns turns;
    turns.Add("copied, asleep", asleep_copied.Calls());
    turns.Add("pool, asleep", asleep_pool.Calls());
    turns.Add("copied, spinning", copied.Calls());
    turns.Add("pool, spinning", pool.Calls());
    turns.Add("works", works.Works());
    turns.Add("local", local.Works());
    turns.Add("memcpy", Repeat([&copy] { copy.Run(); }));
    turns.AddPeers(peers, asleep_copied.data);
    turns.Take(kRounds);

    const bool is_large = bytes >= int64_t{64} << 20;
    const std::string what = std::string(name) + ", ";
    PrintRow(what + "spinning, copied", turns["copied, spinning"], "memcpy",
             turns["memcpy"],
             is_large ? Target{Kind::kMostTimes, 1 / kOfMemcpy} : Target{});
    turns.PrintPeers(what + "spinning, copied", "copied, spinning", peers,
                     is_large ? kThanFlight : 0);
    PrintRow(what + "asleep, copied", turns["copied, asleep"], "memcpy", turns["memcpy"]);
    for (const char* mode : {"spinning", "asleep"}) {
      const Samples& calls = turns[std::string("pool, ") + mode];
      const std::string row = what + mode + ", from the pool";
      if (Samples& first = smallest[mode]; first.empty()) {
        first = calls;
        PrintRow(row, calls, "", {});
      } else {
        PrintRow(row, calls, "64 KiB from the pool", first,
                 {Kind::kMostTimes, kIndependent});
      }
    }
    PrintRow(what + "from the pool, all values written and read on both sides",
             turns["works"], "the same in process", turns["local"]);
  }
}

// ---- Ends and starts

void Ends(Peers& peers) {
  constexpr int kRounds = 21;
  constexpr double kMostCrashNs = 10e6, kMostStartNs = 20e6;
  const Size size{.columns = 1, .rows = kRows};
  Backend backend(Runs::kSpinning, kBackend);
  const Data data = backend.MakeData(size, false);
  const Function good(backend, "identity", 1), bad(backend, "crash", 1);
  const support::SignedCopy library(ALLOY_BENCH_SAMPLES "isolated_5.so", "bench.isolated",
                                    "1.0.0");
  std::optional<Backend> started;
  const auto start = [&](Runs runs) {
    return Member{.run =
                      [&, runs](int) {
                        const int64_t begin = NowNs();
                        started.emplace(runs, library.path(), library.certificate());
                        Function(*started, "identity", 1).RunAndCheck(data);
                        return static_cast<double>(NowNs() - begin);
                      },
                  .before = {},
                  .after = [&] { started.reset(); },
                  .times = 1};
  };
  Turns turns;
  turns.Add("crash", {.run =
                          [&](int) {
                            const int64_t begin = NowNs();
                            if (bad.Fail(data) != ALLOY_LOST) Die("no crash");
                            good.Run(data);
                            return static_cast<double>(NowNs() - begin);
                          },
                      .before = {},
                      .after = [&] { good.RunAndCheck(data); },
                      .times = 1});
  turns.Add("start", start(Runs::kSpinning));
  turns.Add("load", start(Runs::kInProcess));
  turns.Add("go crash", {.run = [&](int) { return peers.AskGo("crash 1 1024"); },
                         .before = {},
                         .after = {},
                         .times = 1});
  turns.Add("go start", {.run = [&](int) { return peers.AskGo("start"); },
                         .before = {},
                         .after = {},
                         .times = 1});
  turns.Take(kRounds);
  PrintRow("from a call that crashes to the next result", turns["crash"],
           "go-plugin, the same", turns["go crash"], {Kind::kMostNs, kMostCrashNs});
  PrintRow("from nothing to the first result, signed library of 5 MB", turns["start"],
           "go-plugin, not signed", turns["go start"], {Kind::kMostNs, kMostStartNs});
  PrintRow("from nothing to the first result, signed library of 5 MB", turns["start"],
           "the same in process", turns["load"]);
}

void PrintMachine() {
  std::ifstream cpus("/proc/cpuinfo"), load("/proc/loadavg");
  std::string model, line, average;
  while (model.empty() && std::getline(cpus, line)) {
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  }
  load >> average;
  utsname system{};
  ::uname(&system);
  std::printf("Machine: %u processors (%s), Linux %s, load %s before the run.\n\n",
              std::thread::hardware_concurrency(), model.c_str(), system.release,
              average.c_str());
}

void Calls(Runs runs, int64_t columns, int times) {
  Way way(runs, {.columns = columns, .rows = kRows}, true);
  const Member calls = way.Calls();
  constexpr int kParts = 20;
  std::vector<double> parts;
  parts.reserve(kParts);
  for (int i = 0; i < kParts; ++i) parts.push_back(calls.run(times / kParts));
  std::ranges::sort(parts);
  std::printf("median %.0f ns, min %.0f ns\n", parts[kParts / 2], parts[0]);
}

int Main(int argc, char** argv) {
  if (ServeArrowPeer(argc, argv)) return 0;
  if (argc == 5 && std::string_view(argv[1]) == "--calls") {
    const bool asleep = std::string_view(argv[2]) == "asleep";
    Calls(asleep ? Runs::kAsleep : Runs::kSpinning, std::stoll(argv[3]),
          std::stoi(argv[4]));
    return 0;
  }
  const std::string_view filter = argc > 1 ? argv[1] : "";
  const std::pair<std::string_view, void (*)(Peers&)> sections[] = {
      {"trips", &Trips}, {"batches", &Batches}, {"ends", &Ends}};
  std::optional<Peers> peers;
  for (const auto& [name, section] : sections) {
    if (name.find(filter) == std::string_view::npos) continue;
    if (!peers) {
      peers.emplace();
      PrintMachine();
      PrintHead();
    }
    section(*peers);
  }
  return 0;
}

}  // namespace
}  // namespace alloy::bench

int main(int argc, char** argv) { return alloy::bench::Main(argc, argv); }
