// SPDX-License-Identifier: MIT
//
// Read and write whole small files. Errors name the file. destination.h says what a path may
// be.
#ifndef ARROWALLOY_BASE_FILES_H_
#define ARROWALLOY_BASE_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace arrowalloy {

// The bytes of a file; "-" is standard input. A FIFO without a writer is empty.
//   Throws  E0101, also for a file of more than `limit` bytes.
std::string ReadFile(const std::string& path, size_t limit);

// Create a file. What exists is never changed.
//   Throws  E0103 when it exists, E0102.
void CreateFile(const std::string& path, std::string_view content, mode_t mode);

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_FILES_H_
