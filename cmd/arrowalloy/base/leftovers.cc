// SPDX-License-Identifier: MIT
#include "leftovers.h"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace arrowalloy {
namespace {

enum Kind : int { kFree, kClaimed, kFile, kFolder, kGroup };

struct Slot {
  std::atomic<int> kind{kFree};  // the other fields are set before it
  int folder = -1;
  pid_t group = 0;
  std::array<char, 512> name{};
};

// A program has one output, or two files of a key, and one child.
constexpr int kSlots = 16;
std::array<Slot, kSlots>& Slots() {
  constinit static std::array<Slot, kSlots> slots{};  // no constructor runs, and no guard
  return slots;
}

int Register(int kind, int folder, pid_t group, std::string_view name) {
  if (name.size() >= Slot().name.size()) return -1;
  for (int i = 0; i < kSlots; ++i) {
    Slot& slot = Slots()[static_cast<size_t>(i)];
    int free = kFree;
    if (!slot.kind.compare_exchange_strong(free, kClaimed)) continue;
    slot.folder = folder;
    slot.group = group;
    std::memcpy(slot.name.data(), name.data(), name.size());
    slot.name[name.size()] = '\0';
    slot.kind = kind;
    return i;
  }
  return -1;
}

// opendir allocates memory, which a signal handler must not do.
void RemoveFolder(const char* path) noexcept {
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return;
  constexpr size_t kNameAt = 19;  // struct linux_dirent64
  alignas(8) char entries[4096];
  for (;;) {
    const long got = syscall(SYS_getdents64, folder, entries, sizeof(entries));
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      uint16_t length = 0;
      std::memcpy(&length, entries + at + kNameAt - 3, sizeof(length));
      unlinkat(folder, entries + at + kNameAt, 0);
      at += length;
    }
  }
  close(folder);
  rmdir(path);
}

// The engine's compiler, which links an archive, and what else the main thread has started
// in a group of its own. A Ctrl-C of the terminal does not reach these.
void KillChildren() noexcept {
  const auto number = [](pid_t value, char* end) {  // snprintf is not for handlers
    *--end = '\0';
    for (; value > 0; value /= 10) *--end = static_cast<char>('0' + value % 10);
    return end;
  };
  std::array<char, 64> path{};
  std::array<char, 16> text{};
  std::strcat(std::strcpy(path.data(), "/proc/self/task/"),
              number(getpid(), text.data() + text.size()));
  std::strcat(path.data(), "/children");
  const int list = open(path.data(), O_RDONLY | O_CLOEXEC);
  if (list < 0) return;
  std::array<char, 4096> pids{};
  const ssize_t size = read(list, pids.data(), pids.size());
  close(list);
  pid_t pid = 0;
  for (ssize_t i = 0; i < size; ++i) {
    const char c = pids[static_cast<size_t>(i)];
    if (c >= '0' && c <= '9') {
      pid = pid * 10 + (c - '0');
    } else {
      if (pid > 1 && getpgid(pid) == pid) kill(-pid, SIGKILL);
      pid = 0;
    }
  }
}

}  // namespace

Leftover Leftover::File(int folder, std::string_view name) {
  Leftover file;
  file.slot_ = Register(kFile, folder, 0, name);
  return file;
}

Leftover Leftover::Folder(std::string_view path) {
  Leftover folder;
  folder.slot_ = Register(kFolder, -1, 0, path);
  return folder;
}

Leftover Leftover::Group(pid_t group) {
  Leftover children;
  children.slot_ = Register(kGroup, -1, group, "");
  return children;
}

Leftover& Leftover::operator=(Leftover&& other) noexcept {
  if (this != &other) {
    Forget();
    slot_ = std::exchange(other.slot_, -1);
  }
  return *this;
}

void Leftover::Forget() noexcept {
  if (slot_ >= 0) Slots()[static_cast<size_t>(slot_)].kind = kFree;
  slot_ = -1;
}

void RemoveLeftovers() noexcept {
  KillChildren();
  for (Slot& slot : Slots()) {
    switch (slot.kind.load()) {
      case kFile:
        unlinkat(slot.folder, slot.name.data(), 0);
        break;
      case kFolder:
        RemoveFolder(slot.name.data());
        break;
      case kGroup:
        kill(-slot.group, SIGKILL);
        break;
      default:
        break;
    }
  }
}

}  // namespace arrowalloy
