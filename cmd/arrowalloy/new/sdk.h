// SPDX-License-Identifier: MIT
//
// The files that were installed or built together with this program: the CMake package and
// the sources of the Rust crate and the Go module.
#ifndef ARROWALLOY_NEW_SDK_H_
#define ARROWALLOY_NEW_SDK_H_

#include <optional>
#include <string>

namespace arrowalloy {

struct Sdk {
  std::string program;  // the full path of this program
  std::string package;  // the folder of alloyConfig.cmake
  std::string crate;    // the folder of the crate arrowalloy
  std::string go;       // the folder of the Go module
  std::string include;  // the folder of alloy/alloy.h
  std::string library;  // the folder of liballoy.so
};

// Find them relative to the running program, because an installed tree may be moved. If a
// file is missing, the result is empty and `missing` is its path.
std::optional<Sdk> FindSdk(std::string* missing);

}  // namespace arrowalloy

#endif  // ARROWALLOY_NEW_SDK_H_
