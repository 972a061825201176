// SPDX-License-Identifier: MIT
//
// The formats of files that `arrowalloy run` reads and writes.
#ifndef ARROWALLOY_RUN_FORMAT_H_
#define ARROWALLOY_RUN_FORMAT_H_

#include <string>
#include <vector>

namespace arrowalloy::run {

enum class Format { kParquet, kCsv, kIpcFile, kIpcStream, kTable };

// The names that --format and --out-format take.
std::vector<std::string> FormatNames(bool output);

// The format of a file, by its name unless `named` says otherwise; `-` is an IPC stream.
//   Throws  E0002 for an ending that stands for none.
Format FormatOf(const std::string& path, const std::string& named);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FORMAT_H_
