// SPDX-License-Identifier: MIT
#include "port/system_call_filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace alloy::core {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Calls that are refused whatever their arguments are. Numbers without a name are younger
// than the headers of the oldest machines that Alloy is built on; above 423 they are the
// same on every machine.
constexpr uint16_t kRefused[] = {
    // Other programs and processes.
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_process_madvise, SYS_process_mrelease, SYS_kcmp, SYS_pidfd_open, SYS_pidfd_getfd,
    SYS_pidfd_send_signal, SYS_move_pages, SYS_migrate_pages, SYS_setpriority,
    SYS_ioprio_set, SYS_setpgid, SYS_setsid, SYS_unshare, SYS_setns,
    // Sockets of every kind. recvmsg stays: the host sends segments to the worker.
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept,
    SYS_accept4, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmmsg,
    // Large parts of the kernel that no function needs.
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_fanotify_init,
    SYS_name_to_handle_at, SYS_open_by_handle_at,
    // Memory that RLIMIT_DATA does not count, and that may outlive the process.
    SYS_memfd_create, SYS_memfd_secret, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget,
    SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop, SYS_semtimedop, SYS_semctl,
    SYS_mq_open, SYS_mq_unlink,
    // Limits and identity.
    SYS_setrlimit, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
    SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_personality,
    // Files: what Landlock does not handle, and what it handles, for kernels without it.
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr,
    SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    SYS_truncate, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_mknodat, SYS_linkat,
    SYS_symlinkat,
    452,  // fchmodat2
    463,  // setxattrat
    466,  // removexattrat
    469,  // file_setattr
#if defined(__x86_64__)
    // Older forms of the above.
    SYS_fork, SYS_vfork, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes,
    SYS_futimesat, SYS_unlink, SYS_rename, SYS_renameat, SYS_mkdir, SYS_rmdir, SYS_mknod,
    SYS_link, SYS_symlink, SYS_creat, SYS_uselib, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#else
    SYS_renameat,
#endif
    // Mounts.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree,
    SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
    467,  // open_tree_attr
    // The machine.
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_syslog, SYS_acct,
    SYS_quotactl, SYS_quotactl_fd, SYS_sethostname, SYS_setdomainname, SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_vhangup};

// The options of prctl that are not refused: names, and what only reads or only changes the
// calling thread for itself. The others could undo a restriction or let others trace.
constexpr uint32_t kPrctlOptions[] = {
    PR_GET_PDEATHSIG,   PR_GET_DUMPABLE,    PR_SET_NAME,
    PR_GET_NAME,        PR_GET_SECCOMP,     PR_CAPBSET_READ,
    PR_SET_TIMERSLACK,  PR_GET_TIMERSLACK,  PR_GET_NO_NEW_PRIVS,
    PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, PR_SVE_SET_VL,
    PR_SVE_GET_VL,      PR_PAC_RESET_KEYS,  PR_GET_TAGGED_ADDR_CTRL,
    0x53564d41,  // PR_SET_VMA: names of mappings
};

// With these, the kernel would send a signal to any process when data comes.
constexpr uint32_t kFcntlCommands[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

// Typing into the terminal of the host.
constexpr uint32_t kIoctlRequests[] = {TIOCSTI, TIOCLINUX};

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                 CLONE_NEWNET;

// Builds the program. Between its parts, the accumulator holds the number of the call.
class Filter {
 public:
  Filter() {
    // A call of another machine (32 bits) has other numbers.
    Load(offsetof(struct seccomp_data, arch));
    JumpIf(BPF_JEQ, kArchitecture, 1, 0);
    Return(kRefuse);
    Load(offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    constexpr uint32_t kX32 = 0x40000000;
    JumpIf(BPF_JGE, kX32, 0, 1);
    Return(kRefuse);
#endif
  }

  void Answer(uint32_t call, uint32_t answer) {
    JumpIf(BPF_JEQ, call, 0, 1);
    Return(answer);
  }

  // Look at the lower half of an argument, which is all of an int.
  void AnswerBy(uint32_t call, int argument, std::span<const uint32_t> values,
                uint32_t if_listed, uint32_t otherwise) {
    const auto count = static_cast<int>(values.size());
    JumpIf(BPF_JEQ, call, 0, count + 3);
    LoadArgument(argument);
    for (int i = 0; i < count; ++i) {
      JumpIf(BPF_JEQ, values[static_cast<size_t>(i)], count - i, 0);
    }
    Return(otherwise);
    Return(if_listed);
  }

  // Refuse the call if an argument has one of these bits.
  void RefuseBits(uint32_t call, int argument, uint32_t bits) {
    JumpIf(BPF_JEQ, call, 0, 4);
    LoadArgument(argument);
    JumpIf(BPF_JSET, bits, 0, 1);
    Return(kRefuse);
    Return(kAllow);
  }

  // Threads are allowed; processes and namespaces are not.
  void AllowOnlyThreads() {
    JumpIf(BPF_JEQ, SYS_clone, 0, 5);
    LoadArgument(0);
    JumpIf(BPF_JSET, kNamespaces, 1, 0);
    JumpIf(BPF_JSET, CLONE_THREAD, 1, 0);
    Return(kRefuse);
    Return(kAllow);
    // Its flags are in memory, where a filter cannot look. glibc then uses clone.
    Answer(SYS_clone3, kUnknown);
  }

  // Memory that RLIMIT_DATA does not count: shared without a file, and growing stacks.
  void RefuseUncountedMemory() {
    JumpIf(BPF_JEQ, SYS_mmap, 0, 6);
    LoadArgument(3);
    JumpIf(BPF_JSET, MAP_GROWSDOWN, 2, 0);
    JumpIf(BPF_JSET, MAP_ANONYMOUS, 0, 2);
    JumpIf(BPF_JSET, MAP_SHARED, 0, 1);
    Return(kRefuse);
    Return(kAllow);
  }

  // Limits can be read, not set.
  void AllowOnlyReadingLimits(uint32_t process) {
    JumpIf(BPF_JEQ, SYS_prlimit64, 0, 9);
    LoadArgument(0);
    JumpIf(BPF_JEQ, 0, 1, 0);
    JumpIf(BPF_JEQ, process, 0, 4);
    LoadArgument(2);
    JumpIf(BPF_JEQ, 0, 0, 2);
    Load(ArgumentOffset(2) + 4);
    JumpIf(BPF_JEQ, 0, 1, 0);
    Return(kRefuse);
    Return(kAllow);
  }

  void End() { Return(kAllow); }

  std::vector<struct sock_filter> program;

 private:
  static uint32_t ArgumentOffset(int argument) {
    return static_cast<uint32_t>(offsetof(struct seccomp_data, args) +
                                 sizeof(uint64_t) * static_cast<size_t>(argument));
  }
  // Both machines store the lower half first.
  void LoadArgument(int argument) { Load(ArgumentOffset(argument)); }
  void Load(size_t offset) {
    program.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)});
  }
  // How many instructions to leave out.
  void JumpIf(uint16_t test, uint32_t value, int if_true, int if_false) {
    program.push_back({static_cast<uint16_t>(BPF_JMP | BPF_K | test),
                       static_cast<uint8_t>(if_true), static_cast<uint8_t>(if_false),
                       value});
  }
  void Return(uint32_t answer) { program.push_back({BPF_RET | BPF_K, 0, 0, answer}); }
};

}  // namespace

int RestrictSystemCalls() {
  const auto self = static_cast<uint32_t>(::getpid());
  const uint32_t own[] = {0, self};
  Filter filter;
  for (const uint16_t call : kRefused) filter.Answer(call, kRefuse);
  filter.AllowOnlyThreads();
  filter.RefuseUncountedMemory();
  filter.AllowOnlyReadingLimits(self);
  // Landlock does the same, where it is there. Flags of openat2 are in memory.
  constexpr uint32_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  filter.RefuseBits(SYS_openat, 2, kWrites);
  filter.Answer(SYS_openat2, kUnknown);
#if defined(__x86_64__)
  filter.RefuseBits(SYS_open, 1, kWrites);
#endif
  filter.AnswerBy(SYS_prctl, 0, kPrctlOptions, kAllow, kRefuse);
  filter.AnswerBy(SYS_fcntl, 1, kFcntlCommands, kRefuse, kAllow);
  filter.AnswerBy(SYS_ioctl, 1, kIoctlRequests, kRefuse, kAllow);
  // A hole in a segment would take away the memory that the host has put behind it, and the
  // next access of the host would need new one.
  constexpr uint32_t kHole[] = {MADV_REMOVE};
  filter.AnswerBy(SYS_madvise, 2, kHole, kRefuse, kAllow);
  filter.RefuseBits(SYS_fallocate, 1, ~uint32_t{FALLOC_FL_KEEP_SIZE});
  // Signals: only to this process itself, by its number.
  for (const uint32_t call :
       {SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo}) {
    filter.AnswerBy(call, 0, std::span(own).subspan(1), kAllow, kRefuse);
  }
  // How the host's threads are scheduled is not for a worker to choose.
  for (const uint32_t call : {SYS_sched_setaffinity, SYS_sched_setscheduler,
                              SYS_sched_setparam, SYS_sched_setattr}) {
    filter.AnswerBy(call, 0, own, kAllow, kRefuse);
  }
  filter.End();
  const struct sock_fprog program{
      .len = static_cast<unsigned short>(filter.program.size()),
      .filter = filter.program.data()};
  // SPEC_ALLOW: kernels before 5.16 would slow down the whole worker otherwise, for an
  // attack from which a process of its own already protects.
  const long result =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
  if (result > 0) return EBUSY;  // a thread with filters of its own
  return result == 0 ? 0 : errno;
}

}  // namespace alloy::core
