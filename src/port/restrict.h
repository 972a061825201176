// SPDX-License-Identifier: MIT
//
// What a worker gives up before it loads a library, so that already the constructors of the
// library run restricted. None of it can be taken back.
//
// Each restriction is a step of its own: a kernel or a container that does not know one
// still gets the others, and the worker reports which ones it has reached.
#ifndef ALLOY_SRC_PORT_RESTRICT_H_
#define ALLOY_SRC_PORT_RESTRICT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace alloy::core {

// In the order in which they are applied. The numbers are bits of Restrictions.
enum class Restriction : uint8_t {
  kEnvironment = 0,  // no environment variables
  kCommonEnd = 1,    // the kernel kills the worker when the host's thread ends
  kDescriptors = 2,  // only the listed descriptors are open
  kOomKiller = 3,    // the first process that the kernel kills when memory runs out
  kLimits = 4,       // no core dumps, no files, few descriptors, a limited heap
  kStackSize = 5,    // of the main thread and, by default, of each new one
  kPrivileges = 6,   // no capabilities, and no way to get any
  kLandlock = 7,  // only the listed files can be opened, for reading; no TCP, no signals
  kSeccomp = 8,   // no sockets, processes, tracing, or settings of other processes
};
constexpr int kRestrictionCount = 9;

// Such as "Landlock", for texts.
const char* RestrictionName(Restriction restriction);

// A set of restrictions. It crosses to the host as a number.
class Restrictions {
 public:
  constexpr Restrictions() = default;
  constexpr explicit Restrictions(uint32_t bits) : bits_(bits) {}

  constexpr uint32_t bits() const { return bits_; }
  constexpr bool Has(Restriction one) const { return (bits_ & Bit(one)) != 0; }
  constexpr void Add(Restriction one) { bits_ |= Bit(one); }
  constexpr Restrictions Without(Restrictions others) const {
    return Restrictions(bits_ & ~others.bits_);
  }
  constexpr bool operator==(const Restrictions&) const = default;

  static constexpr Restrictions All() {
    return Restrictions((uint32_t{1} << kRestrictionCount) - 1);
  }
  // "Landlock, seccomp"; empty for an empty set. Unknown bits are left out.
  std::string Names() const;

 private:
  static constexpr uint32_t Bit(Restriction one) {
    return uint32_t{1} << static_cast<int>(one);
  }
  uint32_t bits_ = 0;
};

struct RestrictOptions {
  int host = 0;                       // its process id; the parent of this process
  std::vector<int> keep;              // descriptors that stay open, besides 0, 1 and 2
  uint64_t most_heap = 0;             // in bytes, stacks of threads included; 0: no limit
  uint64_t stack_size = 1 << 20;      // in bytes
  uint32_t most_descriptors = 1024;   // what is kept must have smaller numbers
  std::vector<std::string> readable;  // files, and folders with all in them; one that
                                      // does not exist is left out
};

struct RestrictStep {
  Restriction restriction;
  bool reached = false;
  std::string text;  // why not; else what is worth knowing, or nothing
};

// Apply these restrictions to this process. A step that fails does not stop the next ones.
// A worker ends with its host, and closes what it should not have, before it does anything
// else; the rest comes after the libraries that a backend may need are loaded.
//
// Threads  call it while the process has one thread. Else privileges and Landlock, which
//          belong to a thread, are not reached.
std::vector<RestrictStep> Restrict(const RestrictOptions& options,
                                   Restrictions wanted = Restrictions::All());

Restrictions Reached(const std::vector<RestrictStep>& steps);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_RESTRICT_H_
