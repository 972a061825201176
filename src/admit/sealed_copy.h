// SPDX-License-Identifier: MIT
//
// From a file to memory that nobody can change: what is inspected there is what runs.
#ifndef ALLOY_SRC_ADMIT_SEALED_COPY_H_
#define ALLOY_SRC_ADMIT_SEALED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/result.h"
#include "port/fd.h"

namespace alloy::core {

inline constexpr int64_t kMaxLibrary = int64_t{1} << 30;

struct OpenedFile {
  Fd file;
  int64_t size = 0;
};

// Open a regular file of 64 bytes to 1 GiB, at most 128 MiB of it holes, without waiting for
// anything.
//   Fails  REFUSED with CANNOT_OPEN, NOT_A_FILE, TOO_SMALL or TOO_LARGE.
Result<OpenedFile> OpenLibraryFile(const std::string& path);

// Pass the bytes of the file to `take`, piece by piece: exactly `size` bytes, read once.
//   Fails  REFUSED with CHANGED or CANNOT_OPEN, or what `take` returned.
Status ReadInPieces(const OpenedFile& opened,
                    const std::function<Status(std::span<const std::byte>)>& take);

struct SealedCopy {
  Fd sealed;
  Mapping bytes;  // of `sealed`
};

// Read the file once, exactly `size` bytes, into memory under all four seals.
//   Fails  REFUSED with CHANGED, CANNOT_OPEN or CANNOT_SEAL.
Result<SealedCopy> CopySealed(const OpenedFile& opened);

// Seal memory that was written, and map it.
//   Fails  REFUSED with CANNOT_SEAL.
Status SealAndMap(int64_t size, const Fd& memory, Mapping* bytes);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_SEALED_COPY_H_
