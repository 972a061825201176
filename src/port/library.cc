// SPDX-License-Identifier: MIT
#include "port/library.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
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
using OwnedFile = std::unique_ptr<std::FILE, CloseFile>;

// The mappings of this process. qemu-user replaces /proc/self/maps by a copy of the time of
// opening, and leaves this name alone.
constexpr char kMaps[] = "/proc/thread-self/maps";

// Whether `address` lies in a mapping of the file with these facts. `maps` is
// kMaps, which gives the mappings at the time of reading.
bool IsMappedFrom(std::FILE* maps, const void* address, const FileFacts& facts) {
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  char line[512];
  bool at_start = true;  // of a line: a long path continues the previous chunk
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
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

// 0 if `path` leads to the file with these facts; ESTALE if it leads to another one.
int LeadsTo(const std::string& path, const FileFacts& facts) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return errno;
  return found.st_dev == facts.device && found.st_ino == facts.inode ? 0 : ESTALE;
}

// Why neither path leads to the sealed memory; `error` is that of the one in /proc/self.
std::string NoPathText(const std::string& path, int error) {
  constexpr auto kProcMagic = 0x9fa0;  // PROC_SUPER_MAGIC of <linux/magic.h>
  const std::string what = "cannot load from sealed memory: ";
  struct statfs mounted;
  if (::statfs("/proc", &mounted) != 0 || mounted.f_type != kProcMagic) {
    return what +
           "the proc file system is not mounted on /proc; mount it: mount -t proc "
           "proc /proc";
  }
  char self[32];
  if (::readlink("/proc/self", self, sizeof(self)) < 0 && errno == ENOENT) {
    return what +
           "/proc belongs to another PID namespace, which does not know this "
           "process; mount the one of this namespace: mount -t proc proc /proc";
  }
  if (error == ESTALE) {
    return what + path +
           " is another file; something is mounted over it, or /proc belongs to another "
           "PID namespace; mount /proc again";
  }
  return what + path + ": " + ErrorText(error) +
         (error == EACCES || error == EPERM
              ? "; let this process read its own /proc/self/fd"
              : "");
}

// The path by which the loader can open a descriptor of this process. Empty: there is
// none, and `text` is why.
std::string PathOf(const Fd& sealed, const FileFacts& facts, std::string* text) {
  const std::string number = std::to_string(sealed.get());
  // Not /proc/self at first: a debugger that opens this name would find its own
  // descriptors. But where /proc belongs to another PID namespace, this process has
  // another number there, and the path may be a file of any other process.
  std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + number;
  if (LeadsTo(path, facts) == 0) return path;
  path = "/proc/self/fd/" + number;
  const int error = LeadsTo(path, facts);
  if (error == 0) return path;
  *text = NoPathText(path, error);
  return {};
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

SymbolLookup Find(void* handle, const char* symbol) {
  void* address = handle != nullptr ? ::dlsym(handle, symbol) : nullptr;
  if (address == nullptr) return Refusal(LoadFault::kLoader, TextOfLoader());
  return {.fault = LoadFault::kNone, .text = {}, .symbol = address};
}

// Whether the loader has a library of this name, by which it would answer.
bool IsKnown(const std::string& path) {
  void* known = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (known == nullptr) return false;
  ::dlclose(known);  // only lowers its count
  return true;
}

}  // namespace

SymbolLookup LoadSealed(Cleared library, const char* symbol) {
  FileFacts facts;
  if (const int error = GetFileFacts(library.sealed(), &facts); error != 0) {
    return Refusal(LoadFault::kLoader, ErrorText(error));
  }
  std::string text;
  const std::string path = PathOf(library.sealed(), facts, &text);
  if (path.empty()) return Refusal(LoadFault::kNoProc, std::move(text));
  // Opened before the library runs: what was loaded must be compared afterwards.
  const OwnedFile maps(std::fopen(kMaps, "re"));
  if (maps == nullptr) {
    return Refusal(LoadFault::kNoProc, std::string(kMaps) + ": " + ErrorText(errno) +
                                           "; without it, what the loader has mapped "
                                           "cannot be checked");
  }
  // glibc finds libraries by name first. If a library was loaded under this descriptor's
  // number and the descriptor was closed since, dlopen would return that old library. The
  // number stays in use, so that the next load gets another one.
  if (IsKnown(path)) {
    std::move(library).KeepOpen();
    return Refusal(LoadFault::kIdentity,
                   "the loader already has another library with the name " + path);
  }
  void* handle = OpenOrEnd(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  SymbolLookup found = Find(handle, symbol);
  if (handle != nullptr || IsKnown(path)) std::move(library).KeepOpen();
  if (found.symbol != nullptr && !IsMappedFrom(maps.get(), found.symbol, facts)) {
    return Refusal(LoadFault::kWrongMapping,
                   std::string(symbol) + " of " + path + " is not in the sealed copy");
  }
  return found;
}

SymbolLookup LoadFromPath(const Cleared& library, const char* symbol) {
  const std::string& path = library.path();
  // Without a slash the loader would search its own list of folders.
  const std::string name = path.find('/') == path.npos ? "./" + path : path;
  return Find(OpenOrEnd(name.c_str(), RTLD_NOW | RTLD_LOCAL), symbol);
}

}  // namespace alloy::core
