// SPDX-License-Identifier: MIT
#include "port/library.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/cleared_for_test.h"

namespace alloy::core {
namespace {

// A sealed copy of a file, whatever it holds.
Cleared SealedCopy(const std::string& path) {
  Fd in, out;
  FileFacts facts;
  EXPECT_EQ(OpenForReading(path, &in), 0);
  EXPECT_EQ(GetFileFacts(in, &facts), 0);
  std::vector<std::byte> bytes(static_cast<size_t>(facts.size));
  size_t done = 0;
  EXPECT_EQ(ReadFully(in, bytes, &done), 0);
  EXPECT_EQ(CreateSealable("copy", facts.size, &out), 0);
  EXPECT_EQ(WriteFully(out, bytes), 0);
  EXPECT_EQ(Seal(out), 0);
  return ClearedForTest::Make(std::move(out));
}

TEST(LibraryTest, LoadsFromSealedMemoryAndFindsTheSymbolThere) {
  const SymbolLookup found = LoadSealed(SealedCopy(ALLOY_TEST_LIBRARY), "answer");
  ASSERT_EQ(found.fault, LoadFault::kNone) << found.text;
  EXPECT_EQ(reinterpret_cast<int (*)()>(found.symbol)(), 42);
}

TEST(LibraryTest, AReusedDescriptorNumberDoesNotGiveTheOldLibrary) {
  Cleared first = SealedCopy(ALLOY_TEST_LIBRARY);
  const int number = first.sealed().get();
  ASSERT_EQ(LoadSealed(std::move(first), "answer").fault, LoadFault::kNone);
  Fd(number).Close();  // as a host with a bug does
  Cleared other = SealedCopy(ALLOY_TEST_LIBRARY);
  ASSERT_EQ(other.sealed().get(), number);
  EXPECT_EQ(LoadSealed(std::move(other), "answer").fault, LoadFault::kIdentity);
}

TEST(LibraryTest, PassesTheTextOfTheLoaderOn) {
  const SymbolLookup missing =
      LoadSealed(SealedCopy(ALLOY_TEST_LIBRARY), "no_such_symbol");
  EXPECT_EQ(missing.fault, LoadFault::kLoader);
  EXPECT_NE(missing.text.find("no_such_symbol"), std::string::npos);
  EXPECT_EQ(LoadSealed(SealedCopy(ALLOY_TEST_TEXT), "answer").fault, LoadFault::kLoader);
}

}  // namespace
}  // namespace alloy::core
