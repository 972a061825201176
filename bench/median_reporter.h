// SPDX-License-Identifier: MIT
#ifndef ALLOY_BENCH_MEDIAN_REPORTER_H_
#define ALLOY_BENCH_MEDIAN_REPORTER_H_

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace alloy::bench {

// Prints as usual, and keeps the medians: of processor time, which other programs on the
// machine do not add to.
class MedianReporter : public benchmark::ConsoleReporter {
 public:
  MedianReporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (!run.error_occurred && run.aggregate_name == "median") {
        medians_[run.run_name.function_name + "/" + run.run_name.args] =
            run.GetAdjustedCPUTime();
      }
    }
    ConsoleReporter::ReportRuns(runs);
  }

  // The median in the unit of the benchmark; 0 when it was not run.
  double Median(const std::string& name, int64_t argument) const {
    const auto found = medians_.find(name + "/" + std::to_string(argument));
    return found == medians_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, double> medians_;
};

}  // namespace alloy::bench

#endif  // ALLOY_BENCH_MEDIAN_REPORTER_H_
