// SPDX-License-Identifier: MIT
//
// Send three arrays to a backend and print how many it counted: the ten lines of Alloy's
// first program, with C++ as the host.
//
//   hello_cpp [library [certificate]]
//
// Without arguments it loads the Rust echo of this build, with the certificate of this
// build, which signed it. With only a library, it loads that library unsigned.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "alloy/alloy.hpp"

int main(int argc, char** argv) {
  std::string library = argc > 1 ? argv[1] : "";
  std::string certificate = argc > 2 ? argv[2] : "";
  if (argc == 1) {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto build = program.parent_path().parent_path();
    library = (build / "backends/echo_rust.so").string();
    std::ifstream(build / "dev.crt.base64") >> certificate;
  }

  alloy::Bridge bridge(alloy::Host({.allow_unsigned = argc == 2, .log_fd = 1}));
  if (const auto status = bridge.SetImplLib(library, certificate); !status.ok()) {
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
  const auto backend = bridge.Backend();
  if (!backend.ok()) {
    std::cerr << backend.status() << '\n';
    return 1;
  }
  alloy::Info(backend->language + " counted " + std::to_string(*count) +
              " arrays sent through ffi");
}
