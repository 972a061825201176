// SPDX-License-Identifier: MIT
//
// Read and write whole files. Errors name the file.
#ifndef ARROWALLOY_BASE_FILES_H_
#define ARROWALLOY_BASE_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace arrowalloy {

// The bytes of a file; "-" is standard input.
//   Throws  E0101, also for a file of more than `limit` bytes.
std::string ReadFile(const std::string& path, size_t limit);

// Create a file. An existing file is never changed.
//   Throws  E0103 when it exists, E0102.
void CreateFile(const std::string& path, std::string_view content, mode_t mode);

// Create or replace a file in one step: a reader sees the whole old file or the whole new
// one.
//   Throws  E0102.
void ReplaceFile(const std::string& path, std::string_view content, mode_t mode);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_FILES_H_
