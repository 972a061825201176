// SPDX-License-Identifier: MIT
#include "console.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace arrowalloy {
namespace {

const char* CodeOf(Style style) {
  switch (style) {
    case Style::kBold:
      return "\x1b[1m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[1;31m";
    case Style::kFaint:
      return "\x1b[2m";
    case Style::kPlain:
      break;
  }
  return "";
}

// NO_COLOR counts when it is set and not empty: https://no-color.org.
bool Coloured(const std::string& color, int descriptor) {
  if (color != "auto") return color == "always";
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  if (term != nullptr && std::string_view(term) == "dumb") return false;
  return isatty(descriptor) == 1;
}

std::string Styled(bool coloured, Style style, std::string_view text) {
  if (!coloured || style == Style::kPlain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", CodeOf(style), text);
}

}  // namespace

void Console::Say(std::string_view text) const {
  const std::string line = bar_ ? fmt::format("\r\x1b[K{}", text) : std::string(text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Console::Print(std::string_view text) const {
  if (data_) {
    Say(text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() &&
             lost_ == 0) {
    lost_ = errno;
  }
}

int Console::Flush() const {
  if (std::fflush(stdout) != 0 && lost_ == 0) lost_ = errno;
  // Some file systems report a full disk only when a file is closed.
  const int last = lost_ == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
  if (last >= 0 && close(last) != 0 && errno != EINTR) lost_ = errno;
  return lost_;
}

void Console::PrintResult(const Report& report) const {
  PrintResult(report, report.ToText());
}

void Console::PrintResult(const Report& report, std::string_view text) const {
  PrintResult(json() ? report.ToJson() : std::string(), text);
}

void Console::PrintResult(std::string_view json_line, std::string_view text) const {
  printed_result_ = true;
  Print(json() ? fmt::format("{}\n", json_line) : std::string(text));
}

void Console::PrintCreated(const Report& report) const {
  if (json() || !quiet()) PrintResult(report);
}

void Console::Note(std::string_view text) const {
  if (!quiet()) Say(fmt::format("{}\n", HarmlessLines(text)));
}

void Console::Detail(std::string_view text) const {
  if (verbose()) {
    Say(fmt::format("{}\n", Err(Style::kFaint, HarmlessLines(text))));
  }
}

void Console::Warn(std::string_view text) const {
  Say(fmt::format("{} {}\n", Err(Style::kWarning, "warning:"), HarmlessLines(text)));
}

void Console::Print(const Failure& failure) const {
  const std::string title =
      failure.code.empty() ? "error:" : fmt::format("error[{}]:", failure.code);
  std::string text =
      fmt::format("{} {}\n", Err(Style::kBad, title), HarmlessLines(failure.text));
  if (!failure.at.empty()) {
    text += fmt::format("{} {}\n", Err(Style::kBold, "at:"), HarmlessLines(failure.at));
  }
  if (!failure.help.empty()) {
    text +=
        fmt::format("{} {}\n", Err(Style::kBold, "help:"), HarmlessLines(failure.help));
  }
  Say(text);
  if (!json() || printed_result_) return;
  Report error;
  error.Add("code", failure.code)
      .Add("name", failure.name)
      .Add("what", failure.text)
      .Add("at", failure.at)
      .Add("help", failure.help)
      .Add("exit", static_cast<int64_t>(failure.exit));
  Print(Report().Add("error", error).ToJson() + "\n");
}

std::string Console::Out(Style style, std::string_view text) const {
  return Styled(Coloured(options_.color, STDOUT_FILENO), style, text);
}

std::string Console::Err(Style style, std::string_view text) const {
  return Styled(Coloured(options_.color, STDERR_FILENO), style, text);
}

}  // namespace arrowalloy
