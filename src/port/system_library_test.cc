// SPDX-License-Identifier: MIT
#include "port/system_library.h"

#include <gtest/gtest.h>

namespace alloy::core {
namespace {

TEST(SystemLibraryTest, FindsWhatIsThere) {
  std::string text;
  void* libm = OpenSystemLibrary("libm.so.6", &text);
  ASSERT_NE(libm, nullptr) << text;
  const auto cosine =
      reinterpret_cast<double (*)(double)>(FindInSystemLibrary(libm, "cos"));
  ASSERT_NE(cosine, nullptr);
  EXPECT_EQ(cosine(0), 1);
  EXPECT_EQ(FindInSystemLibrary(libm, "no_such_function_of_ours"), nullptr);
}

TEST(SystemLibraryTest, SaysWhyOneIsMissing) {
  std::string text;
  EXPECT_EQ(OpenSystemLibrary("libnosuchthing.so.7", &text), nullptr);
  EXPECT_NE(text.find("libnosuchthing.so.7"), std::string::npos) << text;
}

TEST(SystemLibraryTest, ADynamicProgramHasALoader) {
  EXPECT_TRUE(CheckHasLoader().ok());  // go/engine/build_test.go links a static one
}

}  // namespace
}  // namespace alloy::core
