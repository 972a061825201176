// SPDX-License-Identifier: MIT
#include "port/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "port/fd.h"

namespace alloy::core {
namespace {

// <linux/landlock.h> of the oldest machines that Alloy is built on has only the first
// version. These are its numbers and structs, which are the same on every machine.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct Ruleset {
  uint64_t files;    // what is refused unless a rule allows it
  uint64_t network;  // from version 4
  uint64_t scopes;   // from version 6
};
struct [[gnu::packed]] PathRule {
  uint64_t allowed;
  int32_t file;
};

constexpr uint64_t kReadFile = 1 << 2, kReadFolder = 1 << 3;

// The rights on files that each version brought, as the number of all bits so far.
int FileBits(int version) {
  if (version >= 5) return 16;  // ioctl on devices
  if (version >= 3) return 15;  // truncate
  if (version >= 2) return 14;  // move to another folder
  return 13;
}

int AllowReading(const Fd& ruleset, const std::string& path) {
  const Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return 0;  // nothing to read
  struct stat facts;
  if (::fstat(file.get(), &facts) != 0) return errno;
  const PathRule rule{
      .allowed = S_ISDIR(facts.st_mode) ? kReadFile | kReadFolder : kReadFile,
      .file = file.get()};
  return ::syscall(kAddRule, ruleset.get(), kPathBeneath, &rule, 0) == 0 ? 0 : errno;
}

}  // namespace

int RestrictFiles(const std::vector<std::string>& readable, int* version) {
  *version = static_cast<int>(::syscall(kCreateRuleset, nullptr, 0, kAskVersion));
  if (*version < 0) return errno;
  const Ruleset wanted{.files = (uint64_t{1} << FileBits(*version)) - 1,
                       .network = 3,  // bind and connect
                       .scopes = 3};  // abstract sockets and signals
  const size_t size = *version >= 6   ? sizeof(Ruleset)
                      : *version >= 4 ? offsetof(Ruleset, scopes)
                                      : offsetof(Ruleset, network);
  const Fd ruleset(static_cast<int>(::syscall(kCreateRuleset, &wanted, size, 0)));
  if (!ruleset) return errno;
  for (const std::string& path : readable) {
    if (const int error = AllowReading(ruleset, path); error != 0) return error;
  }
  return ::syscall(kRestrictSelf, ruleset.get(), 0) == 0 ? 0 : errno;
}

}  // namespace alloy::core
