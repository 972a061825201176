// SPDX-License-Identifier: MIT
//
// The arguments of `arrowalloy run`. Two programs declare them: arrowalloy has the help and
// the completions and starts the other; arrowalloy-run links Apache Arrow C++ and does the
// work.
#ifndef ARROWALLOY_RUN_OPTIONS_H_
#define ARROWALLOY_RUN_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../arrowalloy/base/command.h"

namespace arrowalloy::run {

struct Options {
  std::string library;
  std::string function;
  std::vector<std::string> inputs;
  std::string output;
  std::string format, out_format;
  std::vector<std::string> values;       // key=value
  std::vector<std::string> columns;      // names, with commas or one by one
  std::vector<std::string> casts;        // column=type
  std::string delimiter, quote, escape;  // of CSV inputs: a character, or its name
  std::vector<std::string> nulls;        // of CSV inputs
  bool no_header = false;
  std::vector<std::string> may_need;
  std::string certificate;
  bool allow_unsigned = false;
  bool load_plainly = false;
  bool isolated = false;
  std::string name, sidecar;  // as in alloy_bridge_options; empty: not given
  int64_t min_sequence = 0;
  int64_t batch_rows = 65536;
  int64_t limit = -1;
  int64_t timeout_ms = 0;
  std::string progress = "auto";
};

void Declare(Program& program, std::function<Exit(const Options&, Console&)> run);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_OPTIONS_H_
