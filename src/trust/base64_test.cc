// SPDX-License-Identifier: MIT
#include "trust/base64.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/signing.h"

namespace alloy::core {
namespace {

std::string Decoded(std::string_view text) {
  std::vector<std::byte> bytes;
  const std::string fault = DecodeBase64(text, &bytes);
  if (!fault.empty()) return "fault: " + fault;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Base64Test, DecodesTheExamplesOfTheRfc) {
  EXPECT_EQ(Decoded(""), "");
  EXPECT_EQ(Decoded("Zg=="), "f");
  EXPECT_EQ(Decoded("Zm8="), "fo");
  EXPECT_EQ(Decoded("Zm9v"), "foo");
  EXPECT_EQ(Decoded("Zm9vYmFy"), "foobar");
}

TEST(Base64Test, DecodesWhatAnEncoderWroteOfEveryLength) {
  std::mt19937 random(7);
  for (size_t length = 0; length < 300; ++length) {
    std::string bytes(length, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    ASSERT_EQ(Decoded(signing::Base64Of(bytes)), bytes);
  }
}

TEST(Base64Test, TakesOneSpellingOnly) {
  for (const char* text :
       {"Zg",   "Zg=",  "Zg===",    "Z",    "=",           "==",     "====",  "Zm9",
        "Zh==", "Zm9=", "Zg==Zg==", "Zm=v", " Zm9v",       "Zm9v\n", "Zm9v ", "Zm\n9v",
        "Zm-v", "Zm_v", "Zm9v\r\n", "Zm9.", "Zm\xc3\xa4=", "Zm9v=",  "Zm9v=="}) {
    EXPECT_TRUE(Decoded(text).starts_with("fault: ")) << text;
  }
  EXPECT_TRUE(Decoded(std::string_view("Zm\0v", 4)).starts_with("fault: "));
}

TEST(Base64Test, SaysWhatIsWrong) {
  EXPECT_NE(Decoded("Zm-v").find("base64url"), std::string::npos);
  EXPECT_NE(Decoded("Zm9v\nZm9v").find("line break"), std::string::npos);
  EXPECT_NE(Decoded("Zm9v\x01").find("character 5 is \"\\x01\""), std::string::npos);
  EXPECT_NE(Decoded("Zh==").find("no encoder sets"), std::string::npos);
  EXPECT_NE(Decoded("Zg==Zg==").find("padding before the end"), std::string::npos);
}

}  // namespace
}  // namespace alloy::core
