// SPDX-License-Identifier: MIT
#include "destination.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "os_error.h"

namespace arrowalloy {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel
constexpr int kMaxNames = 100;
// Dirty pages beyond this are handed to the disk while the command goes on, so that the
// fsync at the end does not wait for all of them.
constexpr int64_t kFlushEvery = int64_t{32} << 20;

bool SameFile(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

std::string RandomName() {
  std::array<unsigned char, 12> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return "";
  }
  std::string name = ".arrowalloy-";
  for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
  return name + ".part";
}

// The path of a descriptor in /proc, if /proc is there and is that of this process. In a
// container it may be another's.
std::string ProcPath(int fd) {
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  struct stat own{}, there{};
  if (fstat(fd, &own) != 0 || stat(path.c_str(), &there) != 0) return "";
  return SameFile(own, there) ? path : "";
}

bool MayWrite(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

}  // namespace

// Where a path leads after its links.
class Destination::Place {
 public:
  explicit Place(std::string path) : name_(std::move(path)) { Resolve(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (folder_ >= 0) close(folder_);
  }

  int error = 0;          // errno
  bool exists = false;    // then `status` is set
  bool is_link = false;   // the path itself is a link, whatever it leads to
  bool is_magic = false;  // a link of /proc/PID/fd, which only the kernel can follow
  struct stat status{};

  int folder() const { return folder_; }
  int TakeFolder() { return std::exchange(folder_, -1); }
  const std::string& name() const { return name_; }

 private:
  void Resolve() {
    for (int links = 0; error == 0; ++links) {
      if (!EnterFolder()) return;
      if (fstatat(folder_, name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT) error = errno;
        return;
      }
      if (!Trusted()) {
        error = EACCES;
        return;
      }
      if (!S_ISLNK(status.st_mode)) {
        exists = true;
        return;
      }
      is_link = true;
      if (links == kMaxLinks) error = ELOOP;
      if (error == 0 && FollowMagic()) return;
      if (error == 0) ReadLink();
    }
  }

  // Open the folder of `name_`, which is relative to the folder before.
  bool EnterFolder() {
    const size_t slash = name_.rfind('/');
    const std::string parent = slash == std::string::npos ? "."
                               : slash == 0               ? "/"
                                                          : name_.substr(0, slash);
    const std::string last = slash == std::string::npos ? name_ : name_.substr(slash + 1);
    if (last.empty() || last == "." || last == "..") {
      error = name_.empty() ? ENOENT : EISDIR;
      return false;
    }
    const int before = folder_ >= 0 ? folder_ : AT_FDCWD;
    const int next = openat(before, parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    error = next < 0 ? errno : 0;
    if (folder_ >= 0) close(folder_);
    folder_ = next;
    name_ = last;
    return error == 0;
  }

  // The rule of fs.protected_symlinks and fs.protected_regular: another user may have put
  // it there for a program with more rights.
  bool Trusted() const {
    struct stat folder{};
    if (fstat(folder_, &folder) != 0) return false;
    constexpr mode_t kShared = S_ISVTX | S_IWOTH;
    if ((folder.st_mode & kShared) != kShared) return true;
    const mode_t type = status.st_mode & S_IFMT;
    if (type != S_IFLNK && type != S_IFREG && type != S_IFIFO) return true;
    return status.st_uid == geteuid() || status.st_uid == folder.st_uid;
  }

  bool FollowMagic() {
    struct statfs system{};
    if (fstatfs(folder_, &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return false;
    // /proc/self is a plain link; what leads to a descriptor is not.
    if (fstatat(folder_, name_.c_str(), &status, 0) != 0) {
      error = errno;
      return true;
    }
    if (!std::ranges::all_of(name_, [](unsigned char c) { return std::isdigit(c); })) {
      return false;
    }
    exists = is_magic = true;
    return true;
  }

  void ReadLink() {
    std::array<char, 4097> target{};
    const ssize_t size =
        readlinkat(folder_, name_.c_str(), target.data(), target.size() - 1);
    if (size < 0) error = errno;
    if (size == static_cast<ssize_t>(target.size()) - 1) error = ENAMETOOLONG;
    if (error != 0) return;
    name_.assign(target.data(), static_cast<size_t>(size));
    // A link to "folder/" leads to the folder, which is refused.
  }

  int folder_ = -1;
  std::string name_;
};

Destination::Destination(const DestinationOptions& options)
    : path_(options.path), only_new_(options.only_new) {
  if (path_ == "-") {
    OpenStandardOutput(options.not_over);
    return;
  }
  Place place(path_);
  if (only_new_ && (place.exists || place.is_link)) throw ErrorOf(EEXIST);
  if (place.error != 0) throw ErrorOf(place.error);
  if (place.exists && S_ISDIR(place.status.st_mode)) throw ErrorOf(EISDIR);
  if (place.exists) CheckNotOver(options.not_over, place.status);
  try {
    if (place.exists && (place.is_magic || !S_ISREG(place.status.st_mode))) {
      OpenThrough(place);
    } else {
      OpenNew(place, options.mode);
      folder_ = place.TakeFolder();
      name_ = place.name();
    }
  } catch (const Failure&) {
    Close();
    throw;
  }
}

Destination::~Destination() { Close(); }

void Destination::CheckNotOver(const std::vector<ReadFrom>& files,
                               const struct stat& status) const {
  // Any number of programs may share a terminal or /dev/null.
  if (S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode)) return;
  for (const ReadFrom& file : files) {
    struct stat read{};
    const int failed =
        file.path == "-" ? fstat(STDIN_FILENO, &read) : stat(file.path.c_str(), &read);
    if (failed != 0 || !SameFile(read, status)) continue;
    const std::string name = OutputName(path_);
    throw Failure(Exit::kUsage, kUsageCode,
                  fmt::format("{} is also {} ({}), which would be lost", name, file.what,
                              InputName(file.path)),
                  name, "choose another path for the output");
  }
}

void Destination::OpenStandardOutput(const std::vector<ReadFrom>& not_over) {
  struct stat status{};
  if (fstat(STDOUT_FILENO, &status) != 0) throw ErrorOf(errno);
  // A pipe that is both is a filter of a socket pair; a file would grow for ever.
  if (S_ISREG(status.st_mode)) CheckNotOver(not_over, status);
  fd_ = STDOUT_FILENO;
  standard_output_ = true;
}

void Destination::OpenThrough(const Place& place) {
  const std::string& name = place.name();
  if (place.is_magic) {
    // Through the same open file, as `> /dev/stdout` of a shell does: a file is not
    // truncated, and a socket can be written.
    const int own = name.size() < 6 ? std::stoi(name) : -1;
    struct stat status{};
    if (own >= 0 && fstat(own, &status) == 0 && SameFile(status, place.status) &&
        MayWrite(own)) {
      standard_output_ = own == STDOUT_FILENO;
      fd_ = fcntl(own, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
      if (fd_ < 0) throw ErrorOf(errno);
      return;
    }
  }
  if (S_ISSOCK(place.status.st_mode)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // The path of a socket may have 107 bytes only, so it goes through the folder.
    const std::string folder = ProcPath(place.folder());
    const std::string path = folder.empty() ? path_ : folder + "/" + name;
    if (path.size() >= sizeof(address.sun_path)) throw ErrorOf(ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 ||
        connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw ErrorOf(errno);
    }
    return;
  }
  const int flags =
      O_WRONLY | O_CLOEXEC | O_NOCTTY | (place.is_magic ? O_TRUNC : O_NOFOLLOW);
  fd_ = openat(place.folder(), name.c_str(), flags);
  struct stat status{};
  if (fd_ < 0 || fstat(fd_, &status) != 0) throw ErrorOf(errno);
  // Somebody has put another file in its place meanwhile.
  if (!SameFile(status, place.status)) throw ErrorOf(EBUSY);
}

void Destination::OpenNew(const Place& place, mode_t mode) {
  int old = -1;
  if (place.exists) {
    // A mount point (a file that a container gets) cannot be replaced.
    struct statx more{};
    if (statx(place.folder(), place.name().c_str(), AT_SYMLINK_NOFOLLOW,
              STATX_BASIC_STATS, &more) == 0 &&
        (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) {
      throw ErrorOf(EBUSY);
    }
    // Not opened for writing: that would fail while a program runs from it.
    if (faccessat(place.folder(), place.name().c_str(), W_OK, AT_EACCESS) != 0) {
      throw ErrorOf(errno);
    }
    old = openat(place.folder(), place.name().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (old < 0) throw ErrorOf(errno);
    mode = 0600;  // nobody else may read it before it has the mode of the old file
  }
  folder_ = place.folder();
  int error = OpenUnnamed(mode);
  for (int i = 0; fd_ < 0 && (error == 0 || error == EEXIST) && i < kMaxNames; ++i) {
    part_ = RandomName();
    if (part_.empty()) {
      error = errno;
      break;
    }
    leftover_ = Leftover::File(folder_, part_);
    fd_ = openat(folder_, part_.c_str(),
                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    error = fd_ < 0 ? errno : 0;
    if (fd_ < 0) leftover_.Forget();
  }
  folder_ = -1;  // the place still owns it
  if (fd_ >= 0 && old >= 0) KeepAttributes(old);
  if (old >= 0) close(old);
  if (fd_ < 0) throw ErrorOf(error);
}

// A file without a name: 0 with fd_ set, or 0 when this file system has none, or errno.
int Destination::OpenUnnamed(mode_t mode) {
  fd_ = openat(folder_, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  if (fd_ >= 0) {
    // It gets its name through /proc.
    if (!ProcPath(fd_).empty()) return 0;
    close(fd_);
    fd_ = -1;
    return 0;
  }
  const bool has_none = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ||
                        errno == ENOENT || errno == ENOSYS;
  return has_none ? 0 : errno;
}

// Mode, owner, access lists and labels of the old file.
void Destination::KeepAttributes(int old) noexcept {
  struct stat status{};
  if (fstat(old, &status) != 0) return;
  mode_t mode = status.st_mode & 0777;
  if (fchown(fd_, status.st_uid, status.st_gid) != 0 &&
      fchown(fd_, static_cast<uid_t>(-1), status.st_gid) != 0) {
    struct stat mine{};
    // Its group gets no more rights than everyone has.
    if (fstat(fd_, &mine) != 0 || mine.st_gid != status.st_gid) {
      mode = (mode & ~mode_t{070}) | ((mode & 007U) << 3U);
    }
  }
  fchmod(fd_, mode);
  // Not security.capability: rights of a program are not for other bytes.
  const std::string path = ProcPath(old);
  if (path.empty()) return;
  std::array<char, 4096> names{};
  const ssize_t size = listxattr(path.c_str(), names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const char* name = names.data() + at;
    at += static_cast<ssize_t>(std::strlen(name)) + 1;
    const std::string_view text = name;
    if (text != "system.posix_acl_access" && text != "security.selinux" &&
        !text.starts_with("user.")) {
      continue;
    }
    std::array<char, 4096> value{};
    const ssize_t length = getxattr(path.c_str(), name, value.data(), value.size());
    if (length >= 0) {
      fsetxattr(fd_, name, value.data(), static_cast<size_t>(length), 0);
    }
  }
}

int Destination::Write(const void* data, size_t size) noexcept {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = write(fd_, at, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      // Somebody made the descriptor non-blocking. It is shared with other programs, so
      // it stays that way.
      pollfd waited{.fd = fd_, .events = POLLOUT, .revents = 0};
      if (poll(&waited, 1, -1) < 0 && errno != EINTR) return errno;
      continue;
    }
    if (count < 0) return errno;
    at += count;
    size -= static_cast<size_t>(count);
    written_ += count;
  }
  if (!is_stream() && written_ - flushed_ >= kFlushEvery) {
    sync_file_range(fd_, flushed_, written_ - flushed_, SYNC_FILE_RANGE_WRITE);
    flushed_ = written_;
  }
  return 0;
}

void Destination::Write(std::string_view content) {
  if (const int error = Write(content.data(), content.size()); error != 0) {
    throw ErrorOf(error);
  }
}

// Give the new file its name: 0 or errno.
int Destination::GiveName() {
  if (part_.empty() && only_new_) {
    return linkat(AT_FDCWD, ProcPath(fd_).c_str(), folder_, name_.c_str(),
                  AT_SYMLINK_FOLLOW) == 0
               ? 0
               : errno;
  }
  if (part_.empty()) {
    // A link never replaces a file. So it gets another name first.
    const std::string part = RandomName();
    leftover_ = Leftover::File(folder_, part);
    if (part.empty() || linkat(AT_FDCWD, ProcPath(fd_).c_str(), folder_, part.c_str(),
                               AT_SYMLINK_FOLLOW) != 0) {
      return errno;
    }
    part_ = part;
  }
  if (only_new_) {
    if (renameat2(folder_, part_.c_str(), folder_, name_.c_str(), RENAME_NOREPLACE) ==
        0) {
      return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // A file system without this flag has links.
    if (linkat(folder_, part_.c_str(), folder_, name_.c_str(), 0) != 0) return errno;
    unlinkat(folder_, part_.c_str(), 0);
    return 0;
  }
  struct stat now{};
  if (fstatat(folder_, name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(now.st_mode)) {
    return S_ISDIR(now.st_mode) ? EISDIR : EBUSY;  // it was something else before
  }
  return renameat(folder_, part_.c_str(), folder_, name_.c_str()) == 0 ? 0 : errno;
}

void Destination::Finish() {
  if (is_stream()) {
    const int fd = std::exchange(fd_, -1);
    // EINVAL and the like: there is no disk behind it. A file system that reports a full
    // disk late does it at close; standard output is closed as a copy.
    const bool lost = !standard_output_ && fsync(fd) != 0 &&
                      (errno == EIO || errno == ENOSPC || errno == EDQUOT);
    const int error = lost ? errno : 0;
    const int last = fd == STDOUT_FILENO ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : fd;
    if (last >= 0 && close(last) != 0 && errno != EINTR) throw ErrorOf(errno);
    if (lost) throw ErrorOf(error);
    return;
  }
  // On the disk before it gets its name: after a power cut there is no half file.
  if (fsync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP) throw ErrorOf(errno);
  if (const int error = GiveName(); error != 0) throw ErrorOf(error);
  part_.clear();
  leftover_.Forget();
  made_ = only_new_;
  const int fd = std::exchange(fd_, -1);
  if (close(fd) != 0 && errno != EINTR) throw ErrorOf(errno);
  // The name too. Not every folder may be read.
  const int folder = openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

void Destination::Withdraw() noexcept {
  if (made_) unlinkat(folder_, name_.c_str(), 0);
  made_ = false;
}

void Destination::Close() noexcept {
  if (!part_.empty() && folder_ >= 0) unlinkat(folder_, part_.c_str(), 0);
  leftover_.Forget();
  part_.clear();
  if (fd_ > STDERR_FILENO) close(fd_);
  if (folder_ >= 0) close(folder_);
  fd_ = folder_ = -1;
}

Failure Destination::ErrorOf(int error) const {
  if (error == EEXIST && only_new_) {
    return Failure(Exit::kUsage, kExistsCode,
                   fmt::format("{} exists, and is never overwritten", path_), path_,
                   "choose another name, or move the file away");
  }
  return CannotWrite(path_, error);
}

}  // namespace arrowalloy
