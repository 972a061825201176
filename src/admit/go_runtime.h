// SPDX-License-Identifier: MIT
//
// Whether a library brings the runtime of the Go language with it. A process has room for
// one such runtime: a second one takes over the signals and the thread-local storage of
// the first. It never ends, either.
#ifndef ALLOY_SRC_ADMIT_GO_RUNTIME_H_
#define ALLOY_SRC_ADMIT_GO_RUNTIME_H_

#include <cstddef>
#include <span>

#include "admit/elf_reader.h"
#include "base/result.h"

namespace alloy::core {

// Looks for two marks of the Go linker that the loader maps, so `strip` keeps them: the
// note with the build ID, and the build information in the writable data. Section headers
// are not used, because a library works without them.
//
// It protects people from a mistake. An author who removes both marks on purpose has run
// code in the process anyway.
bool HasGoRuntime(const ElfReader& elf, std::span<const std::byte> image);

// The refusal of a library with a Go runtime by a process that may not take one.
Status GoRuntimeRefused();

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_GO_RUNTIME_H_
