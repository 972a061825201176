// SPDX-License-Identifier: MIT
//
// Files whose tables overlap, so that a small file describes a huge library: the inspection
// takes time and memory in proportion to the file.
#include <gtest/gtest.h>

#include <chrono>

#include "admit/archive.h"
#include "admit/archive_samples.h"
#include "admit/elf_samples.h"
#include "admit/inspection.h"

namespace alloy::core {
namespace {

// What one inspection may take on a busy machine, with a sanitizer. Without budgets these
// files take minutes.
constexpr std::chrono::seconds kLimit(10);
constexpr size_t kMostJson = size_t{64} << 10U;

// A library of one segment: headers, then tables in the order in which they are added.
class TinyElf {
 public:
  // `loads`: how many segments map the whole file, one behind the other.
  explicit TinyElf(uint16_t loads = 1) : loads_(loads) {
    image_.resize(64 + size_t{56} * (loads + 2U));
  }
  uint64_t size() const { return image_.size(); }
  template <typename T>
  void Add(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    image_.insert(image_.end(), bytes, bytes + sizeof(value));
  }
  void Add(std::string_view bytes) {
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    image_.insert(image_.end(), data, data + bytes.size());
  }
  void Align() { image_.resize((image_.size() + 7) / 8 * 8); }
  void Entry(int64_t tag, uint64_t value) { dynamic_.push_back({tag, value}); }
  void Symbol(uint32_t name, uint8_t info, uint16_t section) {
    Add(name);
    Add(info);
    Add(uint8_t{0});
    Add(section);
    Add(uint64_t{64});
    Add(uint64_t{0});
  }

  // The strings: NUL, `text`, NUL. Then the dynamic section and the headers.
  std::vector<std::byte> Finish(std::string_view text) {
    Entry(5, size());
    Add(std::string_view("\0", 1));
    Add(text);
    Add(std::string_view("\0", 1));
    Entry(10, text.size() + 2);
    Align();
    const uint64_t dynamic_at = size();
    for (const auto& [tag, value] : dynamic_) {
      Add(tag);
      Add(value);
    }
    Add(int64_t{0});
    Add(uint64_t{0});
    const uint64_t page = uint64_t{64} << 10U;
    std::memcpy(image_.data(),
                "\x7f"
                "ELF\x02\x01\x01",
                7);
    Poke<uint16_t>(image_, 16, 3);
    Poke<uint16_t>(image_, 18, kMachine);
    Poke<uint64_t>(image_, 32, 64);
    Poke<uint16_t>(image_, 54, 56);
    Poke<uint16_t>(image_, 56, static_cast<uint16_t>(loads_ + 2));
    const uint64_t whole = image_.size();
    const uint64_t step = (whole + page - 1) / page * page;
    for (uint16_t i = 0; i < loads_; ++i) {
      // Writable, since the loader writes into the dynamic section.
      Header(i, 1, 6, 0, i * step, whole);
    }
    Header(loads_, 2, 6, dynamic_at, dynamic_at, whole - dynamic_at);
    Header(static_cast<uint16_t>(loads_ + 1), 0x6474e551, 6, 0, 0, 0);
    return image_;
  }

 private:
#if defined(__x86_64__)
  static constexpr uint16_t kMachine = 62;
#else
  static constexpr uint16_t kMachine = 183;
#endif
  void Header(uint16_t i, uint32_t type, uint32_t flags, uint64_t offset,
              uint64_t address, uint64_t bytes) {
    const size_t at = 64 + size_t{56} * i;
    Poke<uint32_t>(image_, at, type);
    Poke<uint32_t>(image_, at + 4, flags);
    Poke<uint64_t>(image_, at + 8, offset);
    Poke<uint64_t>(image_, at + 16, address);
    Poke<uint64_t>(image_, at + 24, address);
    Poke<uint64_t>(image_, at + 32, bytes);
    Poke<uint64_t>(image_, at + 40, bytes);
    Poke<uint64_t>(image_, at + 48, type == 1 ? uint64_t{64} << 10U : 8);
  }

  const uint16_t loads_;
  std::vector<std::byte> image_;
  std::vector<std::pair<int64_t, uint64_t>> dynamic_;
};

// Inspects, and checks what that cost.
ElfFindings Inspected(const std::vector<std::byte>& image) {
  const auto start = std::chrono::steady_clock::now();
  Inspection found;
  found.elf = InspectElf(image);
  const std::string json = AsJson(found);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLimit);
  EXPECT_LT(json.size(), kMostJson);
  size_t names = 0;
  for (const auto* list : {&found.elf.facts.needed, &found.elf.facts.exports}) {
    for (const std::string& name : *list) names += name.size();
  }
  EXPECT_LE(names, size_t{128} * 256);
  return found.elf;
}

// The symbol table, and a hash table of one list that has all of them.
TinyElf WithSymbols(uint32_t count) {
  TinyElf elf;
  elf.Entry(6, elf.size());
  elf.Entry(11, 24);
  elf.Symbol(0, 0, 0);
  for (uint32_t i = 1; i < count; ++i) elf.Symbol(1, 0x12, 1);
  elf.Entry(4, elf.size());
  elf.Add(uint32_t{1});
  elf.Add(count);
  for (uint32_t i = 0; i <= count; ++i) elf.Add(i + 1 < count ? i + 1 : 0U);
  elf.Align();
  return elf;
}

TEST(ElfBudgetTest, AMillionNamesThatShareALongStringCostNothing) {
  TinyElf elf = WithSymbols(40'000);
  const auto found = Inspected(elf.Finish(std::string(500'000, 'A')));
  EXPECT_EQ(found.facts.export_count, 39'999U);
  EXPECT_EQ(found.facts.exports.size(), 64U);
  ASSERT_FALSE(found.faults.empty());
}

TEST(ElfBudgetTest, NeededLibrariesAreCounted) {
  for (const size_t length : {size_t{200}, size_t{250'000}}) {
    TinyElf elf = WithSymbols(2);
    for (int i = 0; i < 1000; ++i) elf.Entry(1, 1);
    const auto found = Inspected(elf.Finish(std::string(length, 'A')));
    EXPECT_LE(found.facts.needed.size(), 64U);
    ASSERT_FALSE(found.faults.empty());
    EXPECT_EQ(found.faults.front().reason(), ALLOY_REASON_ELF_MALFORMED);
  }
  TinyElf elf = WithSymbols(2);
  for (int i = 0; i < 100'000; ++i) elf.Entry(1, 1);
  EXPECT_FALSE(Inspected(elf.Finish("A")).faults.empty());
}

TEST(ElfBudgetTest, EachByPathNameIsQuotedOnlyInPart) {
  TinyElf elf = WithSymbols(2);
  std::string paths;
  for (int i = 0; i < 60; ++i) {
    elf.Entry(1, 1 + paths.size());
    paths += "/" + std::to_string(i) + std::string(100'000, 'A') + '\0';
  }
  EXPECT_FALSE(Inspected(elf.Finish(paths)).faults.empty());
}

// A list of the GNU hash table that goes through the file, seen by a hundred segments.
TEST(ElfBudgetTest, AListThroughManySegmentsIsFollowedOnce) {
  TinyElf elf(100);
  elf.Entry(6, elf.size());
  elf.Entry(11, 24);
  elf.Symbol(0, 0, 0);
  elf.Entry(0x6ffffef5, elf.size());
  for (const uint32_t word : {1U, 1U, 1U, 5U, 0U, 0U, 1U}) elf.Add(word);
  const auto found = Inspected(elf.Finish(std::string(size_t{32} << 20U, '\0')));
  ASSERT_FALSE(found.faults.empty());
  EXPECT_EQ(found.faults.front().reason(), ALLOY_REASON_ELF_MALFORMED);
}

// Without a GNU hash table the loader follows these lists until it finds the name.
TEST(ElfBudgetTest, AListOfTheHashTableThatHasNoEndIsRefused) {
  for (const std::vector<uint32_t>& words : {std::vector<uint32_t>{1, 3, 1, 0, 2, 1},
                                             {1, 3, 1, 0, 1, 0},
                                             {2, 3, 1, 1, 0, 0, 0},
                                             {1, 3, 7, 0, 0, 0},
                                             {1, 3, 1, 0, 9, 0},
                                             {0, 3, 0, 0, 0, 0}}) {
    TinyElf elf;
    elf.Entry(6, elf.size());
    elf.Entry(11, 24);
    for (int i = 0; i < 3; ++i) elf.Symbol(0, 0, 0);
    elf.Entry(4, elf.size());
    for (const uint32_t word : words) elf.Add(word);
    elf.Align();
    const auto found = Inspected(elf.Finish("A"));
    ASSERT_FALSE(found.faults.empty());
    EXPECT_NE(found.faults.front().fault().text.find("hash table"), std::string::npos)
        << found.faults.front().fault().text;
  }
}

TEST(ElfBudgetTest, ListsOfVersionsHaveALimit) {
  TinyElf elf = WithSymbols(2);
  elf.Entry(1, 1);
  elf.Entry(0x6ffffffe, elf.size());
  for (int i = 0; i < 200'000; ++i) {
    elf.Add(uint16_t{1});
    elf.Add(uint16_t{1});
    for (const uint32_t word : {1U, 0U, 16U}) elf.Add(word);
  }
  const auto found = Inspected(elf.Finish(std::string(250, 'A')));
  ASSERT_FALSE(found.faults.empty());
}

TEST(ArchiveBudgetTest, ManyMembersMayShareOneLongTableOfNames) {
  const std::string object = FirstObject("good.a");
  std::string archive = "!<arch>\n" + Member("//", std::string(size_t{8} << 20U, 'n'));
  std::string members;
  for (int i = 0; i < 20'000; ++i) members += Member("/" + std::to_string(i), object);
  archive += members;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(WalkArchive(AsBytes(archive)).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLimit);
}

TEST(ArchiveBudgetTest, ASectionIsNotAlignedToMoreThanALinkerCanFill) {
  std::string object = FirstObject("good.a");
  uint64_t sections = 0;
  std::memcpy(&sections, object.data() + 40, sizeof(sections));
  for (const unsigned bits : {28U, 34U, 63U}) {
    const uint64_t alignment = uint64_t{1} << bits;
    std::memcpy(object.data() + sections + 64 + 48, &alignment, sizeof(alignment));
    const auto walked = WalkArchive(AsBytes("!<arch>\n" + Member("a.o/", object)));
    ASSERT_FALSE(walked.ok());
    EXPECT_EQ(walked.status().reason(), ALLOY_REASON_ARCHIVE_MALFORMED);
    EXPECT_NE(walked.status().fault().text.find("aligned"), std::string::npos);
  }
}

}  // namespace
}  // namespace alloy::core
