// SPDX-License-Identifier: MIT
#include "run.h"

#include <arrow/type.h>
#include <fmt/format.h>
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
#include "input.h"
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

InputOptions InputOptionsOf(const Options& options, const Job& job, size_t i) {
  InputOptions input{.path = options.inputs[i],
                     .format = options.format,
                     .batch_rows = options.batch_rows,
                     .limit = options.limit};
  for (const std::string& cast : options.casts) {
    const size_t equals = cast.find('=');
    input.casts[cast.substr(0, equals)] = cast.substr(equals + 1);
  }
  if (!options.columns.empty()) {
    input.columns = SplitNames(options.columns);
    return input;
  }
  auto declared = job.Declared(i);
  // A pipe sends all its columns in any case; the engine selects from them.
  if (!declared || input.path == "-") return input;
  // Only those that the file has: the engine reports missing ones when it binds.
  const auto schema = SchemaOf(input);
  std::erase_if(*declared, [&schema](const std::string& name) {
    return schema->GetFieldIndex(name) < 0;
  });
  // With no column at all a batch would lose its number of rows.
  if (!declared->empty()) input.columns = std::move(declared);
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
    output.not_over.push_back({input, "an input"});
  }
  output.not_over.push_back({options.library, "the library"});
  output.not_over.push_back({options.library + ".alloysig", "its signature file"});
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
  for (size_t i = 0; i < options.inputs.size(); ++i) {
    inputs.push_back(OpenInput(InputOptionsOf(options, job, i)));
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
    job.Open(readers, interrupt.token());
    for (const std::string& loss : LossesOf(format, *job.schema())) console.Warn(loss);
    Output output(&destination, format, job.schema());
    // A table on this terminal comes after the bar was erased.
    Progress progress(ProgressModeOf(options.progress, console.quiet()), state);
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
