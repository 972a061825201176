// SPDX-License-Identifier: MIT
#include "admit/elf_hash.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace alloy::core {
namespace {

constexpr const char* kTable = "hash table";
constexpr uint64_t kWord = 4;
constexpr uint64_t kSymbolSize = 24;

Status NoBuckets() {
  return ElfMalformed("the hash table has no buckets, so no symbol can be found in it");
}

}  // namespace

// Two words (buckets, symbols), the buckets, then for each symbol the next one of its
// list. Each list ends with symbol 0.
Result<uint64_t> CheckHash(const ElfReader& elf, uint64_t address) {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, elf.FileOffset(address, 2 * kWord, kTable));
  const uint64_t buckets = elf.At<uint32_t>(at), symbols = elf.At<uint32_t>(at + kWord);
  const uint64_t links = buckets + symbols;
  ALLOY_TRY(elf.FileOffset(address, (2 + links) * kWord, kTable).status());
  if (buckets == 0) return NoBuckets();
  if (symbols > elf.size() / kSymbolSize) {
    return ElfMalformed("the hash table has more symbols than the file can hold");
  }
  // A symbol that two lists lead to, or that a list comes back to, has two predecessors.
  // Without one of those, no list that starts at a bucket has a loop.
  std::vector<bool> is_next(symbols);
  for (uint64_t i = 0; i < links; ++i) {
    const uint64_t next = elf.At<uint32_t>(at + (2 + i) * kWord);
    if (next == 0) continue;
    if (next >= symbols) {
      return ElfMalformed("the hash table points at a symbol that does not exist");
    }
    if (is_next[next]) return ElfMalformed("the hash table has a list without an end");
    is_next[next] = true;
  }
  return symbols;
}

// Header (4 words), a Bloom filter of 64-bit words, the buckets, then one chain word for
// each symbol from `first` on; the lowest bit ends a chain.
Result<uint64_t> CheckGnuHash(const ElfReader& elf, uint64_t address) {
  ALLOY_ASSIGN_OR_RETURN(const uint64_t at, elf.FileOffset(address, 4 * kWord, kTable));
  const uint64_t buckets = elf.At<uint32_t>(at), first = elf.At<uint32_t>(at + kWord),
                 bloom = elf.At<uint32_t>(at + 2 * kWord),
                 shift = elf.At<uint32_t>(at + 3 * kWord);
  const uint64_t buckets_at = 4 * kWord + bloom * 8, fixed = buckets_at + buckets * kWord;
  ALLOY_TRY(elf.FileOffset(address, fixed, kTable).status());
  if (buckets == 0) return NoBuckets();
  // glibc asserts the first, and shifts 32 bits by the second.
  if (!std::has_single_bit(bloom) || shift > 31) {
    return ElfMalformed(
        "the Bloom filter of the hash table is malformed: its size is not a power of "
        "two, "
        "or its shift is above 31");
  }
  uint64_t last = 0;
  for (uint64_t i = 0; i < buckets; ++i) {
    const uint64_t symbol = elf.At<uint32_t>(at + buckets_at + i * kWord);
    if (symbol != 0 && symbol < first) {
      return ElfMalformed("the hash table points at a symbol that it leaves out");
    }
    last = std::max(last, symbol);
  }
  if (last == 0) return first;
  // Every other chain ends before this one, or in it.
  const uint64_t most = elf.size() / kSymbolSize;
  const uint64_t chains = (elf.RoomAt(address) - fixed) / kWord;
  for (; last < most && last - first < chains; ++last) {
    const uint64_t chain = at + fixed + (last - first) * kWord;
    if ((elf.At<uint32_t>(chain) & 1U) != 0) return last + 1;
  }
  return ElfMalformed("the hash table has a list without an end");
}

}  // namespace alloy::core
