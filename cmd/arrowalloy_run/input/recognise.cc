// SPDX-License-Identifier: MIT
#include "recognise.h"

#include <arrow/util/compression.h>
#include <arrow/util/utf8.h>

#include <algorithm>

namespace arrowalloy::run {
namespace {

using arrow::Compression;
using std::string_view_literals::operator""sv;

struct Mark {
  std::string_view bytes;
  std::string_view name;
  std::optional<Format> format = {};
  std::optional<Compression::type> compression = {};
  std::string_view help = {};
};

constexpr std::string_view kUnpack = "decompress it first";
constexpr std::string_view kUtf8 = "convert it: iconv -f UTF-16 -t UTF-8";

const Mark kMarks[] = {
    {"PAR1"sv, "Parquet", Format::kParquet},
    {"PARE"sv, "encrypted Parquet", {}, {}, "decrypt it first"},
    {"ARROW1"sv, "an Arrow IPC file", Format::kIpcFile},
    {"\xff\xff\xff\xff"sv, "an Arrow IPC stream", Format::kIpcStream},
    {"\x1f\x8b"sv, "gzip", {}, Compression::GZIP},
    {"\x28\xb5\x2f\xfd"sv, "Zstandard", {}, Compression::ZSTD},
    {"\x04\x22\x4d\x18"sv, "LZ4", {}, Compression::LZ4_FRAME},
    {"BZh"sv, "bzip2", {}, Compression::BZ2},
    {"\xfd"
     "7zXZ\0"sv,
     "xz",
     {},
     {},
     kUnpack},
    {"PK\x03\x04"sv, "a zip archive (also .xlsx is one)", {}, {}, "unpack it first"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7z archive", {}, {}, "unpack it first"},
    {"FEA1"sv, "Feather of version 1", {}, {}, "write it again as Arrow IPC or Parquet"},
    {"ORC"sv, "ORC", {}, {}, "write it again as Parquet"},
    {"Obj\x01"sv, "Avro", {}, {}, "write it again as Parquet"},
    {"SQLite format 3\0"sv, "a SQLite database", {}, {}, "export a table as CSV"},
    {"\x89HDF\r\n"sv, "HDF5", {}, {}, "write it again as Parquet"},
    {"\xff\xfe"sv, "text in UTF-16", {}, {}, kUtf8},
    {"\xfe\xff"sv, "text in UTF-16", {}, {}, kUtf8},
    {"\x7f"
     "ELF"sv,
     "a program or library",
     {},
     {},
     "pass data with -i"},
};

// Text has no control characters but these. Bytes that are not UTF-8 are left to CSV, which
// names their row.
bool IsText(std::string_view bytes) {
  return std::ranges::none_of(bytes, [](unsigned char c) {
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1f' &&
           c != '\x1e' && c != '\x01';
  });
}

}  // namespace

Recognised Recognise(std::string_view first) {
  const bool text = IsText(first);
  for (const Mark& mark : kMarks) {
    if (!first.starts_with(mark.bytes)) continue;
    // A table of golf scores may have a column PAR1: then a character of ASCII follows. A
    // Parquet file goes on with other bytes.
    const bool is_word = first.size() == mark.bytes.size() ||
                         static_cast<unsigned char>(first[mark.bytes.size()]) < 0x80;
    if (text && IsText(mark.bytes) && is_word) continue;
    return {std::string(mark.name), mark.format, mark.compression,
            std::string(mark.help)};
  }
  if (text) return {"text", Format::kCsv, {}, ""};
  return {"data of an unknown format", {}, {}, ""};
}

}  // namespace arrowalloy::run
