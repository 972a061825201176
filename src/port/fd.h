// SPDX-License-Identifier: MIT
//
// File descriptors, files and sealed memory. Errors are numbers of <cerrno>; 0 is success.
// The caller turns them into a text for users.
#ifndef ALLOY_SRC_PORT_FD_H_
#define ALLOY_SRC_PORT_FD_H_

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/handle.h"

namespace alloy::core {

struct FdTraits {
  using type = int;
  static constexpr int kNone = -1;
  static void Close(int fd);
};
using Fd = Handle<FdTraits>;

// Own a descriptor that the kernel has just made, under a number above 2. Where standard error
// is closed its number is free: what workers say would be written to the descriptor that got it.
//
//   Takes  fd; -1: there is none, and errno says why.
//   Gives  the descriptor; without one, errno says why.
Fd AboveStandard(int fd);

std::string ErrorText(int error);

enum class FileKind { kRegular, kFolder, kDevice, kPipe, kSocket, kOther };
const char* FileKindName(FileKind kind);

struct FileFacts {
  FileKind kind = FileKind::kOther;
  int64_t size = 0;
  uint64_t device = 0;
  uint64_t inode = 0;
};

// Opens without waiting for a peer, without taking over a terminal, closed on exec.
int OpenForReading(const std::string& path, Fd* out);
int GetFileFacts(const Fd& fd, FileFacts* out);

// Read until `bytes` is full or the file ends; `done` is the number of bytes read.
int ReadFully(const Fd& fd, std::span<std::byte> bytes, size_t* done);

// How many bytes of a file of this size are holes, which take no room on the disk and
// read as zeros. Stops at a number above `most`. The position is 0 afterwards.
int CountHoles(const Fd& fd, int64_t size, int64_t most, int64_t* holes);

// An unnamed file in memory that can be sealed and executed from. EFBIG when the limit on
// the size of files (which would answer a write with a signal) is below `size`.
int CreateSealable(const char* name, int64_t size, Fd* out);
int WriteFully(const Fd& fd, std::span<const std::byte> bytes);
// No more writing, growing, shrinking or unsealing, by anyone. EBUSY: someone has it
// mapped for writing.
int Seal(const Fd& fd);

// A read-only view of a whole file; the file may be closed.
struct MappedBytes {
  const std::byte* data = nullptr;
  size_t size = 0;
  bool operator==(const MappedBytes&) const = default;
};
struct MappingTraits {
  using type = MappedBytes;
  static constexpr MappedBytes kNone{};
  static void Close(MappedBytes mapping);
};
using Mapping = Handle<MappingTraits>;
int MapForReading(const Fd& fd, int64_t size, Mapping* out);

inline std::span<const std::byte> Bytes(const Mapping& mapping) {
  return {mapping.get().data, mapping.get().size};
}

// One write of the whole line, so that lines of several processes do not mix.
void WriteLine(int fd, const std::string& line);

// Holds back from this thread the signals of a write that fails, and drops those that come:
// SIGPIPE, and SIGXFSZ where a file has its largest size (ulimit -f). Each would end the host
// for the words of a backend.
class NoWriteSignals {
 public:
  NoWriteSignals();
  ~NoWriteSignals();
  NoWriteSignals(const NoWriteSignals&) = delete;
  NoWriteSignals& operator=(const NoWriteSignals&) = delete;

 private:
  sigset_t signals_, before_;
};

// Write as much of the text as goes without waiting for whoever reads at the other end: a
// pipe, a socket or a terminal may be full. A reader that is gone raises no SIGPIPE. Returns
// the bytes that were written. A file on a disk takes all of them.
size_t WriteWithoutWaiting(int fd, std::string_view text);

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_FD_H_
