// SPDX-License-Identifier: MIT
//
// Loads libraries in a fresh process, under what its first word says.
//
//   load LIBRARY CERTIFICATE
//   noexec 0|1|2 …   with that setting of vm.memfd_noexec
//   noproc …         without /proc
//   limit BYTES …    with that limit on the size of files
//   reuse LIBRARY OTHER CERTIFICATE  the second after the descriptors of the first went
//   name LIBRARY CERTIFICATE         tells the rows of its answer
//   full ARCHIVE FOLDER              links into a file system without room
//   foreign EVIL LIBRARY CERTIFICATE in a PID namespace with the outer /proc, where the
//                                    process of its number holds EVIL open
//   inner …          with the /proc of a PID namespace that does not know this process
//   private …        with a /proc/self/fd that this user may not enter
//   planted EVIL …   with EVIL in place of every descriptor of /proc/self/fd
//   again LIBRARY OTHER CERTIFICATE  the second after the first, with another bridge
//
// Writes `loaded VERSION` or `refused REASON`, and the text after a ` # ` where it matters;
// ends with 77 where it may not try.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "alloy/alloy.hpp"
#include "tests/attacks/mode.h"

// A name that a victim has too.
extern "C" __attribute__((visibility("default"))) int alloy_attack_shared();
int alloy_attack_shared() { return 1; }

namespace {

using attacks::NewBridge;
using Words = std::vector<std::string>;
namespace fs = std::filesystem;

void Must(bool condition, const char* what) {
  if (condition) return;
  std::printf("%s: %s\n", what, std::strerror(errno));
  std::exit(77);
}

int Load(alloy::Bridge& bridge, const std::string& library,
         const std::string& certificate) {
  const alloy::Status status = bridge.SetImplLib(library, certificate);
  if (!status.ok()) {
    std::printf("refused %s\n", alloy_reason_name(status.reason()));
    return 0;
  }
  const alloy_backend* backend = nullptr;
  alloy_bridge_backend(bridge.get(), &backend, nullptr);
  std::printf("loaded %s\n", backend->version);
  return 0;
}

int LoadWithText(alloy::Bridge& bridge, const std::string& library,
                 const std::string& certificate) {
  const alloy::Status status = bridge.SetImplLib(library, certificate);
  if (status.ok()) {
    std::puts("loaded");
  } else {
    std::printf("refused %s # %s\n", alloy_reason_name(status.reason()),
                std::string(status.text()).c_str());
  }
  std::fflush(stdout);
  return 0;
}

int LoadOneWithText(const std::string& library, const std::string& certificate) {
  alloy::Bridge bridge = NewBridge(alloy::Host(alloy::HostOptions{}));
  return LoadWithText(bridge, library, certificate);
}

int LoadOne(const std::string& library, const std::string& certificate) {
  alloy::Bridge bridge = NewBridge(alloy::Host(alloy::HostOptions{}));
  return Load(bridge, library, certificate);
}

// In namespaces of its own for mounts and processes; the child's end is this one's.
int NoExec(const Words& words) {
  Must(::unshare(CLONE_NEWNS | CLONE_NEWPID) == 0, "unshare");
  const pid_t child = ::fork();
  if (child == 0) {
    Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
    Must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "mount /proc");
    const int fd = ::open("/proc/sys/vm/memfd_noexec", O_WRONLY | O_CLOEXEC);
    Must(fd >= 0 && ::write(fd, words[1].data(), 1) == 1, "vm.memfd_noexec");
    ::close(fd);
    LoadOne(words[2], words[3]);
    std::fflush(stdout);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int NoProc(const Words& words) {
  Must(::unshare(CLONE_NEWNS) == 0, "unshare");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
  Must(::mount("none", "/proc", "tmpfs", 0, nullptr) == 0, "mount over /proc");
  return LoadOne(words[1], words[2]);
}

// A process of this namespace that has the file open under every small number, until it
// is killed.
pid_t Holder(const std::string& file) {
  int ready[2];
  Must(::pipe(ready) == 0, "pipe");
  const pid_t holder = ::fork();
  if (holder == 0) {
    const int fd = ::open(file.c_str(), O_RDONLY);
    for (int number = 3; number < 64; ++number) {
      if (number != fd && number != ready[1]) ::dup2(fd, number);
    }
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  Must(::read(ready[0], &byte, 1) == 1, "holder");
  ::close(ready[0]);
  ::close(ready[1]);
  return holder;
}

int EndOf(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// The next process of this PID namespace gets the number `wanted`.
bool ChooseNextPid(pid_t wanted) {
  const int fd = ::open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  const std::string text = std::to_string(wanted - 1);
  const bool chosen = fd >= 0 && ::write(fd, text.data(), text.size()) ==
                                     static_cast<ssize_t>(text.size());
  ::close(fd);
  return chosen;
}

int Foreign(const Words& words) {
  const pid_t holder = Holder(words[1]);
  int code = 77;
  if (::unshare(CLONE_NEWPID) == 0) {
    const pid_t first = ::fork();  // 1 of the namespace, which ends with it
    if (first == 0) {
      if (!ChooseNextPid(holder)) ::_exit(77);
      const pid_t loader = ::fork();
      if (loader == 0) {
        if (::getpid() != holder) ::_exit(77);
        LoadOneWithText(words[2], words[3]);
        ::_exit(0);
      }
      ::_exit(EndOf(loader));
    }
    code = EndOf(first);
  }
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  if (code == 77) std::puts("no PID namespace, or its numbers cannot be chosen");
  return code;
}

int Inner(const Words& words) {
  Must(::unshare(CLONE_NEWNS | CLONE_NEWPID) == 0, "unshare");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
  int ready[2];
  Must(::pipe(ready) == 0, "pipe");
  const pid_t inner = ::fork();
  if (inner == 0) {
    const bool mounted = ::mount("proc", "/proc", "proc", 0, nullptr) == 0;
    (void)!::write(ready[1], mounted ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char answer = 'n';
  const bool mounted = ::read(ready[0], &answer, 1) == 1 && answer == 'y';
  if (mounted) LoadOneWithText(words[1], words[2]);
  ::kill(inner, SIGKILL);
  ::waitpid(inner, nullptr, 0);
  Must(mounted, "mount /proc");
  return 0;
}

int Private(const Words& words) {
  Must(::unshare(CLONE_NEWNS) == 0, "unshare");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
  Must(::mount("none", "/proc/self/fd", "tmpfs", 0, "mode=700") == 0, "mount");
  Must(::setuid(65534) == 0, "setuid");
  return LoadOneWithText(words[1], words[2]);
}

int Planted(const Words& words) {
  Must(::unshare(CLONE_NEWNS) == 0, "unshare");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
  Must(::mount("none", "/proc/self/fd", "tmpfs", 0, nullptr) == 0, "mount");
  for (int number = 0; number < 64; ++number) {
    fs::copy_file(words[1], "/proc/self/fd/" + std::to_string(number));
  }
  return LoadOneWithText(words[2], words[3]);
}

int Again(const Words& words) {
  const alloy::Host host{alloy::HostOptions{}};
  alloy::Bridge one = NewBridge(host), two = NewBridge(host), three = NewBridge(host);
  LoadWithText(one, words[1], words[3]);
  LoadWithText(two, words[2], words[3]);
  return LoadWithText(three, words[1], words[3]);
}

int Limit(const Words& words) {
  struct rlimit limit{};
  limit.rlim_cur = limit.rlim_max = std::stoul(words[1]);
  Must(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
  return LoadOne(words[2], words[3]);
}

int Reuse(const Words& words) {
  const alloy::Host host{alloy::HostOptions{}};
  alloy::Bridge one = NewBridge(host), two = NewBridge(host);
  Load(one, words[1], words[3]);
  // As a host with a bug does, that closes what is not its own.
  for (int fd = 3; fd < 256; ++fd) {
    std::error_code error;
    const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (target.string().starts_with("/memfd:alloy-backend")) ::close(fd);
  }
  return Load(two, words[2], words[3]);
}

int Name(const Words& words) {
  alloy::Bridge bridge = NewBridge(alloy::Host(alloy::HostOptions{}));
  Load(bridge, words[1], words[2]);
  const auto answer =
      bridge.Call("answer", *alloy::MakeBatch({{"x", alloy::MakeArray<int64_t>({1})}}));
  if (!answer.ok()) return 1;
  std::printf("answer %lld, host %d\n", static_cast<long long>(answer->rows()),
              alloy_attack_shared());
  return 0;
}

int Full(const Words& words) {
  Must(::unshare(CLONE_NEWNS) == 0, "unshare");
  Must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount");
  Must(::mount("none", words[2].c_str(), "tmpfs", 0, "size=8k") == 0, "mount");
  alloy_error error{};
  const alloy_code code =
      alloy_link(words[1].c_str(), (words[2] + "/out.so").c_str(), &error);
  const std::string text = error.text;
  std::printf("%s: %s, %d files\n", code == ALLOY_OK ? "linked" : "refused",
              text.substr(text.rfind(": ") + 2).c_str(),
              static_cast<int>(std::distance(fs::directory_iterator(words[2]), {})));
  return 0;
}

}  // namespace

#ifdef __SANITIZE_ADDRESS__
// The search for leaks at the end of a process needs /proc and a process tree of its own,
// which are what is taken away here.
extern "C" __attribute__((visibility("default"))) int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return 1; }
#endif

int main(int argc, char** argv) {
  const Words words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "load") return LoadOne(words[1], words[2]);
  if (words.size() == 4 && words[0] == "noexec") return NoExec(words);
  if (words.size() == 3 && words[0] == "noproc") return NoProc(words);
  if (words.size() == 4 && words[0] == "limit") return Limit(words);
  if (words.size() == 4 && words[0] == "reuse") return Reuse(words);
  if (words.size() == 3 && words[0] == "name") return Name(words);
  if (words.size() == 3 && words[0] == "full") return Full(words);
  if (words.size() == 4 && words[0] == "foreign") return Foreign(words);
  if (words.size() == 3 && words[0] == "inner") return Inner(words);
  if (words.size() == 3 && words[0] == "private") return Private(words);
  if (words.size() == 4 && words[0] == "planted") return Planted(words);
  if (words.size() == 4 && words[0] == "again") return Again(words);
  std::puts("see the head of attack_loader.cc");
  return 2;
}
