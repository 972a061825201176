// SPDX-License-Identifier: MIT
#include "port/replace_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "port/fd.h"

namespace alloy::core {
namespace {

// A new file next to `path`. Its name has the process's number, and a count in case two
// threads of one process use the same path.
int CreateNextTo(const std::string& path, int mode, Fd* out, std::string* name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    *name =
        path + "." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".part";
    const int fd =
        ::open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd >= 0) {
      *out = Fd(fd);
      return 0;
    }
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

}  // namespace

int ReplaceFile(const std::string& path, std::span<const std::byte> bytes,
                bool executable) {
  Fd file;
  std::string name;
  int error = CreateNextTo(path, executable ? 0777 : 0666, &file, &name);
  if (error != 0) return error;
  error = WriteFully(file, bytes);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0 && ::rename(name.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(name.c_str());
  return error;
}

}  // namespace alloy::core
