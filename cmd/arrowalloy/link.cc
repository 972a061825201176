// SPDX-License-Identifier: MIT
//
// From a static archive to a library that hosts load, on a machine with a compiler.
#include <fmt/format.h>

#include <memory>
#include <string>

#include "alloy/alloy.h"
#include "command.h"
#include "commands.h"
#include "engine_failure.h"
#include "library_file.h"

namespace arrowalloy::link {
namespace {

struct Options {
  std::string archive, out;
};

Exit Run(const Options& options, Console& console) {
  alloy_error error;
  if (alloy_link(options.archive.c_str(), options.out.c_str(), &error) != ALLOY_OK) {
    throw EngineFailure(error, options.archive);
  }
  const LibraryFile file = ReadLibrary(options.out);
  Report report;
  report.Add("library", "library", options.out)
      .Add("size", "size", file.size)
      .Add("sha256", "sha256", file.sha256)
      .Add("needed", "needed", file.needed);
  console.Made(report);
  console.Note(
      fmt::format("Next: arrowalloy sign {} --key dev.key --cert dev.crt", options.out));
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "link",
       .summary = "Link a static archive into a library",
       .details =
           "As SetImplLib does with an archive, but once, where there is a compiler.\n"
           "Nothing of the archive runs. Sign the library, not the archive, then.",
       .examples = "  arrowalloy link libfoo.a -o libfoo.so\n"});
  command.Value("ARCHIVE", &options->archive, "The archive, such as libfoo.a",
                {.required = true, .kind = Kind::kFile});
  command.Value("-o,--out", &options->out, "The library to write",
                {.required = true, .kind = Kind::kFile});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::link
