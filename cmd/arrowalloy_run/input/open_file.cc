// SPDX-License-Identifier: MIT
#include "open_file.h"

#include <arrow/io/compressed.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "../../arrowalloy/base/report.h"
#include "../arrow_error.h"
#include "../cast.h"
#include "ipc_input.h"
#include "memory.h"
#include "parquet_input.h"
#include "recognise.h"

namespace arrowalloy::run {
namespace {

// Decompresses, and keeps the codec as long.
class Decompressed final : public arrow::io::InputStream {
 public:
  Decompressed(std::unique_ptr<arrow::util::Codec> codec,
               std::shared_ptr<arrow::io::InputStream> stream)
      : codec_(std::move(codec)), stream_(std::move(stream)) {}
  arrow::Status Close() override { return stream_->Close(); }
  bool closed() const override { return stream_->closed(); }
  arrow::Result<int64_t> Tell() const override { return stream_->Tell(); }
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    return stream_->Read(nbytes, out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    return stream_->Read(nbytes);
  }

 private:
  const std::unique_ptr<arrow::util::Codec> codec_;
  const std::shared_ptr<arrow::io::InputStream> stream_;
};

Source Decompress(Source source, arrow::Compression::type compression) {
  auto codec = Read(arrow::util::Codec::Create(compression), source.path());
  auto stream = Read(
      arrow::io::CompressedInputStream::Make(codec.get(), source.ToStream(), InputPool()),
      source.path());
  return {source.path(),
          std::make_shared<Decompressed>(std::move(codec), std::move(stream))};
}

// The first characters, for people.
std::string Beginning(std::string_view first) {
  return "`" + Harmless(first.substr(0, 16)) + "`";
}

// Names may lie, but a text called data.parquet is no CSV: it is the page of a server that
// had an error, or half a file.
void CheckText(const Source& source, const InputOptions& options) {
  if (!options.format.empty()) return;
  const auto named = FormatByEnding(source.path());
  if (!named || *named == Format::kCsv) return;
  throw Failure(Exit::kMachine, kReadCode,
                fmt::format("the file is not {}: it begins with the text {}",
                            NameOf(*named), Beginning(source.first())),
                source.path(), "if it is a CSV, pass --format csv");
}

void CheckNamed(const Recognised& found, const Source& source,
                const InputOptions& options) {
  if (options.format.empty() || !found.format) return;
  const Format named = FormatOf("", options.format);
  if (named == *found.format) return;
  throw Failure(
      Exit::kUsage, kUsageCode,
      fmt::format("the input is {}, but --format is {}", found.name, options.format),
      source.path(),
      *found.format == Format::kCsv ? "pass --format csv, or leave it away"
                                    : "leave --format away: the format is recognised");
}

}  // namespace

std::unique_ptr<OpenedFile> OpenFile(Source source, const InputOptions& options,
                                     CsvRequest csv) {
  if (source.first().empty()) {
    throw Failure(Exit::kMachine, kReadCode, "the input is empty: it has no byte",
                  source.path(), "check whether its writer has failed");
  }
  Recognised found = Recognise(source.first());
  // A file inside a file inside a file is an attack, or a mistake.
  for (int depth = 0; found.compression && depth < 2; ++depth) {
    source = Decompress(std::move(source), *found.compression);
    found = Recognise(source.first());
  }
  // Before version 0.15 of Arrow a stream began with its length. The user must say so.
  if (!found.format && options.format == "arrows") found.format = Format::kIpcStream;
  // A CSV may have any byte, if the user says that it is one.
  if (!found.format && !found.compression && options.format == "csv") {
    found.format = Format::kCsv;
  }
  if (!found.format) {
    throw Failure(Exit::kMachine, kReadCode,
                  fmt::format("the input is {}, which is not read; it begins with {}",
                              found.name, Beginning(source.first())),
                  source.path(),
                  found.help.empty() ? "pass Parquet, CSV or Arrow IPC" : found.help);
  }
  CheckNamed(found, source, options);
  switch (*found.format) {
    case Format::kParquet:
      return OpenParquet(std::move(source), options.batch_rows,
                         [&options](const std::string& column) {
                           const auto cast = options.casts.find(column);
                           return cast != options.casts.end() &&
                                  cast->second.starts_with("timestamp[ns");
                         });
    case Format::kIpcFile:
      return OpenIpcFile(std::move(source));
    case Format::kIpcStream:
      return OpenIpcStream(std::move(source));
    case Format::kCsv:
    case Format::kTable:
      break;
  }
  CheckText(source, options);
  if (csv.dialect.delimiter == '\0') {
    csv.dialect.delimiter = IsTabSeparated(source.path()) ? '\t' : ',';
  }
  return OpenCsv(std::move(source), std::move(csv));
}

}  // namespace arrowalloy::run
