// SPDX-License-Identifier: MIT
//
// Which parts of the isolated mode this machine allows: for arrowalloy doctor and tests.
// Each part is tried, so that what a container refuses is found too.
#ifndef ALLOY_SRC_PORT_ISOLATION_PROBE_H_
#define ALLOY_SRC_PORT_ISOLATION_PROBE_H_

#include <string>
#include <vector>

#include "port/restrict.h"

namespace alloy::core {

// One thing that no isolated call works without.
struct NeededPart {
  const char* name;
  bool works = false;
  std::string text;  // why not; else how
};
std::vector<NeededPart> ProbeNeededParts();

// The restrictions are tried in a child process; this process stays as it is.
//
// Threads  call it in a process with one thread, because it forks.
std::vector<RestrictStep> ProbeRestrictions();

inline Restrictions Available() { return Reached(ProbeRestrictions()); }

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_ISOLATION_PROBE_H_
