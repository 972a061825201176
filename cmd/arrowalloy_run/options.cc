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
it is complete; after an error or Ctrl-C there is no half file. It keeps the mode
of the file that it replaces, and follows symbolic links. A device, a FIFO or a
socket is written through. Without -o the result is a table on a terminal, and an
Arrow IPC stream into a pipe. A value that a format cannot hold exactly is an
error that names its column. With --json the numbers of the run are one object;
it goes to standard error if the result goes to standard output.

An input is recognised by its first bytes, whatever its name. CSV and Arrow IPC
streams may be compressed: gzip, Zstandard, LZ4, bzip2. A pipe, /dev/stdin or
<(command) can have any format.

-i takes a file, a folder, or a pattern in quotes such as 'part-*.csv'. A folder
stands for the files in it, without those that begin with . or _. Such files
are read one after another, in the order of their names, as one input. They
have the same columns, in any order, with the same types. If the function has
one input, several -i are read one after another, too; otherwise each -i is an
input of its own.

A CSV has no types. A column is read with the type of --cast, or as the function
declares it, or as the first rows look. A guess keeps every value: text in
quotes and numbers such as 007 stay text. An empty field is null, and "" is an
empty text; --null names other spellings. The first record has the names of the
columns, unless --no-header is passed: then they have the names that the
function declares, if their number fits, or f0, f1, f2, ...)",
       .examples =
           R"(  arrowalloy run tpch_rust.so q6 -i lineitem.parquet --certificate @dev.crt
  arrowalloy run aggregate_rust.so sort -i sales.csv -o sorted.parquet --set by=region --allow-unsigned
  producer | arrowalloy run score.so score -i - -o - --certificate @dev.crt | consumer
  arrowalloy run score.so score -i 'day-*.csv.gz' --delimiter ';' --null NA -o all.parquet
  arrowalloy run score.so score -i <(zcat points.csv.gz) --no-header --cast f0=float64
)"});
  command.Value("LIBRARY", &options->library, "Shared library or static archive",
                {.required = true, .kind = Kind::kFile});
  command.Value("FUNCTION", &options->function,
                "Function to run; arrowalloy inspect lists them", {.required = true});
  command.Value("-i,--input", &options->inputs,
                "File, folder or pattern to read, - for standard input; repeatable",
                {.kind = Kind::kFile, .placeholder = "IN"});
  command.Value("-o,--output", &options->output, "File to write, - for standard output",
                {.kind = Kind::kFile, .placeholder = "OUT"});
  command.Value("--format", &options->format,
                "Format that the inputs must have (default: recognised)",
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
  command.Value("--delimiter", &options->delimiter,
                "CSV inputs: between fields (default: a comma; a tab for .tsv)",
                {.placeholder = "CHARACTER|tab"});
  command.Value("--quote", &options->quote, "CSV inputs: around fields (default: \")",
                {.placeholder = "CHARACTER|none"});
  command.Value("--escape", &options->escape,
                "CSV inputs: before a character that stands for itself (default: none)",
                {.placeholder = "CHARACTER|none"});
  command.Value("--null", &options->nulls,
                "CSV inputs: a field that is null, besides an empty one; repeatable",
                {.placeholder = "TEXT"});
  command.Flag("--no-header", &options->no_header,
               "CSV inputs: the first record is a row, not the names of the columns");
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
  command.Value("--name", &options->name,
                "Refuse a backend that has another name in its table or signature",
                {.placeholder = "NAME"});
  command.Value("--min-sequence", &options->min_sequence,
                "Refuse a signature with a lower sequence: an older release",
                {.placeholder = "NUMBER"});
  command.Value("--sidecar", &options->sidecar,
                "Signature file (default: LIBRARY.alloysig)", {.kind = Kind::kFile});
  DeclareMayNeed(command, &options->may_need);
  DeclareLoadPlainly(command, &options->load_plainly);
  DeclareIsolated(command, &options->isolated);
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
