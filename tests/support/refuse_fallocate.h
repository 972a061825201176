// SPDX-License-Identifier: MIT
//
// A machine that has no memory behind large pieces of shared memory. Such a machine kills a
// process that touches them (strict overcommit), so a test asks whether they are asked for.
#ifndef ALLOY_TESTS_SUPPORT_REFUSE_FALLOCATE_H_
#define ALLOY_TESTS_SUPPORT_REFUSE_FALLOCATE_H_

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace support {

// From now on fallocate of more than `most` bytes returns ENOSPC in this thread, in threads
// that it starts, and in child processes. There is no way back. False: seccomp is not allowed.
inline bool RefuseFallocateAbove(uint32_t most) {
  constexpr uint32_t kLength = offsetof(struct seccomp_data, args) + 3 * sizeof(uint64_t);
  struct sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_fallocate},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kLength},
      {BPF_JMP | BPF_JGT | BPF_K, 0, 1, most},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSPC},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const struct sock_fprog filter = {6, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace support

#endif  // ALLOY_TESTS_SUPPORT_REFUSE_FALLOCATE_H_
