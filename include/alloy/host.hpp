// SPDX-License-Identifier: MIT
//
// The policy of a C++ host: which libraries may be loaded, and where log lines go. Make
// one for a program, and bridges from it.
//
// Threads  shared.
#ifndef ALLOY_HOST_HPP_
#define ALLOY_HOST_HPP_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/status.hpp"

namespace alloy {

enum class LogMode : int32_t { kEchoes = 0, kAlways = 1, kNever = 2 };

// A log line with its origin. The texts live during the call.
struct LogLine {
  int32_t level;  // ALLOY_LOG_*
  std::string_view language;
  std::string_view text;
  std::string_view backend;   // empty: it is about none
  std::string_view function;  // empty: it is about none
};

struct HostOptions {
  bool allow_unsigned = false;  // libraries without a certificate may be loaded
  bool load_plainly = false;    // only for debuggers: see ALLOY_LOAD_PLAINLY
  // The absolute path of the worker program of the isolated mode; empty: alloy-worker next
  // to the engine, or in its folder `alloy`.
  std::string worker = {};
  // What libraries may need besides the runtimes: see alloy_host_options.
  std::vector<std::string> may_need = {};
  std::string language = "C++";  // the label of the host's log lines
  LogMode log_mode = LogMode::kEchoes;
  int log_fd = 2;  // where log lines go, one write for each
  // Gets the log lines instead of log_fd, on any thread, one at a time.
  std::function<void(int32_t level, std::string_view language, std::string_view text)>
      log = nullptr;
  // Gets the log lines instead of log and log_fd. Any thread may call it, several at the
  // same time.
  std::function<void(const LogLine&)> log_line = nullptr;
};

// Cheap to copy: copies are the same host.
class Host {
 public:
  explicit Host(HostOptions options = {}) : state_(std::make_shared<State>()) {
    state_->options = std::move(options);
    const HostOptions& mine = state_->options;
    alloy_host_options raw{};
    raw.struct_size = sizeof(raw);
    raw.flags = (mine.allow_unsigned ? ALLOY_ALLOW_UNSIGNED : 0) |
                (mine.load_plainly ? ALLOY_LOAD_PLAINLY : 0);
    raw.worker = mine.worker.empty() ? nullptr : mine.worker.c_str();
    std::vector<const char*> may_need;
    may_need.reserve(mine.may_need.size() + 1);
    for (const std::string& entry : mine.may_need) may_need.push_back(entry.c_str());
    may_need.push_back(nullptr);
    raw.may_need = may_need.data();
    raw.language = mine.language.c_str();
    raw.log_mode = static_cast<int32_t>(mine.log_mode);
    raw.log_fd = mine.log_fd == 2 ? 0 : mine.log_fd;
    if (mine.log) {
      raw.log = &Log;
      raw.log_context = state_.get();
    }
    if (mine.log_line) {
      raw.log_line = &WriteLine;
      raw.log_context = state_.get();
    }
    alloy_error error;
    alloy_host* host = nullptr;
    if (alloy_host_new(&raw, &host, &error) != ALLOY_OK) state_->status = Status(error);
    state_->host.reset(host);
  }

  // Ok, or why the host could not be made. Its bridges return the same error.
  Status status() const { return state_->status; }

  // Write a log line with the label of the host.
  void Info(std::string_view text) const {
    if (state_->host == nullptr) return;
    alloy_host_log(state_->host.get(), ALLOY_LOG_INFO, text.data(),
                   static_cast<int64_t>(text.size()));
  }

  alloy_host* get() const { return state_->host.get(); }

 private:
  struct Free {
    void operator()(alloy_host* host) const { alloy_host_free(host); }
  };
  struct State {
    HostOptions options;
    Status status;
    std::unique_ptr<alloy_host, Free> host;
  };

  static void Log(void* context, int32_t level, const char* language, const char* text,
                  int64_t length) noexcept {
    try {
      static_cast<State*>(context)->options.log(
          level, language, std::string_view(text, static_cast<size_t>(length)));
    } catch (...) {
      // The line is lost; the call goes on.
    }
  }

  static void WriteLine(void* context, const alloy_log_line* line) noexcept {
    const auto view = [](const char* text) {
      return text != nullptr ? std::string_view(text) : std::string_view();
    };
    try {
      static_cast<State*>(context)->options.log_line(
          {.level = line->level,
           .language = view(line->language),
           .text = {line->text, static_cast<size_t>(line->length)},
           .backend = view(line->backend),
           .function = view(line->function)});
    } catch (...) {
      // The line is lost; the call goes on.
    }
  }

  std::shared_ptr<State> state_;
};

// Write a log line of the program to standard output: date, level and label, a tab, the
// text. For a host with another log, use Host::Info.
inline void Info(std::string_view text) {
  static const Host host(HostOptions{.log_fd = 1});
  host.Info(text);
}

}  // namespace alloy

#endif  // ALLOY_HOST_HPP_
