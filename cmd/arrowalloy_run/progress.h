// SPDX-License-Identifier: MIT
//
// How far a run has come, on standard error: a bar on a terminal, or lines of JSON.
//
// Threads  made and ended by one; draws from one of its own.
#ifndef ARROWALLOY_RUN_PROGRESS_H_
#define ARROWALLOY_RUN_PROGRESS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace arrowalloy::run {

enum class ProgressMode { kNone, kBar, kJson };

// `auto`, `plain`, `json` or `none`, and whether standard error is a terminal.
ProgressMode ProgressModeOf(const std::string& text, bool quiet);

struct ProgressLook {
  int64_t rows_in = 0;
  int64_t total = -1;  // -1: unknown
  int64_t rows_out = 0;
};

class Progress {
 public:
  Progress(ProgressMode mode, std::function<ProgressLook()> look);
  ~Progress();  // wipes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void Loop();
  void Draw() const;

  const ProgressMode mode_;
  const std::function<ProgressLook()> look_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_
  std::thread thread_;
};

// `12.3 M`, `4,096`.
std::string CountText(double count);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_PROGRESS_H_
