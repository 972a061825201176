// SPDX-License-Identifier: MIT
//
// What a statement says of a library's file, out of one reading of it. No judgement: that
// is the engine's, which is asked once the signature is made.
#ifndef ARROWALLOY_LIBRARY_FILE_H_
#define ARROWALLOY_LIBRARY_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace arrowalloy {

struct LibraryFile {
  int64_t size = 0;
  std::string sha256;               // 64 digits
  std::vector<std::string> needed;  // DT_NEEDED, in its order
  bool is_archive = false;          // then `needed` is empty
};

// Reads, and runs nothing.
//   Throws  E0101; E0204 for what is no library of this kind of machine.
LibraryFile ReadLibrary(const std::string& path);

std::string Sha256(std::string_view bytes);

}  // namespace arrowalloy

#endif  // ARROWALLOY_LIBRARY_FILE_H_
