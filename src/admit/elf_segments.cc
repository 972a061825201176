// SPDX-License-Identifier: MIT
#include "admit/elf_segments.h"

#include <algorithm>
#include <bit>
#include <string>

namespace alloy::core {
namespace {

// A thread pays for it with its first use, so a library keeps it small.
constexpr uint64_t kMaxTls = uint64_t{64} << 20U;
constexpr uint64_t kMaxTlsAlignment = uint64_t{64} << 10U;

Status CheckTls(const ElfReader& elf, const ElfSegment& tls) {
  if (tls.size < tls.file_size || tls.size > kMaxTls) {
    return ElfMalformed(
        "has thread-local storage of " + std::to_string(tls.size) +
        " bytes; expected at most 64 MiB, and not fewer than in the file");
  }
  if ((tls.alignment != 0 && !std::has_single_bit(tls.alignment)) ||
      tls.alignment > kMaxTlsAlignment) {
    return ElfMalformed("has thread-local storage that is aligned to " +
                        std::to_string(tls.alignment) +
                        " bytes; expected a power of two up to 65,536");
  }
  return elf.FileOffset(tls.address, tls.file_size, "thread-local storage").status();
}

// The loader takes the right to write from the pages of this segment. They must be pages
// of one segment that is written to.
Status CheckRelro(const ElfReader& elf, const ElfSegment& relro) {
  const ElfSegment* holder = nullptr;
  uint64_t next = UINT64_MAX;  // the first page of the segment behind it
  for (const ElfSegment& segment : elf.segments()) {
    if (segment.type != kElfLoad) continue;
    if (segment.Holds(relro.address, 1)) holder = &segment;
    if (segment.address > relro.address) {
      next = std::min(next, segment.address & ~(kElfPage - 1));
    }
  }
  const bool in_range =
      holder != nullptr && (holder->flags & kElfWrite) != 0 &&
      relro.size <= next - relro.address &&
      // Linkers round its end up to a page.
      relro.size <= ((holder->address + holder->size + holder->alignment - 1) &
                     ~(holder->alignment - 1)) -
                        relro.address;
  return in_range || relro.size == 0
             ? Status()
             : ElfMalformed(
                   "makes memory read-only that is not its writable data (the "
                   "segment GNU_RELRO is out of range)");
}

Status CheckHeaders(const ElfReader& elf, const ElfSegment& headers) {
  ALLOY_ASSIGN_OR_RETURN(
      const uint64_t offset,
      elf.FileOffset(headers.address, elf.headers_size(), "table of program headers"));
  return offset == elf.headers()
             ? Status()
             : ElfMalformed("the program headers are not where the segment PHDR says");
}

}  // namespace

Status CheckSegmentsInRange(const ElfReader& elf) {
  const auto count = [&](uint32_t type) {
    return std::ranges::count(elf.segments(), type, &ElfSegment::type);
  };
  for (const uint32_t type : {kElfTls, kElfRelro, kElfHeaders}) {
    if (count(type) > 1) {
      return ElfMalformed("has two segments of a kind of which the loader uses one");
    }
  }
  for (const ElfSegment& segment : elf.segments()) {
    switch (segment.type) {
      case kElfTls:
        ALLOY_TRY(CheckTls(elf, segment));
        break;
      case kElfRelro:
        ALLOY_TRY(CheckRelro(elf, segment));
        break;
      case kElfHeaders:
        ALLOY_TRY(CheckHeaders(elf, segment));
        break;
      case kElfNote:
      case kElfProperty:
      case kElfEhFrame:
        ALLOY_TRY(elf.FileOffset(segment.address,
                                 std::max(segment.size, segment.file_size),
                                 "segment of notes or of unwinding")
                      .status());
        break;
      default:
        break;
    }
  }
  return Status();
}

}  // namespace alloy::core
