// SPDX-License-Identifier: MIT
//
// What this program was installed, or built, together with: the CMake package and the
// source of the Rust crate.
#ifndef ARROWALLOY_SDK_H_
#define ARROWALLOY_SDK_H_

#include <optional>
#include <string>

namespace arrowalloy {

struct Sdk {
  std::string program;  // this one, by its full path
  std::string package;  // the folder of alloyConfig.cmake
  std::string crate;    // the folder of the crate arrowalloy
  std::string include;  // the folder of alloy/alloy.h
  std::string library;  // the folder of liballoy.so
};

// Beside the program that runs: an installed tree may be moved. Nothing where a part of
// it is missing; `missing` says which.
std::optional<Sdk> FindSdk(std::string* missing);

}  // namespace arrowalloy

#endif  // ARROWALLOY_SDK_H_
