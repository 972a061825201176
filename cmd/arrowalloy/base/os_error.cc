// SPDX-License-Identifier: MIT
#include "os_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace arrowalloy {
namespace {

// "folder/", or "." for a path without a folder.
std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Causes that are the same for reading and writing; empty: another one.
std::string CommonHelp(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files: ulimit -n";
    case ENOMEM:
      return "close other programs, or raise the limit of memory: ulimit -v";
    case ELOOP:
      return "the symbolic links form a circle: correct them";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case EIO:
      return "the device reports an error: see dmesg";
    default:
      return "";
  }
}

std::string ReadHelp(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fmt::format("check the name: ls -l {}", FolderOf(path));
    case EACCES:
    case EPERM:
      return fmt::format("get the permission to read it: ls -l {}", path);
    case EISDIR:
      return "pass a file, not a folder";
    default:
      break;
  }
  const std::string help = CommonHelp(error);
  return help.empty() ? fmt::format("ls -l {}", path) : help;
}

std::string WriteHelp(const std::string& path, int error) {
  const std::string folder = FolderOf(path);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return fmt::format("make the folder, or choose another path: mkdir -p {}", folder);
    case EACCES:
    case EPERM:
      return fmt::format(
          "get the permission to write the file and its folder: ls -ld {} {}", path,
          folder);
    case EROFS:
      return "the file system is read-only: choose another folder";
    case EISDIR:
      return fmt::format("choose a file in it, such as {}{}result", path,
                         path.ends_with('/') ? "" : "/");
    case ENOSPC:
      return path == "-"
                 ? "make room where standard output goes, or write to another disk"
                 : fmt::format("make room, or write to another disk: df -h {}", folder);
    case EDQUOT:
      return "make room: the quota of your user is used up";
    case EFBIG:
      return "raise the limit of file sizes (ulimit -f), or choose another file system";
    case EPIPE:
      return "the program that reads the output has ended: check its errors";
    case EBADF:
      return "open standard output, for example with > FILE";
    case ENXIO:
    case ECONNREFUSED:
      return "start the program that reads from it first";
    case EBUSY:
    case ETXTBSY:
      return "it is a mount point, or in use: choose another path";
    default:
      break;
  }
  const std::string help = CommonHelp(error);
  return help.empty() ? fmt::format("ls -ld {}", folder) : help;
}

}  // namespace

std::string ErrorText(int error) { return std::generic_category().message(error); }

std::string InputName(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

std::string OutputName(const std::string& path) {
  return path == "-" ? "standard output" : path;
}

Failure CannotRead(const std::string& path, int error) {
  const std::string name = InputName(path);
  return Failure(Exit::kMachine, kReadCode,
                 fmt::format("cannot read {}: {}", name, ErrorText(error)), name,
                 ReadHelp(path, error));
}

Failure CannotWrite(const std::string& path, int error) {
  const std::string name = OutputName(path);
  return Failure(Exit::kMachine, kWriteCode,
                 fmt::format("cannot write {}: {}", name, ErrorText(error)), name,
                 WriteHelp(path, error));
}

}  // namespace arrowalloy
