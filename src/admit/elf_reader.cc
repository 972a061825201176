// SPDX-License-Identifier: MIT
#include "admit/elf_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace alloy::core {
namespace {

constexpr uint64_t kHeaderSize = 64;
constexpr uint64_t kProgramHeaderSize = 56;
constexpr uint64_t kSymbolSize = 24;
constexpr uint64_t kDynamicSize = 16;
constexpr uint16_t kMaxSegments = 128;
constexpr uint64_t kPage = 4096;  // the least that a machine maps

Status ElfMalformed(std::string text) {
  return Fail(ALLOY_REFUSED, ALLOY_REASON_ELF_MALFORMED, std::move(text));
}

bool LiesWithin(uint64_t offset, uint64_t size, uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

}  // namespace

template <typename T>
T ElfReader::At(uint64_t offset) const {
  T value;
  std::memcpy(&value, image_.data() + offset, sizeof(T));
  return value;
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
    return ElfMalformed("made for another machine (ELF machine " +
                        std::to_string(machine) + ", expected " +
                        std::to_string(kElfMachine) + ", " + kElfMachineName + ")");
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

Status ElfReader::ReadSegments() {
  uint64_t next_address = 0;
  for (uint16_t i = 0; i < header_count_; ++i) {
    const uint64_t at = headers_ + i * kProgramHeaderSize;
    const ElfSegment segment{.type = At<uint32_t>(at),
                             .flags = At<uint32_t>(at + 4),
                             .offset = At<uint64_t>(at + 8),
                             .address = At<uint64_t>(at + 16),
                             .file_size = At<uint64_t>(at + 32),
                             .size = At<uint64_t>(at + 40)};
    const std::string name = "segment " + std::to_string(i);
    // A stack has no bytes; every other segment must lie in the file.
    if (segment.type != kElfStack &&
        !LiesWithin(segment.offset, segment.file_size, image_.size())) {
      return ElfMalformed(name + " reaches beyond the end of the file");
    }
    if (segment.type == kElfLoad) {
      if (segment.size < segment.file_size ||
          !LiesWithin(segment.address, segment.size, uint64_t{1} << 47)) {
        return ElfMalformed(name + " has an impossible size or address");
      }
      // By pages, as the loader maps: a later segment on the same page would replace
      // bytes that are inspected here.
      if ((segment.address & ~(kPage - 1)) < next_address) {
        return ElfMalformed(
            name + " overlaps the pages of the one before it, or is out of order");
      }
      next_address = (segment.address + segment.size + kPage - 1) & ~(kPage - 1);
    }
    segments_.push_back(segment);
  }
  if (next_address == 0) return ElfMalformed("the file has no segment to load");
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
  for (uint64_t at = 0; at < segment.file_size; at += kDynamicSize) {
    const ElfDynamic entry{At<int64_t>(offset + at), At<uint64_t>(offset + at + 8)};
    if (entry.tag == 0) return Status();
    dynamic_.push_back(entry);
  }
  return ElfMalformed("the dynamic section has no end");
}

Status ElfReader::ReadTables() {
  std::optional<uint64_t> strings, strings_size, symbols, symbol_size, hash, gnu_hash;
  for (const ElfDynamic& entry : dynamic_) {
    std::optional<uint64_t>* place = entry.tag == kElfStringTable   ? &strings
                                     : entry.tag == kElfStringSize  ? &strings_size
                                     : entry.tag == kElfSymbolTable ? &symbols
                                     : entry.tag == kElfSymbolSize  ? &symbol_size
                                     : entry.tag == kElfHash        ? &hash
                                     : entry.tag == kElfGnuHash     ? &gnu_hash
                                                                    : nullptr;
    if (place == nullptr) continue;
    // The loader uses the last of two, this reader the first: refuse both.
    if (place->has_value())
      return ElfMalformed(
          "the dynamic section lists a table twice; the library is damaged, build it "
          "again");
    *place = entry.value;
  }
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
    ALLOY_ASSIGN_OR_RETURN(symbol_count_, CountByHash(*hash));
  }
  if (gnu_hash) {
    ALLOY_ASSIGN_OR_RETURN(const uint64_t count, CountByGnuHash(*gnu_hash));
    symbol_count_ = std::max(symbol_count_, count);
  }
  if (symbol_count_ > image_.size() / kSymbolSize) {
    return ElfMalformed("more symbols than the file can hold");
  }
  ALLOY_ASSIGN_OR_RETURN(
      symbols_, FileOffset(*symbols, symbol_count_ * kSymbolSize, "symbol table"));
  return Status();
}

Result<uint64_t> ElfReader::CountByHash(uint64_t address) const {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, FileOffset(address, 8, "hash table"));
  const uint64_t count = At<uint32_t>(at + 4);
  const uint64_t words = 2 + uint64_t{At<uint32_t>(at)} + count;
  ALLOY_TRY(FileOffset(address, words * 4, "hash table").status());
  return count;
}

// Header (4 words), a Bloom filter of 64-bit words, the buckets, then one chain word for
// each symbol from `first` on; the lowest bit ends a chain.
Result<uint64_t> ElfReader::CountByGnuHash(uint64_t address) const {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, FileOffset(address, 16, "hash table"));
  const uint64_t buckets = At<uint32_t>(at), first = At<uint32_t>(at + 4),
                 bloom = At<uint32_t>(at + 8);
  const uint64_t fixed = 16 + bloom * 8 + buckets * 4;
  ALLOY_TRY(FileOffset(address, fixed, "hash table").status());
  uint64_t last = 0;
  for (uint64_t i = 0; i < buckets; ++i) {
    last = std::max<uint64_t>(last, At<uint32_t>(at + 16 + bloom * 8 + i * 4));
  }
  if (last == 0) return first;
  if (last < first)
    return ElfMalformed("the hash table points at a symbol that it leaves out");
  for (;; ++last) {
    const uint64_t chain = fixed + (last - first) * 4;
    ALLOY_TRY(FileOffset(address, chain + 4, "hash table").status());
    if ((At<uint32_t>(at + chain) & 1) != 0) return last + 1;
  }
}

Result<uint64_t> ElfReader::FileOffset(uint64_t address, uint64_t size,
                                       const char* what) const {
  for (const ElfSegment& segment : segments_) {
    if (segment.type != kElfLoad || address < segment.address) continue;
    if (LiesWithin(address - segment.address, size, segment.file_size)) {
      return segment.offset + (address - segment.address);
    }
  }
  return ElfMalformed(std::string("the ") + what +
                      " lies outside of every loaded segment");
}

Result<ElfSymbol> ElfReader::Symbol(uint64_t index) const {
  const uint64_t at = symbols_ + index * kSymbolSize;
  const uint8_t info = At<uint8_t>(at + 4), other = At<uint8_t>(at + 5);
  const uint16_t section = At<uint16_t>(at + 6);
  const int binding = info >> 4, type = info & 15, visibility = other & 3;
  // Global 1, weak 2, GNU unique 10; default 0 or protected 3; section 0 is undefined.
  const bool is_export = section != 0 &&
                         (binding == 1 || binding == 2 || binding == 10) &&
                         (visibility == 0 || visibility == 3);
  return ElfSymbol{
      .name = At<uint32_t>(at), .is_export = is_export, .is_function = type == 2};
}

Result<std::string_view> ElfReader::String(uint64_t offset) const {
  if (offset >= strings_.size())
    return ElfMalformed(
        "a symbol name lies outside of its string table; copy or build the library "
        "again");
  return std::string_view(strings_.data() + offset);  // ends: the last byte is a NUL
}

}  // namespace alloy::core
