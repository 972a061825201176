// SPDX-License-Identifier: MIT
#include <iostream>

#include "alloy/alloy.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "first_cpp LIBRARY CERTIFICATE\n", 2;
  alloy::Bridge bridge;
  // Unless its owner has signed it, nothing of it runs. A failure sticks: Call tells it.
  (void)bridge.SetImplLib(argv[1], argv[2]);
  auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2, {}})},
                                 {"y", alloy::MakeArray<int64_t>({10, 20, 30})}});
  auto scores = bridge.Call("score", *batch);
  if (!scores.ok()) return std::cerr << scores.status() << '\n', 1;
  std::cout << *scores << '\n';  // {score: Float64[15.0, 40.0, null]}
}
