// SPDX-License-Identifier: MIT
#include "admit/elf.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "admit/elf_samples.h"

namespace alloy::core {
namespace {

struct Refusal {
  int32_t reason;
  std::string text;
};

Refusal Look(const std::vector<std::byte>& image) {
  const auto facts = CheckElf(image);
  if (facts.ok()) return {0, ""};
  EXPECT_EQ(facts.status().code(), ALLOY_REFUSED);
  return {facts.status().reason(), facts.status().fault().text};
}

void ExpectRefusal(const std::vector<std::byte>& image, int32_t reason,
                   const std::string& part) {
  const Refusal refusal = Look(image);
  EXPECT_EQ(refusal.reason, reason) << refusal.text;
  EXPECT_NE(refusal.text.find(part), std::string::npos) << refusal.text;
}

TEST(ElfTest, LetsALibraryOfOneExportThroughAndNamesWhatItNeeds) {
  const auto image = ReadSample("good.so");
  const auto facts = CheckElf(image);
  ASSERT_TRUE(facts.ok()) << facts.status().fault().text;
  EXPECT_EQ(facts->exports, std::vector<std::string>{"alloy_backend_init"});
  EXPECT_NE(std::ranges::find(facts->needed, "libm.so.6"), facts->needed.end());
}

TEST(ElfTest, CountsSymbolsByEitherHashTable) {
  EXPECT_EQ(Look(ReadSample("sysv_hash.so")).reason, 0);
  EXPECT_EQ(Look(ReadSample("both_hashes.so")).reason, 0);
}

TEST(ElfTest, TellsEveryFaultOfALibraryOnce) {
  const ElfFindings all = InspectElf(ReadSample("many_faults.so"));
  std::string texts;
  for (const Status& fault : all.faults) texts += fault.fault().text + "\n";
  EXPECT_EQ(all.faults.size(), 4U) << texts;
  for (const char* part : {"executable stack", "RUNPATH", "AUDIT", "exports 2 symbols"}) {
    EXPECT_NE(texts.find(part), std::string::npos) << part << " in " << texts;
  }
  EXPECT_EQ(all.facts.exports.size(), 2U);
  EXPECT_TRUE(InspectElf(ReadSample("good.so")).faults.empty());
}

TEST(ElfTest, WantsExactlyOneExport) {
  ExpectRefusal(ReadSample("two_exports.so"), ALLOY_REASON_EXPORTS, "malloc_of_ours");
  ExpectRefusal(ReadSample("two_exports.so"), ALLOY_REASON_EXPORTS, "version-script");
  ExpectRefusal(ReadSample("no_export.so"), ALLOY_REASON_EXPORTS, "alloy_backend_init");
  ExpectRefusal(ReadSample("data_export.so"), ALLOY_REASON_EXPORTS,
                "not a plain function");
  ExpectRefusal(ReadSample("ifunc_export.so"), ALLOY_REASON_EXPORTS,
                "not a plain function");
}

TEST(ElfTest, RefusesWhatMisleadsTheLoader) {
  ExpectRefusal(ReadSample("rpath.so"), ALLOY_REASON_ELF_REFUSED, "RPATH");
  ExpectRefusal(ReadSample("runpath.so"), ALLOY_REASON_ELF_REFUSED, "RUNPATH");
  ExpectRefusal(ReadSample("auxiliary.so"), ALLOY_REASON_ELF_REFUSED, "AUXILIARY");
  ExpectRefusal(ReadSample("filter.so"), ALLOY_REASON_ELF_REFUSED, "FILTER");
  ExpectRefusal(ReadSample("audit.so"), ALLOY_REASON_ELF_REFUSED, "AUDIT");
  ExpectRefusal(ReadSample("needs_path.so"), ALLOY_REASON_ELF_REFUSED, "by a path");
}

TEST(ElfTest, RefusesMemoryThatIsWritableAndExecutable) {
  ExpectRefusal(ReadSample("executable_stack.so"), ALLOY_REASON_ELF_REFUSED,
                "executable stack");
  auto image = ReadSample("good.so");
  const size_t text = FindSegment(image, 1, 1);
  ASSERT_NE(text, 0u);
  Poke<uint32_t>(image, text + 4, 7);
  ExpectRefusal(image, ALLOY_REASON_ELF_REFUSED, "writable and executable");
}

TEST(ElfTest, RefusesALibraryThatSaysNothingOfItsStack) {
  auto image = ReadSample("good.so");
  Poke<uint32_t>(image, FindSegment(image, 0x6474e551), 0);
  ExpectRefusal(image, ALLOY_REASON_ELF_REFUSED, "PT_GNU_STACK");
}

TEST(ElfTest, RefusesTextRelocationsUnderBothNames) {
  auto image = ReadSample("good.so");
  const size_t place = FindDynamic(image, 0x6ffffffb) != 0
                           ? FindDynamic(image, 0x6ffffffb)
                           : FindDynamic(image, 12);
  ASSERT_NE(place, 0u);
  Poke<int64_t>(image, place, 22);
  ExpectRefusal(image, ALLOY_REASON_ELF_REFUSED, "text relocations");
  Poke<int64_t>(image, place, 30);
  Poke<uint64_t>(image, place + 8, 4);
  ExpectRefusal(image, ALLOY_REASON_ELF_REFUSED, "text relocations");
}

TEST(ElfTest, RefusesWhatReachesBeyondItself) {
  ExpectRefusal(ReadSample("interpose.so"), ALLOY_REASON_ELF_REFUSED, "INTERPOSE");
  ExpectRefusal(ReadSample("global.so"), ALLOY_REASON_ELF_REFUSED, "GLOBAL");
  ExpectRefusal(ReadSample("loadfltr.so"), ALLOY_REASON_ELF_REFUSED, "LOADFLTR");
}

TEST(ElfTest, FindsEitherMarkOfAGoRuntime) {
  const auto has_runtime = [](const char* name) {
    return InspectElf(ReadSample(name)).facts.has_go_runtime;
  };
  EXPECT_TRUE(has_runtime("go_build_info.so"));
  EXPECT_TRUE(has_runtime("go_note_type_4.so"));
  EXPECT_FALSE(has_runtime("go_not_aligned.so"));
  EXPECT_FALSE(has_runtime("go_not_writable.so"));  // a text that a program looks for
  EXPECT_FALSE(has_runtime("go_note_type_3.so"));
  EXPECT_FALSE(has_runtime("good.so"));
}

TEST(ElfTest, RefusesAProgram) {
  ExpectRefusal(ReadSample("program"), ALLOY_REASON_ELF_REFUSED, "program");
}

TEST(ElfTest, TellsApartWhatIsNoLibraryOfThisMachine) {
  const auto good = ReadSample("good.so");
  auto image = good;
  Poke<uint8_t>(image, 1, 'X');
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "not an ELF file");
  image = good;
  Poke<uint8_t>(image, 4, 1);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "64-bit");
  image = good;
  Poke<uint8_t>(image, 5, 2);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "little-endian");
  image = good;
  Poke<uint16_t>(image, 16, 1);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "not a shared library");
  image = good;
  Poke<uint16_t>(image, 18, 8);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "another machine");
  ExpectRefusal({}, ALLOY_REASON_ELF_MALFORMED, "not an ELF file");
}

TEST(ElfTest, RefusesSegmentsThatShareAPage) {
  auto image = ReadSample("good.so");
  const size_t text = FindSegment(image, 1, 1);
  const size_t first = FindSegment(image, 1);
  const auto end = Peek<uint64_t>(image, first + 16) + Peek<uint64_t>(image, first + 40);
  Poke<uint64_t>(image, text + 16, end);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "pages");
}

TEST(ElfTest, RefusesTablesThatStandTwice) {
  auto image = ReadSample("both_hashes.so");
  Poke<int64_t>(image, FindDynamic(image, 4), 0x6ffffef5);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "twice");
}

TEST(ElfTest, FollowsNothingOutOfTheFile) {
  const auto good = ReadSample("good.so");
  auto image = good;
  Poke<uint64_t>(image, FindSegment(image, 1) + 32, uint64_t{1} << 40);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "end of the file");
  image = good;
  Poke<uint64_t>(image, FindDynamic(image, 6) + 8, uint64_t{1} << 40);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "outside");
  image = good;
  Poke<uint64_t>(image, FindDynamic(image, 10) + 8, uint64_t{1} << 40);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "outside");
  image = good;
  Poke<uint64_t>(image, FindDynamic(image, 1) + 8, uint64_t{1} << 40);
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "string table");
  image = good;
  Poke<uint64_t>(image, 32, ~uint64_t{0});
  ExpectRefusal(image, ALLOY_REASON_ELF_MALFORMED, "program headers");
}

}  // namespace
}  // namespace alloy::core
