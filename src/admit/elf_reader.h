// SPDX-License-Identifier: MIT
//
// The parts of a 64-bit little-endian shared library that decide what the loader does
// with it. Every offset is checked against the image before it is followed.
#ifndef ALLOY_SRC_ADMIT_ELF_READER_H_
#define ALLOY_SRC_ADMIT_ELF_READER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alloy::core {

#if defined(__x86_64__)
inline constexpr uint16_t kElfMachine = 62;
inline constexpr const char* kElfMachineName = "x86-64";
#elif defined(__aarch64__)
inline constexpr uint16_t kElfMachine = 183;
inline constexpr const char* kElfMachineName = "arm64";
#else
#error "Alloy runs on Linux on x86-64 and arm64 with glibc."
#endif

// Program header types and flags.
inline constexpr uint32_t kElfLoad = 1, kElfDynamicSegment = 2, kElfInterpreter = 3,
                          kElfNote = 4, kElfHeaders = 6, kElfTls = 7,
                          kElfEhFrame = 0x6474e550, kElfStack = 0x6474e551,
                          kElfRelro = 0x6474e552, kElfProperty = 0x6474e553;
inline constexpr uint32_t kElfExecute = 1, kElfWrite = 2, kElfRead = 4;

// Tags of the dynamic section.
inline constexpr int64_t kElfNeeded = 1, kElfPltSize = 2, kElfHash = 4,
                         kElfStringTable = 5, kElfSymbolTable = 6, kElfRela = 7,
                         kElfRelaSize = 8, kElfRelaEntry = 9, kElfStringSize = 10,
                         kElfSymbolSize = 11, kElfInit = 12, kElfFini = 13,
                         kElfSoname = 14, kElfRpath = 15, kElfRel = 17, kElfPltKind = 20,
                         kElfTextRelocations = 22, kElfPltRelocations = 23,
                         kElfInitArray = 25, kElfFiniArray = 26, kElfInitArraySize = 27,
                         kElfFiniArraySize = 28, kElfRunpath = 29, kElfFlags = 30,
                         kElfRelrSize = 35, kElfRelr = 36, kElfRelrEntry = 37,
                         kElfGnuHash = 0x6ffffef5, kElfDependencyAudit = 0x6ffffefb,
                         kElfAudit = 0x6ffffefc, kElfVersions = 0x6ffffff0,
                         kElfRelativeCount = 0x6ffffff9, kElfFlags1 = 0x6ffffffb,
                         kElfVersionsDefined = 0x6ffffffc,
                         kElfVersionsNeeded = 0x6ffffffe, kElfAuxiliary = 0x7ffffffd,
                         kElfFilter = 0x7fffffff;
inline constexpr uint64_t kElfFlagTextRelocations = 4;
// What it exports, or filters, would reach beyond itself, whatever dlopen is told.
inline constexpr uint64_t kElfFlag1Global = 0x2, kElfFlag1LoadFilter = 0x10,
                          kElfFlag1Interpose = 0x400, kElfFlag1Pie = 0x08000000;

inline constexpr uint64_t kElfPage = 4096;  // the least that a machine maps

Status ElfMalformed(std::string text);

struct ElfSegment {
  uint32_t type = 0;
  uint32_t flags = 0;
  uint64_t offset = 0;     // in the file
  uint64_t address = 0;    // when loaded, from the library's base
  uint64_t file_size = 0;  // bytes in the file
  uint64_t size = 0;       // bytes when loaded
  uint64_t alignment = 0;

  bool Holds(uint64_t at, uint64_t bytes) const {  // when loaded
    return at >= address && at - address <= size && bytes <= size - (at - address);
  }
  bool HoldsInFile(uint64_t at, uint64_t bytes) const {
    return at >= address && at - address <= file_size &&
           bytes <= file_size - (at - address);
  }
};

struct ElfDynamic {
  int64_t tag = 0;
  uint64_t value = 0;
};

struct ElfSymbol {
  uint64_t name = 0;   // for ElfReader::String
  uint64_t value = 0;  // its address
  bool is_defined = false;
  bool is_export = false;
  bool is_function = false;
  bool is_resolver = false;  // of an IFUNC: the loader calls it
};

// A value. It borrows the image.
class ElfReader {
 public:
  // Parse what the loader needs in any case. elf_tables.h checks the rest of what it
  // follows.
  //   Fails  REFUSED with ELF_MALFORMED.
  static Result<ElfReader> Read(std::span<const std::byte> image);

  const std::vector<ElfSegment>& segments() const { return segments_; }
  // Without the end mark. Only what may be listed twice is.
  const std::vector<ElfDynamic>& dynamic() const { return dynamic_; }
  std::optional<uint64_t> Entry(int64_t tag) const;
  uint64_t symbol_count() const { return symbol_count_; }
  uint64_t size() const { return image_.size(); }
  uint64_t headers() const { return headers_; }  // where the program headers are
  uint64_t headers_size() const;

  ElfSymbol Symbol(uint64_t index) const;  // below symbol_count()
  // Of the dynamic string table, at most `limit` bytes of it.
  Result<std::string_view> String(uint64_t offset, size_t limit) const;

  // Where `size` bytes at a loaded address lie in the file, inside one segment.
  Result<uint64_t> FileOffset(uint64_t address, uint64_t size, const char* what) const;
  // How many bytes of the file follow that address in its segment; 0: it is in none.
  uint64_t RoomAt(uint64_t address) const;
  // The loaded segment that holds the address; NULL: none.
  const ElfSegment* Loaded(uint64_t address, uint64_t size) const;
  bool IsCode(uint64_t address) const;
  // A number at a file offset that was checked.
  template <typename T>
  T At(uint64_t offset) const {
    T value;
    std::memcpy(&value, image_.data() + offset, sizeof(T));
    return value;
  }

 private:
  explicit ElfReader(std::span<const std::byte> image) : image_(image) {}

  Status ReadHeader();
  Status ReadSegments();
  Status CheckPages() const;
  Status ReadDynamic();
  Status ReadTables();

  std::span<const std::byte> image_;
  uint64_t headers_ = 0;
  uint16_t header_count_ = 0;
  std::vector<ElfSegment> segments_;
  std::vector<ElfDynamic> dynamic_;
  uint64_t symbols_ = 0;
  uint64_t symbol_count_ = 0;
  std::string_view strings_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ADMIT_ELF_READER_H_
