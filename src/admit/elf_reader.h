// SPDX-License-Identifier: MIT
//
// The parts of a 64-bit little-endian shared library that decide what the loader does
// with it. Every offset is checked against the image before it is followed.
#ifndef ALLOY_SRC_ADMIT_ELF_READER_H_
#define ALLOY_SRC_ADMIT_ELF_READER_H_

#include <cstddef>
#include <cstdint>
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
                          kElfStack = 0x6474e551;
inline constexpr uint32_t kElfExecute = 1, kElfWrite = 2;

// Tags of the dynamic section.
inline constexpr int64_t kElfNeeded = 1, kElfHash = 4, kElfStringTable = 5,
                         kElfSymbolTable = 6, kElfStringSize = 10, kElfSymbolSize = 11,
                         kElfRpath = 15, kElfTextRelocations = 22, kElfRunpath = 29,
                         kElfFlags = 30, kElfGnuHash = 0x6ffffef5,
                         kElfDependencyAudit = 0x6ffffefb, kElfAudit = 0x6ffffefc,
                         kElfFlags1 = 0x6ffffffb, kElfAuxiliary = 0x7ffffffd,
                         kElfFilter = 0x7fffffff;
inline constexpr uint64_t kElfFlagTextRelocations = 4;
// What it exports, or filters, would reach beyond itself, whatever dlopen is told.
inline constexpr uint64_t kElfFlag1Global = 0x2, kElfFlag1LoadFilter = 0x10,
                          kElfFlag1Interpose = 0x400, kElfFlag1Pie = 0x08000000;

struct ElfSegment {
  uint32_t type = 0;
  uint32_t flags = 0;
  uint64_t offset = 0;     // in the file
  uint64_t address = 0;    // when loaded, from the library's base
  uint64_t file_size = 0;  // bytes in the file
  uint64_t size = 0;       // bytes when loaded
};

struct ElfDynamic {
  int64_t tag = 0;
  uint64_t value = 0;
};

struct ElfSymbol {
  uint64_t name = 0;  // for ElfReader::String
  bool is_export = false;
  bool is_function = false;
};

class ElfReader {
 public:
  // Borrows the image as long as the reader.
  static Result<ElfReader> Read(std::span<const std::byte> image);

  const std::vector<ElfSegment>& segments() const { return segments_; }
  const std::vector<ElfDynamic>& dynamic() const {
    return dynamic_;
  }  // without the end mark
  uint64_t symbol_count() const { return symbol_count_; }

  Result<ElfSymbol> Symbol(uint64_t index) const;
  Result<std::string_view> String(uint64_t offset) const;  // of the dynamic string table

 private:
  explicit ElfReader(std::span<const std::byte> image) : image_(image) {}

  Status ReadHeader();
  Status ReadSegments();
  Status ReadDynamic();
  Status ReadTables();
  Result<uint64_t> CountByHash(uint64_t address) const;
  Result<uint64_t> CountByGnuHash(uint64_t address) const;

  // Where `size` bytes at a loaded address lie in the file, inside one segment.
  Result<uint64_t> FileOffset(uint64_t address, uint64_t size, const char* what) const;
  // A number at a file offset that was checked.
  template <typename T>
  T At(uint64_t offset) const;

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
