// SPDX-License-Identifier: MIT
//
// What this machine has: programs, libraries, features of its kernel. Where it does no
// harm, a feature is tried instead of asking for a version.
#ifndef ARROWALLOY_DOCTOR_MACHINE_H_
#define ARROWALLOY_DOCTOR_MACHINE_H_

#include <string>
#include <vector>

namespace arrowalloy {

struct Finding {
  std::string name;    // such as "g++"
  bool fit = false;    // present, and new enough
  bool needed = true;  // every load needs it; false: only what `use` names needs it
  std::string found;   // such as "12.2.0", or what is wrong
  std::string use;     // what it is for
  std::string fix;     // the command that provides it; empty when fit
};

// Libraries and programs.
std::vector<Finding> CheckPrograms();

// What sealed loading needs from the kernel.
std::vector<Finding> CheckKernel();

// What the isolated mode can use.
std::vector<Finding> CheckIsolation();

// The installed SDK, for `new`.
Finding CheckSdk();

}  // namespace arrowalloy

#endif  // ARROWALLOY_DOCTOR_MACHINE_H_
