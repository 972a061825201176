// SPDX-License-Identifier: MIT
//
// Score the points of an Arrow IPC stream on standard input; the scores are another one on
// standard output:  arrow_cpp LIBRARY CERTIFICATE
#include "alloy/arrow.hpp"

#include <cstdio>
#include <iostream>
#include <memory>

#include "alloy/arrow_ipc.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "arrow_cpp LIBRARY CERTIFICATE\n", 2;
  alloy::Bridge bridge;
  auto loaded = bridge.SetImplLib(argv[1], argv[2]);
  if (!loaded.ok()) return std::cerr << loaded << '\n', 1;

  auto input = std::make_shared<alloy::arrow::FileInput>(stdin);
  auto points = alloy::arrow::ReadIpc(input);
  if (!points.ok()) return std::cerr << points.status() << '\n', 1;
  auto scores = alloy::arrow::Stream(bridge, "score", *points);
  if (!scores.ok()) return std::cerr << scores.status() << '\n', 1;
  alloy::arrow::FileOutput output(stdout);
  auto written = alloy::arrow::WriteIpc(**scores, output);
  if (!written.ok()) return std::cerr << written << '\n', 1;
}
