// SPDX-License-Identifier: MIT
//
// What a backend reports about itself and its functions.
//
// Threads  values.
#ifndef ALLOY_FUNCTION_INFO_HPP_
#define ALLOY_FUNCTION_INFO_HPP_

#include <cstdint>
#include <string>
#include <vector>

#include "alloy/backend.h"

namespace alloy {

// A column that a function declares to read.
struct ColumnInfo {
  std::string name;
  std::string accepts;  // formats, see alloy_column; empty: any type
};

// A function of a backend.
struct FunctionInfo {
  std::string name;
  std::string summary;
  int32_t min_inputs = 0;
  int32_t max_inputs = 0;            // -1: any number
  std::vector<std::string> options;  // names
  // The columns that it reads of each input, so that a reader of files can skip the rest.
  // It reads all columns of an input beyond the lists.
  std::vector<std::vector<ColumnInfo>> columns;
};

struct BackendInfo {
  std::string name;
  std::string version;
  std::string language;
  std::string library = {};  // the path with which it was loaded; empty: the echo
  // The SHA-256 of the file in hex; empty: the echo, or the machine lacks libcrypto.so.3.
  std::string sha256 = {};
  // The subject and the SHA-256 of the signer's certificate, and the signed sequence
  // number; empty and 0: it was loaded without a certificate.
  std::string signer = {};
  std::string signer_sha256 = {};
  uint64_t sequence = 0;
};

namespace detail {

inline std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

inline FunctionInfo InfoOf(const alloy_function& function) {
  FunctionInfo info{.name = function.name,
                    .summary = TextOf(function.summary),
                    .min_inputs = function.min_inputs,
                    .max_inputs = function.max_inputs,
                    .options = {},
                    .columns = {}};
  for (const alloy_option* option = function.options;
       option != nullptr && option->name != nullptr; ++option) {
    info.options.emplace_back(option->name);
  }
  for (const alloy_column* const* input = function.columns;
       input != nullptr && *input != nullptr; ++input) {
    auto& columns = info.columns.emplace_back();
    for (const alloy_column* column = *input; column->name != nullptr; ++column) {
      columns.push_back({column->name, TextOf(column->accepts)});
    }
  }
  return info;
}

}  // namespace detail

}  // namespace alloy

#endif  // ALLOY_FUNCTION_INFO_HPP_
