// SPDX-License-Identifier: MIT
//
// How a library is loaded: options of the command line that are passed on to a child
// process.
#ifndef ARROWALLOY_INSPECT_LOADING_H_
#define ARROWALLOY_INSPECT_LOADING_H_

#include <string>
#include <vector>

#include "../base/command.h"

namespace arrowalloy {

struct Loading {
  std::string certificate;            // base64; empty: the library is loaded unsigned
  std::vector<std::string> may_need;  // as in alloy_host_options
  bool plainly = false;               // ALLOY_LOAD_PLAINLY
  bool isolated = false;              // in worker processes
};

// Add the option --may-need to a command.
void DeclareMayNeed(Command& command, std::vector<std::string>* may_need);

// Add the option --load-plainly to a command that runs a library.
void DeclareLoadPlainly(Command& command, bool* plainly);

// Add the option --isolated to a command that runs a library.
void DeclareIsolated(Command& command, bool* isolated);

// Append the same as arguments for a child process of this program.
void AddArguments(const Loading& loading, std::vector<std::string>* command);

}  // namespace arrowalloy

#endif  // ARROWALLOY_INSPECT_LOADING_H_
