// SPDX-License-Identifier: MIT
#include "source.h"

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "../../arrowalloy/base/os_error.h"
#include "../arrow_error.h"
#include "memory.h"

namespace arrowalloy::run {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

constexpr size_t kFirst = 16;         // enough for every format
constexpr int64_t kCopied = 1 << 20;  // bytes of a pipe at a time

Failure CannotCopy(const std::string& path, int error) {
  return Failure(
      Exit::kMachine, kReadCode,
      "cannot copy the pipe into a temporary file: " + ErrorText(error), path,
      "set TMPDIR to a folder with room, or pass a file: this format needs one");
}

arrow::Status Failed(int error) {
  return arrow::Status::IOError("cannot read: ", ErrorText(error));
}

// A descriptor that is closed with its last user.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // As many bytes as the system has at once; 0 at the end.
  arrow::Result<int64_t> ReadSome(void* out, int64_t nbytes) const {
    while (true) {
      const ssize_t n = ::read(fd_, out, static_cast<size_t>(nbytes));
      if (n >= 0) return n;
      if (errno != EINTR) return Failed(errno);
    }
  }
  // Fewer only at the end.
  arrow::Result<int64_t> ReadAt(int64_t at, void* out, int64_t nbytes) const {
    int64_t have = 0;
    while (have < nbytes) {
      const ssize_t n = ::pread(fd_, static_cast<char*>(out) + have,
                                static_cast<size_t>(nbytes - have), at + have);
      if (n == 0) break;
      if (n > 0) have += n;
      if (n < 0 && errno != EINTR) return Failed(errno);
    }
    return have;
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
};
using DescriptorPtr = std::shared_ptr<const Descriptor>;

// What both kinds of streams below do.
template <typename Base>
class Bytes : public Base {
 public:
  arrow::Status Close() override {
    closed_ = true;
    return {};
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return at_; }
  using Base::Read;
  arrow::Result<BufferPtr> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer,
                          arrow::AllocateResizableBuffer(Bound(nbytes), InputPool()));
    ARROW_ASSIGN_OR_RAISE(const int64_t n,
                          this->Read(buffer->size(), buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(n, /*shrink_to_fit=*/false));
    return BufferPtr(std::move(buffer));
  }

 protected:
  // What can be there at most.
  virtual int64_t Bound(int64_t nbytes) const { return nbytes; }
  int64_t at_ = 0;

 private:
  std::atomic<bool> closed_{false};
};

// The first bytes of a stream, which were read before, and then the rest.
class Whole final : public Bytes<arrow::io::InputStream> {
 public:
  Whole(std::string first, std::shared_ptr<arrow::io::InputStream> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  using Bytes::Read;
  // Pipes and decompressors return what they have. Readers want all that they ask for.
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    auto* to = static_cast<char*>(out);
    int64_t have = 0;
    while (have < nbytes) {
      int64_t n = 0;
      if (at_ < std::ssize(first_)) {
        n = std::min(nbytes - have, std::ssize(first_) - at_);
        std::memcpy(to + have, first_.data() + at_, static_cast<size_t>(n));
      } else {
        ARROW_ASSIGN_OR_RAISE(n, rest_->Read(nbytes - have, to + have));
      }
      if (n == 0) break;
      have += n;
      at_ += n;
    }
    return have;
  }

 private:
  const std::string first_;
  const std::shared_ptr<arrow::io::InputStream> rest_;
};

class PipeBytes final : public Bytes<arrow::io::InputStream> {
 public:
  explicit PipeBytes(DescriptorPtr descriptor) : descriptor_(std::move(descriptor)) {}
  using Bytes::Read;
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, descriptor_->ReadSome(out, nbytes));
    at_ += n;
    return n;
  }

 private:
  const DescriptorPtr descriptor_;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winconsistent-missing-override"
#endif

// A file that can seek. Nothing is allocated for bytes beyond its end. Files are not
// mapped into memory: one that somebody shortens would end the process.
class FileBytes final : public Bytes<arrow::io::RandomAccessFile> {
 public:
  FileBytes(DescriptorPtr descriptor, int64_t size)
      : descriptor_(std::move(descriptor)), size_(size) {}

  arrow::Status Seek(int64_t position) override {
    if (position < 0) return arrow::Status::Invalid("cannot seek to ", position);
    at_ = position;
    return {};
  }
  arrow::Result<int64_t> GetSize() override { return size_; }
  using Bytes::Read;
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, ReadAt(at_, nbytes, out));
    at_ += n;
    return n;
  }
  arrow::Result<int64_t> ReadAt(int64_t at, int64_t nbytes, void* out) override {
    if (at < 0 || nbytes < 0) {
      return arrow::Status::Invalid("cannot read ", nbytes, " bytes at byte ", at);
    }
    return descriptor_->ReadAt(at, out, Within(at, nbytes));
  }
  arrow::Result<BufferPtr> ReadAt(int64_t at, int64_t nbytes) override {
    if (at < 0 || nbytes < 0) {
      return arrow::Status::Invalid("cannot read ", nbytes, " bytes at byte ", at);
    }
    ARROW_ASSIGN_OR_RAISE(
        auto buffer, arrow::AllocateResizableBuffer(Within(at, nbytes), InputPool()));
    ARROW_ASSIGN_OR_RAISE(
        const int64_t n, descriptor_->ReadAt(at, buffer->mutable_data(), buffer->size()));
    ARROW_RETURN_NOT_OK(buffer->Resize(n, /*shrink_to_fit=*/false));
    return BufferPtr(std::move(buffer));
  }
  // Newer versions of Arrow call these two, and lock the file in their own. Without
  // `override`, because older versions do not have them.
  // NOLINTBEGIN(modernize-use-override,cppcoreguidelines-explicit-virtual-functions)
  arrow::Result<int64_t> ReadAt(int64_t at, int64_t nbytes, bool may_be_short,
                                void* out) {
    ARROW_ASSIGN_OR_RAISE(const int64_t n, ReadAt(at, nbytes, out));
    ARROW_RETURN_NOT_OK(CheckWhole(at, nbytes, n, may_be_short));
    return n;
  }
  arrow::Result<BufferPtr> ReadAt(int64_t at, int64_t nbytes, bool may_be_short) {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(at, nbytes));
    ARROW_RETURN_NOT_OK(CheckWhole(at, nbytes, buffer->size(), may_be_short));
    return buffer;
  }
  // NOLINTEND(modernize-use-override,cppcoreguidelines-explicit-virtual-functions)

 protected:
  int64_t Bound(int64_t nbytes) const override { return Within(at_, nbytes); }

 private:
  int64_t Within(int64_t at, int64_t nbytes) const {
    return std::min(nbytes, std::max<int64_t>(0, size_ - at));
  }
  static arrow::Status CheckWhole(int64_t at, int64_t wanted, int64_t n,
                                  bool may_be_short) {
    if (may_be_short || n == wanted) return {};
    return arrow::Status::IOError("the file ends at byte ", at + n, ", where ",
                                  wanted - n, " more bytes are expected");
  }

  const DescriptorPtr descriptor_;
  const int64_t size_;
};

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

// The number of a descriptor that is open already, if the path names one. Opening such a
// path again fails for sockets, and gives a file a second position.
std::optional<int> OpenDescriptorOf(const std::string& path) {
  if (path == "-" || path == "/dev/stdin") return STDIN_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    int fd = -1;
    const char* end = path.data() + path.size();
    const auto read = std::from_chars(path.data() + folder.size(), end, fd);
    if (read.ec == std::errc() && read.ptr == end) return fd;
  }
  return std::nullopt;
}

int OpenPath(const std::string& path) {
  if (const auto open_already = OpenDescriptorOf(path)) {
    return ::fcntl(*open_already, F_DUPFD_CLOEXEC, 3);
  }
  while (true) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || errno != EINTR) return fd;
  }
}

// A file without a name in $TMPDIR.
DescriptorPtr MakeTemporary(const std::string& path) {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/tmp";
  std::string name = std::string(folder) + "/arrowalloy-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) {
    throw CannotCopy(path, errno);
  }
  ::unlink(name.c_str());
  return std::make_shared<Descriptor>(fd);
}

}  // namespace

Source Source::Open(const std::string& path) {
  const int fd = OpenPath(path);
  if (fd < 0) throw CannotRead(path, errno);
  Source source(InputName(path));
  const auto descriptor = std::make_shared<Descriptor>(fd);
  struct stat there{};
  if (::fstat(fd, &there) != 0) throw CannotRead(path, errno);
  if (S_ISDIR(there.st_mode)) {
    throw CannotRead(path, EISDIR);
  }
  // A file of which someone has read the beginning goes on where they stopped, as a pipe.
  if (S_ISREG(there.st_mode) && ::lseek(fd, 0, SEEK_CUR) == 0) {
    source.file_ = std::make_shared<FileBytes>(descriptor, there.st_size);
  } else {
    source.stream_ = std::make_shared<PipeBytes>(descriptor);
  }
  source.Look();
  return source;
}

Source::Source(std::string path, std::shared_ptr<arrow::io::InputStream> stream)
    : path_(std::move(path)), stream_(std::move(stream)) {
  Look();
}

void Source::Look() {
  // Not more than needed: a pipe may have sent a short message, and wait.
  first_.resize(can_seek() ? 4 * kFirst : kFirst);
  size_t have = 0;
  while (have < first_.size()) {
    const auto wanted = static_cast<int64_t>(first_.size() - have);
    const auto n = can_seek()
                       ? file_->ReadAt(static_cast<int64_t>(have), wanted, &first_[have])
                       : stream_->Read(wanted, &first_[have]);
    const auto got = static_cast<size_t>(Read(n, path_));
    if (got == 0) break;
    have += got;
  }
  first_.resize(have);
}

std::shared_ptr<arrow::io::InputStream> Source::ToStream() {
  if (can_seek()) return file_;
  return std::make_shared<Whole>(first_, stream_);
}

std::shared_ptr<arrow::io::RandomAccessFile> Source::ToFile() {
  if (can_seek()) return file_;
  const auto from = ToStream();
  const auto copy = MakeTemporary(path_);
  std::vector<char> block(kCopied);
  int64_t size = 0;
  while (true) {
    const int64_t n = Read(from->Read(kCopied, block.data()), path_);
    if (n == 0) break;
    for (int64_t done = 0; done < n;) {
      const ssize_t written =
          ::write(copy->fd(), block.data() + done, static_cast<size_t>(n - done));
      if (written < 0 && errno != EINTR) {
        throw CannotCopy(path_, errno);
      }
      done += std::max<ssize_t>(written, 0);
    }
    size += n;
  }
  return std::make_shared<FileBytes>(copy, size);
}

}  // namespace arrowalloy::run
