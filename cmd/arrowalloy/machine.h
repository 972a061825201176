// SPDX-License-Identifier: MIT
//
// What this machine has: programs, libraries, features of its kernel. Each is asked for
// by use, not by version, wherever that is harmless.
#ifndef ARROWALLOY_MACHINE_H_
#define ARROWALLOY_MACHINE_H_

#include <string>
#include <vector>

namespace arrowalloy {

struct Finding {
  std::string name;  // such as "g++"
  bool fit = false;
  bool needed = true;  // false: for some uses alone, which `use` tells
  std::string found;   // such as "12.2.0", or why not
  std::string use;     // what it is for
  std::string mend;    // the command that mends it; empty when fit
};

// Libraries and programs.
std::vector<Finding> LookAtPrograms();

// What sealed loading and the isolated mode ask of the kernel.
std::vector<Finding> LookAtKernel();

// The installed SDK, for `new`.
Finding LookAtSdk();

}  // namespace arrowalloy

#endif  // ARROWALLOY_MACHINE_H_
