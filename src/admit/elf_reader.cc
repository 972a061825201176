// SPDX-License-Identifier: MIT
#include "admit/elf_reader.h"

#include <algorithm>
#include <bit>

#include "admit/elf_hash.h"

namespace alloy::core {
namespace {

constexpr uint64_t kHeaderSize = 64;
constexpr uint64_t kProgramHeaderSize = 56;
constexpr uint64_t kSymbolSize = 24;
constexpr uint64_t kDynamicSize = 16;
// A large library has 12 segments and 40 entries.
constexpr uint16_t kMaxSegments = 128;
constexpr size_t kMaxDynamic = 1024;
constexpr uint64_t kMaxAddress = uint64_t{1} << 47U;
// What a library may reserve of the addresses of a process, and how coarsely aligned.
constexpr uint64_t kMaxSpan = uint64_t{64} << 30U;
constexpr uint64_t kMaxAlignment = uint64_t{1} << 30U;
constexpr uint64_t kCoarsestPage = uint64_t{64} << 10U;  // some arm64 machines

bool LiesWithin(uint64_t offset, uint64_t size, uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

uint64_t RoundUp(uint64_t value, uint64_t page) {
  return (value + page - 1) & ~(page - 1);
}

bool IsReadable(const ElfSegment& segment) {
  return segment.type == kElfLoad && (segment.flags & kElfRead) != 0;
}

// What may be listed more than once. Of every other entry the loader uses the last one.
bool MayRepeat(int64_t tag) {
  switch (tag) {
    case kElfNeeded:
    case kElfRpath:
    case kElfRunpath:
    case kElfAuxiliary:
    case kElfFilter:
    case kElfAudit:
    case kElfDependencyAudit:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status ElfMalformed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_MALFORMED, std::move(text));
}

Result<ElfReader> ElfReader::Read(std::span<const std::byte> image) {
  ElfReader reader(image);
  ALLOY_TRY(reader.ReadHeader());
  ALLOY_TRY(reader.ReadSegments());
  ALLOY_TRY(reader.ReadDynamic());
  ALLOY_TRY(reader.ReadTables());
  return reader;
}

Status ElfReader::ReadHeader() {
  if (image_.size() < kHeaderSize || std::memcmp(image_.data(),
                                                 "\x7f"
                                                 "ELF",
                                                 4) != 0) {
    return ElfMalformed("not an ELF file");
  }
  if (At<uint8_t>(4) != 2) return ElfMalformed("not a 64-bit ELF file");
  if (At<uint8_t>(5) != 1) return ElfMalformed("not a little-endian ELF file");
  const auto type = At<uint16_t>(16), machine = At<uint16_t>(18);
  if (type != 3) {
    return ElfMalformed("not a shared library (ELF type " + std::to_string(type) +
                        ", expected 3); link with -shared");
  }
  if (machine != kElfMachine) {
    constexpr uint16_t kArm64 = 183, kX86 = 62;
    const char* found = machine == kArm64 ? ", arm64" : machine == kX86 ? ", x86-64" : "";
    return ElfMalformed("made for another machine (ELF machine " +
                        std::to_string(machine) + found + "; expected " +
                        std::to_string(kElfMachine) + ", " + kElfMachineName +
                        "); get or build the library for " + kElfMachineName);
  }
  headers_ = At<uint64_t>(32);
  header_count_ = At<uint16_t>(56);
  if (At<uint16_t>(54) != kProgramHeaderSize || header_count_ == 0 ||
      header_count_ > kMaxSegments ||
      !LiesWithin(headers_, header_count_ * kProgramHeaderSize, image_.size())) {
    return ElfMalformed(
        "the program headers are malformed or lie outside of the file; copy or build it "
        "again");
  }
  return Status();
}

uint64_t ElfReader::headers_size() const { return header_count_ * kProgramHeaderSize; }

Status ElfReader::ReadSegments() {
  for (uint16_t i = 0; i < header_count_; ++i) {
    const uint64_t at = headers_ + i * kProgramHeaderSize;
    const ElfSegment segment{.type = At<uint32_t>(at),
                             .flags = At<uint32_t>(at + 4),
                             .offset = At<uint64_t>(at + 8),
                             .address = At<uint64_t>(at + 16),
                             .file_size = At<uint64_t>(at + 32),
                             .size = At<uint64_t>(at + 40),
                             .alignment = At<uint64_t>(at + 48)};
    const std::string name = "segment " + std::to_string(i);
    // A stack has no bytes; every other segment must lie in the file.
    if (segment.type != kElfStack &&
        !LiesWithin(segment.offset, segment.file_size, image_.size())) {
      return ElfMalformed(name + " reaches beyond the end of the file");
    }
    if (segment.type == kElfLoad) {
      if (segment.size < segment.file_size ||
          !LiesWithin(segment.address, segment.size, kMaxAddress)) {
        return ElfMalformed(name + " has an impossible size or address");
      }
      if (!std::has_single_bit(segment.alignment) || segment.alignment < kElfPage ||
          segment.alignment > kMaxAlignment ||
          (segment.address - segment.offset) % segment.alignment != 0) {
        return ElfMalformed(name + " is not aligned to pages in the file and in memory");
      }
    }
    segments_.push_back(segment);
  }
  return CheckPages();
}

// By pages, as the loader maps: a later segment on the same page would replace bytes that
// are inspected here. Where pages are coarser than the alignment of a segment, the loader
// refuses the library.
Status ElfReader::CheckPages() const {
  uint64_t page = kCoarsestPage;
  for (const ElfSegment& segment : segments_) {
    if (segment.type == kElfLoad) page = std::min(page, segment.alignment);
  }
  uint64_t first = kMaxAddress, next = 0;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const ElfSegment& segment = segments_[i];
    if (segment.type != kElfLoad) continue;
    first = std::min(first, segment.address);
    if ((segment.address & ~(page - 1)) < next) {
      return ElfMalformed("segment " + std::to_string(i) +
                          " overlaps the pages of the one before it, or is out of order");
    }
    next = RoundUp(segment.address + segment.size, page);
  }
  if (next == 0) return ElfMalformed("the file has no segment to load");
  if (next - first > kMaxSpan) {
    return ElfMalformed("its segments take " + std::to_string(next - first) +
                        " bytes of memory; expected at most 64 GiB");
  }
  return Status();
}

Status ElfReader::ReadDynamic() {
  const auto is_dynamic = [](const ElfSegment& s) {
    return s.type == kElfDynamicSegment;
  };
  if (std::ranges::count_if(segments_, is_dynamic) != 1) {
    return ElfMalformed("expected exactly one dynamic section");
  }
  const ElfSegment& segment = *std::ranges::find_if(segments_, is_dynamic);
  // The loader reads it at its address; those bytes must be the ones inspected here.
  ALLOY_ASSIGN_OR_RETURN(
      const uint64_t offset,
      FileOffset(segment.address, segment.file_size, "dynamic section"));
  if (offset != segment.offset || segment.file_size % kDynamicSize != 0) {
    return ElfMalformed("the dynamic section is not where its address says");
  }
  // The loader writes addresses into it.
  const ElfSegment* loaded = Loaded(segment.address, segment.file_size);
  if (loaded == nullptr || (loaded->flags & kElfWrite) == 0) {
    return ElfMalformed(
        "the dynamic section cannot be written; link without -z rodynamic");
  }
  for (uint64_t at = 0; at < segment.file_size; at += kDynamicSize) {
    const ElfDynamic entry{At<int64_t>(offset + at), At<uint64_t>(offset + at + 8)};
    if (entry.tag == 0) return Status();
    if (!MayRepeat(entry.tag) && Entry(entry.tag).has_value()) {
      return ElfMalformed(
          "the dynamic section lists an entry twice; the library is damaged, build it "
          "again");
    }
    if (dynamic_.size() == kMaxDynamic) {
      return ElfMalformed("the dynamic section has more than 1,024 entries");
    }
    dynamic_.push_back(entry);
  }
  return ElfMalformed("the dynamic section has no end");
}

std::optional<uint64_t> ElfReader::Entry(int64_t tag) const {
  const auto found = std::ranges::find(dynamic_, tag, &ElfDynamic::tag);
  if (found == dynamic_.end()) return std::nullopt;
  return found->value;
}

Status ElfReader::ReadTables() {
  const auto strings = Entry(kElfStringTable), strings_size = Entry(kElfStringSize),
             symbols = Entry(kElfSymbolTable), symbol_size = Entry(kElfSymbolSize),
             hash = Entry(kElfHash), gnu_hash = Entry(kElfGnuHash);
  if (!strings || !strings_size || !symbols || symbol_size != kSymbolSize ||
      (!hash && !gnu_hash)) {
    return ElfMalformed("the dynamic section lacks its symbol, string or hash table");
  }
  ALLOY_ASSIGN_OR_RETURN(const uint64_t strings_at,
                         FileOffset(*strings, *strings_size, "string table"));
  strings_ = {reinterpret_cast<const char*>(image_.data()) + strings_at, *strings_size};
  if (strings_.empty() || strings_.back() != '\0') {
    return ElfMalformed("the string table does not end with a NUL");
  }
  if (hash) {
    ALLOY_ASSIGN_OR_RETURN(symbol_count_, CheckHash(*this, *hash));
  }
  if (gnu_hash) {
    ALLOY_ASSIGN_OR_RETURN(const uint64_t count, CheckGnuHash(*this, *gnu_hash));
    symbol_count_ = std::max(symbol_count_, count);
  }
  if (symbol_count_ > image_.size() / kSymbolSize) {
    return ElfMalformed("more symbols than the file can hold");
  }
  ALLOY_ASSIGN_OR_RETURN(
      symbols_, FileOffset(*symbols, symbol_count_ * kSymbolSize, "symbol table"));
  return Status();
}

const ElfSegment* ElfReader::Loaded(uint64_t address, uint64_t size) const {
  const auto found = std::ranges::find_if(segments_, [&](const ElfSegment& segment) {
    return segment.type == kElfLoad && segment.Holds(address, size);
  });
  return found != segments_.end() ? &*found : nullptr;
}

bool ElfReader::IsCode(uint64_t address) const {
  const ElfSegment* segment = Loaded(address, 1);
  return segment != nullptr && (segment->flags & kElfExecute) != 0;
}

Result<uint64_t> ElfReader::FileOffset(uint64_t address, uint64_t size,
                                       const char* what) const {
  for (const ElfSegment& segment : segments_) {
    if (IsReadable(segment) && segment.HoldsInFile(address, size)) {
      return segment.offset + (address - segment.address);
    }
  }
  return ElfMalformed(std::string("the ") + what +
                      " lies outside of every loaded segment");
}

uint64_t ElfReader::RoomAt(uint64_t address) const {
  for (const ElfSegment& segment : segments_) {
    if (IsReadable(segment) && segment.HoldsInFile(address, 1)) {
      return segment.file_size - (address - segment.address);
    }
  }
  return 0;
}

ElfSymbol ElfReader::Symbol(uint64_t index) const {
  const uint64_t at = symbols_ + index * kSymbolSize;
  const uint8_t info = At<uint8_t>(at + 4), other = At<uint8_t>(at + 5);
  const int binding = info >> 4, type = info & 15, visibility = other & 3;
  const bool is_defined = At<uint16_t>(at + 6) != 0;
  // Global 1, weak 2, GNU unique 10; default 0 or protected 3.
  const bool is_export = is_defined && (binding == 1 || binding == 2 || binding == 10) &&
                         (visibility == 0 || visibility == 3);
  return ElfSymbol{.name = At<uint32_t>(at),
                   .value = At<uint64_t>(at + 8),
                   .is_defined = is_defined,
                   .is_export = is_export,
                   .is_function = type == 2,
                   .is_resolver = type == 10};
}

Result<std::string_view> ElfReader::String(uint64_t offset, size_t limit) const {
  if (offset >= strings_.size()) {
    return ElfMalformed(
        "a name lies outside of its string table; copy or build the library again");
  }
  const std::string_view text = strings_.substr(offset, limit);
  return text.substr(0, text.find('\0'));
}

}  // namespace alloy::core
