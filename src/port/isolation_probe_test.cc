// SPDX-License-Identifier: MIT
#include "port/isolation_probe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "port/fd.h"
#include "tests/support/in_child.h"

namespace alloy::core {
namespace {

// As a container's seccomp profile does: each of these calls returns EPERM.
bool Refuse(const std::vector<uint32_t>& calls, uint32_t answer) {
  std::vector<struct sock_filter> program{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)}};
  for (const uint32_t call : calls) {
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call});
    program.push_back({BPF_RET | BPF_K, 0, 0, answer});
  }
  program.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  const struct sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                                 .filter = program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

constexpr uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kLandlockCalls[] = {444, 445, 446};

// What a process reports under such a profile.
template <typename Report>
std::string Under(const std::vector<uint32_t>& calls, uint32_t answer, Report report) {
  return InChild(
      [&] { return Refuse(calls, answer) ? report() : std::string("cannot refuse"); });
}

std::string TextOf(Restriction wanted) {
  for (const RestrictStep& step : ProbeRestrictions()) {
    if (step.restriction == wanted) return (step.reached ? "+" : "-") + step.text;
  }
  return "missing";
}

std::string NeededText() {
  std::string text;
  for (const NeededPart& part : ProbeNeededParts()) {
    if (!part.works) text += std::string(part.name) + ": " + part.text + "\n";
  }
  return text;
}

TEST(IsolationProbeTest, ThisMachineAllowsEverything) {
  EXPECT_EQ(NeededText(), "");
  EXPECT_EQ(Restrictions::All().Without(Available()).Names(), "");
  EXPECT_EQ(TextOf(Restriction::kLandlock).substr(0, 9), "+version ");
}

TEST(IsolationProbeTest, TheProcessThatAsksStaysAsItIs) {
  ASSERT_EQ(::setenv("ALLOY_TEST_STAYS", "1", 1), 0);
  struct rlimit before, after;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  (void)Available();
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_cur);
  EXPECT_NE(::getenv("ALLOY_TEST_STAYS"), nullptr);
  EXPECT_EQ(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
  Fd file;
  EXPECT_EQ(OpenForReading("/etc/hosts", &file), 0);
  EXPECT_TRUE(Fd(::socket(AF_UNIX, SOCK_STREAM, 0)));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(IsolationProbeTest, SaysWhatAContainerRefuses) {
  EXPECT_EQ(Under({std::begin(kLandlockCalls), std::end(kLandlockCalls)}, kEperm,
                  [] { return TextOf(Restriction::kLandlock); }),
            "-no_new_privs is not set, or a seccomp profile refuses Landlock: Operation "
            "not permitted");
  EXPECT_EQ(
      Under({std::begin(kLandlockCalls), std::end(kLandlockCalls)},
            SECCOMP_RET_ERRNO | ENOSYS, [] { return TextOf(Restriction::kLandlock); }),
      "-the kernel has no Landlock (CONFIG_SECURITY_LANDLOCK): Function not "
      "implemented");
  EXPECT_EQ(Under({SYS_seccomp}, kEperm, [] { return TextOf(Restriction::kSeccomp); }),
            "-no_new_privs is not set, or a seccomp profile refuses filters: Operation "
            "not permitted");
  // The other restrictions are still there.
  EXPECT_EQ(Under({444, 445, 446, SYS_seccomp}, kEperm,
                  [] { return Restrictions::All().Without(Available()).Names(); }),
            "Landlock, seccomp");
}

TEST(IsolationProbeTest, SaysWhatIsMissingForEveryIsolatedCall) {
  EXPECT_EQ(Under({SYS_pidfd_open}, kEperm, NeededText),
            "processes: pidfd_open: Operation not permitted\n");
  EXPECT_EQ(Under({SYS_memfd_create}, SECCOMP_RET_ERRNO | ENOSYS, NeededText),
            "shared memory: cannot make the segment alloy-input of " +
                std::to_string(::sysconf(_SC_PAGESIZE)) +
                " bytes: Function not implemented\n");
}

TEST(IsolationProbeTest, SurvivesAProfileThatKills) {
  EXPECT_EQ(Under({SYS_capset}, SECCOMP_RET_KILL_PROCESS,
                  [] { return TextOf(Restriction::kSeccomp); }),
            "-the process that tried it ended by signal 31");
}

}  // namespace
}  // namespace alloy::core
