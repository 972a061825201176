// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "trust/crypto_test_support.h"
#include "trust/sidecar.h"

namespace alloy::core {
namespace {

void Expect(std::string_view text, std::string_view part) {
  ExpectRefused(ParseStatement(text).status(), ALLOY_REASON_SIDECAR_MALFORMED, part);
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(StatementTest, ReadsEveryField) {
  signing::StatementSpec spec;
  spec.sequence = "18446744073709551615";
  spec.needed = {"libc.so.6", "libm.so.6"};
  spec.file = "a file.so";
  const auto statement = ParseStatement(spec.Text());
  ASSERT_TRUE(statement.ok()) << statement.status().fault().text;
  EXPECT_EQ(statement->kind, "backend");
  EXPECT_EQ(statement->name, "acme.one");
  EXPECT_EQ(statement->version, "0.1.0");
  EXPECT_EQ(statement->sequence, UINT64_MAX);
  EXPECT_EQ(statement->abi, 1U);
  EXPECT_EQ(statement->platform, signing::kPlatform);
  EXPECT_EQ(statement->not_before, 1767225600);
  EXPECT_EQ(statement->size, 64);
  EXPECT_EQ(statement->sha256, std::string(64, '0'));
  EXPECT_EQ(statement->file, "a file.so");
  EXPECT_EQ(statement->needed, spec.needed);
}

TEST(StatementTest, HasFixedKeysInAFixedOrder) {
  const std::string good = signing::StatementSpec().Text();
  Expect(Replaced(good, "alloy-statement-v1", "alloy-statement-v2"), "line 1");
  Expect("hello\n", "expected `alloy-statement-v1` instead of \"hello\"");
  Expect(Replaced(good, "name: acme.one\n", ""), "line 3: expected `name: …`");
  Expect(Replaced(good, "name: acme.one\n", "name: acme.one\nname: acme.one\n"),
         "line 4: expected `version: …`");
  Expect(Replaced(good, "version", "versoin"), "\"versoin: 0.1.0\"");
  Expect(Replaced(good, "version: 0.1.0\nsequence: 1\n", "sequence: 1\nversion: 0.1.0\n"),
         "line 4");
  Expect(Replaced(good, "\nend\n", "\nextra: 1\nend\n"), "expected `needed: …` or `end`");
  Expect(good + "more\n", "after `end`");
  Expect(good + "\n", "after `end`");
  Expect(Replaced(good, "\nend\n", "\n"), "before `end`");
}

TEST(StatementTest, IsPrintableAsciiAndLineFeeds) {
  const std::string good = signing::StatementSpec().Text();
  Expect(Replaced(good, "acme.one\n", "acme.one\r\n"), "\\r");
  Expect(Replaced(good, "acme.one", "acme\tone"), "\\t");
  Expect(Replaced(good, "acme.one", std::string_view("acme\0one", 8)), "\\x00");
  Expect(Replaced(good, "acme.one", "acm\xc3\xa9"), "acm\xc3\xa9");
  Expect(good.substr(0, good.size() - 1), "without a line feed");
  Expect("", "line 1");
}

TEST(StatementTest, RefusesValuesOfOtherForms) {
  const std::string good = signing::StatementSpec().Text();
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{
           {"kind: backend", "kind: "},
           {"kind: backend", "kind:backend"},
           {"name: acme.one", "name: acme one"},
           {"name: acme.one", "name:  acme.one"},
           {"sequence: 1", "sequence: 01"},
           {"sequence: 1", "sequence: -1"},
           {"sequence: 1", "sequence: +1"},
           {"sequence: 1", "sequence: 1.0"},
           {"sequence: 1", "sequence: 18446744073709551616"},
           {"sequence: 1", "sequence: 0x1"},
           {"abi: 1", "abi: 4294967296"},
           {"abi: 1", "abi: one"},
           {"not-before: 2026-01-01T00:00:00Z", "not-before: 2026-01-01"},
           {"not-after: 2999-01-01T00:00:00Z", "not-after: 2999-02-30T00:00:00Z"},
           {"size: 64", "size: 9223372036854775808"},
           {"size: 64", "size: -64"},
           {"sha256: 0", "sha256: G"},
           {"sha256: 0", "sha256: A"},
           {"  one.so", " one.so"},
           {"  one.so", "  dir/one.so"},
           {"  one.so", "  "},
           {"  one.so", "  .."},
           {"\nend\n", "\nneeded: libm.so.6\nneeded: libc.so.6\nend\n"},
           {"\nend\n", "\nneeded: libc.so.6\nneeded: libc.so.6\nend\n"},
           {"\nend\n", "\nneeded: /lib/libc.so.6\nend\n"},
           {"\nend\n", "\nneeded: \nend\n"},
           {"\nend\n", "\nneeded: a b\nend\n"},
       }) {
    Expect(Replaced(good, from, to), "line ");
  }
}

TEST(StatementTest, NeedsAtMost64Libraries) {
  signing::StatementSpec spec;
  for (int i = 100; i < 164; ++i) spec.needed.push_back("lib" + std::to_string(i));
  EXPECT_TRUE(ParseStatement(spec.Text()).ok());
  spec.needed.push_back("lib164");
  Expect(spec.Text(), "more than 64");
}

}  // namespace
}  // namespace alloy::core
