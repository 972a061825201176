// SPDX-License-Identifier: MIT
//
// The libraries that every backend may need: the runtimes of C and C++, which the host
// uses too. A backend links everything else statically, or its host allows it by name.
#ifndef ALLOY_SRC_ADMIT_RUNTIMES_H_
#define ALLOY_SRC_ADMIT_RUNTIMES_H_

#include <string_view>

namespace alloy::core {

// By its SONAME. An engine that was built with a sanitizer allows its runtime too.
bool IsRuntime(std::string_view soname);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_RUNTIMES_H_
