// SPDX-License-Identifier: MIT
//
// Three arrays to a backend and the count of them back: the ten lines of Alloy's first
// program, with C++ as the host.
//
//   hello_cpp [library of a backend; default: the Rust echo of this build]
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "alloy/alloy.hpp"

int main(int argc, char** argv) {
  std::string library;
  if (argc > 1) {
    library = argv[1];
  } else {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    library = (program.parent_path() / "../backends/echo_rust.so").string();
  }

  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true, .log_fd = 1}));
  if (const auto status = bridge.SetImplLib(library); !status.ok()) {
    std::cerr << status << '\n';
    return 1;
  }

  std::vector<alloy::Array> arrays;
  arrays.push_back(alloy::MakeArray<int32_t>({1, 2, 3, -4}));
  arrays.push_back(alloy::MakeArray<int32_t>({2, 3, 4, 5}));
  arrays.push_back(alloy::MakeArray<int32_t>({3, 4, 5, 6}));

  const auto count = bridge.FromChunks(arrays);
  if (!count.ok()) {
    std::cerr << count.status() << '\n';
    return 1;
  }
  // Rust, unless another library was named.
  const std::string language = (*bridge.Backend()).language;
  alloy::Info(language + " counted " + std::to_string(*count) +
              " arrays sent through ffi");
}
