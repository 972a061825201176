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

// Only of inputs.
constexpr Named kTexts[] = {
    {".tsv", Format::kCsv}, {".tab", Format::kCsv}, {".txt", Format::kCsv}};

// The name without the ending of a compressed file.
std::string_view Unpacked(std::string_view path) {
  for (const std::string_view ending : {".gz", ".zst", ".bz2", ".lz4"}) {
    if (path.ends_with(ending)) path.remove_suffix(ending.size());
  }
  return path;
}

}  // namespace

std::string_view NameOf(Format format) {
  switch (format) {
    case Format::kParquet:
      return "Parquet";
    case Format::kCsv:
      return "CSV";
    case Format::kIpcFile:
      return "an Arrow IPC file";
    case Format::kIpcStream:
      return "an Arrow IPC stream";
    case Format::kTable:
      break;
  }
  return "a table";
}

std::optional<Format> FormatByEnding(std::string_view path) {
  path = Unpacked(path);
  for (const Named& known : kEndings) {
    if (path.ends_with(known.name)) return known.format;
  }
  for (const Named& known : kTexts) {
    if (path.ends_with(known.name)) return known.format;
  }
  return std::nullopt;
}

bool IsTabSeparated(std::string_view path) {
  path = Unpacked(path);
  return path.ends_with(".tsv") || path.ends_with(".tab");
}

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
