// SPDX-License-Identifier: MIT
//
// arrowalloy link: make a library from a static archive, on a machine with a compiler.
#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <string>

#include "../base/command.h"
#include "../base/destination.h"
#include "../base/engine_failure.h"
#include "../base/files.h"
#include "../base/os_error.h"
#include "../base/temporary_folder.h"
#include "../commands.h"
#include "../inspect/inspection.h"
#include "alloy/alloy.h"

namespace arrowalloy::link {
namespace {

struct Options {
  std::string archive, out;
};

constexpr size_t kMaxLibrary = size_t{1} << 30U;

Exit Run(const Options& options, Console& console) {
  Destination out({.path = options.out,
                   .mode = 0777,
                   .not_over = {{options.archive, "the archive"}}});
  if (out.is_standard_output()) console.KeepOutputForData();
  // The engine replaces its output. So it gets a file of our own, whatever `out` is.
  const TemporaryFolder folder;
  const std::string linked = folder.path() + "/linked.so";
  alloy_error error;
  if (alloy_link(options.archive.c_str(), linked.c_str(), &error) != ALLOY_OK) {
    throw EngineFailure(error, options.archive);
  }
  const LibraryFacts file = InspectForm(linked);
  out.Write(ReadFile(linked, kMaxLibrary));
  out.Finish();
  Report report;
  report.Add("library", "library", OutputName(options.out))
      .Add("size", "size", file.size)
      .Add("sha256", "sha256", file.sha256)
      .Add("needed", "needed", file.needed);
  console.PrintCreated(report);
  console.Note(
      fmt::format("Next: arrowalloy sign {} --key dev.key --cert dev.crt", options.out));
  return Exit::kOk;
}

}  // namespace

void Add(Program& program) {
  auto options = std::make_shared<Options>();
  Command& command = program.Add(
      {.name = "link",
       .summary = "Link a static archive into a shared library",
       .details =
           R"(A host can load a static archive, but then it links the archive at each load and
needs a compiler. This command links it once. Nothing of the archive runs.
Sign the library that it writes.)",
       .examples = "  arrowalloy link libscore.a -o libscore.so\n"});
  command.Value("ARCHIVE", &options->archive, "Static archive, such as libscore.a",
                {.required = true, .kind = Kind::kFile});
  command.Value("-o,--out", &options->out, "Shared library to write",
                {.required = true, .kind = Kind::kFile});
  command.OnRun([options](Console& console) { return Run(*options, console); });
}

}  // namespace arrowalloy::link
