// SPDX-License-Identifier: MIT
#include "bench/isolated/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace alloy::bench {
namespace {

constexpr double kRoundNs = 4e6;
constexpr int kMostTimes = 20'000;
constexpr double kShort = 1e6;
constexpr int kWarmUp = 5;

std::string Duration(double ns) {
  char text[32];
  if (ns < 1e5) {
    std::snprintf(text, sizeof(text), "%.2f µs", ns / 1e3);
  } else if (ns < 1e6) {
    std::snprintf(text, sizeof(text), "%.0f µs", ns / 1e3);
  } else {
    std::snprintf(text, sizeof(text), "%.2f ms", ns / 1e6);
  }
  return text;
}

std::string Times(double ratio) {
  char text[32];
  std::snprintf(text, sizeof(text), ratio < 10 ? "%.2f" : "%.0f", ratio);
  return text;
}

}  // namespace

int64_t NowNs() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

void Die(const std::string& text) {
  std::fprintf(stderr, "isolated_bench: %s\n", text.c_str());
  std::exit(1);
}

double Samples::Median() const {
  std::vector<double> sorted = values_;
  const auto middle = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

double Samples::Min() const { return *std::ranges::min_element(values_); }

Member Repeat(std::function<void()> once) {
  return {.run = [once = std::move(once)](int times) {
    const int64_t begin = NowNs();
    for (int i = 0; i < times; ++i) once();
    return static_cast<double>(NowNs() - begin) / times;
  }};
}

std::vector<Samples> TakeTurns(std::vector<Member> members, int rounds) {
  std::vector<Samples> samples(members.size());
  std::vector<double> best(members.size(), 0);  // 0: not known yet
  for (int round = 0; round <= rounds; ++round) {
    for (size_t i = 0; i < members.size(); ++i) {
      Member& member = members[i];
      if (member.before) member.before();
      // The first ones of a round wake processes and fill caches.
      if (member.times == 0 && best[i] <= kShort) {
        const double warm = member.run(kWarmUp);
        best[i] = best[i] == 0 ? warm : std::min(best[i], warm);
      }
      const int times =
          member.times > 0
              ? member.times
              : static_cast<int>(std::clamp(kRoundNs / best[i], 1.0, double{kMostTimes}));
      const double ns = member.run(times);
      if (member.times == 0) best[i] = std::min(best[i], ns);
      if (member.after) member.after();
      if (round > 0) samples[i].Add(ns);
    }
  }
  return samples;
}

void PrintHead() {
  std::printf(
      "| what | Alloy, median | min | peer | its median | min | ratio | target | reached "
      "|\n|---|---|---|---|---|---|---|---|---|\n");
}

void PrintRow(const std::string& what, const Samples& alloy, const std::string& peer,
              const Samples& other, Target target) {
  const double mine = alloy.Median();
  const double times = peer.empty() ? 0 : mine / other.Median();
  std::string ratio = "-", wanted = "-";
  bool reached = true;
  if (!peer.empty()) {
    ratio = times < 1 ? Times(1 / times) + " times faster" : Times(times) + " times";
  }
  switch (target.kind) {
    case Target::Kind::kNone:
      break;
    case Target::Kind::kMostNs:
      wanted = "at most " + Duration(target.value);
      reached = mine <= target.value;
      break;
    case Target::Kind::kMostTimes:
      wanted = "at most " + Times(target.value) + " times";
      reached = times <= target.value;
      break;
    case Target::Kind::kFaster:
      wanted = "at least " + Times(target.value) + " times faster";
      reached = 1 / times >= target.value;
      break;
  }
  std::printf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", what.c_str(),
              Duration(mine).c_str(), Duration(alloy.Min()).c_str(),
              peer.empty() ? "-" : peer.c_str(),
              peer.empty() ? "-" : Duration(other.Median()).c_str(),
              peer.empty() ? "-" : Duration(other.Min()).c_str(), ratio.c_str(),
              wanted.c_str(),
              target.kind == Target::Kind::kNone ? "-"
              : reached                          ? "yes"
                                                 : "no");
  std::fflush(stdout);
}

}  // namespace alloy::bench
