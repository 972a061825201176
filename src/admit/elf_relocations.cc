// SPDX-License-Identifier: MIT
#include "admit/elf_relocations.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

namespace alloy::core {
namespace {

constexpr uint64_t kEntry = 24;
constexpr uint64_t kWord = 8;
constexpr uint64_t kRela = 7;

// The types that need more than a range check.
#if defined(__x86_64__)
constexpr uint32_t kAbsolute = 1, kCopy = 5, kRelative = 8, kDescriptor = 36,
                   kResolved = 37;
constexpr bool IsHalfWord(uint32_t type) {
  return type == 2 || type == 10 || type == 11 || type == 32;  // PC32, 32, 32S, SIZE32
}
#else
constexpr uint32_t kAbsolute = 257, kCopy = 1024, kRelative = 1027, kDescriptor = 1031,
                   kResolved = 1032;
constexpr bool IsHalfWord(uint32_t type) {
  return type == 258 || type == 261;  // ABS32, PREL32
}
#endif

// A list of functions that the loader calls. Each must have been relocated into the code.
struct CallList {
  uint64_t address = 0;
  std::vector<bool> is_relocated;

  std::optional<size_t> SlotAt(uint64_t at) const {
    if (at < address || (at - address) / kWord >= is_relocated.size())
      return std::nullopt;
    return (at - address) / kWord;
  }
};

class Relocations {
 public:
  explicit Relocations(const ElfReader& elf) : elf_(elf) {}

  Status Run() {
    KeepTables();
    ALLOY_TRY(ReadCallLists());
    ALLOY_TRY(CheckKinds());
    ALLOY_TRY(CheckTable(kElfRela, kElfRelaSize));
    ALLOY_TRY(CheckTable(kElfPltRelocations, kElfPltSize));
    ALLOY_TRY(CheckRelr());
    for (const CallList& list : lists_) {
      for (const bool is_relocated : list.is_relocated) {
        if (!is_relocated) return NotCode();
      }
    }
    return Status();
  }

 private:
  static Status NotCode() {
    return ElfMalformed(
        "names a constructor, a destructor or a resolver that is not in its code; build "
        "it "
        "again");
  }
  static Status OutOfRange() {
    return ElfMalformed(
        "has a relocation outside of its writable data, or of a symbol that does not "
        "exist; build it again");
  }

  Status ReadCallLists() {
    for (const int64_t tag : {kElfInit, kElfFini}) {
      const auto function = elf_.Entry(tag);
      if (function && !elf_.IsCode(*function)) return NotCode();
    }
    ALLOY_TRY(ReadCallList(kElfInitArray, kElfInitArraySize));
    return ReadCallList(kElfFiniArray, kElfFiniArraySize);
  }

  Status ReadCallList(int64_t tag, int64_t size_tag) {
    const auto address = elf_.Entry(tag), size = elf_.Entry(size_tag);
    if (!address) return Status();
    if (!size || *size % kWord != 0) {
      return ElfMalformed("has a list of constructors without a size");
    }
    if (*size == 0) return Status();
    ALLOY_TRY(elf_.FileOffset(*address, *size, "list of constructors").status());
    lists_.push_back({*address, std::vector<bool>(*size / kWord)});
    return Status();
  }

  // glibc asserts these, or reads one entry because another is there.
  Status CheckKinds() const {
    const auto plt_kind = elf_.Entry(kElfPltKind), relr_entry = elf_.Entry(kElfRelrEntry);
    const bool has_plt = elf_.Entry(kElfPltRelocations).has_value();
    if (elf_.Entry(kElfRel) || (plt_kind && *plt_kind != kRela) ||
        has_plt != plt_kind.has_value() ||
        has_plt != elf_.Entry(kElfPltSize).has_value()) {
      return ElfMalformed("has relocations of a kind that this machine does not use");
    }
    const auto complete = [&](int64_t table, int64_t size, int64_t entry,
                              uint64_t expected) {
      return !elf_.Entry(table) ? !elf_.Entry(size) || *elf_.Entry(size) == 0
                                : elf_.Entry(size) && elf_.Entry(entry) == expected;
    };
    if (!complete(kElfRela, kElfRelaSize, kElfRelaEntry, kEntry) ||
        !complete(kElfRelr, kElfRelrSize, kElfRelrEntry, kWord) ||
        (relr_entry && *relr_entry != kWord)) {
      return ElfMalformed("the dynamic section lacks the size of a table of relocations");
    }
    return Status();
  }

  Status CheckTable(int64_t tag, int64_t size_tag) {
    const auto address = elf_.Entry(tag), size = elf_.Entry(size_tag);
    if (!address || *size == 0) return Status();
    if (*size % kEntry != 0) return ElfMalformed("a table of relocations is cut short");
    ALLOY_ASSIGN_OR_RETURN(const uint64_t begin,
                           elf_.FileOffset(*address, *size, "table of relocations"));
    // glibc asserts the kind of as many as this says.
    const uint64_t relative =
        tag == kElfRela ? elf_.Entry(kElfRelativeCount).value_or(0) : 0;
    for (uint64_t at = begin; at < begin + *size; at += kEntry) {
      if ((at - begin) / kEntry < relative &&
          static_cast<uint32_t>(elf_.At<uint64_t>(at + 8)) != kRelative) {
        return ElfMalformed("has fewer relative relocations than it says");
      }
      ALLOY_TRY(CheckOne(elf_.At<uint64_t>(at), elf_.At<uint64_t>(at + 8),
                         elf_.At<uint64_t>(at + 16)));
    }
    return Status();
  }

  Status CheckOne(uint64_t target, uint64_t info, uint64_t addend) {
    const auto type = static_cast<uint32_t>(info);
    const uint64_t symbol = info >> 32U;
    // glibc looks up the version of the symbol first, whatever the type.
    if (symbol >= elf_.symbol_count()) return OutOfRange();
    if (type == 0) return Status();
    const uint64_t width = type == kDescriptor ? 2 * kWord : IsHalfWord(type) ? 4 : kWord;
    // A copy would write as many bytes as another library's symbol has.
    if (type == kCopy || !IsWritable(target, width)) return OutOfRange();
    if (type == kResolved && !elf_.IsCode(addend)) return NotCode();
    for (CallList& list : lists_) {
      const auto slot = list.SlotAt(target);
      if (!slot) continue;
      const bool own = type == kRelative || (type == kAbsolute && symbol == 0);
      if (own ? !elf_.IsCode(addend) : type != kAbsolute) return NotCode();
      list.is_relocated[*slot] = true;
    }
    return Status();
  }

  // An even word is an address; each odd one is a bitmap of the 63 words behind the last
  // one that was covered.
  Status CheckRelr() {
    const auto address = elf_.Entry(kElfRelr);
    if (!address) return Status();
    const uint64_t size = *elf_.Entry(kElfRelrSize);
    if (size % kWord != 0) return ElfMalformed("a table of relocations is cut short");
    ALLOY_ASSIGN_OR_RETURN(const uint64_t begin,
                           elf_.FileOffset(*address, size, "table of relocations"));
    std::optional<uint64_t> next;
    for (uint64_t at = begin; at < begin + size; at += kWord) {
      const auto word = elf_.At<uint64_t>(at);
      if ((word & 1U) == 0) {
        ALLOY_TRY(CheckRelative(word));
        next = word + kWord;
        continue;
      }
      if (!next) return OutOfRange();
      for (uint64_t bits = word >> 1U; bits != 0; bits &= bits - 1) {
        ALLOY_TRY(
            CheckRelative(*next + kWord * static_cast<uint64_t>(std::countr_zero(bits))));
      }
      *next += 63 * kWord;
    }
    return Status();
  }

  Status CheckRelative(uint64_t target) {
    if (!IsWritable(target, kWord)) return OutOfRange();
    for (CallList& list : lists_) {
      const auto slot = list.SlotAt(target);
      if (!slot) continue;
      ALLOY_ASSIGN_OR_RETURN(const uint64_t at,
                             elf_.FileOffset(target, kWord, "list of constructors"));
      if (!elf_.IsCode(elf_.At<uint64_t>(at))) return NotCode();
      list.is_relocated[*slot] = true;
    }
    return Status();
  }

  // Most relocations are in the segment of the one before.
  bool IsWritable(uint64_t target, uint64_t width) {
    if (last_ == nullptr || !last_->Holds(target, width)) {
      const ElfSegment* segment = elf_.Loaded(target, width);
      if (segment == nullptr || (segment->flags & kElfWrite) == 0) return false;
      last_ = segment;
    }
    return std::ranges::none_of(kept_, [&](const Range& range) {
      return target < range.end && range.begin < target + width;
    });
  }

  // What was inspected, and what the loader reads after it has relocated something, must
  // stay as it is. Few of these tables are in memory that can be written.
  void KeepTables() {
    for (const ElfSegment& segment : elf_.segments()) {
      if (segment.type == kElfDynamicSegment) {
        kept_.push_back({segment.address, segment.address + segment.size});
      }
    }
    for (const int64_t tag : {kElfHash, kElfGnuHash, kElfStringTable, kElfSymbolTable,
                              kElfRela, kElfPltRelocations, kElfRelr, kElfVersions,
                              kElfVersionsNeeded, kElfVersionsDefined}) {
      const auto table = elf_.Entry(tag);
      const ElfSegment* segment = table ? elf_.Loaded(*table, 1) : nullptr;
      if (segment == nullptr || (segment->flags & kElfWrite) == 0) continue;
      // Some have no size. Nothing that is relocated follows them in their segment.
      kept_.push_back({*table, segment->address + segment->size});
    }
  }

  struct Range {
    uint64_t begin, end;
  };

  const ElfReader& elf_;
  std::vector<Range> kept_;
  std::vector<CallList> lists_;
  const ElfSegment* last_ = nullptr;
};

}  // namespace

Status CheckRelocations(const ElfReader& elf) { return Relocations(elf).Run(); }

}  // namespace alloy::core
