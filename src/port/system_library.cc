// SPDX-License-Identifier: MIT
#include "port/system_library.h"

#include <dlfcn.h>

namespace alloy::core {

void* OpenSystemLibrary(const char* name, std::string* text) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* said = ::dlerror();
    *text = said != nullptr ? said : "the loader gave no reason";
  }
  return library;
}

bool AnswersAs(void* library, const char* soname) {
  void* answer = ::dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);
  if (answer == nullptr) return false;
  ::dlclose(answer);  // only lowers its count: `library` still holds it
  return answer == library;
}

void* FindInSystemLibrary(void* library, const char* symbol) {
  return ::dlsym(library, symbol);
}

}  // namespace alloy::core
