// SPDX-License-Identifier: MIT
#include "port/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>  // NOLINT(modernize-deprecated-headers): timespec
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

// Younger than the headers of the oldest machines that Alloy is built on.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace alloy::core {

void FdTraits::Close(int fd) { ::close(fd); }

Fd AboveStandard(int fd) {
  constexpr int kFirst = 3;
  if (fd < 0 || fd >= kFirst) return Fd(fd < 0 ? FdTraits::kNone : fd);
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirst);
  const int error = errno;
  ::close(fd);
  errno = error;
  return Fd(copy);
}

std::string ErrorText(int error) { return std::generic_category().message(error); }

const char* FileKindName(FileKind kind) {
  switch (kind) {
    case FileKind::kRegular:
      return "a regular file";
    case FileKind::kFolder:
      return "a folder";
    case FileKind::kDevice:
      return "a device";
    case FileKind::kPipe:
      return "a pipe";
    case FileKind::kSocket:
      return "a socket";
    case FileKind::kOther:
      break;
  }
  return "not a regular file";
}

int OpenForReading(const std::string& path, Fd* out) {
  // O_NONBLOCK: opening a FIFO does not wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  *out = AboveStandard(fd);
  return *out ? 0 : errno;
}

int GetFileFacts(const Fd& fd, FileFacts* out) {
  struct stat facts;
  if (::fstat(fd.get(), &facts) != 0) return errno;
  out->size = facts.st_size;
  out->device = facts.st_dev;
  out->inode = facts.st_ino;
  if (S_ISREG(facts.st_mode)) {
    out->kind = FileKind::kRegular;
  } else if (S_ISDIR(facts.st_mode)) {
    out->kind = FileKind::kFolder;
  } else if (S_ISCHR(facts.st_mode) || S_ISBLK(facts.st_mode)) {
    out->kind = FileKind::kDevice;
  } else if (S_ISFIFO(facts.st_mode)) {
    out->kind = FileKind::kPipe;
  } else if (S_ISSOCK(facts.st_mode)) {
    out->kind = FileKind::kSocket;
  } else {
    out->kind = FileKind::kOther;
  }
  return 0;
}

int ReadFully(const Fd& fd, std::span<std::byte> bytes, size_t* done) {
  *done = 0;
  while (*done < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + *done, bytes.size() - *done);
    if (n == 0) return 0;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    *done += static_cast<size_t>(n);
  }
  return 0;
}

int CountHoles(const Fd& fd, int64_t size, int64_t most, int64_t* holes) {
  *holes = 0;
  for (int64_t at = 0; at < size && *holes <= most;) {
    const off_t hole = ::lseek(fd.get(), at, SEEK_HOLE);
    if (hole < 0 && errno == EINVAL) break;  // a file system that does not know holes
    if (hole < 0 && errno == ENXIO) break;   // the file was cut meanwhile
    if (hole < 0) return errno;
    if (hole >= size) break;
    off_t data = ::lseek(fd.get(), hole, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return errno;
    if (data < 0 || data > size) data = size;  // no data follows
    *holes += data - hole;
    at = data;
  }
  return ::lseek(fd.get(), 0, SEEK_SET) == 0 ? 0 : errno;
}

int CreateSealable(const char* name, int64_t size, Fd* out) {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < static_cast<rlim_t>(size)) {
    return EFBIG;
  }
  int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  // EINVAL: a kernel before 6.3 does not know MFD_NOEXEC_SEAL.
  if (fd < 0 && errno == EINVAL) {
    fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  }
  *out = AboveStandard(fd);
  return *out ? 0 : errno;
}

int WriteFully(const Fd& fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return 0;
}

int Seal(const Fd& fd) {
  constexpr int kAll = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  // The kernel itself holds pages for a moment when it moves or reclaims memory, and answers
  // EBUSY meanwhile. So it does for good where another process has a writable mapping.
  constexpr int kTries = 20;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  for (int tries = 1; ::fcntl(fd.get(), F_ADD_SEALS, kAll) != 0; ++tries) {
    if (errno != EBUSY || tries == kTries) return errno;
    ::nanosleep(&kPause, nullptr);
  }
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return errno;
  return (seals & kAll) == kAll ? 0 : EPERM;
}

void MappingTraits::Close(MappedBytes mapping) {
  ::munmap(const_cast<std::byte*>(mapping.data), mapping.size);
}

int MapForReading(const Fd& fd, int64_t size, Mapping* out) {
  const auto bytes = static_cast<size_t>(size);
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (data == MAP_FAILED) return errno;
  *out = Mapping({static_cast<const std::byte*>(data), bytes});
  return 0;
}

NoWriteSignals::NoWriteSignals() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGPIPE);
  ::sigaddset(&signals_, SIGXFSZ);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  // One that was held back already may wait, and is not of these writes.
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    if (::sigismember(&before_, signal) == 1) ::sigdelset(&signals_, signal);
  }
}

NoWriteSignals::~NoWriteSignals() {
  sigset_t pending;
  ::sigpending(&pending);
  if (::sigismember(&pending, SIGPIPE) == 1 || ::sigismember(&pending, SIGXFSZ) == 1) {
    constexpr timespec kNow{};
    while (::sigtimedwait(&signals_, nullptr, &kNow) >= 0 || errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void WriteLine(int fd, const std::string& line) {
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // a log that cannot be written must not fail the call
    done += static_cast<size_t>(n);
  }
}

namespace {

// A descriptor of the same pipe or terminal that never waits. The flag belongs to the open
// file, which the host shares with other processes, so it is not set on `fd` itself.
// Without /proc there is none.
Fd OpenWithoutWaiting(int fd) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool HasRoom(int fd) {
  struct pollfd watched{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&watched, 1, 0) == 1 && (watched.revents & POLLOUT) != 0;
}

}  // namespace

size_t WriteWithoutWaiting(int fd, std::string_view text) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return 0;
  const bool is_socket = S_ISSOCK(status.st_mode);
  const bool may_wait = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
  const Fd own = may_wait ? OpenWithoutWaiting(fd) : Fd();
  const NoWriteSignals no_signals;
  size_t done = 0;
  while (done < text.size()) {
    // A pipe that is ready has room for that much, and takes it as a whole.
    const size_t size = std::min<size_t>(text.size() - done, PIPE_BUF);
    if (may_wait && !own && !HasRoom(fd)) break;
    const ssize_t n =
        is_socket ? ::send(fd, text.data() + done, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                  : ::write(own ? own.get() : fd, text.data() + done, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

}  // namespace alloy::core
