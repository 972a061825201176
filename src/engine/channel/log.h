// SPDX-License-Identifier: MIT
//
// The host's log: whole lines that never mix, in one form for every language.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOG_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace alloy::core {

// Threads  shared.
class Log {
 public:
  using Callback = void (*)(void* context, int32_t level, const char* language,
                            const char* text, int64_t length);

  // callback NULL: lines go to the descriptor.
  Log(int fd, Callback callback, void* context)
      : fd_(fd), callback_(callback), context_(context) {}

  // Write `[2022-10-17 18:09:34] [INFO] [Go]`, a tab, the text and a line feed; or call
  // the callback. The callback is called under no lock and by one thread at a time: a
  // thread that comes while another is inside leaves its line to that thread.
  void Write(int32_t level, std::string_view language, std::string_view text);

 private:
  struct Line {
    int32_t level;
    std::string language;
    std::string text;
  };
  void Deliver(Line line);

  const int fd_;
  const Callback callback_;
  void* const context_;
  std::mutex mutex_;
  std::deque<Line> waiting_;  // guarded by mutex_
  bool delivering_ = false;   // guarded by mutex_
};

// Which log the calls of one backend write to, and the languages that label the lines.
struct LogContext {
  Log* log = nullptr;
  bool enabled = false;  // false: they write nothing
  std::string host_language;
  std::string backend_language;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
