// SPDX-License-Identifier: MIT
//
// What is missing on this machine, and the command that mends it.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "commands.h"
#include "machine.h"

namespace arrowalloy::doctor {
namespace {

std::string Line(const Finding& finding, size_t width, const Console& console) {
  const char* word = finding.fit ? "ok     " : (finding.needed ? "MISSING" : "without");
  const Style style =
      finding.fit ? Style::kGood : (finding.needed ? Style::kBad : Style::kWarning);
  std::string line = fmt::format("{}  {:{}}  {}\n", console.Out(style, word),
                                 finding.name, width, Harmless(finding.found));
  if (finding.fit) return line;
  line += fmt::format("{:{}}  for {}\n", "", width + 9, finding.use);
  return line + fmt::format("{:{}}  {}\n", "", width + 9,
                            console.Out(Style::kBold, finding.mend));
}

Exit Run(Console& console) {
  std::vector<Finding> findings = LookAtKernel();
  for (Finding& finding : LookAtPrograms()) findings.push_back(std::move(finding));
  findings.push_back(LookAtSdk());

  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.name.size());
  std::string text;
  std::vector<Report> checks;
  bool fit = true;
  for (const Finding& finding : findings) {
    fit = fit && (finding.fit || !finding.needed);
    text += Line(finding, width, console);
    checks.emplace_back()
        .Add("name", finding.name)
        .Add("fit", finding.fit)
        .Add("needed", finding.needed)
        .Add("found", finding.found)
        .Add("use", finding.use)
        .Add("mend", finding.mend);
  }
  Report report;
  report.Add("fit", fit).Add("checks", std::move(checks));
  console.Answer(report, text);
  return fit ? Exit::kOk : Exit::kMachine;
}

}  // namespace

void Add(Program& program) {
  Command& command = program.Add(
      {.name = "doctor",
       .summary = "Tell what is missing on this machine, and the command that mends it",
       .details =
           "Each feature is tried, not looked up. MISSING is needed by every load;\n"
           "`without` is needed for what the line below it says. Exit code 3 when\n"
           "something is MISSING.",
       .examples = "  arrowalloy doctor\n"});
  command.OnRun([](Console& console) { return Run(console); });
}

}  // namespace arrowalloy::doctor
