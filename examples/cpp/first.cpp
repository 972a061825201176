// SPDX-License-Identifier: MIT
#include <iostream>

#include "alloy/alloy.hpp"

int main(int, char** argv) {
  alloy::Bridge bridge(alloy::Host({.allow_unsigned = true}));
  auto status = bridge.SetImplLib(argv[1]);  // such as build/backends/score_cpp.so
  auto batch = alloy::MakeBatch({{"x", alloy::MakeArray<double>({1.5, 2, {}})},
                                 {"y", alloy::MakeArray<int64_t>({10, 20, 30})}});
  auto scores = bridge.Call("score", *batch);
  if (!scores.ok()) return std::cerr << scores.status() << '\n', 1;
  std::cout << *scores << '\n';  // {score: Float64[15.0, 40.0, null]}
}
