// SPDX-License-Identifier: MIT
#include "format.h"

#include <fmt/format.h>

#include <string_view>

#include "../arrowalloy/base/failure.h"

namespace arrowalloy::run {
namespace {

struct Named {
  std::string_view name;
  Format format;
};

constexpr Named kNames[] = {{"parquet", Format::kParquet},
                            {"csv", Format::kCsv},
                            {"arrow", Format::kIpcFile},
                            {"arrows", Format::kIpcStream},
                            {"table", Format::kTable}};

constexpr Named kEndings[] = {
    {".parquet", Format::kParquet},  {".csv", Format::kCsv},
    {".arrow", Format::kIpcFile},    {".feather", Format::kIpcFile},
    {".ipc", Format::kIpcFile},      {".arrow_file", Format::kIpcFile},
    {".arrows", Format::kIpcStream}, {".stream", Format::kIpcStream}};

}  // namespace

std::vector<std::string> FormatNames(bool output) {
  std::vector<std::string> names;
  for (const Named& named : kNames) {
    if (output || named.format != Format::kTable) names.emplace_back(named.name);
  }
  return names;
}

Format FormatOf(const std::string& path, const std::string& named) {
  for (const Named& known : kNames) {
    if (known.name == named) return known.format;
  }
  if (path == "-") return Format::kIpcStream;
  for (const Named& known : kEndings) {
    if (path.ends_with(known.name)) return known.format;
  }
  throw Failure(Exit::kUsage, kUsageCode,
                fmt::format("{} has no known ending: expected .parquet, .csv, .arrow, "
                            ".feather, .ipc or .arrows",
                            path),
                path, "pass --format for an input, --out-format for the output");
}

}  // namespace arrowalloy::run
