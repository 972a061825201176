// SPDX-License-Identifier: MIT
//
// What the isolated mode can use on this machine. The engine's own code tries each part, so
// that this report and a worker cannot differ; so this file includes src/port.
#include <dlfcn.h>

#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "machine.h"
#include "port/isolation_probe.h"
#include "port/own_program.h"

namespace arrowalloy {
namespace {

using alloy::core::NeededPart;
using alloy::core::Restriction;
using alloy::core::RestrictStep;

Finding Make(const std::string& part, bool fit, std::string found, std::string use,
             std::string fix) {
  return {.name = "isolation: " + part,
          .fit = fit,
          .needed = false,
          .found = std::move(found),
          .use = std::move(use),
          .fix = fit ? std::string() : std::move(fix)};
}

Finding CheckWorker() {
  Dl_info engine{};
  std::string folder;
  if (dladdr(reinterpret_cast<const void*>(&alloy_version), &engine) != 0) {
    folder = engine.dli_fname;
    folder.resize(folder.rfind('/') + 1);
  }
  const std::string worker = alloy::core::WorkerIn(folder);
  return Make("alloy-worker", !worker.empty(),
              worker.empty() ? "not found next to the engine, in " + folder : worker,
              "the isolated mode (--isolated)",
              "install the program alloy-worker next to liballoy.so");
}

std::string Allow(const std::string& calls) {
  return "let the container's seccomp profile allow " + calls;
}

Finding Describe(const NeededPart& part) {
  return Make(part.name, part.works, part.text, "the isolated mode (--isolated)",
              "use Linux 5.4 or newer; " +
                  Allow("memfd_create, pidfd_open, pidfd_send_signal and futex"));
}

Finding Describe(const RestrictStep& step) {
  const auto make = [&step](const char* use, std::string fix) {
    return Make(RestrictionName(step.restriction), step.reached,
                step.text.empty() ? "works" : step.text,
                std::string("isolated backends ") + use, std::move(fix));
  };
  switch (step.restriction) {
    case Restriction::kEnvironment:
      return make("that see no environment variable", "report this fault");
    case Restriction::kCommonEnd:
      return make("that end with their host", Allow("prctl"));
    case Restriction::kDescriptors:
      return make("that have no open file of the host", Allow("close_range"));
    case Restriction::kOomKiller:
      return make("that end before their host if memory runs out",
                  "mount -t proc proc /proc");
    case Restriction::kLimits:
      return make("with limits on heap, files and descriptors", Allow("prlimit64"));
    case Restriction::kStackSize:
      return make("with a limit on their stacks", Allow("prlimit64"));
    case Restriction::kPrivileges:
      return make("without privileges", Allow("prctl and capset"));
    case Restriction::kLandlock:
      return make(
          "that open only listed files",
          "use Linux 5.13 or newer with Landlock on; " + Allow("the calls landlock_*"));
    case Restriction::kSeccomp:
      return make("that reach no network and no other process", Allow("seccomp"));
  }
  return make("", "install a command line and an engine of the same version");
}

}  // namespace

std::vector<Finding> CheckIsolation() {
  std::vector<Finding> findings{CheckWorker()};
  for (const NeededPart& part : alloy::core::ProbeNeededParts()) {
    findings.push_back(Describe(part));
  }
  for (const RestrictStep& step : alloy::core::ProbeRestrictions()) {
    findings.push_back(Describe(step));
  }
  return findings;
}

}  // namespace arrowalloy
