// SPDX-License-Identifier: MIT
#include "files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "descriptor.h"
#include "destination.h"
#include "failure.h"
#include "os_error.h"

namespace arrowalloy {
std::string ReadFile(const std::string& path, size_t limit) {
  // O_NONBLOCK: a FIFO without a writer reads as empty instead of blocking.
  const Descriptor file(
      path == "-" ? STDIN_FILENO
                  : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0) throw CannotRead(path, errno);
  std::string content;
  std::array<char, 16384> part;
  for (;;) {
    const ssize_t count = read(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // its writer has not written yet
      pollfd waited{.fd = file.get(), .events = POLLIN, .revents = 0};
      poll(&waited, 1, -1);
      continue;
    }
    if (count < 0) throw CannotRead(path, errno);
    if (count == 0) return content;
    content.append(part.data(), static_cast<size_t>(count));
    if (content.size() > limit) {
      const std::string name = InputName(path);
      throw Failure(Exit::kMachine, kReadCode,
                    fmt::format("cannot read {}: it has more than {} bytes", name, limit),
                    name, "check that this is the file you mean");
    }
  }
}

void CreateFile(const std::string& path, std::string_view content, mode_t mode) {
  Destination file({.path = path, .mode = mode, .only_new = true});
  file.Write(content);
  file.Finish();
}

}  // namespace arrowalloy
