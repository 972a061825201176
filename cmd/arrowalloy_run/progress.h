// SPDX-License-Identifier: MIT
//
// The progress of a run on standard error: a bar on a terminal, or lines of JSON.
//
// Threads  one thread constructs and destroys it; it draws on a thread of its own.
#ifndef ARROWALLOY_RUN_PROGRESS_H_
#define ARROWALLOY_RUN_PROGRESS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "../arrowalloy/base/console.h"

namespace arrowalloy::run {

enum class ProgressMode { kNone, kBar, kJson };

// `text` is `auto`, `plain`, `json` or `none`. `auto` depends on whether standard error is a
// terminal.
ProgressMode ProgressModeOf(const std::string& text, bool quiet);

struct ProgressState {
  int64_t rows_in = 0;
  int64_t total = -1;  // -1: unknown
  int64_t rows_out = 0;
};

class Progress {
 public:
  // Messages of `console` erase the bar, which is drawn again below them.
  Progress(ProgressMode mode, const Console& console,
           std::function<ProgressState()> read);
  ~Progress() { End(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Erase the bar, or write the last line of JSON. Nothing is drawn after that.
  void End();

 private:
  void Loop();
  void Draw() const;

  const ProgressMode mode_;
  const Console& console_;
  const std::function<ProgressState()> read_;
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
