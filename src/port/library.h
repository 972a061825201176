// SPDX-License-Identifier: MIT
//
// The system's loader. It takes only a Cleared, so what was verified is what runs.
//
// A constructor of a library that throws ends the process: there is no way back out of
// the loader.
//
// Threads  shared. Constructors of the library run on the calling thread.
#ifndef ALLOY_SRC_PORT_LIBRARY_H_
#define ALLOY_SRC_PORT_LIBRARY_H_

#include <string>

#include "port/cleared.h"

namespace alloy::core {

enum class LoadFault {
  kNone,
  kNoProc,        // no path in /proc leads to the sealed memory
  kLoader,        // the loader's own refusal
  kIdentity,      // the loader has another library of this name; nothing was loaded
  kWrongMapping,  // the loader mapped another file, and its constructors may have run
};

struct SymbolLookup {
  LoadFault fault = LoadFault::kNone;
  std::string text;        // of the fault
  void* symbol = nullptr;  // only when kNone
};

// Load a library from its sealed copy, for the life of the process, and find one symbol.
// The path that the loader gets leads to the sealed copy, whatever is mounted on /proc.
//
//   Takes  library. Its descriptor stays open as long as the loader knows its name, which
//          is the name of the descriptor. A load that the loader refuses keeps nothing.
SymbolLookup LoadSealed(Cleared library, const char* symbol);

// Load a library from its path instead, past the sealed copy: for debuggers and
// profilers, which can find the file then. Anyone who can write the file decides what
// runs. A path that the loader already holds gives that library, even if the file has
// changed.
SymbolLookup LoadFromPath(const Cleared& library, const char* symbol);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_LIBRARY_H_
