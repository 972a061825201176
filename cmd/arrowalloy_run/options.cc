// SPDX-License-Identifier: MIT
#include "options.h"

#include <memory>
#include <utility>

#include "../arrowalloy/loading.h"
#include "format.h"

namespace arrowalloy::run {

void Declare(Program& program, std::function<Exit(const Options&, Console&)> run) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "run",
       .summary = "Run a function of a backend on files, pipes and tables",
       .details =
           "Reads Parquet, CSV and Arrow IPC, batch by batch and no more than the "
           "function\n"
           "asks for; of a function that declares its columns, these alone. An output "
           "file\n"
           "appears whole or not at all. Without -o the result is a table on a terminal, "
           "and\n"
           "an Arrow IPC stream into a pipe.",
       .examples =
           "  arrowalloy run tpch_rust.so q6 -i lineitem.parquet --certificate @dev.crt\n"
           "  arrowalloy run aggregate_rust.so sort -i sales.csv -o sorted.parquet --set "
           "by=region --allow-unsigned\n"
           "  producer | arrowalloy run score.so score -i - -o - --certificate @dev.crt "
           "| consumer\n"});
  command.Value("LIBRARY", &options->library, "The backend",
                {.required = true, .kind = Kind::kFile});
  command.Value("FUNCTION", &options->function, "The function; inspect lists them",
                {.required = true});
  command.Values("-i,--input", &options->inputs,
                 "A file to read, or - for an Arrow IPC stream on standard input; once "
                 "for each input of the function",
                 {.kind = Kind::kFile, .placeholder = "IN"});
  command.Value("-o,--output", &options->output,
                "The file to write, or - for an Arrow IPC stream on standard output",
                {.kind = Kind::kFile, .placeholder = "OUT"});
  command.Value("--format", &options->format,
                "What the inputs are; else their endings say it",
                {.choices = FormatNames(/*output=*/false)});
  command.Value("--out-format", &options->out_format,
                "What the output is; else its ending says it",
                {.choices = FormatNames(/*output=*/true)});
  command.Values("--set", &options->values, "The value of an option of the function",
                 {.placeholder = "KEY=VALUE"});
  command.Values("--columns", &options->columns,
                 "Read these columns alone, in this order; names with commas between",
                 {.placeholder = "NAMES"});
  command.Values("--cast", &options->casts,
                 "Read a column as another type, such as price=float64",
                 {.placeholder = "COLUMN=TYPE"});
  command.Value("--limit", &options->limit, "Read no more rows of each input; -1: all",
                {.placeholder = "ROWS"});
  command.Value("--batch-rows", &options->batch_rows, "The most rows of one batch",
                {.placeholder = "ROWS"});
  command.Value("--certificate", &options->certificate,
                "Whose signature is trusted: base64 of a certificate, or @FILE",
                {.placeholder = "B64|@FILE"});
  command.Flag("--allow-unsigned", &options->allow_unsigned,
               "Run a library that nobody vouches for");
  DeclareMayNeed(command, &options->may_need);
  command.Value("--timeout-ms", &options->timeout_ms,
                "Give up when a batch takes longer; 0: never", {.placeholder = "MS"});
  command.Value("--progress", &options->progress,
                "How far it has come, on standard error",
                {.choices = {"auto", "plain", "json", "none"}});
  command.OnRun([options, run = std::move(run)](Console& console) {
    return run(*options, console);
  });
}

}  // namespace arrowalloy::run
