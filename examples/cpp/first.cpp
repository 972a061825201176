// SPDX-License-Identifier: MIT
#include <iostream>

#include "alloy/alloy.hpp"

static int Fail(const alloy::Status& status) {
  std::cerr << status << '\n';
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "first_cpp LIBRARY CERTIFICATE\n", 2;
  alloy::Bridge bridge;
  // Only a library that was signed with the key of this certificate is loaded.
  auto loaded = bridge.SetImplLib(argv[1], argv[2]);
  if (!loaded.ok()) return Fail(loaded);
  auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2, {}})},
                                 {"y", alloy::MakeArray<int64_t>({10, 20, 30})}});
  if (!batch.ok()) return Fail(batch.status());
  auto scores = bridge.Call("score", *batch);
  if (!scores.ok()) return Fail(scores.status());
  std::cout << *scores << '\n';  // {score: Float64[15.0, 40.0, null]}
}
