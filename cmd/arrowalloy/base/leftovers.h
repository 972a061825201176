// SPDX-License-Identifier: MIT
//
// What this process must not leave behind when a signal ends it: part files, temporary
// folders, child processes. Each is registered before it exists and forgotten when it is
// finished or gone.
//
// A signal handler has no argument for an object, so the list is a global of fixed size.
//
// Threads  shared. RemoveLeftovers may also be called from a signal handler.
#ifndef ARROWALLOY_BASE_LEFTOVERS_H_
#define ARROWALLOY_BASE_LEFTOVERS_H_

#include <sys/types.h>

#include <string_view>

namespace arrowalloy {

class Leftover {
 public:
  Leftover() = default;

  // The file `name` in an open folder. The descriptor must stay open until Forget.
  static Leftover File(int folder, std::string_view name);
  // A folder with an absolute path, and the files in it.
  static Leftover Folder(std::string_view path);
  // A process group.
  static Leftover Group(pid_t group);

  Leftover(Leftover&& other) noexcept : slot_(other.slot_) { other.slot_ = -1; }
  Leftover& operator=(Leftover&& other) noexcept;
  ~Leftover() { Forget(); }

  // It is finished, or it is gone.
  void Forget() noexcept;

 private:
  int slot_ = -1;  // -1: the list was full, or nothing is registered
};

// Remove every registered file and folder, and kill every registered group, and every child
// of the main thread that has a group of its own.
void RemoveLeftovers() noexcept;

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_LEFTOVERS_H_
