// SPDX-License-Identifier: MIT
#include "admit/elf_versions.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace alloy::core {
namespace {

constexpr const char* kTable = "table of symbol versions";
constexpr size_t kLongestName = 4096;
constexpr uint16_t kIndexBits = 0x7fff;
// Lists of more are damage: a version is a few letters, and a library has few of them.
constexpr int kMost = 4096;

Status BadVersions() {
  return ElfMalformed("the tables of symbol versions are malformed; build it again");
}

class Versions {
 public:
  explicit Versions(const ElfReader& elf) : elf_(elf) {}

  Status Run() {
    ALLOY_TRY(CheckNeeded());
    ALLOY_TRY(CheckDefined());
    return CheckSymbols();
  }

 private:
  // Each list is followed by distances, of which 0 ends it.
  Status CheckNeeded() {
    auto at = elf_.Entry(kElfVersionsNeeded);
    if (!at) return Status();
    for (const ElfDynamic& entry : elf_.dynamic()) {
      if (entry.tag != kElfNeeded) continue;
      ALLOY_ASSIGN_OR_RETURN(const auto name, elf_.String(entry.value, kLongestName));
      needed_.push_back(name);
    }
    for (int count = 0;; ++count) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(*at, 16, kTable));
      ALLOY_ASSIGN_OR_RETURN(const auto file,
                             elf_.String(elf_.At<uint32_t>(offset + 4), kLongestName));
      // glibc asserts that the library is among the loaded ones.
      if (elf_.At<uint16_t>(offset) != 1 || count == kMost ||
          std::ranges::find(needed_, file) == needed_.end()) {
        return BadVersions();
      }
      ALLOY_TRY(CheckNeededOf(*at + elf_.At<uint32_t>(offset + 8)));
      const auto next = elf_.At<uint32_t>(offset + 12);
      if (next == 0) return Status();
      *at += next;
    }
  }

  Status CheckNeededOf(uint64_t at) {
    for (;; ++total_) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(at, 16, kTable));
      ALLOY_TRY(elf_.String(elf_.At<uint32_t>(offset + 8), 1).status());
      if (total_ == kMost) return BadVersions();
      highest_ = std::max(
          highest_, static_cast<uint16_t>(elf_.At<uint16_t>(offset + 6) & kIndexBits));
      const auto next = elf_.At<uint32_t>(offset + 12);
      if (next == 0) return Status();
      at += next;
    }
  }

  Status CheckDefined() {
    auto at = elf_.Entry(kElfVersionsDefined);
    if (!at) return Status();
    for (int count = 0;; ++count) {
      ALLOY_ASSIGN_OR_RETURN(const uint64_t offset, elf_.FileOffset(*at, 20, kTable));
      const uint64_t name_at = *at + elf_.At<uint32_t>(offset + 12);
      ALLOY_ASSIGN_OR_RETURN(const uint64_t name, elf_.FileOffset(name_at, 8, kTable));
      ALLOY_TRY(elf_.String(elf_.At<uint32_t>(name), 1).status());
      if (elf_.At<uint16_t>(offset) != 1 || count == kMost) return BadVersions();
      highest_ = std::max(
          highest_, static_cast<uint16_t>(elf_.At<uint16_t>(offset + 4) & kIndexBits));
      const auto next = elf_.At<uint32_t>(offset + 16);
      if (next == 0) return Status();
      *at += next;
    }
  }

  // The loader uses the version of a symbol as an index, unchecked.
  Status CheckSymbols() const {
    const auto table = elf_.Entry(kElfVersions);
    // A list of versions is for a table of symbols, which glibc reads without asking.
    if (!table) return highest_ == 0 ? Status() : BadVersions();
    const uint64_t count = elf_.symbol_count();
    ALLOY_ASSIGN_OR_RETURN(const uint64_t offset,
                           elf_.FileOffset(*table, 2 * count, kTable));
    if (highest_ == 0) return BadVersions();
    for (uint64_t i = 0; i < count; ++i) {
      if ((elf_.At<uint16_t>(offset + 2 * i) & kIndexBits) > highest_)
        return BadVersions();
    }
    return Status();
  }

  const ElfReader& elf_;
  std::vector<std::string_view> needed_;
  uint16_t highest_ = 0;
  int total_ = 0;
};

}  // namespace

Status CheckVersions(const ElfReader& elf) { return Versions(elf).Run(); }

}  // namespace alloy::core
