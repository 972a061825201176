// SPDX-License-Identifier: MIT
#include "run.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../arrowalloy/base/destination.h"
#include "../arrowalloy/base/os_error.h"
#include "../arrowalloy/inspect/inspection.h"
#include "format.h"
#include "format_writer.h"
#include "input/input.h"
#include "input/paths.h"
#include "input/read_options.h"
#include "interrupt.h"
#include "job.h"
#include "output.h"
#include "progress.h"
#include "threads.h"

namespace arrowalloy::run {
namespace {

using Clock = std::chrono::steady_clock;

Failure Usage(const std::string& what, const std::string& at) {
  return Failure(Exit::kUsage, kUsageCode, what, at, "arrowalloy run --help");
}

void CheckArguments(const Options& options) {
  for (const std::string& value : options.values) {
    if (value.find('=') == std::string::npos) {
      throw Usage("expected --set KEY=VALUE, such as --set factor=2", "--set " + value);
    }
  }
  for (const std::string& cast : options.casts) {
    if (cast.find('=') == std::string::npos) {
      throw Usage("expected --cast COLUMN=TYPE, such as --cast price=float64",
                  "--cast " + cast);
    }
  }
  if (options.batch_rows < 1) {
    throw Usage("--batch-rows must be 1 or more",
                "--batch-rows " + std::to_string(options.batch_rows));
  }
  if (options.limit < -1) {
    throw Usage("expected --limit from 0, or -1 for all rows",
                "--limit " + std::to_string(options.limit));
  }
  if (options.min_sequence < 0) {
    throw Usage("expected --min-sequence from 0",
                "--min-sequence " + std::to_string(options.min_sequence));
  }
  if (options.timeout_ms < 0) {
    throw Usage("expected --timeout-ms from 0",
                "--timeout-ms " + std::to_string(options.timeout_ms));
  }
  if (std::ranges::count(options.inputs, "-") > 1) {
    throw Usage("standard input can be used for only one input", "-i - -i -");
  }
}

// `a,b` and `a` `b` mean the same.
std::vector<std::string> SplitNames(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (std::string_view list : lists) {
    while (true) {
      const size_t comma = list.find(',');
      if (comma != 0 && !list.empty()) names.emplace_back(list.substr(0, comma));
      if (comma == std::string_view::npos) break;
      list.remove_prefix(comma + 1);
    }
  }
  return names;
}

// A character, or its name. `none`: no character.
char CharacterOf(const std::string& text, const std::string& option, char otherwise) {
  if (text.empty()) return otherwise;
  if (text == "tab" || text == "\\t") return '\t';
  if (text == "none") return '\0';
  const auto c = static_cast<unsigned char>(text[0]);
  if (text.size() == 1 && c < 0x80 && c != '\n' && c != '\r') return text[0];
  throw Usage("expected one ASCII character, tab or none", option + " " + text);
}

CsvDialect DialectOf(const Options& options) {
  CsvDialect dialect{.delimiter = CharacterOf(options.delimiter, "--delimiter", '\0'),
                     .quote = CharacterOf(options.quote, "--quote", '"'),
                     .escape = CharacterOf(options.escape, "--escape", '\0'),
                     .header = !options.no_header};
  if (options.delimiter == "none") {
    throw Usage("a CSV has a delimiter", "--delimiter none");
  }
  for (const auto& null : options.nulls) dialect.nulls.push_back(null);
  const char delimiter = dialect.delimiter == '\0' ? ',' : dialect.delimiter;
  if (dialect.quote == delimiter || dialect.escape == delimiter ||
      (dialect.quote != '\0' && dialect.quote == dialect.escape)) {
    throw Usage("--delimiter, --quote and --escape must differ",
                "--delimiter, --quote, --escape");
  }
  return dialect;
}

// The -i of each input of the function.
std::vector<std::vector<std::string>> InputsOf(const Options& options, const Job& job) {
  if (job.TakesOneInput() && options.inputs.size() > 1) return {options.inputs};
  std::vector<std::vector<std::string>> inputs;
  inputs.reserve(options.inputs.size());
  for (const auto& path : options.inputs) inputs.push_back({path});
  return inputs;
}

InputOptions InputOptionsOf(const Options& options, const Job& job, size_t i,
                            std::vector<std::string> paths, Console& console) {
  InputOptions input{.paths = std::move(paths),
                     .format = options.format,
                     .declared = job.Declared(i),
                     .csv = DialectOf(options),
                     .batch_rows = options.batch_rows,
                     .limit = options.limit,
                     .warn = [&console](const std::string& text) { console.Warn(text); }};
  for (const std::string& cast : options.casts) {
    const size_t equals = cast.find('=');
    input.casts[cast.substr(0, equals)] = cast.substr(equals + 1);
  }
  if (!options.columns.empty()) input.columns = SplitNames(options.columns);
  return input;
}

// Without -o the output is standard output, and a table if that is a terminal.
Format OutputFormat(const Options& options) {
  if (!options.output.empty()) return FormatOf(options.output, options.out_format);
  if (!options.out_format.empty()) return FormatOf("-", options.out_format);
  return isatty(STDOUT_FILENO) != 0 ? Format::kTable : Format::kIpcStream;
}

// The output must not replace what this run reads.
DestinationOptions DestinationOf(const Options& options) {
  DestinationOptions output{.path = options.output.empty() ? "-" : options.output};
  for (const std::string& input : options.inputs) {
    for (auto& file : FilesOf(input)) {
      output.not_over.push_back({std::move(file), "an input"});
    }
  }
  output.not_over.push_back({options.library, "the library"});
  output.not_over.push_back(
      {options.sidecar.empty() ? options.library + ".alloysig" : options.sidecar,
       "the signature file"});
  if (options.certificate.starts_with('@')) {
    output.not_over.push_back({options.certificate.substr(1), "the certificate"});
  }
  for (const std::string& library : options.may_need) {
    output.not_over.push_back({library, "a library that it may need"});
  }
  return output;
}

struct Totals {
  std::atomic<int64_t> rows_out{0};
  int64_t batches = 0;
};

// Copy batches until the stream ends. An interrupt is an error like any other.
void Pump(Job* job, Output* output, Totals* totals, Progress* progress) {
  while (auto batch = job->Next()) {
    totals->rows_out += batch->num_rows();
    ++totals->batches;
    output->Write(std::move(batch));
  }
  progress->End();
  output->Finish();
}

// The numbers of the run: a note for people, or one object with --json. A result on
// standard output leaves no place for it there, so it goes to standard error.
void PrintTotals(Console& console, const Options& options,
                 const std::vector<Input>& inputs, const Totals& totals,
                 Clock::duration took) {
  int64_t rows = 0, reading = 0;
  for (const Input& input : inputs) {
    rows += input.count->rows;
    reading += input.count->nanoseconds;
  }
  const double seconds = std::chrono::duration<double>(took).count();
  const double reading_seconds = static_cast<double>(reading) / 1e9;
  if (console.json()) {
    Report report;
    report.Add("output", OutputName(options.output.empty() ? "-" : options.output))
        .Add("function", options.function)
        .Add("rows_in", rows)
        .Add("rows_out", totals.rows_out.load())
        .Add("batches_out", totals.batches)
        .Add("milliseconds", static_cast<int64_t>(seconds * 1e3))
        .Add("reading_milliseconds", static_cast<int64_t>(reading_seconds * 1e3));
    console.PrintResult(report, "");
    return;
  }
  console.Note(fmt::format(
      "{} rows in, {} out, {:.2f} s ({} rows/s; reading took {:.2f} s)", rows,
      totals.rows_out.load(), seconds,
      CountText(static_cast<double>(rows) / std::max(seconds, 1e-9)), reading_seconds));
}

}  // namespace

Exit Run(const Options& options, Console& console) {
  CheckArguments(options);
  const Format format = OutputFormat(options);
  Interrupt interrupt;
  ReserveThreads(options.inputs.size());
  Destination destination(DestinationOf(options));
  if (destination.is_standard_output()) console.KeepOutputForData();
  const auto begin = Clock::now();
  Job job(options, CertificateArgument(options.certificate));
  std::vector<Input> inputs;
  std::vector<std::shared_ptr<arrow::RecordBatchReader>> readers;
  std::vector<InputFacts> facts;
  TakeExtensionsAsStorage();
  for (auto& paths : InputsOf(options, job)) {
    std::string name = fmt::format("{}", fmt::join(paths, ", "));
    inputs.push_back(OpenInput(
        InputOptionsOf(options, job, inputs.size(), std::move(paths), console)));
    facts.push_back({std::move(name), inputs.back().columns});
    readers.push_back(inputs.back().reader);
  }
  Totals totals;
  const auto state = [&inputs, &totals] {
    ProgressState seen{.total = 0, .rows_out = totals.rows_out};
    for (const Input& input : inputs) {
      seen.rows_in += input.count->rows;
      seen.total =
          seen.total < 0 || input.total_rows < 0 ? -1 : seen.total + input.total_rows;
    }
    return seen;
  };
  try {
    job.Open(readers, std::move(facts), interrupt.token());
    for (const std::string& loss : LossesOf(format, *job.schema())) console.Warn(loss);
    Output output(&destination, format, job.schema());
    // Rows on the terminal and a bar on the same terminal would be mixed. A table comes
    // after the bar was erased.
    const bool on_terminal = destination.is_standard_output() &&
                             format != Format::kTable && isatty(STDOUT_FILENO) != 0;
    Progress progress(ProgressModeOf(options.progress, console.quiet() || on_terminal),
                      console, state);
    Pump(&job, &output, &totals, &progress);
  } catch (const Failure&) {
    if (!interrupt.came()) throw;
    console.Warn("interrupted; no output was written");
    return interrupt.exit();
  }
  PrintTotals(console, options, inputs, totals, Clock::now() - begin);
  return Exit::kOk;
}

}  // namespace arrowalloy::run
