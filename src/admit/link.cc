// SPDX-License-Identifier: MIT
#include "admit/link.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>

#include "base/text.h"
#include "port/spawn.h"

namespace alloy::core {
namespace {

// The descriptors that the linker gets, by their paths.
constexpr std::string_view kArchiveFile = "/proc/self/fd/3", kMapFile = "/proc/self/fd/4",
                           kLibraryFile = "/proc/self/fd/5";
// The same as cmake/alloy_backend.map, which authors link with.
constexpr std::string_view kVersionScript =
    "{ global: alloy_backend_init; local: *; };\n";
constexpr size_t kMostOutput = 8192;
// Linking a Rust archive takes five times its size in memory, and writes less than it. The
// compiler itself takes some more.
constexpr uint64_t kMiB = uint64_t{1} << 20U;
constexpr uint64_t MostMemory(uint64_t archive) { return 512 * kMiB + 8 * archive; }
constexpr uint64_t MostWritten(uint64_t archive) { return 64 * kMiB + 2 * archive; }

Status LinkFailed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_LINK_FAILED, std::move(text));
}

Result<std::string> FindCompiler(const LinkTools& tools) {
  const auto found = std::ranges::find_if(tools.compilers, IsExecutable);
  if (found != tools.compilers.end()) return *found;
  return LinkFailed(
      "linking a static archive needs a compiler, and none was found (" +
      (tools.compilers.empty()
           ? std::string("no place to look")
           : "looked for " + tools.compilers.front() + " and similar names") +
      "); run `arrowalloy link libfoo.a -o libfoo.so` on a machine that has one, sign "
      "the library and load that, or install g++");
}

Status NoMemory(int error) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_CANNOT_SEAL,
              "cannot make memory for linking it: " + ErrorText(error));
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
      // Without PATH, this is the only way for GCC to find its linker.
      "-B/usr/bin/",
      // Intermediate code was refused, so nothing needs a plugin that reads it.
      "-fno-lto", "-Wl,-u,alloy_backend_init", "-Wl,--gc-sections",
      "-Wl,-z,noexecstack,-z,relro,-z,now,-z,defs", "-Wl,--as-needed",
      // The same archive gives the same bytes, which are loaded once.
      "-Wl,--build-id=none"};
  // This linker writes into the existing file; others replace it with a new one.
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

// What the linker printed, with the archive's own path, and without lines that add
// nothing.
std::string LinkerText(std::string output, const std::string& path) {
  ReplaceAll(&output, kArchiveFile, path);
  std::string told;
  for (std::string_view rest = output; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    for (const std::string_view speaker : {"/usr/bin/ld.bfd: ", "/usr/bin/ld: "}) {
      if (line.starts_with(speaker)) line.remove_prefix(speaker.size());
    }
    if (line.empty() || line.starts_with("collect2: error: ld returned")) continue;
    if (!told.empty()) told += "; ";
    told += Harmless(line);
  }
  return told;
}

// Which limits there are, when the text is about one.
std::string LimitText(const ProgramRun& run, std::string_view told) {
  for (const std::string_view sign :
       {"memory exhausted", "annot allocate memory", "out of memory", "virtual memory",
        "bad_alloc", "ile too large", "ile size limit", "signal 25"}) {
    if (told.find(sign) == told.npos) continue;
    return "; for an archive of this size the linker may use " +
           std::to_string(run.most_memory / kMiB) + " MiB of memory and write " +
           std::to_string(run.most_file / kMiB) +
           " MiB; link it with your own build, and load the library";
  }
  return "";
}

Status CheckEnd(const ProgramRun& run, const ProgramEnd& end, const std::string& path) {
  if (end.timed_out) {
    return LinkFailed("linking took longer than " +
                      std::to_string(run.limit_ns / 1'000'000) + " ms, so " +
                      run.program + " was killed");
  }
  if (end.exit_code == 0) return Status();
  const std::string how = end.exit_code > 0
                              ? " exited with " + std::to_string(end.exit_code)
                              : " was ended by signal " + std::to_string(end.signal);
  const std::string told = LinkerText(end.output, path);
  return LinkFailed("cannot be linked: " + run.program + how +
                    (told.empty() ? " without any output" : ": " + told) +
                    LimitText(run, told));
}

}  // namespace

Result<Fd> LinkArchive(const Fd& archive, const std::string& path,
                       const LinkTools& tools) {
  FileFacts facts;
  if (const int error = GetFileFacts(archive, &facts); error != 0) return NoMemory(error);
  const auto size = static_cast<uint64_t>(facts.size);
  ProgramRun run{.program = {},
                 .arguments = Arguments(),
                 .hand_over = {},
                 .limit_ns = tools.limit_ns,
                 .most_output = kMostOutput,
                 .most_memory = MostMemory(size),
                 .most_file = MostWritten(size)};
  ALLOY_ASSIGN_OR_RETURN(run.program, FindCompiler(tools));
  ALLOY_ASSIGN_OR_RETURN(const Fd script, VersionScript());
  Fd library;
  if (const int error = CreateSealable("alloy-backend", 0, &library); error != 0) {
    return NoMemory(error);
  }
  run.hand_over = {&archive, &script, &library};
  ProgramEnd end;
  if (const int error = RunProgram(run, &end); error == ECHILD) {
    return LinkFailed("cannot wait for " + run.program +
                      ": this process ignores SIGCHLD or reaps all children; link with "
                      "`arrowalloy link` instead");
  } else if (error != 0) {
    return LinkFailed(run.program + " cannot be run: " + ErrorText(error));
  }
  ALLOY_TRY(CheckEnd(run, end, path));
  return library;
}

}  // namespace alloy::core
