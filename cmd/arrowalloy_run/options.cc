// SPDX-License-Identifier: MIT
#include "options.h"

#include <memory>
#include <utility>

#include "../arrowalloy/inspect/loading.h"
#include "format.h"

namespace arrowalloy::run {

void Declare(Program& program, std::function<Exit(const Options&, Console&)> run) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "run",
       .summary = "Run a function of a backend on files or pipes",
       .details =
           R"(Reads and writes Parquet, CSV and Arrow IPC, batch by batch. If the function
declares its columns, only these columns are read. The output file appears when
it is complete; after an error or Ctrl-C there is no half file. Without -o the
result is a table on a terminal, and an Arrow IPC stream into a pipe.)",
       .examples =
           R"(  arrowalloy run tpch_rust.so q6 -i lineitem.parquet --certificate @dev.crt
  arrowalloy run aggregate_rust.so sort -i sales.csv -o sorted.parquet --set by=region --allow-unsigned
  producer | arrowalloy run score.so score -i - -o - --certificate @dev.crt | consumer
)"});
  command.Value("LIBRARY", &options->library, "Shared library or static archive",
                {.required = true, .kind = Kind::kFile});
  command.Value("FUNCTION", &options->function,
                "Function to run; arrowalloy inspect lists them", {.required = true});
  command.Value("-i,--input", &options->inputs,
                "File to read, - for standard input; once per input of the function",
                {.kind = Kind::kFile, .placeholder = "IN"});
  command.Value("-o,--output", &options->output, "File to write, - for standard output",
                {.kind = Kind::kFile, .placeholder = "OUT"});
  command.Value("--format", &options->format,
                "Format of the inputs (default: by the ending; of -, arrows)",
                {.choices = FormatNames(/*output=*/false)});
  command.Value("--out-format", &options->out_format,
                "Format of the output (default: by the ending; of -, arrows)",
                {.choices = FormatNames(/*output=*/true)});
  command.Value("--set", &options->values, "Option of the function; repeatable",
                {.placeholder = "KEY=VALUE"});
  command.Value("--columns", &options->columns,
                "Read only these columns, in this order: a,b,c",
                {.placeholder = "NAMES"});
  command.Value("--cast", &options->casts,
                "Read a column as another type, such as price=float64",
                {.placeholder = "COLUMN=TYPE"});
  command.Value("--limit", &options->limit,
                "Read at most this many rows of each input (default: -1, all)",
                {.placeholder = "ROWS"});
  command.Value("--batch-rows", &options->batch_rows,
                "Rows of a batch, at most (default: 65536)", {.placeholder = "ROWS"});
  command.Value("--certificate", &options->certificate,
                "Certificate whose signatures are trusted: base64, or @FILE",
                {.kind = Kind::kFile, .placeholder = "BASE64|@FILE"});
  command.Flag("--allow-unsigned", &options->allow_unsigned,
               "Run a library without checking a signature");
  DeclareMayNeed(command, &options->may_need);
  command.Value("--timeout-ms", &options->timeout_ms,
                "Stop when one batch takes longer (default: 0, never)",
                {.placeholder = "MS"});
  command.Value("--progress", &options->progress,
                "Progress on standard error; auto: a bar on a terminal",
                {.choices = {"auto", "plain", "json", "none"}});
  command.OnRun([options, run = std::move(run)](Console& console) {
    return run(*options, console);
  });
}

}  // namespace arrowalloy::run
