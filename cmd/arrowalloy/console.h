// SPDX-License-Identifier: MIT
//
// Where a command writes: data to standard output, everything else to standard error, in
// colour only where that is a terminal.
//
// Threads  serial.
#ifndef ARROWALLOY_CONSOLE_H_
#define ARROWALLOY_CONSOLE_H_

#include <string>
#include <string_view>

#include "failure.h"
#include "report.h"

namespace arrowalloy {

// The options that every command takes.
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
  bool verbose() const { return options_.verbose; }

  // Data, as it stands.
  void Print(std::string_view text) const;

  // The answer of a command: one JSON object, or the text of the report. `text` replaces
  // the latter.
  void Answer(const Report& report) const;
  void Answer(const Report& report, std::string_view text) const;
  void Answer(std::string_view json_line, std::string_view text) const;

  // The answer of a command that makes files: not with -q.
  void Made(const Report& report) const;

  // For people: not with -q; Detail only with -v; Warn always.
  void Note(std::string_view text) const;
  void Detail(std::string_view text) const;
  void Warn(std::string_view text) const;

  // `error[E2004]: what`, `at: where`, `help: next`; with --json the same as an object on
  // standard output too, where no answer is there yet.
  void Tell(const Failure& failure) const;

  // The text in a style, where standard output, or standard error, shows styles.
  std::string Out(Style style, std::string_view text) const;
  std::string Err(Style style, std::string_view text) const;

 private:
  const ConsoleOptions& options_;  // of the program; filled while arguments are parsed
  mutable bool answered_ = false;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_CONSOLE_H_
