// SPDX-License-Identifier: MIT
//
// The table of a backend: its name, version and functions. Reading it runs the library, so
// a child process does it, with a time limit: this program with the command read-table.
#ifndef ARROWALLOY_INSPECT_BACKEND_TABLE_H_
#define ARROWALLOY_INSPECT_BACKEND_TABLE_H_

#include <chrono>
#include <string>
#include <vector>

#include "../base/report.h"
#include "loading.h"

namespace arrowalloy {

struct BackendTable {
  std::string name, version, language;
  std::vector<Report> functions;
};

// Load a library and read its table. With a certificate the engine verifies the signature
// before the library runs. Without one the library runs unsigned, as its author wants.
//   Throws  the engine's error; E0205 for a library that crashes or exceeds the limit.
BackendTable ReadTable(const std::string& library, const Loading& loading,
                       std::chrono::seconds limit);

// Enough for the constructors of a large library on a slow machine.
inline constexpr std::chrono::seconds kTableLimit(20);

}  // namespace arrowalloy

#endif  // ARROWALLOY_INSPECT_BACKEND_TABLE_H_
