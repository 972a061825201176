// SPDX-License-Identifier: MIT
//
// How a library is loaded to be asked or tested: what the command line says of it, and
// what a child process is told.
#ifndef ARROWALLOY_LOADING_H_
#define ARROWALLOY_LOADING_H_

#include <string>
#include <vector>

#include "command.h"

namespace arrowalloy {

struct Loading {
  std::string certificate;            // base64; empty: it is loaded unsigned
  std::vector<std::string> may_need;  // as alloy_host_options has it
};

// --may-need of a command.
void DeclareMayNeed(Command& command, std::vector<std::string>* may_need);

// The same as arguments for a child of this program.
void AddArguments(const Loading& loading, std::vector<std::string>* command);

}  // namespace arrowalloy

#endif  // ARROWALLOY_LOADING_H_
