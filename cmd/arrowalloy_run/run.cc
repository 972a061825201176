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

#include "../arrowalloy/inspect/inspection.h"
#include "input.h"
#include "interrupt.h"
#include "job.h"
#include "output.h"
#include "progress.h"

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

OutputOptions OutputOptionsOf(const Options& options) {
  OutputOptions output{.path = options.output, .format = options.out_format};
  if (!output.path.empty()) return output;
  output.path = "-";
  if (output.format.empty()) {
    output.format = isatty(STDOUT_FILENO) != 0 ? "table" : "arrows";
  }
  return output;
}

struct Totals {
  std::atomic<int64_t> rows_out{0};
  int64_t batches = 0;
};

// Copy batches until the stream ends. An interrupt is an error like any other.
void Pump(Job* job, Output* output, Totals* totals) {
  while (const auto batch = job->Next()) {
    output->Write(batch);
    totals->rows_out += batch->num_rows();
    ++totals->batches;
  }
  output->Finish();
}

void PrintTotals(Console& console, const std::vector<Input>& inputs, const Totals& totals,
                 Clock::duration took) {
  int64_t rows = 0, reading = 0;
  for (const Input& input : inputs) {
    rows += input.count->rows;
    reading += input.count->nanoseconds;
  }
  const std::chrono::duration<double> seconds = took;
  console.Note(
      fmt::format("{} rows in, {} out, {:.2f} s ({} rows/s; reading took {:.2f} s)", rows,
                  totals.rows_out.load(), seconds.count(),
                  CountText(static_cast<double>(rows) / std::max(seconds.count(), 1e-9)),
                  static_cast<double>(reading) / 1e9));
}

}  // namespace

Exit Run(const Options& options, Console& console) {
  CheckArguments(options);
  Interrupt interrupt;
  const auto begin = Clock::now();
  Job job(options, CertificateArgument(options.certificate));
  std::vector<Input> inputs;
  std::vector<std::shared_ptr<arrow::RecordBatchReader>> readers;
  for (size_t i = 0; i < options.inputs.size(); ++i) {
    inputs.push_back(OpenInput(InputOptionsOf(options, job, i)));
    readers.push_back(inputs.back().reader);
  }
  job.Open(readers, interrupt.token());
  const auto output = OpenOutput(OutputOptionsOf(options), job.schema());
  interrupt.OnAbandon([&output] { output->Abandon(); });
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
    const Progress progress(ProgressModeOf(options.progress, console.quiet()), state);
    Pump(&job, output.get(), &totals);
  } catch (const Failure&) {
    interrupt.OnAbandon(nullptr);
    if (!interrupt.came()) throw;
    console.Warn("interrupted; no output was written");
    return Exit::kInterrupted;
  }
  interrupt.OnAbandon(nullptr);
  PrintTotals(console, inputs, totals, Clock::now() - begin);
  return Exit::kOk;
}

}  // namespace arrowalloy::run
