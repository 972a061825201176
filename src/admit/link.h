// SPDX-License-Identifier: MIT
//
// From an archive in sealed memory to a shared library in sealed memory, by the compiler
// of this machine.
#ifndef ALLOY_SRC_ADMIT_LINK_H_
#define ALLOY_SRC_ADMIT_LINK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "port/fd.h"

namespace alloy::core {

// Where to look for a compiler, and how long it may take. The defaults are the ones that
// hosts get; tests have others.
struct LinkTools {
  // Absolute paths; the first that exists is used. Never PATH: the environment must not
  // choose what runs here.
  std::vector<std::string> compilers = {
      "/usr/bin/c++",       "/usr/bin/g++",       "/usr/bin/clang++",
      "/usr/local/bin/c++", "/usr/local/bin/g++", "/usr/local/bin/clang++",
      "/usr/bin/cc",        "/usr/bin/gcc",       "/usr/bin/clang",
      "/usr/local/bin/cc",  "/usr/local/bin/gcc"};
  int64_t limit_ns = int64_t{60} * 1'000'000'000;
};

// Link what alloy_backend_init needs from a sealed archive into a library that exports
// only this function. The archive must be checked before, the library afterwards.
// `path` is the archive's, for texts.
//   Gives  memory that is not sealed yet; only this process has it open.
//   Fails  REFUSED with LINK_FAILED: no compiler, the linker's own text, too long, or more
//          memory or a larger file than an archive of this size needs; or CANNOT_SEAL.
Result<Fd> LinkArchive(const Fd& archive, const std::string& path,
                       const LinkTools& tools = {});

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_LINK_H_
