// SPDX-License-Identifier: MIT
//
// Attacks 45 to 52, 55 and 60 to 62: libraries that are well signed, and dangerous.
#include <cstring>

#include "tests/attacks/attack_support.h"

namespace attacks {
namespace {

class ElfAttackTest : public AttackTest {
 protected:
  // Signed, with what the sample that it was made of needs.
  void Expect(const std::string& bytes, int32_t reason, std::string_view part = "",
              const std::vector<std::string>& needed = {}) {
    const std::string library = Put("library.so", bytes);
    signing::StatementSpec statement = signing::StatementFor(bytes);
    statement.name = "acme.victim";
    statement.version = "1.0.0";
    statement.not_before = "2000-01-01T00:00:00Z";
    statement.needed = needed;
    PutSidecar(library, Pinned().Sidecar(statement.Text()));
    ExpectReason(Load(library), reason, part);
  }
  template <typename T>
  static std::string Poked(std::string bytes, size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof(value));
    return bytes;
  }
  // Where the first program header of a type stands.
  static size_t Header(const std::string& bytes, uint32_t type, uint32_t flags = 0) {
    uint64_t table = 0;
    uint16_t count = 0;
    std::memcpy(&table, bytes.data() + 32, sizeof(table));
    std::memcpy(&count, bytes.data() + 56, sizeof(count));
    for (size_t at = table; at < table + count * size_t{56}; at += 56) {
      uint32_t found[2];
      std::memcpy(found, bytes.data() + at, sizeof(found));
      if (found[0] == type && (found[1] & flags) == flags) return at;
    }
    ADD_FAILURE() << "no such header";
    return 0;
  }
};

TEST_F(ElfAttackTest, Attack45WhatIsNoSharedLibraryOfThisMachine) {
  const std::string good = SampleBytes("victim.so");
  Expect(ElfSampleBytes("program"), ALLOY_REASON_ELF_REFUSED, "program");
  Expect(Poked<uint16_t>(good, 16, 1), ALLOY_REASON_ELF_MALFORMED, "shared library");
  Expect(Poked<uint16_t>(good, 16, 2), ALLOY_REASON_ELF_MALFORMED, "shared library");
  Expect(Poked<uint8_t>(good, 4, 1), ALLOY_REASON_ELF_MALFORMED, "64-bit");
  Expect(Poked<uint8_t>(good, 5, 2), ALLOY_REASON_ELF_MALFORMED, "little-endian");
  Expect(Poked<uint16_t>(good, 18, 8), ALLOY_REASON_ELF_MALFORMED, "machine");
  Expect(SampleBytes("victim.a").substr(8), ALLOY_REASON_ELF_MALFORMED, "not an ELF");
}

TEST_F(ElfAttackTest, Attack46TruncatedInsideASegment) {
  const std::string good = SampleBytes("victim.so");
  uint64_t offset = 0, size = 0;
  const size_t header = Header(good, 1, 2);  // the data, the last that is loaded
  std::memcpy(&offset, good.data() + header + 8, sizeof(offset));
  std::memcpy(&size, good.data() + header + 32, sizeof(size));
  for (const uint64_t end : {offset + size - 1, offset, offset / 2, uint64_t{64}}) {
    Expect(good.substr(0, end), ALLOY_REASON_ELF_MALFORMED);
  }
}

TEST_F(ElfAttackTest, Attack48MemoryThatIsWritableAndExecutable) {
  const std::string good = SampleBytes("victim.so");
  Expect(ElfSampleBytes("executable_stack.so"), ALLOY_REASON_ELF_REFUSED, "stack");
  Expect(Poked<uint32_t>(good, Header(good, 0x6474e551) + 4, 7), ALLOY_REASON_ELF_REFUSED,
         "stack");
  Expect(Poked<uint32_t>(good, Header(good, 1, 1) + 4, 7), ALLOY_REASON_ELF_REFUSED,
         "writable and executable");
  Expect(SampleBytes("textrel.so"), ALLOY_REASON_ELF_REFUSED, "text relocations");
}

TEST_F(ElfAttackTest, Attack49SearchPathsOfItsOwn) {
  Expect(ElfSampleBytes("rpath.so"), ALLOY_REASON_ELF_REFUSED, "RPATH");
  Expect(ElfSampleBytes("runpath.so"), ALLOY_REASON_ELF_REFUSED, "RUNPATH");  // $ORIGIN
}

TEST_F(ElfAttackTest, Attack50APathInWhatItNeeds) {
  Expect(ElfSampleBytes("needs_path.so"), ALLOY_REASON_ELF_REFUSED, "by a path");
}

TEST_F(ElfAttackTest, Attack51LibrariesThatItMakesTheLoaderLoad) {
  Expect(ElfSampleBytes("auxiliary.so"), ALLOY_REASON_ELF_REFUSED, "AUXILIARY");
  Expect(ElfSampleBytes("filter.so"), ALLOY_REASON_ELF_REFUSED, "FILTER");
  Expect(ElfSampleBytes("audit.so"), ALLOY_REASON_ELF_REFUSED, "AUDIT");
  Expect(ElfSampleBytes("interpose.so"), ALLOY_REASON_ELF_REFUSED, "INTERPOSE");
}

TEST_F(ElfAttackTest, Attack52NeedsMoreOrLessThanWasSigned) {
  const std::string bytes = SampleBytes("needs_more.so");
  auto needed = TrueStatement(bytes).needed;
  ASSERT_FALSE(needed.empty());
  Expect(bytes, ALLOY_REASON_NEEDED, needed.front(), {});
  needed.emplace_back("libzzz.so.1");
  Expect(bytes, ALLOY_REASON_NEEDED, "libzzz.so.1", needed);
}

TEST_F(ElfAttackTest, Attack52NeedsWhatTheHostDoesNotAllow) {
  const std::string bytes = SampleBytes("needs_more.so");
  Expect(bytes, ALLOY_REASON_NEEDED, "libattack_more.so.1", TrueStatement(bytes).needed);
}

TEST_F(ElfAttackTest, Attack55AnythingButExactlyOneExport) {
  const auto expect = [&](const char* sample, std::string_view part) {
    const std::string bytes = SampleBytes(sample);
    Expect(bytes, ALLOY_REASON_EXPORTS, part, TrueStatement(bytes).needed);
  };
  expect("extra_export.so", "malloc_of_the_victim");
  expect("no_export.so", "alloy_backend_init");
  expect("unique.so", "expected only alloy_backend_init");
}

TEST_F(ElfAttackTest, Attack60AnUndefinedSymbolIsToldInTheLoadersWords) {
  const std::string bytes = SampleBytes("undefined.so");
  Expect(bytes, ALLOY_REASON_LOADER, "nobody_defines_this_symbol",
         TrueStatement(bytes).needed);
}

TEST_F(ElfAttackTest, Attack61AMebibyteOfStaticThreadStorageIsToldInTheLoadersWords) {
  const std::string bytes = SampleBytes("big_tls.so");
  Expect(bytes, ALLOY_REASON_LOADER, "static TLS", TrueStatement(bytes).needed);
}

TEST_F(ElfAttackTest, Attack62ATableThatDisagreesWithTheStatement) {
  MayRun();  // it is the signer's own code; the table is known only then
  for (const char* sample : {"other.so", "other_name.so"}) {
    const std::string bytes = SampleBytes(sample);
    Expect(bytes, ALLOY_REASON_STATEMENT_TABLE, "", TrueStatement(bytes).needed);
  }
  const std::string bytes = SampleBytes("other_abi.so");
  Expect(bytes, ALLOY_REASON_ABI, "", TrueStatement(bytes).needed);
}

}  // namespace
}  // namespace attacks
