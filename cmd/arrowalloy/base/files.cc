// SPDX-License-Identifier: MIT
#include "files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include "failure.h"

namespace arrowalloy {
namespace {

std::string ErrorText() { return std::generic_category().message(errno); }

Failure CannotRead(const std::string& path, const std::string& why) {
  return Failure(Exit::kMachine, kReadCode, fmt::format("cannot read {}: {}", path, why),
                 path, fmt::format("ls -l {}", path));
}

Failure CannotWrite(const std::string& path, const std::string& why) {
  return Failure(Exit::kMachine, kWriteCode,
                 fmt::format("cannot write {}: {}", path, why), path,
                 "check that the folder exists, is writable and has room");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  int get() const { return fd_; }
  // False when written data may be lost.
  bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return close(fd) == 0;
  }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(fd) == 0 || errno == EINVAL;  // EINVAL: a pipe has no disk behind it
}

}  // namespace

std::string ReadFile(const std::string& path, size_t limit) {
  // O_NONBLOCK: a FIFO without a writer reads as empty instead of blocking.
  const Descriptor file(
      path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw CannotRead(path, ErrorText());
  std::string content;
  std::array<char, 16384> part;
  for (;;) {
    const ssize_t count = read(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw CannotRead(path, ErrorText());
    if (count == 0) return content;
    content.append(part.data(), static_cast<size_t>(count));
    if (content.size() > limit) {
      throw CannotRead(path, fmt::format("it has more than {} bytes", limit));
    }
  }
}

void CreateFile(const std::string& path, std::string_view content, mode_t mode) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0 && errno == EEXIST) {
    throw Failure(Exit::kUsage, kExistsCode,
                  fmt::format("{} exists, and is never overwritten", path), path,
                  "choose another name, or move the file away");
  }
  if (file.get() < 0) throw CannotWrite(path, ErrorText());
  if (!WriteAll(file.get(), content) || !file.Close()) {
    const std::string why = ErrorText();
    unlink(path.c_str());
    throw CannotWrite(path, why);
  }
}

void ReplaceFile(const std::string& path, std::string_view content, mode_t mode) {
  std::string part = path + ".XXXXXX";
  Descriptor file(mkostemp(part.data(), O_CLOEXEC));
  if (file.get() < 0) throw CannotWrite(path, ErrorText());
  if (!WriteAll(file.get(), content) || fchmod(file.get(), mode) != 0 || !file.Close() ||
      std::rename(part.c_str(), path.c_str()) != 0) {
    const std::string why = ErrorText();
    unlink(part.c_str());
    throw CannotWrite(path, why);
  }
}

}  // namespace arrowalloy
