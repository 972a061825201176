// SPDX-License-Identifier: MIT
#include "port/shared_memory.h"

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_sigmask
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
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
// Pages are backed in chunks, so that few calls are needed and little memory is taken that
// nobody uses. Large segments have larger chunks.
constexpr size_t kLeastChunk = size_t{64} << 10;
constexpr size_t kMostChunks = 8192;

constexpr int kSealsThatMatter = kFixedSize | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

// Holds all signals back from this thread. One of them would end fallocate, which then starts
// at its beginning again: the timers of Go and of profilers come faster than large memory.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

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
  chunk_bytes_ = kLeastChunk;
  while (size / chunk_bytes_ >= kMostChunks) chunk_bytes_ *= 2;
  const size_t chunks = size / chunk_bytes_ + 1;
  backed_.reset(new (std::nothrow) std::atomic<uint64_t>[chunks / 64 + 1]());
  if (backed_ == nullptr) {
    return Fail(ALLOY_EXHAUSTED, "out of memory for the books of shared memory");
  }
  return {};
}

bool SharedMemory::IsBacked(size_t chunk) const {
  const uint64_t word = backed_[chunk / 64].load(std::memory_order_relaxed);
  return (word >> (chunk % 64) & 1) != 0;
}

Status SharedMemory::Back(const std::byte* begin, size_t bytes) noexcept {
  if (bytes == 0) return {};
  const auto from = static_cast<size_t>(begin - data());
  size_t chunk = from / chunk_bytes_;
  const size_t end = (from + bytes - 1) / chunk_bytes_ + 1;
  while (chunk < end) {
    if (IsBacked(chunk)) {
      ++chunk;
      continue;
    }
    const size_t first = chunk;
    while (chunk < end && !IsBacked(chunk)) ++chunk;
    ALLOY_TRY(BackChunks(first, chunk));
  }
  return {};
}

Status SharedMemory::BackChunks(size_t first, size_t end) {
  const size_t begin = first * chunk_bytes_;
  const size_t bytes = std::min(end * chunk_bytes_, size()) - begin;
  // In one call, so that the kernel takes all of it back if a part is not there.
  int error = 0;
  {
    const NoSignals no_signals;
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(begin),
                    static_cast<off_t>(bytes)) != 0) {
      error = errno;
    }
  }
  if (error != 0) {
    return OsFailure("there is no memory for " + SizeText(bytes) + " of a segment of " +
                         SizeText(size()),
                     error);
  }
  for (size_t chunk = first; chunk < end; ++chunk) {
    backed_[chunk / 64].fetch_or(uint64_t{1} << (chunk % 64), std::memory_order_relaxed);
  }
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
