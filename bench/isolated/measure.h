// SPDX-License-Identifier: MIT
//
// Times of several things that take turns, so that a slow moment of the machine is slow for
// all of them; and the table of what came out.
#ifndef ALLOY_BENCH_ISOLATED_MEASURE_H_
#define ALLOY_BENCH_ISOLATED_MEASURE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace alloy::bench {

int64_t NowNs();
// Prints the text and ends the program: a benchmark that goes on after a failure would
// measure nothing.
[[noreturn]] void Die(const std::string& text);

// Nanoseconds of one operation, one value for each round.
class Samples {
 public:
  void Add(double ns) { values_.push_back(ns); }
  bool empty() const { return values_.empty(); }
  double Median() const;
  double Min() const;

 private:
  std::vector<double> values_;
};

// One of those that take turns.
struct Member {
  // Do it so many times, and return the nanoseconds of one.
  std::function<double(int times)> run;
  // Before and after each round; not timed.
  std::function<void()> before = {}, after = {};
  // How often in one round; 0: as often as fits in about 4 ms.
  int times = 0;
};

// A member from what it does once.
Member Repeat(std::function<void()> once);

// Let all take turns. The first round warms up and does not count.
std::vector<Samples> TakeTurns(std::vector<Member> members, int rounds);

// What a row promises of the medians.
struct Target {
  enum class Kind : uint8_t {
    kNone,
    kMostNs,     // Alloy takes at most so many nanoseconds
    kMostTimes,  // Alloy takes at most so many times the time of the peer
    kFaster,     // the peer takes at least so many times the time of Alloy
  };
  Kind kind = Kind::kNone;
  double value = 0;
};

// Prints a row of a Markdown table at once. `peer` empty: there is none.
void PrintHead();
void PrintRow(const std::string& what, const Samples& alloy, const std::string& peer,
              const Samples& other, Target target = {});

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_MEASURE_H_
