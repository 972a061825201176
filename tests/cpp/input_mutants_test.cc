// SPDX-License-Identifier: MIT
//
// Spoils files of every format in seeded ways, and reads them as `arrowalloy run` does. Each
// gives valid batches or an error. ALLOY_MUTANTS: how many of each format (default 150).
// With ALLOY_CORPUS_OUT=FOLDER it also writes the whole files there, as seeds for the fuzzer.
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cmd/arrowalloy_run/input/read_bytes.h"
#include "tests/support/arrow_random.h"

namespace {

using arrow::Compression;

std::string BytesOf(const std::shared_ptr<arrow::io::BufferOutputStream>& sink) {
  return (*sink->Finish())->ToString();
}

// Two batches of any types and nesting.
std::string Ipc(uint64_t seed, Compression::type codec, bool file) {
  support::RandomArrays random(seed);
  const auto batch = random.Batch(/*columns=*/4, /*depth=*/2);
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  if (codec != Compression::UNCOMPRESSED) {
    options.codec = *arrow::util::Codec::Create(codec);
  }
  auto sink = *arrow::io::BufferOutputStream::Create();
  auto writer = file ? *arrow::ipc::MakeFileWriter(sink, batch->schema(), options)
                     : *arrow::ipc::MakeStreamWriter(sink, batch->schema(), options);
  EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok());
  EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok());
  EXPECT_TRUE(writer->Close().ok());
  return BytesOf(sink);
}

// Nothing if the table has a type that Parquet has not.
std::optional<std::string> ParquetOf(const arrow::Table& table, Compression::type codec) {
  auto sink = *arrow::io::BufferOutputStream::Create();
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(codec)
                              ->enable_page_checksum()
                              ->build();
  const auto status = parquet::arrow::WriteTable(
      table, arrow::default_memory_pool(), sink, /*chunk_size=*/25, properties,
      parquet::ArrowWriterProperties::Builder().store_schema()->build());
  if (!status.ok()) return std::nullopt;
  return BytesOf(sink);
}

// Whether Arrow itself reads back what it has written: it does not for nulls in lists of a
// fixed size.
bool ComesBack(const std::string& bytes) {
  auto file = parquet::arrow::OpenFile(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)),
      arrow::default_memory_pool());
  if (!file.ok()) return false;
  auto batches = (*file)->GetRecordBatchReader();
  return batches.ok() && (*batches)->ToRecordBatches().ok();
}

std::string Parquet(uint64_t seed, Compression::type codec) {
  support::RandomArrays random(seed);
  arrow::FieldVector fields;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::string whole;
  while (fields.size() < 4) {
    const auto type = random.Type(/*depth=*/2);
    auto column = random.Array(type, 60);
    auto field = arrow::field("c" + std::to_string(fields.size()), type);
    fields.push_back(std::move(field));
    columns.push_back(std::move(column));
    const auto bytes =
        ParquetOf(*arrow::Table::Make(arrow::schema(fields), columns), codec);
    if (bytes && ComesBack(*bytes)) {
      whole = *bytes;
      continue;
    }
    fields.pop_back();
    columns.pop_back();
  }
  return whole;
}

std::string Csv(uint64_t seed) {
  std::mt19937_64 random(seed);
  const char* const values[] = {
      "1",   "-2.5", "text", "\"two\r\nlines\"",     "\"say \"\"x\"\"\"",
      "",    "\"\"", "true", "2024-02-29",           "12:00:00",
      "0x1", "1e9",  "007",  "2024-01-01T00:00:00Z", "\xc3\xa9"};
  std::string text = "a,b,\"c d\",e\r\n";
  for (int row = 0; row < 40; ++row) {
    for (int column = 0; column < 4; ++column) {
      // Mostly of one type, so that guesses are made and then broken.
      const size_t pick =
          random() % 8 == 0 ? random() % std::size(values) : static_cast<size_t>(column);
      text += (column > 0 ? "," : "") + std::string(values[pick]);
    }
    text += random() % 2 == 0 ? "\n" : "\r\n";
  }
  return text;
}

std::string Packed(const std::string& bytes, Compression::type codec) {
  const auto packer = *arrow::util::Codec::Create(codec);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  std::string packed(
      static_cast<size_t>(packer->MaxCompressedLen(std::ssize(bytes), data)), '\0');
  const auto size = packer->Compress(std::ssize(bytes), data, std::ssize(packed),
                                     reinterpret_cast<uint8_t*>(packed.data()));
  packed.resize(static_cast<size_t>(*size));
  return packed;
}

std::string Mutant(const std::string& whole, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes = whole;
  const auto below = [&random](size_t end) { return end == 0 ? 0 : random() % end; };
  const int64_t numbers[] = {0,
                             -1,
                             1,
                             2,
                             127,
                             255,
                             65535,
                             INT32_MAX,
                             INT32_MIN,
                             INT64_MAX,
                             INT64_MIN,
                             int64_t{1} << 40,
                             int64_t{1} << 20,
                             1000000};
  for (size_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
    const size_t at = below(bytes.size());
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
      case 3: {  // a number where one may be
        const size_t aligned = at / 4 * 4;
        const size_t width = below(2) == 0 ? 4 : 8;
        const int64_t number = numbers[below(std::size(numbers))];
        std::memcpy(&bytes[aligned], &number, std::min(width, bytes.size() - aligned));
        break;
      }
      case 4:
        bytes.resize(at);
        break;
      case 5:
        bytes.erase(at, 1 + below(16));
        break;
      default:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(64)));
    }
  }
  return bytes;
}

bool Same(const arrowalloy::run::ReadOutcome& a, const arrowalloy::run::ReadOutcome& b) {
  // How much memory the machine has left differs from moment to moment.
  for (const auto* error : {&a.error, &b.error}) {
    if (error->find("memory") != std::string::npos) return true;
  }
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  return a.error.empty() == b.error.empty() &&
         std::ranges::equal(a.batches, b.batches, [&](const auto& x, const auto& y) {
           return x->Equals(*y, /*check_metadata=*/true, options);
         });
}

struct Kind {
  const char* name;
  std::function<std::string(uint64_t)> make;
};

std::string NameOf(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

class MutantsTest : public testing::TestWithParam<Kind> {};

TEST_P(MutantsTest, EndInValidBatchesOrAnError) {
  const char* asked = std::getenv("ALLOY_MUTANTS");
  const uint64_t count = asked == nullptr ? 150 : std::strtoull(asked, nullptr, 10);
  // Always the same six files: Arrow's own writers fail on some random columns.
  const uint64_t of_one_file = std::max<uint64_t>(1, (count + 5) / 6);
  const std::string last = testing::TempDir() + "alloy_mutant_" + GetParam().name;
  int64_t values = 0, errors = 0;
  std::string whole;
  for (uint64_t i = 0; i < count; ++i) {
    if (i % of_one_file == 0) {
      whole = GetParam().make(i / of_one_file);
      for (const bool as_pipe : {false, true}) {
        const auto outcome = arrowalloy::run::ReadBytes(whole, as_pipe);
        ASSERT_EQ(outcome.error, "") << GetParam().name << ", file " << i / of_one_file;
      }
      if (const char* folder = std::getenv("ALLOY_CORPUS_OUT");
          folder != nullptr && i < 2 * of_one_file) {
        std::ofstream(
            std::string(folder) + "/" + GetParam().name + std::to_string(i / of_one_file),
            std::ios::binary)
            << whole;
      }
    }
    const std::string mutant = Mutant(whole, i);
    // It stays if the process ends here.
    std::ofstream(last, std::ios::binary) << mutant;
    const auto outcome = arrowalloy::run::ReadBytes(mutant, /*as_pipe=*/i % 2 == 1);
    // Bytes of the process that are not of the file would differ.
    const auto again = arrowalloy::run::ReadBytes(mutant, /*as_pipe=*/i % 2 == 1);
    EXPECT_TRUE(Same(outcome, again)) << GetParam().name << ", mutant " << i << ": "
                                      << outcome.error << " | " << again.error;
    ++(outcome.error.empty() ? values : errors);
  }
  std::remove(last.c_str());
  EXPECT_GT(errors, 0);
  std::cout << GetParam().name << ": " << values << " read, " << errors << " refused\n";
}

INSTANTIATE_TEST_SUITE_P(
    Input, MutantsTest,
    testing::Values(
        Kind{"stream",
             [](uint64_t s) { return Ipc(s, Compression::UNCOMPRESSED, false); }},
        Kind{"stream_lz4",
             [](uint64_t s) { return Ipc(s, Compression::LZ4_FRAME, false); }},
        Kind{"stream_zstd", [](uint64_t s) { return Ipc(s, Compression::ZSTD, false); }},
        Kind{"file", [](uint64_t s) { return Ipc(s, Compression::UNCOMPRESSED, true); }},
        Kind{"file_lz4", [](uint64_t s) { return Ipc(s, Compression::LZ4_FRAME, true); }},
        Kind{"file_zstd", [](uint64_t s) { return Ipc(s, Compression::ZSTD, true); }},
        Kind{"parquet", [](uint64_t s) { return Parquet(s, Compression::UNCOMPRESSED); }},
        Kind{"parquet_snappy",
             [](uint64_t s) { return Parquet(s, Compression::SNAPPY); }},
        Kind{"parquet_zstd", [](uint64_t s) { return Parquet(s, Compression::ZSTD); }},
        Kind{"csv", [](uint64_t s) { return Csv(s); }},
        Kind{"csv_gzip", [](uint64_t s) { return Packed(Csv(s), Compression::GZIP); }},
        Kind{"csv_zstd", [](uint64_t s) { return Packed(Csv(s), Compression::ZSTD); }},
        Kind{"stream_gzip",
             [](uint64_t s) {
               return Packed(Ipc(s, Compression::UNCOMPRESSED, false), Compression::GZIP);
             }}),
    NameOf);

}  // namespace
