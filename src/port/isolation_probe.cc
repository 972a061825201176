// SPDX-License-Identifier: MIT
#include "port/isolation_probe.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "port/child.h"
#include "port/fd.h"
#include "port/futex.h"
#include "port/shared_memory.h"

namespace alloy::core {
namespace {

NeededPart Part(const char* name, const Status& status, const char* how) {
  return {name, status.ok(), status.ok() ? how : status.fault().text};
}

NeededPart ProbeSharedMemory() {
  return Part("shared memory", SharedMemory::MakeForReader(1).status(),
              "memfd with seals that keep an input unchanged");
}

NeededPart ProbeProcesses() {
  return Part("processes", Child::CheckMachine(), "handles of processes (pidfd)");
}

NeededPart ProbeFutex() {
  if (HasFutex()) return {"futex", true, "shared by processes"};
  return {"futex", false, ErrorText(errno)};
}

// One line for each step: the restriction, 0 or 1, and the text.
std::string LineOf(const RestrictStep& step) {
  return std::to_string(static_cast<int>(step.restriction)) +
         (step.reached ? " 1 " : " 0 ") + step.text + "\n";
}

bool ParseLine(std::string_view line, RestrictStep* step) {
  if (line.size() < 4 || line[0] < '0' || line[0] >= '0' + kRestrictionCount)
    return false;
  step->restriction = static_cast<Restriction>(line[0] - '0');
  step->reached = line[2] == '1';
  step->text = line.substr(4);
  return true;
}
static_assert(kRestrictionCount <= 10, "one digit for each restriction");

// All are lost, because the probe could not be made, or did not survive it.
std::vector<RestrictStep> NoneReached(const std::string& why) {
  std::vector<RestrictStep> steps;
  steps.reserve(kRestrictionCount);
  for (int i = 0; i < kRestrictionCount; ++i) {
    steps.push_back({static_cast<Restriction>(i), false, why});
  }
  return steps;
}

std::string ReadAll(const Fd& pipe) {
  std::string text;
  std::array<char, 512> chunk;
  for (;;) {
    const ssize_t n = ::read(pipe.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
}

}  // namespace

std::vector<NeededPart> ProbeNeededParts() {
  return {ProbeSharedMemory(), ProbeProcesses(), ProbeFutex()};
}

std::vector<RestrictStep> ProbeRestrictions() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return NoneReached(ErrorText(errno));
  Fd reading(ends[0]), writing(ends[1]);
  const int host = ::getpid();
  // Not a program of its own, so that the probe needs no file.
  const int child = ::fork();
  if (child < 0) return NoneReached(ErrorText(errno));
  if (child == 0) {
    std::string lines;
    for (const RestrictStep& step :
         Restrict({.host = host, .keep = {writing.get()}, .readable = {}})) {
      lines += LineOf(step);
    }
    WriteLine(writing.get(), lines);
    ::_exit(0);
  }
  writing.Close();
  const std::string text = ReadAll(reading);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::vector<RestrictStep> steps;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    RestrictStep step{};
    if (ParseLine(rest.substr(0, end), &step)) steps.push_back(std::move(step));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (steps.size() == kRestrictionCount) return steps;
  return NoneReached("the process that tried it ended" +
                     (WIFSIGNALED(status)
                          ? " by signal " + std::to_string(WTERMSIG(status))
                          : std::string()));
}

}  // namespace alloy::core
