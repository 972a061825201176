// SPDX-License-Identifier: MIT
#include "port/system_library.h"

#include <dlfcn.h>
#include <link.h>

namespace alloy::core {
namespace {

// The first object is the program. It names its loader, or has none.
int FindLoader(dl_phdr_info* program, size_t, void* found) {
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    if (program->dlpi_phdr[i].p_type == PT_INTERP) *static_cast<bool*>(found) = true;
  }
  return 1;  // look at no other object
}

}  // namespace

Status CheckHasLoader() {
  bool found = false;
  ::dl_iterate_phdr(FindLoader, &found);
  if (found) return Status();
  return Fail(ALLOY_UNSUPPORTED,
              "this program is linked statically, so it cannot load libraries; link it "
              "dynamically: without -static");
}

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
