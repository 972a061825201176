// SPDX-License-Identifier: MIT
#include "admit/archive.h"

#include <gtest/gtest.h>

#include "admit/archive_samples.h"

namespace alloy::core {
namespace {

constexpr std::string_view kBegin = "!<arch>\n";

// A copy of exactly its size, so that one byte too far is caught.
Result<ArchiveFacts> WalkOver(const std::string& text) {
  const auto bytes = AsBytes(text);
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  return WalkArchive(exact);
}

void ExpectMalformed(const std::string& archive, const std::string& part) {
  const auto facts = WalkOver(archive);
  ASSERT_FALSE(facts.ok()) << part;
  EXPECT_EQ(facts.status().code(), ALLOY_REFUSED);
  EXPECT_EQ(facts.status().reason(), ALLOY_REASON_ARCHIVE_MALFORMED);
  EXPECT_NE(facts.status().fault().text.find(part), std::string::npos)
      << facts.status().fault().text;
}

std::string Archive(const std::string& members) {
  return std::string(kBegin).append(members);
}

TEST(ArchiveTest, LetsWhatArMadeThrough) {
  const auto facts = WalkOver(SampleText("good.a"));
  ASSERT_TRUE(facts.ok()) << facts.status().fault().text;
  EXPECT_EQ(facts->objects, 1u);
  EXPECT_EQ(WalkOver(SampleText("twice.a"))->objects, 2u);
}

TEST(ArchiveTest, IsKnownByItsFirstBytesAlone) {
  EXPECT_TRUE(IsArchive(AsBytes("!<arch>\n")));
  EXPECT_TRUE(IsArchive(AsBytes("!<thin>\n")));
  EXPECT_FALSE(IsArchive(AsBytes("!<arch>")));
  EXPECT_FALSE(IsArchive(AsBytes("INPUT(libother.a)")));
  const auto text = std::as_bytes(std::span("INPUT(evil.o)"));
  EXPECT_TRUE(IsForTheLinker(text, "/opt/libfoo.a"));
  EXPECT_FALSE(IsForTheLinker(text, "/opt/libfoo.so"));
  const auto library =
      std::as_bytes(std::span("\x7f"
                              "ELF"));
  EXPECT_FALSE(IsForTheLinker(library, "/opt/libfoo.a"));
}

TEST(ArchiveTest, RefusesAScriptAndAThinArchive) {
  ExpectMalformed("INPUT(/opt/libother.a)\n", "script");
  ExpectMalformed("!<thin>\n" + Member("a.o/", "x"), "thin");
}

TEST(ArchiveTest, RefusesAnArchiveWithoutObjects) {
  ExpectMalformed(std::string(kBegin), "has no object file");
  ExpectMalformed(Archive(Member("/", std::string(4, '\0'))), "has no object file");
}

TEST(ArchiveTest, RefusesSizesThatLie) {
  const std::string object = FirstObject("good.a");
  for (const char* size : {"9999999999", "-1", "", "12x", "0x10", "1 2"}) {
    const auto facts = WalkOver(Archive(Member("a.o/", object, size)));
    EXPECT_EQ(facts.status().reason(), ALLOY_REASON_ARCHIVE_MALFORMED) << size;
  }
  ExpectMalformed(Archive(Member("a.o/", object, "9999999999")), "9999999999 bytes");
  // Too small: what follows is no header.
  EXPECT_FALSE(WalkOver(Archive(Member("a.o/", object, "64"))).ok());
}

TEST(ArchiveTest, RefusesEveryTruncation) {
  const std::string whole = SampleText("good.a");
  ASSERT_TRUE(WalkOver(whole).ok());
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_FALSE(WalkOver(whole.substr(0, size)).ok()) << size;
  }
}

TEST(ArchiveTest, RefusesHeadersWithoutTheirMark) {
  std::string archive = Archive(Member("a.o/", FirstObject("good.a")));
  archive[8 + 58] = ' ';
  ExpectMalformed(archive, "header of member 1");
}

TEST(ArchiveTest, TellsNamesLongAndShortAndFollowsNone) {
  const std::string long_name = "../../../../etc/a_name_of_more_than_15_characters.o";
  const std::string table = Member("//", long_name + "/\n");
  ExpectMalformed(Archive(table + Member("/0", "no object")), "(" + long_name + ")");
  ExpectMalformed(Archive(Member("../../x/", "no object")), "(../../x)");
  ExpectMalformed(Archive(Member("\x1b[1m\xff/", "no object")), "(\\x1b[1m\\xff)");
  const std::string object = FirstObject("good.a");
  EXPECT_TRUE(WalkOver(Archive(table + Member("/0", object))).ok());
  EXPECT_TRUE(WalkOver(Archive(Member("../../x/", object))).ok());
}

TEST(ArchiveTest, RefusesNamesOutsideOfTheirTable) {
  const std::string object = FirstObject("good.a");
  ExpectMalformed(Archive(Member("/0", object)), "table of long names");
  const std::string table = Member("//", "a.o/\n");
  ExpectMalformed(Archive(table + Member("/99", object)), "table of long names");
  ExpectMalformed(Archive(table + Member("/x", object)), "table of long names");
  ExpectMalformed(Archive(table + table + Member("/0", object)), "two tables");
  ExpectMalformed(Archive(Member("#1/4", "a.o" + object)), "BSD");
}

TEST(ArchiveTest, WantsRelocatableObjectsOfThisMachine) {
  const std::string object = FirstObject("good.a");
  ExpectMalformed(Archive(Member("notes.txt/", "hello")), "not an ELF object");
  ExpectMalformed(Archive(Member("a.so/", SampleText("good.so"))), "relocatable");
  ExpectMalformed(Archive(Member("a.a/", SampleText("good.a"))), "not an ELF object");
  std::string other = object;
  other[18] = 8;
  ExpectMalformed(Archive(Member("a.o/", other)), "another machine");
  other = object;
  other[4] = 1;
  ExpectMalformed(Archive(Member("a.o/", other)), "another machine");
  other = object;
  other[5] = 2;
  ExpectMalformed(Archive(Member("a.o/", other)), "another machine");
}

TEST(ArchiveTest, RefusesSectionHeadersOutsideOfTheObject) {
  const std::string object = FirstObject("good.a");
  for (const size_t at : {40u, 58u, 60u, 62u}) {  // where, how large, how many, the names
    std::string other = object;
    other[at] = '\x7f';
    other[at + 1] = '\x7f';
    EXPECT_FALSE(WalkOver(Archive(Member("a.o/", other))).ok()) << at;
  }
}

TEST(ArchiveTest, RefusesIntermediateCodeOfEitherCompiler) {
  ExpectMalformed(Archive(Member("a.o/", "BC\xc0\xde and so on")), "LLVM");
  ExpectMalformed(Archive(Member("a.o/", "\xde\xc0\x17\x0b and so on")), "LLVM");
  ExpectMalformed(SampleText("slim_lto.a"), "GCC");
  ExpectMalformed(SampleText("fat_lto.a"), "GCC");
}

}  // namespace
}  // namespace alloy::core
