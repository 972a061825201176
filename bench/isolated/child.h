// SPDX-License-Identifier: MIT
//
// A process that the benchmark talks to through its standard input and output.
#ifndef ALLOY_BENCH_ISOLATED_CHILD_H_
#define ALLOY_BENCH_ISOLATED_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace alloy::bench {

// Threads  serial.
class BenchChild {
 public:
  BenchChild() = default;
  ~BenchChild();
  BenchChild(const BenchChild&) = delete;
  BenchChild& operator=(const BenchChild&) = delete;

  // program empty: this program again.
  void Start(const std::vector<std::string>& arguments, const std::string& program = {});
  std::string ReadLine() const;
  void WriteLine(const std::string& line) const;

  int in() const { return in_; }    // what it writes
  int out() const { return out_; }  // what it reads

 private:
  pid_t pid_ = 0;
  int in_ = -1, out_ = -1;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_ISOLATED_CHILD_H_
