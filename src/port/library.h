// SPDX-License-Identifier: MIT
//
// The system's loader, for sealed memory: what is verified is what runs. And, for
// debuggers alone, for a file.
#ifndef ALLOY_SRC_PORT_LIBRARY_H_
#define ALLOY_SRC_PORT_LIBRARY_H_

#include <string>

#include "port/fd.h"

namespace alloy::core {

enum class LoadFault {
  kNone,
  kNoProc,    // /proc is not mounted, so sealed memory has no path
  kLoader,    // the loader's own refusal
  kIdentity,  // the loader answered with another library
};

struct SymbolLookup {
  LoadFault fault = LoadFault::kNone;
  std::string text;        // of the fault
  void* symbol = nullptr;  // only when kNone
};

// Load a library out of sealed memory, for the life of the process, and look one symbol
// up. The descriptor must stay open as long: the loader knows libraries by name, and the
// name is that of the descriptor.
//
// A constructor that throws ends the process: there is no way back out of the loader.
//
// Threads  shared. Constructors of the library run on the calling thread.
SymbolLookup LoadSealed(const Fd& sealed, const char* symbol);

// The same for a file by its path. What the loader already holds under that path it gives
// again, whatever became of the file since.
SymbolLookup LoadPlainly(const std::string& path, const char* symbol);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_LIBRARY_H_
