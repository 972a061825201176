// SPDX-License-Identifier: MIT
#include "port/program_start.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace alloy::core {
namespace {

constexpr int kFirstHandedOver = 3;

std::string PathOfDescriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// posix_spawn wants char*, and does not write.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.data()));
  pointers.push_back(nullptr);
  return pointers;
}

int DuplicateAbove(const Fd& fd, int least, Fd* out) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, least);
  if (copy < 0) return errno;
  *out = Fd(copy);
  return 0;
}

// What ends at once when it is read: a pipe that nobody writes to. A host in an empty
// folder has no /dev/null.
int OpenNothing(Fd* out) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  *out = AboveStandard(ends[0]);
  ::close(ends[1]);
  return *out ? 0 : EMFILE;
}

// How the child starts. Every step may run out of memory; the first error is kept.
class Plan {
 public:
  Plan() {
    Keep(::posix_spawn_file_actions_init(&actions_));
    Keep(::posix_spawnattr_init(&attributes_));
  }
  ~Plan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // All of them lie above every number that is given to the child.
  int Make(const Fd& input, const Fd& output, const std::vector<Fd>& handed_over,
           const Fd& image) {
    int next = kFirstHandedOver;
    Keep(::posix_spawn_file_actions_addchdir_np(&actions_, "/"));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, input.get(), 0));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 1));
    Keep(::posix_spawn_file_actions_adddup2(&actions_, output.get(), 2));
    for (const Fd& fd : handed_over) {
      Keep(::posix_spawn_file_actions_adddup2(&actions_, fd.get(), next++));
    }
    if (image) {
      // dup2 would leave it open in the program. All numbers below are in use, so this
      // gets exactly `next`, and no dup2 follows that would clear O_CLOEXEC.
      image_path_ = PathOfDescriptor(next);
      Keep(::posix_spawn_file_actions_addopen(&actions_, next,
                                              PathOfDescriptor(image.get()).c_str(),
                                              O_RDONLY | O_CLOEXEC, 0));
      ++next;
    }
    Keep(::posix_spawn_file_actions_addclosefrom_np(&actions_, next));
    // The child gets default signal handling, whatever the host ignores or blocks. It
    // gets its own group, so that everything it starts can be killed with it.
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    Keep(::posix_spawnattr_setsigmask(&attributes_, &none));
    Keep(::posix_spawnattr_setsigdefault(&attributes_, &all));
    Keep(::posix_spawnattr_setpgroup(&attributes_, 0));
    Keep(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP));
    return error_;
  }

  int Start(const ProgramStart& start, pid_t* pid) {
    const std::string& path = image_path_.empty() ? start.program : image_path_;
    return ::posix_spawn(pid, path.c_str(), &actions_, &attributes_,
                         Pointers(start.arguments).data(),
                         Pointers(start.environment).data());
  }

 private:
  void Keep(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  std::string image_path_;
  int error_ = 0;
};

}  // namespace

int StartProgram(const ProgramStart& start, int* pid, Fd* output) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  Fd reading = AboveStandard(ends[0]), writing = AboveStandard(ends[1]);
  if (!reading || !writing) return EMFILE;
  // The child's end blocks, as programs expect.
  if (::fcntl(writing.get(), F_SETFL, 0) != 0) return errno;

  // Above every number that the child gets, so that no copy overwrites what comes next.
  const int least = kFirstHandedOver + static_cast<int>(start.hand_over.size()) + 1;
  Fd nothing, input_copy, output_copy, image_copy;
  std::vector<Fd> handed_over(start.hand_over.size());
  int error = OpenNothing(&nothing);
  if (error == 0) error = DuplicateAbove(nothing, least, &input_copy);
  if (error == 0) error = DuplicateAbove(writing, least, &output_copy);
  if (error == 0 && start.image != nullptr) {
    error = DuplicateAbove(*start.image, least, &image_copy);
  }
  for (size_t i = 0; error == 0 && i < handed_over.size(); ++i) {
    error = DuplicateAbove(*start.hand_over[i], least, &handed_over[i]);
  }
  if (error != 0) return error;

  Plan plan;
  error = plan.Make(input_copy, output_copy, handed_over, image_copy);
  if (error == 0) error = plan.Start(start, pid);
  if (error == 0) *output = std::move(reading);
  return error;
}

}  // namespace alloy::core
