// SPDX-License-Identifier: MIT
//
// arrowalloy manual: the manual page arrowalloy(1), written from the commands.
#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../base/command.h"
#include "../commands.h"
#include "alloy/alloy.h"

namespace arrowalloy::manual {
namespace {

// Escape what roff would read as a command.
std::string Escaped(std::string_view text) {
  std::string escaped;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    at_start = c == '\n';
  }
  return escaped;
}

std::string Synopsis(const CommandTree& command) {
  std::string line = fmt::format(".B arrowalloy {}\n", Escaped(command.name));
  for (const OptionTree& option : command.options) {
    if (option.names.empty()) line += fmt::format(".I {}\n", Escaped(option.placeholder));
  }
  return line + "[options]\n";
}

std::string OptionEntry(const OptionTree& option) {
  std::string names =
      option.names.empty()
          ? fmt::format("\\fI{}\\fR", Escaped(option.placeholder))
          : fmt::format("\\fB{}\\fR",
                        Escaped(fmt::format("{}", fmt::join(option.names, ", "))));
  if (!option.names.empty() && !option.placeholder.empty()) {
    names += fmt::format(" \\fI{}\\fR", Escaped(option.placeholder));
  }
  return fmt::format(".TP\n{}\n{}\n", names, Escaped(option.summary));
}

std::string Section(const CommandTree& command) {
  std::string text = fmt::format(".SS {}\n{}{}.\n", Escaped(command.name),
                                 Synopsis(command) + ".PP\n", Escaped(command.summary));
  if (!command.details.empty()) {
    text += fmt::format(".nf\n{}\n.fi\n", Escaped(command.details));
  }
  for (const OptionTree& option : command.options) {
    if (!option.common) text += OptionEntry(option);
  }
  return text + fmt::format(".PP\n.nf\n{}.fi\n", Escaped(command.examples));
}

std::string Page(const std::vector<CommandTree>& tree) {
  std::string text = fmt::format(
      ".TH ARROWALLOY 1 \"\" \"Alloy {}\" \"Alloy\"\n"
      ".SH NAME\narrowalloy \\- make, sign, inspect, test and run Alloy backends\n"
      ".SH SYNOPSIS\n.B arrowalloy\n.I command\n[options]\n"
      ".SH DESCRIPTION\n"
      "A backend is a shared library with native functions on Apache Arrow data.\n"
      "Results go to standard output, messages and errors to standard error.\n"
      "An error has a number, a place and a command to run next.\n"
      ".SH COMMANDS\n",
      ALLOY_VERSION);
  for (const CommandTree& command : tree) text += Section(command);
  text += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const OptionTree& option : tree.front().options) {
    if (option.common) text += OptionEntry(option);
  }
  text += ".SH EXIT STATUS\n";
  for (const ExitText& row : kExitTexts) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", static_cast<int>(row.exit),
                        Escaped(row.text));
  }
  return text;
}

}  // namespace

void Add(Program& program) {
  Command& command = program.Add({.name = "manual",
                                  .summary = "Print the manual page",
                                  .examples = "  arrowalloy manual | man -l -\n",
                                  .hidden = true});
  command.OnRun([&program](Console& console) {
    console.Print(Page(program.Tree()));
    return Exit::kOk;
  });
}

}  // namespace arrowalloy::manual
