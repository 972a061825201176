// SPDX-License-Identifier: MIT
//
// The host's log: whole lines that never mix, in one form for every language.
#ifndef ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
#define ALLOY_SRC_ENGINE_CHANNEL_LOG_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "alloy/alloy.h"
#include "port/clock.h"
#include "port/fork_guarded.h"

namespace alloy::core {

// What the lines of one call carry.
//
// Threads  shared: a backend may write from any thread.
struct CallLog {
  const char* function = nullptr;
  std::atomic<int32_t> level{ALLOY_LOG_DEBUG};  // lines below it are not written
  std::atomic<void*> context{nullptr};          // of the host
};

// Threads  shared.
class Log {
 public:
  using Callback = void (*)(void* context, int32_t level, const char* language,
                            const char* text, int64_t length);

  using LineCallback = void (*)(void* context, const alloy_log_line* line);

  // Both callbacks NULL: lines go to the descriptor. line_callback goes before callback.
  // Borrows mark, as long as this lives.
  Log(int fd, Callback callback, void* context, ProcessMark& mark,
      LineCallback line_callback = nullptr)
      : fd_(fd),
        callback_(callback),
        line_callback_(line_callback),
        context_(context),
        clock_(mark),
        queue_(mark) {}

  // Write `[2022-10-17 18:09:34] [INFO] [Go]`, a tab, the text and a line feed; or call
  // the callback. The callback is called under no lock and by one thread at a time: a
  // thread that comes while another is inside leaves its line to that thread. The line
  // callback is called by each thread itself.
  void Write(int32_t level, std::string_view language, std::string_view text,
             const char* backend = nullptr, const CallLog* call = nullptr);

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
  void Pass(const Line& line, const char* backend, const CallLog* call);

  const int fd_;
  const Callback callback_;
  const LineCallback line_callback_;
  void* const context_;
  LocalClock clock_;
  ForkGuarded<Queue> queue_;  // its lock also keeps the lines of a descriptor whole
};

// Which log the calls of one backend write to, and the languages that label the lines.
struct LogContext {
  Log* log = nullptr;
  bool enabled = false;  // false: they write nothing
  bool is_echo = false;  // the host's own lines about a run are meant for people
  bool warns = false;    // whether the engine may warn about the backend
  std::string host_language;
  std::string backend_language;
  std::string backend_name;

  bool Logs(int32_t level, const CallLog* call) const {
    return enabled &&
           (call == nullptr || level >= call->level.load(std::memory_order_relaxed));
  }
  // A line of the backend, and one of the host about it.
  void WriteAsBackend(int32_t level, std::string_view text, const CallLog* call) const {
    log->Write(level, backend_language, text, backend_name.c_str(), call);
  }
  void WriteAsHost(int32_t level, std::string_view text, const CallLog* call) const {
    log->Write(level, host_language, text, backend_name.c_str(), call);
  }
};

// Write a warning of the engine, if the host wants any. A lack of memory loses the line.
void Warn(const LogContext& context, const std::string& text) noexcept;

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_CHANNEL_LOG_H_
