// SPDX-License-Identifier: MIT
//
// The processors: how many this process may use, and how to wait on one for a moment.
#ifndef ALLOY_SRC_PORT_CPU_H_
#define ALLOY_SRC_PORT_CPU_H_

#include <string>
#include <string_view>

namespace alloy::core {

// In each turn of a loop that waits for another processor.
inline void CpuRelax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// How many processors may work for this process at the same time: those that it may run
// on, and no more than the whole ones that the quota of its cgroups pays for. At least 1.
// Reads files; ask once.
int UsableCpus();

// The part of UsableCpus that reads cgroups (v1 and v2). `groups` is the text of
// /proc/self/cgroup, and `root` is where cgroups are mounted. Returns INT_MAX if there is
// no quota.
int CpusOfQuota(std::string_view groups, const std::string& root);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_CPU_H_
