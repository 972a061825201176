// SPDX-License-Identifier: MIT
#include "engine/channel/log.h"

#include <algorithm>
#include <utility>

#include "alloy/backend.h"
#include "base/guard.h"
#include "base/text.h"
#include "port/clock.h"
#include "port/fd.h"

namespace alloy::core {
namespace {

// Lines of several processes mix when a write is longer than a pipe takes at once.
constexpr size_t kLongestLine = size_t{64} << 10U;

const char* LevelName(int32_t level) {
  switch (level) {
    case ALLOY_LOG_DEBUG:
      return "DEBUG";
    case ALLOY_LOG_INFO:
      return "INFO";
    case ALLOY_LOG_WARN:
      return "WARN";
    default:
      return "ERROR";
  }
}

// A text with several lines, or with tabs, stays readable as one line.
std::string OneLine(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return Harmless(line, kLongestLine);
}

}  // namespace

void Log::Write(int32_t level, std::string_view language, std::string_view text,
                const char* backend, const CallLog* call) {
  if (line_callback_ != nullptr) {
    Pass({level, std::string(language), OneLine(text)}, backend, call);
    return;
  }
  if (callback_ != nullptr) {
    Deliver({level, OneLine(language), OneLine(text)});
    return;
  }
  std::string line = "[" + clock_.Text() + "] [" + LevelName(level) + "] [";
  line.append(OneLine(language)).append("]\t").append(OneLine(text)).push_back('\n');
  const auto lock = queue_.Write();
  WriteLine(fd_, line);
}

void Log::Pass(const Line& line, const char* backend, const CallLog* call) {
  const alloy_log_line passed{
      .struct_size = sizeof(passed),
      .level = line.level,
      .language = line.language.c_str(),
      .text = line.text.c_str(),
      .length = static_cast<int64_t>(line.text.size()),
      .backend = backend,
      .function = call != nullptr ? call->function : nullptr,
      .call_context =
          call != nullptr ? call->context.load(std::memory_order_acquire) : nullptr};
  std::string ignored;  // a callback that throws must not stop the call
  EnterForeign(&ignored, [&] { line_callback_(context_, &passed); });
}

void Log::Deliver(Line line) {
  const uint32_t process = queue_.mark().Number();
  {
    const auto queue = queue_.Write();
    if (queue->process != process) {
      queue->waiting.clear();
      queue->delivering = false;
      queue->process = process;
    }
    queue->waiting.push_back(std::move(line));
    if (queue->delivering) return;
    queue->delivering = true;
  }
  for (;;) {
    Line next;
    {
      const auto queue = queue_.Write();
      // The callback has forked: this is the child, and the lines are the parent's.
      if (queue_.mark().Number() != process) {
        if (queue->process == process) *queue = Queue();
        return;
      }
      if (queue->waiting.empty()) {
        queue->delivering = false;
        return;
      }
      next = std::move(queue->waiting.front());
      queue->waiting.pop_front();
    }
    std::string ignored;  // a callback that throws must not stop the next lines
    EnterForeign(&ignored, [&] {
      callback_(context_, next.level, next.language.c_str(), next.text.c_str(),
                static_cast<int64_t>(next.text.size()));
    });
  }
}

void Warn(const LogContext& context, const std::string& text) noexcept {
  if (!context.warns) return;
  try {
    context.log->Write(ALLOY_LOG_WARN, context.host_language, text);
  } catch (...) {
    // What is warned of is no reason to fail.
  }
}

}  // namespace alloy::core
