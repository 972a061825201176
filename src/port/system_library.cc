// SPDX-License-Identifier: MIT
#include "port/system_library.h"

#include <dlfcn.h>

namespace alloy::core {

void* OpenSystemLibrary(const char* soname, std::string* text) {
  void* library = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* said = ::dlerror();
    *text = said != nullptr ? said : "the loader gave no reason";
  }
  return library;
}

void* FindInSystemLibrary(void* library, const char* symbol) {
  return ::dlsym(library, symbol);
}

}  // namespace alloy::core
