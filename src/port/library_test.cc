// SPDX-License-Identifier: MIT
#include "port/library.h"

#include <gtest/gtest.h>

#include <vector>

namespace alloy::core {
namespace {

// A sealed copy of a file, whatever it holds.
Fd SealedCopy(const std::string& path) {
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
  return out;
}

TEST(LibraryTest, LoadsFromSealedMemoryAndFindsTheSymbolThere) {
  Fd sealed = SealedCopy(ALLOY_TEST_LIBRARY);
  const SymbolLookup found = LoadSealed(sealed, "answer");
  ASSERT_EQ(found.fault, LoadFault::kNone) << found.text;
  EXPECT_EQ(reinterpret_cast<int (*)()>(found.symbol)(), 42);
  // Held open for the life of the process, as the header asks.
  sealed.Detach();
}

TEST(LibraryTest, AReusedDescriptorNumberDoesNotGiveTheOldLibrary) {
  Fd sealed = SealedCopy(ALLOY_TEST_LIBRARY);
  const int number = sealed.get();
  ASSERT_EQ(LoadSealed(sealed, "answer").fault, LoadFault::kNone);
  sealed.Close();  // against the rule
  Fd other = SealedCopy(ALLOY_TEST_LIBRARY);
  ASSERT_EQ(other.get(), number);
  EXPECT_EQ(LoadSealed(other, "answer").fault, LoadFault::kIdentity);
  other.Detach();  // the number stays spoilt for this process: keep it in use
}

TEST(LibraryTest, PassesTheTextOfTheLoaderOn) {
  Fd sealed = SealedCopy(ALLOY_TEST_LIBRARY);
  const SymbolLookup missing = LoadSealed(sealed, "no_such_symbol");
  EXPECT_EQ(missing.fault, LoadFault::kLoader);
  EXPECT_NE(missing.text.find("no_such_symbol"), std::string::npos);
  sealed.Detach();
  Fd text = SealedCopy(ALLOY_TEST_TEXT);
  EXPECT_EQ(LoadSealed(text, "answer").fault, LoadFault::kLoader);
}

}  // namespace
}  // namespace alloy::core
