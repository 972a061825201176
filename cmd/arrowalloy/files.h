// SPDX-License-Identifier: MIT
//
// Files as commands read and write them: whole, with errors that name the file.
#ifndef ARROWALLOY_FILES_H_
#define ARROWALLOY_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace arrowalloy {

// The bytes of a file of at most `limit` bytes; "-" is standard input.
//   Throws  E0101.
std::string ReadFile(const std::string& path, size_t limit);

// Make a file that was not there; what is there is never touched.
//   Throws  E0103 when it exists, E0102.
void CreateFile(const std::string& path, std::string_view content, mode_t mode);

// Put a file in the place of another, or of none, in one step: whoever reads it sees the
// old one or the new one whole.
//   Throws  E0102.
void ReplaceFile(const std::string& path, std::string_view content, mode_t mode);

}  // namespace arrowalloy

#endif  // ARROWALLOY_FILES_H_
