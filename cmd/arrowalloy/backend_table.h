// SPDX-License-Identifier: MIT
//
// What a library says of itself. Asking it runs it, so a child process does that: the
// program itself, by a hidden command, with a time limit.
#ifndef ARROWALLOY_BACKEND_TABLE_H_
#define ARROWALLOY_BACKEND_TABLE_H_

#include <chrono>
#include <string>
#include <vector>

#include "loading.h"
#include "report.h"

namespace arrowalloy {

struct BackendTable {
  std::string name, version, language;
  std::vector<Report> functions;
};

// A certificate is judged by the engine before anything of the library runs; without one
// the library is run unsigned, as its author asks for.
//   Throws  the engine's error; E0205 for a library that crashes, or takes longer.
BackendTable ReadTable(const std::string& library, const Loading& loading,
                       std::chrono::seconds limit);

// Long enough for constructors of a large library on a slow machine.
inline constexpr std::chrono::seconds kTableLimit(20);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BACKEND_TABLE_H_
