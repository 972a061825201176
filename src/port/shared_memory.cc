// SPDX-License-Identifier: MIT
#include "port/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "port/os_failure.h"

// Younger than the headers of the oldest machines that Alloy is built on.
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace alloy::core {
namespace {

// F_SEAL_SEAL: the worker cannot add seals that would stop the host.
constexpr int kFixedSize = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
constexpr int kSealsThatMatter = kFixedSize | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

size_t PageBytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

std::string SizeText(size_t size) { return std::to_string(size) + " bytes"; }

}  // namespace

Status SharedMemory::Map(size_t size, bool writable) {
  const int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  void* data = ::mmap(nullptr, size, protection, MAP_SHARED, fd_.get(), 0);
  if (data == MAP_FAILED) {
    return OsFailure("cannot map a segment of " + SizeText(size), errno);
  }
  mapping_ = Mapping({static_cast<const std::byte*>(data), size});
  is_writable_ = writable;
  return {};
}

Result<SharedMemory> SharedMemory::Make(const char* name, size_t size, bool writable,
                                        int more_seals) {
  const size_t page = PageBytes();
  constexpr auto kMost = static_cast<size_t>(std::numeric_limits<int64_t>::max());
  if (size == 0 || size > kMost - page) {
    return Fail(ALLOY_INVALID, ALLOY_REASON_ARGUMENT_RANGE,
                "a segment cannot have " + SizeText(size));
  }
  size = (size + page - 1) / page * page;

  SharedMemory made;
  const std::string what =
      "cannot make the segment " + std::string(name) + " of " + SizeText(size);
  const int error = CreateSealable(name, static_cast<int64_t>(size), &made.fd_);
  if (error != 0) return OsFailure(what, error);
  if (::ftruncate(made.fd_.get(), static_cast<off_t>(size)) != 0) {
    return OsFailure(what, errno);
  }
  // Mapped before it is sealed: FUTURE_WRITE refuses every writable mapping after this one.
  ALLOY_TRY(made.Map(size, writable));
  const int seals = kFixedSize | more_seals;
  if (::fcntl(made.fd_.get(), F_ADD_SEALS, seals) != 0) {
    return OsFailure(what + ": cannot seal it", errno);
  }
  const int reached = ::fcntl(made.fd_.get(), F_GET_SEALS);
  if (reached < 0 || (reached & kSealsThatMatter) != seals) {
    return OsFailure(what + ": cannot seal it", reached < 0 ? errno : EPERM);
  }
  return made;
}

Result<SharedMemory> SharedMemory::MakeForReader(size_t size) {
  return Make("alloy-input", size, true, F_SEAL_FUTURE_WRITE);
}

Result<SharedMemory> SharedMemory::MakeForWriter(size_t size) {
  return Make("alloy-output", size, false, 0);
}

Result<SharedMemory> SharedMemory::MakeShared(size_t size) {
  return Make("alloy-control", size, true, 0);
}

Result<SharedMemory> SharedMemory::Attach(Fd fd, bool writable) {
  FileFacts facts;
  if (const int error = GetFileFacts(fd, &facts); error != 0) {
    return Fail(ALLOY_INVALID, "a segment cannot be inspected: " + ErrorText(error));
  }
  // Only files in memory have seals.
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return Fail(ALLOY_INVALID, "a descriptor does not belong to a segment");
  const int wanted = kFixedSize | (writable ? 0 : F_SEAL_FUTURE_WRITE);
  if ((seals & kSealsThatMatter) != wanted || facts.size <= 0) {
    return Fail(ALLOY_INVALID, "a segment has the seals " + std::to_string(seals) +
                                   " and " + std::to_string(facts.size) +
                                   " bytes, but needs the seals " +
                                   std::to_string(wanted));
  }
  SharedMemory attached;
  attached.fd_ = std::move(fd);
  ALLOY_TRY(attached.Map(static_cast<size_t>(facts.size), writable));
  return attached;
}

}  // namespace alloy::core
