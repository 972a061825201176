// SPDX-License-Identifier: MIT
#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

namespace arrowalloy::run {
namespace {

constexpr auto kEvery = std::chrono::milliseconds(200);

std::string BarText(const ProgressState& state, double seconds) {
  constexpr int64_t kCells = 24;
  const double speed = seconds > 0 ? static_cast<double>(state.rows_in) / seconds : 0;
  std::string text;
  if (state.total > 0) {
    const int64_t done = std::min(state.rows_in, state.total);
    const auto full = static_cast<size_t>(kCells * done / state.total);
    text = fmt::format("[{}{}] {:3d} %  ", std::string(full, '='),
                       std::string(kCells - full, ' '), 100 * done / state.total);
  }
  return text + fmt::format("{} rows in, {} out, {} rows/s",
                            CountText(static_cast<double>(state.rows_in)),
                            CountText(static_cast<double>(state.rows_out)),
                            CountText(speed));
}

}  // namespace

std::string CountText(double count) {
  if (count >= 1e9) return fmt::format("{:.1f} G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.1f} M", count / 1e6);
  if (count >= 1e4) return fmt::format("{:.1f} k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

ProgressMode ProgressModeOf(const std::string& text, bool quiet) {
  if (text == "json") return ProgressMode::kJson;
  if (text == "plain") return ProgressMode::kBar;
  if (text == "none" || quiet) return ProgressMode::kNone;
  return isatty(STDERR_FILENO) != 0 ? ProgressMode::kBar : ProgressMode::kNone;
}

Progress::Progress(ProgressMode mode, const Console& console,
                   std::function<ProgressState()> read)
    : mode_(mode), console_(console), read_(std::move(read)) {
  if (mode_ == ProgressMode::kNone) return;
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error&) {
    // No more threads: the run goes on without progress.
  }
}

void Progress::End() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (mode_ == ProgressMode::kJson) Draw();
  if (mode_ == ProgressMode::kBar) std::fputs("\r\033[K", stderr);
  console_.BarStands(false);
  std::fflush(stderr);
}

void Progress::Loop() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kEvery, [this] { return ended_; })) Draw();
}

void Progress::Draw() const {
  const ProgressState state = read_();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
  const std::string line =
      mode_ == ProgressMode::kBar
          ? "\r" + BarText(state, passed.count()) + "\033[K"
          : fmt::format(
                "{{\"rows_in\":{},\"total\":{},\"rows_out\":{},\"seconds\":{:.3f}}}\n",
                state.rows_in, state.total < 0 ? "null" : std::to_string(state.total),
                state.rows_out, passed.count());
  if (mode_ == ProgressMode::kBar) console_.BarStands(true);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace arrowalloy::run
