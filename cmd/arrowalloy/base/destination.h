// SPDX-License-Identifier: MIT
//
// Where a command writes: the one way to every output of both programs. It looks at what
// the path is.
//
//   -                             standard output
//   device, FIFO, socket,         written through, as by a shell redirection; /dev/stdout
//   /dev/fd/N                     and the like are this process's own descriptors
//   folder                        refused, before any work
//   symbolic link                 followed; also to a file that does not exist yet
//   file, or nothing              replaced in one step when it is complete: a reader sees
//                                 the whole old file or the whole new one
//
// A file that is replaced keeps its mode, its owner and group where this user may set
// them, and its access lists. Other hard links to it keep the old content. It is not
// replaced if this user may not write it. In a folder where everyone may write (/tmp), the
// links, files and FIFOs of other users are refused, as the kernel does by
// fs.protected_symlinks and fs.protected_regular.
//
// Until it is complete the new file has no name, where the file system can do that
// (O_TMPFILE). Then nothing is left whatever happens, not even after SIGKILL. Elsewhere it
// has a random name in the same folder, and is removed at every end but SIGKILL.
//
// Threads  serial.
#ifndef ARROWALLOY_BASE_DESTINATION_H_
#define ARROWALLOY_BASE_DESTINATION_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "leftovers.h"

namespace arrowalloy {

// A file that a command reads, which its output must not be.
struct ReadFrom {
  std::string path;  // "-": standard input
  std::string what;  // "an input", "the key"
};

struct DestinationOptions {
  std::string path;       // "-": standard output
  mode_t mode = 0666;     // of a new file, less the umask
  bool only_new = false;  // E0103 when something has this name, also a link
  std::vector<ReadFrom> not_over = {};
};

class Destination {
 public:
  // Look at the path and open it. Opening a FIFO waits for its reader.
  //   Throws  E0102; E0103; E0002 when it is a file of `not_over`, by whatever name.
  explicit Destination(const DestinationOptions& options);
  ~Destination();  // without Finish no new file stays
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;

  // Write all bytes: 0, or errno.
  int Write(const void* data, size_t size) noexcept;
  //   Throws  E0102.
  void Write(std::string_view content);

  // Everything is written: give the file its name.
  //   Throws  E0102, E0103.
  void Finish();

  // Remove the file that Finish has made. Only for only_new.
  void Withdraw() noexcept;

  const std::string& path() const { return path_; }
  // A reader may wait for each part: not a new file.
  bool is_stream() const { return folder_ < 0; }
  bool is_standard_output() const { return standard_output_; }

  Failure ErrorOf(int error) const;

 private:
  class Place;

  void CheckNotOver(const std::vector<ReadFrom>& files, const struct stat& status) const;
  void OpenStandardOutput(const std::vector<ReadFrom>& not_over);
  void OpenThrough(const Place& place);
  void OpenNew(const Place& place, mode_t mode);
  int OpenUnnamed(mode_t mode);
  void KeepAttributes(int old) noexcept;
  int GiveName();
  void Close() noexcept;

  const std::string path_;
  const bool only_new_;
  int fd_ = -1;
  int folder_ = -1;    // of the new file, after all links; -1: written through
  std::string name_;   // in the folder
  std::string part_;   // the name until Finish; empty: it has none
  Leftover leftover_;  // the part file
  bool standard_output_ = false;
  bool made_ = false;  // Finish gave it a name that was free
  int64_t written_ = 0;
  int64_t flushed_ = 0;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_DESTINATION_H_
