// SPDX-License-Identifier: MIT
//
// The C and C++ examples print what they say.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>
#include <utility>

#include "tests/support/signed_copy.h"
#include "tests/support/support.h"

namespace {

// What a program of build/bin writes to standard output; its exit status must be 0.
std::string OutputOf(const std::string& command) {
  std::FILE* pipe = popen((ALLOY_TEST_BUILD "/bin/" + command).c_str(), "r");
  if (pipe == nullptr) return "cannot run";
  std::string text;
  std::array<char, 4096> part;
  while (const size_t read = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), read);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

// The same of a host that takes a library and its signer's certificate.
std::string OutputOfSigned(const std::string& program, const std::string& library,
                           const std::string& name) {
  // The build signs its backends, but not those with sanitizers.
  const support::SignedCopy copy(support::BackendPath(library), name, "0.1.0");
  std::string command = program;
  command.append(" ").append(copy.path()).append(" ").append(copy.certificate());
  return OutputOf(command);
}

std::string TenLines(const std::string& host, const std::string& backend) {
  const std::string form =
      "[T] [INFO] [H]\tExporting ArrowSchema and ArrowArray #1 to C\n"
      "[T] [INFO] [H]\tExporting ArrowSchema and ArrowArray #2 to C\n"
      "[T] [INFO] [H]\tExporting ArrowSchema and ArrowArray #3 to C\n"
      "[T] [INFO] [H]\tCalling B through C ffi now with 3 ArrowArrays\n"
      "[T] [INFO] [B]\tHello! Reading the ffi pointers now.\n"
      "[T] [INFO] [B]\tarray1: Int32[1, 2, 3, -4]\n"
      "[T] [INFO] [B]\tarray2: Int32[2, 3, 4, 5]\n"
      "[T] [INFO] [B]\tarray3: Int32[3, 4, 5, 6]\n"
      "[T] [INFO] [H]\tHello, again! Successfully sent Arrow data to B.\n"
      "[T] [INFO] [H]\tB counted 3 arrays sent through ffi\n";
  std::string lines = std::regex_replace(form, std::regex(R"(\[H\])"), "[" + host + "]");
  lines = std::regex_replace(lines, std::regex(R"(\[B\])"), "[" + backend + "]");
  return std::regex_replace(lines, std::regex(R"(\bB\b)"), backend);
}

std::string WithoutTime(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\])"),
                            "[T]");
}

TEST(ExamplesTest, HelloInCppPrintsTheTenLines) {
  EXPECT_EQ(WithoutTime(OutputOf("hello_cpp " + support::BackendPath("echo_cpp"))),
            TenLines("C++", "C++"));
  EXPECT_EQ(WithoutTime(OutputOf("hello_cpp " + support::BackendPath("echo_c"))),
            TenLines("C++", "C"));
}

#ifdef ALLOY_TEST_RUST
TEST(ExamplesTest, HelloInCppCallsRustByDefault) {
  EXPECT_EQ(WithoutTime(OutputOf("hello_cpp " + support::BackendPath("echo_rust"))),
            TenLines("C++", "Rust"));
}
#endif

TEST(ExamplesTest, HelloInCPrintsTheTenLines) {
  EXPECT_EQ(WithoutTime(OutputOf("hello_c")), TenLines("C", "C++"));
  EXPECT_EQ(WithoutTime(OutputOf("hello_c " + support::BackendPath("echo_c"))),
            TenLines("C", "C"));
}

TEST(ExamplesTest, TheFirstProgramPrintsItsScores) {
  EXPECT_EQ(OutputOfSigned("first_cpp", "score_cpp", "acme.score"),
            "{score: Float64[15.0, 40.0, null]}\n");
  EXPECT_EQ(OutputOfSigned("first_cpp", "score_c", "acme.score"),
            "{score: Float64[15.0, 40.0, null]}\n");
}

TEST(ExamplesTest, TheStreamPrintsItsTotals) {
  EXPECT_EQ(OutputOfSigned("stream_cpp", "totals_cpp", "acme.totals"),
            "{total: Int64[1]}\n{total: Int64[22]}\n{total: Int64[63]}\n");
}

}  // namespace
