// SPDX-License-Identifier: MIT
//
// A segment of memory that a host shares with a worker: a memfd of a fixed size, under
// seals that say who may write. The kernel keeps them, whatever the worker does with its
// descriptor. Nobody can cut a segment, so nobody can make the other side die of SIGBUS.
//
//              host maps     worker maps   seals
//   input      read-write    read-only     SHRINK GROW FUTURE_WRITE SEAL
//   output     read-only     read-write    SHRINK GROW SEAL
//   control    read-write    read-write    SHRINK GROW SEAL
//
// A page is there when it is first used. Without memory behind it (a machine with strict
// overcommit) that ends the process with SIGBUS, so each side calls Back before it reads or
// writes a page for the first time.
//
// Threads  serial, but Back: any thread. The memory is as shared as its users make it.
#ifndef ALLOY_SRC_PORT_SHARED_MEMORY_H_
#define ALLOY_SRC_PORT_SHARED_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/backing.h"
#include "base/result.h"
#include "port/fd.h"

namespace alloy::core {

// Owns its mapping and its descriptor. Move-only.
class SharedMemory final : public Backing {
 public:
  // Each size is rounded up to whole pages. The memory is zero, and takes no room before it
  // is used.
  //   Fails  INVALID      the size is 0 or too large.
  //          EXHAUSTED    no memory, address space or descriptor is left.
  //          UNSUPPORTED  the kernel has no memfd or no such seal (Linux before 5.1).
  static Result<SharedMemory> MakeForReader(size_t size);  // input
  static Result<SharedMemory> MakeForWriter(size_t size);  // output
  static Result<SharedMemory> MakeShared(size_t size);     // control

  // In the worker: map what the host made. The size is that of the file.
  //   Takes  fd.
  //   Fails  INVALID    not a segment, or one with other seals than the host gives it.
  //          EXHAUSTED  no memory or address space is left.
  static Result<SharedMemory> Attach(Fd fd, bool writable);

  SharedMemory() = default;  // no segment; size() is 0

  // As Backing. What was backed once takes a few nanoseconds.
  //   Fails  EXHAUSTED    no memory is left for the pages.
  //          UNSUPPORTED  the kernel refuses to say so (fallocate).
  Status Back(const std::byte* begin, size_t size) noexcept override;

  std::byte* data() const { return const_cast<std::byte*>(mapping_.get().data); }
  size_t size() const { return mapping_.get().size; }
  bool is_writable() const { return is_writable_; }  // else a write to data() is a crash
  const Fd& fd() const { return fd_; }

 private:
  static Result<SharedMemory> Make(const char* name, size_t size, bool writable,
                                   int more_seals);
  Status Map(size_t size, bool writable);
  bool IsBacked(size_t chunk) const;
  Status BackChunks(size_t first, size_t end);

  Fd fd_;
  Mapping mapping_;
  bool is_writable_ = false;
  // A bit for each chunk that this side has backed.
  size_t chunk_bytes_ = 0;
  std::unique_ptr<std::atomic<uint64_t>[]> backed_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_PORT_SHARED_MEMORY_H_
