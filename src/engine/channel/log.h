// SPDX-License-Identifier: MIT
//
// The host's log: whole lines that never mix, in one form for every language.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOG_H_

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "port/clock.h"
#include "port/fork_guarded.h"

namespace alloy::core {

// Threads  shared.
class Log {
 public:
  using Callback = void (*)(void* context, int32_t level, const char* language,
                            const char* text, int64_t length);

  // callback NULL: lines go to the descriptor. Borrows mark, as long as this lives.
  Log(int fd, Callback callback, void* context, ProcessMark& mark)
      : fd_(fd), callback_(callback), context_(context), clock_(mark), queue_(mark) {}

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
  // Lines for the callback. A line that a thread of the parent left belongs to the parent:
  // a child of fork begins with an empty queue.
  struct Queue {
    std::list<Line> waiting;
    bool delivering = false;
    uint32_t process = 0;  // whose queue this is
  };
  void Deliver(Line line);

  const int fd_;
  const Callback callback_;
  void* const context_;
  LocalClock clock_;
  ForkGuarded<Queue> queue_;  // its lock also keeps the lines of a descriptor whole
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
