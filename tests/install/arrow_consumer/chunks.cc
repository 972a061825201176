// SPDX-License-Identifier: MIT
#include <arrow/api.h>

#include <iostream>

#include "alloy/arrow.hpp"

int main() {
  arrow::Int32Builder builder;
  if (!builder.AppendValues({1, 2, 3, -4}).ok()) return 1;
  alloy::Bridge bridge(alloy::Host({.log_mode = alloy::LogMode::kNever}));
  const auto counted = alloy::arrow::FromChunks(bridge, {*builder.Finish()});
  if (!counted.ok()) return std::cerr << counted.status() << '\n', 1;
  std::cout << "counted " << *counted << '\n';
}
