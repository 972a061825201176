// SPDX-License-Identifier: MIT
//
// The file formats that `arrowalloy run` reads and writes.
#ifndef ARROWALLOY_RUN_FORMAT_H_
#define ARROWALLOY_RUN_FORMAT_H_

#include <string>
#include <vector>

namespace arrowalloy::run {

enum class Format { kParquet, kCsv, kIpcFile, kIpcStream, kTable };

// The values of --format and --out-format.
std::vector<std::string> FormatNames(bool output);

// The format of a file: `named` if it is not empty, otherwise by the ending of its name. `-`
// is an IPC stream.
//   Throws  E0002 for an unknown ending.
Format FormatOf(const std::string& path, const std::string& named);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FORMAT_H_
