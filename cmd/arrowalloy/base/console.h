// SPDX-License-Identifier: MIT
//
// Where a command writes. Results go to standard output, everything else to standard error.
// Colours are for terminals.
//
// Threads  serial.
#ifndef ARROWALLOY_BASE_CONSOLE_H_
#define ARROWALLOY_BASE_CONSOLE_H_

#include <atomic>
#include <string>
#include <string_view>

#include "failure.h"
#include "report.h"

namespace arrowalloy {

// The options that every command has.
struct ConsoleOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::string color = "auto";  // auto, always, never
};

enum class Style { kPlain, kBold, kGood, kWarning, kBad, kFaint };

class Console {
 public:
  explicit Console(const ConsoleOptions& options) : options_(options) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool json() const { return options_.json; }
  bool quiet() const { return options_.quiet; }

  // A bar of progress stands on the last line of the terminal: erase it before each message.
  // Any thread may call this.
  void BarStands(bool stands) const { bar_ = stands; }

  // The result goes to standard error, because standard output has data.
  void KeepOutputForData() { data_ = true; }
  bool verbose() const { return options_.verbose; }

  // Write text to standard output, unchanged. An error is kept for Flush.
  void Print(std::string_view text) const;

  // Print the result of a command: one JSON object with --json, otherwise the text of the
  // report. `text` replaces the text of the report.
  void PrintResult(const Report& report) const;
  void PrintResult(const Report& report, std::string_view text) const;
  void PrintResult(std::string_view json_line, std::string_view text) const;

  // Print the result of a command that makes files; nothing with -q, except JSON.
  void PrintCreated(const Report& report) const;

  // Messages for people. Note: not with -q. Detail: only with -v. Warn: always.
  void Note(std::string_view text) const;
  void Detail(std::string_view text) const;
  void Warn(std::string_view text) const;

  // Print `error[E2004]: what happened`, `at: where`, `help: what to do next`. With --json
  // also print one object to standard output, unless a result was printed before.
  void Print(const Failure& failure) const;

  // Write what is still in memory. 0, or the errno of the first text that was lost.
  int Flush() const;

  // The text in a style if standard output (Out) or standard error (Err) shows colours.
  std::string Out(Style style, std::string_view text) const;
  std::string Err(Style style, std::string_view text) const;

 private:
  void Say(std::string_view text) const;

  const ConsoleOptions& options_;  // the program fills it while it parses arguments
  mutable bool printed_result_ = false;
  mutable int lost_ = 0;  // errno
  mutable std::atomic<bool> bar_{false};
  bool data_ = false;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_CONSOLE_H_
