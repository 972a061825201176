// SPDX-License-Identifier: MIT
#include "admit/link.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>

#include "port/spawn.h"

namespace alloy::core {
namespace {

// The numbers under which the linker finds what is handed to it.
constexpr std::string_view kArchiveFile = "/proc/self/fd/3", kMapFile = "/proc/self/fd/4",
                           kLibraryFile = "/proc/self/fd/5";
// The same as cmake/alloy_backend.map, which authors link with.
constexpr std::string_view kVersionScript =
    "{ global: alloy_backend_init; local: *; };\n";
constexpr size_t kMostOutput = 8192;

Status LinkFailed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED, std::move(text));
}

Result<std::string> FindCompiler(const LinkTools& tools) {
  const auto found = std::ranges::find_if(tools.compilers, IsExecutable);
  if (found != tools.compilers.end()) return *found;
  return LinkFailed(
      "a static archive is linked where it is loaded, and there is no compiler here (" +
      (tools.compilers.empty() ? std::string("none is allowed")
                               : tools.compilers.front() + " and the like") +
      "); run `arrowalloy link libfoo.a -o libfoo.so` on a machine that has one, sign "
      "the library and load that, or install g++");
}

Status NoMemory(int error) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_SEAL,
              "no memory for linking it: " + ErrorText(error));
}

Result<Fd> VersionScript() {
  Fd script;
  int error = CreateSealable("alloy-version-script", kVersionScript.size(), &script);
  if (error == 0) error = WriteFully(script, std::as_bytes(std::span(kVersionScript)));
  if (error == 0) error = Seal(script);
  if (error != 0) return NoMemory(error);
  return script;
}

std::vector<std::string> Arguments() {
  std::vector<std::string> arguments = {
      "-shared",
      // Without PATH, GCC finds its linker by this alone.
      "-B/usr/bin/",
      // Intermediate code was refused, so nothing needs a plugin that reads it.
      "-fno-lto", "-Wl,-u,alloy_backend_init", "-Wl,--gc-sections",
      "-Wl,-z,noexecstack,-z,relro,-z,now,-z,defs", "-Wl,--as-needed",
      // The same archive gives the same bytes, which are loaded once.
      "-Wl,--build-id=none"};
  // The linker that is known to write into a file that is there, where others put a new
  // one in its place.
  if (IsExecutable("/usr/bin/ld.bfd")) arguments.emplace_back("-fuse-ld=bfd");
  arguments.push_back("-Wl,--version-script=" + std::string(kMapFile));
  arguments.emplace_back("-o");
  arguments.emplace_back(kLibraryFile);
  arguments.emplace_back(kArchiveFile);
  for (const char* library : {"-lpthread", "-ldl", "-lrt", "-lm"}) {
    arguments.emplace_back(library);
  }
  return arguments;
}

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != text->npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// The linker's words, with the names that the reader knows, and without the lines that
// say nothing but that there were others.
std::string Told(std::string output, const std::string& path) {
  std::ranges::replace_if(
      output, [](char c) { return c != '\n' && (c < 0x20 || c > 0x7e); }, '?');
  ReplaceAll(&output, kArchiveFile, path);
  std::string told;
  for (std::string_view rest = output; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    for (const std::string_view speaker : {"/usr/bin/ld.bfd: ", "/usr/bin/ld: "}) {
      if (line.starts_with(speaker)) line.remove_prefix(speaker.size());
    }
    if (line.empty() || line.starts_with("collect2: ")) continue;
    if (!told.empty()) told += "; ";
    told += line;
  }
  return told;
}

Status Judge(const ProgramRun& run, const ProgramEnd& end, const std::string& path) {
  if (end.timed_out) {
    return LinkFailed("linking it took longer than " +
                      std::to_string(run.limit_ns / 1'000'000) + " ms, and " +
                      run.program + " was ended");
  }
  if (end.exit_code == 0) return Status();
  const std::string how = end.exit_code > 0
                              ? " answered " + std::to_string(end.exit_code)
                              : " ended by signal " + std::to_string(end.signal);
  const std::string told = Told(end.output, path);
  return LinkFailed("cannot be linked: " + run.program + how +
                    (told.empty() ? " without a word" : ": " + told));
}

}  // namespace

Result<Fd> LinkArchive(const Fd& archive, const std::string& path,
                       const LinkTools& tools) {
  ProgramRun run{.program = {},
                 .arguments = Arguments(),
                 .hand_over = {},
                 .limit_ns = tools.limit_ns,
                 .most_output = kMostOutput};
  ALLOY_ASSIGN_OR_RETURN(run.program, FindCompiler(tools));
  ALLOY_ASSIGN_OR_RETURN(const Fd script, VersionScript());
  Fd library;
  if (const int error = CreateSealable("alloy-backend", 0, &library); error != 0) {
    return NoMemory(error);
  }
  run.hand_over = {&archive, &script, &library};
  ProgramEnd end;
  if (const int error = RunProgram(run, &end); error == ECHILD) {
    return LinkFailed("the end of " + run.program +
                      " cannot be seen: this program ignores SIGCHLD or waits for "
                      "children that it did not start; link with `arrowalloy link`");
  } else if (error != 0) {
    return LinkFailed(run.program + " cannot be run: " + ErrorText(error));
  }
  ALLOY_TRY(Judge(run, end, path));
  return library;
}

}  // namespace alloy::core
