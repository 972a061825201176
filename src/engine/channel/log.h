// SPDX-License-Identifier: MIT
//
// Lines for the host's log: written whole, never mixed, in one form for every language.
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

  // `[2022-10-17 18:09:34] [INFO] [Go]`, a tab, the text, a line feed; or the callback,
  // which is never entered twice at once and under no lock: a thread that comes while
  // another is inside leaves its line to that one.
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

// Who speaks in the lines of one backend.
struct Voice {
  Log* log = nullptr;
  bool speaks = false;
  std::string host_language;
  std::string backend_language;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
