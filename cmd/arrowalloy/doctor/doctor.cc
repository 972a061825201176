// SPDX-License-Identifier: MIT
//
// arrowalloy doctor: what is missing on this machine, and the command that provides it.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "../base/command.h"
#include "../commands.h"
#include "machine.h"

namespace arrowalloy::doctor {
namespace {

std::string Line(const Finding& finding, size_t width, const Console& console) {
  const char* word =
      finding.fit ? "ok      " : (finding.needed ? "MISSING " : "optional");
  const Style style =
      finding.fit ? Style::kGood : (finding.needed ? Style::kBad : Style::kWarning);
  std::string line = fmt::format("{}  {:{}}  {}\n", console.Out(style, word),
                                 finding.name, width, Harmless(finding.found));
  if (finding.fit) return line;
  const size_t indent = width + 12;
  line += fmt::format("{:{}}needed for {}\n", "", indent, finding.use);
  return line +
         fmt::format("{:{}}{}\n", "", indent, console.Out(Style::kBold, finding.fix));
}

Exit Run(Console& console) {
  std::vector<Finding> findings = CheckKernel();
  for (Finding& finding : CheckPrograms()) findings.push_back(std::move(finding));
  findings.push_back(CheckSdk());
  for (Finding& finding : CheckIsolation()) findings.push_back(std::move(finding));

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
        .Add("fix", finding.fix);
  }
  Report report;
  report.Add("fit", fit).Add("checks", std::move(checks));
  console.PrintResult(report, text);
  return fit ? Exit::kOk : Exit::kMachine;
}

}  // namespace

void Add(Program& program) {
  Command& command = program.Add(
      {.name = "doctor",
       .summary = "Check this machine, and show the command for each missing part",
       .details = R"(Each line is one check:
  ok        present
  MISSING   no library can be loaded without it; exit code 3
  optional  missing, and needed only for the task that is named below it
The lines "isolation: ..." are what --isolated can use. A worker goes on without a
restriction that is missing, unless the host demands it.
Nothing is installed or changed.)",
       .examples = R"(  arrowalloy doctor
  arrowalloy doctor --json
)"});
  command.OnRun([](Console& console) { return Run(console); });
}

}  // namespace arrowalloy::doctor
