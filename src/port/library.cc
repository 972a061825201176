// SPDX-License-Identifier: MIT
#include "port/library.h"

#include <dlfcn.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

namespace alloy::core {
namespace {

std::string TextOfLoader() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "the loader gave no reason";
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Whether `address` lies in a mapping of the file with these facts, by /proc/self/maps.
bool IsMappedFrom(const void* address, const FileFacts& facts) {
  const std::unique_ptr<std::FILE, CloseFile> maps(std::fopen("/proc/self/maps", "re"));
  if (maps == nullptr) return false;
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  char line[512];
  bool at_start = true;  // of a line: a long path continues the previous chunk
  while (std::fgets(line, sizeof(line), maps.get()) != nullptr) {
    uintptr_t begin = 0, end = 0;
    unsigned device_major = 0, device_minor = 0;
    uint64_t inode = 0;
    const bool parsed =
        at_start && std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*x %x:%x %" SCNu64,
                                &begin, &end, &device_major, &device_minor, &inode) == 5;
    at_start = std::string_view(line).ends_with('\n');
    if (!parsed || wanted < begin || wanted >= end) continue;
    return inode == facts.inode && device_major == major(facts.device) &&
           device_minor == minor(facts.device);
  }
  return false;
}

// A constructor that throws cannot be survived: the unwinding leaves the loader's lock
// held, and every later load hangs. So the process ends here, by std::terminate. The volatile pointer makes the compiler believe that dlopen may throw.
void* OpenOrEnd(const char* path, int flags) noexcept {
  void* (*volatile open)(const char*, int) = ::dlopen;
  return open(path, flags);
}

SymbolLookup Refusal(LoadFault fault, std::string text) {
  return {.fault = fault, .text = std::move(text), .symbol = nullptr};
}

SymbolLookup OpenAndFind(const std::string& path, const char* symbol) {
  void* handle = OpenOrEnd(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Refusal(LoadFault::kLoader, TextOfLoader());
  void* address = ::dlsym(handle, symbol);
  if (address == nullptr) return Refusal(LoadFault::kLoader, TextOfLoader());
  return {.fault = LoadFault::kNone, .text = {}, .symbol = address};
}

}  // namespace

SymbolLookup LoadSealed(Cleared library, const char* symbol) {
  const int fd = library.sealed().get();
  FileFacts facts;
  const int error = GetFileFacts(library.sealed(), &facts);
  std::move(library).KeepOpen();
  if (error != 0) {
    return Refusal(LoadFault::kLoader, ErrorText(error));
  }
  // Not /proc/self: a debugger that opens this name would find its own descriptors.
  const std::string path =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
  if (::access(path.c_str(), R_OK) != 0) {
    return Refusal(
        LoadFault::kNoProc,
        "/proc is not mounted, and a library is loaded from " + path + "; mount /proc");
  }
  // glibc finds libraries by name first. If a library was loaded under this descriptor's
  // number and the descriptor was closed since, dlopen would return that old library.
  if (void* other = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD); other != nullptr) {
    ::dlclose(other);
    return Refusal(LoadFault::kIdentity,
                   "the loader already has another library with the name " + path);
  }
  SymbolLookup found = OpenAndFind(path, symbol);
  if (found.symbol != nullptr && !IsMappedFrom(found.symbol, facts)) {
    return Refusal(LoadFault::kIdentity,
                   std::string(symbol) + " of " + path + " is not in the sealed copy");
  }
  return found;
}

SymbolLookup LoadFromPath(const Cleared& library, const char* symbol) {
  const std::string& path = library.path();
  // Without a slash the loader would search its own list of folders.
  return OpenAndFind(path.find('/') == path.npos ? "./" + path : path, symbol);
}

}  // namespace alloy::core
