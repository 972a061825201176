// SPDX-License-Identifier: MIT
#include "private_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "../base/descriptor.h"
#include "../base/os_error.h"
#include "../inspect/inspection.h"

namespace arrowalloy {
namespace {

constexpr int64_t kMaxLibrary = int64_t{1} << 30U;  // no host loads a larger one

// False: errno says why.
bool CopyBytes(int from, int to, int64_t begin, int64_t end) {
  std::array<char, size_t{1} << 16U> part;
  while (begin < end) {
    const auto want = std::min<int64_t>(end - begin, part.size());
    const ssize_t count = pread(from, part.data(), static_cast<size_t>(want), begin);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;  // it was cut; the copy has zeros there
    for (ssize_t done = 0; done < count;) {
      const ssize_t written =
          pwrite(to, part.data() + done, static_cast<size_t>(count - done), begin + done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      done += written;
    }
    begin += count;
  }
  return true;
}

bool CopyData(int from, int to, int64_t size) {
  if (ftruncate(to, size) != 0) return false;
  for (int64_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return true;  // only a hole follows
    if (data < 0) return CopyBytes(from, to, at, size);
    off_t hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    if (!CopyBytes(from, to, data, std::min<int64_t>(hole, size))) return false;
    at = hole;
  }
  return true;
}

void ReplaceAll(std::string* text, const std::string& from, const std::string& to) {
  for (size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

}  // namespace

PrivateCopy::PrivateCopy(const std::string& original)
    : original_(original),
      path_(Neighbour(std::filesystem::path(original).filename().string())) {
  const Descriptor from(
      open(original.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts{};
  if (from.get() < 0 || fstat(from.get(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      facts.st_size > kMaxLibrary) {
    // The engine says what is wrong with it.
    InspectForm(original);
    throw CannotRead(original, EIO);
  }
  const Descriptor to(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (to.get() < 0 || !CopyData(from.get(), to.get(), facts.st_size)) {
    const int error = errno;
    throw Failure(Exit::kMachine, kWriteCode,
                  fmt::format("cannot copy the library into the temporary folder {}: {}",
                              folder_.path(), ErrorText(error)),
                  folder_.path(), "df -h /tmp; or set TMPDIR to a folder that has room");
  }
}

std::string PrivateCopy::Neighbour(const std::string& name) const {
  return folder_.path() + "/" + name;
}

void PrivateCopy::NameOriginal(Failure* failure) const {
  for (std::string* text : {&failure->text, &failure->at, &failure->help}) {
    ReplaceAll(text, path_, original_);
  }
}

}  // namespace arrowalloy
