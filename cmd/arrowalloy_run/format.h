// SPDX-License-Identifier: MIT
//
// The file formats that `arrowalloy run` reads and writes.
#ifndef ARROWALLOY_RUN_FORMAT_H_
#define ARROWALLOY_RUN_FORMAT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arrowalloy::run {

enum class Format { kParquet, kCsv, kIpcFile, kIpcStream, kTable };

// The values of --format and --out-format.
std::vector<std::string> FormatNames(bool output);

// For people: `Parquet`.
std::string_view NameOf(Format format);

// What the name of an input says, without the ending of a compressed file. An input is what
// its bytes are; the name only helps to tell text from CSV.
std::optional<Format> FormatByEnding(std::string_view path);
bool IsTabSeparated(std::string_view path);

// The format of an output: `named` if it is not empty, otherwise by the ending of its name. `-`
// is an IPC stream.
//   Throws  E0002 for an unknown ending.
Format FormatOf(const std::string& path, const std::string& named);

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_FORMAT_H_
