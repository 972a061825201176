// SPDX-License-Identifier: MIT
#include "alloy/arrow_ipc.hpp"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/signed_copy.h"
#include "tests/support/support.h"

namespace {

using alloy::arrow::ReadIpc;
using alloy::arrow::ReadIpcFile;
using alloy::arrow::WriteIpc;

std::shared_ptr<arrow::Schema> MixedSchema() {
  return arrow::schema({arrow::field("n", arrow::int64()),
                        arrow::field("text", arrow::utf8()),
                        arrow::field("words", arrow::list(arrow::utf8()))});
}

std::shared_ptr<arrow::RecordBatch> MixedBatch(int i) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  auto items = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  for (int row = 0; row < 5; ++row) {
    EXPECT_TRUE(row == 2 ? numbers.AppendNull().ok() : numbers.Append(10 * i + row).ok());
    EXPECT_TRUE(texts.Append(std::string(static_cast<size_t>(row * i), 'x')).ok());
    EXPECT_TRUE(lists.Append().ok() && items->Append("word").ok());
  }
  return arrow::RecordBatch::Make(MixedSchema(), 5,
                                  {*numbers.Finish(), *texts.Finish(), *lists.Finish()});
}

// Batches, and then an end or a failure.
class Feed final : public arrow::RecordBatchReader {
 public:
  explicit Feed(int batches, arrow::Status last = {})
      : batches_(batches), last_(std::move(last)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return MixedSchema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (made_ == batches_) return last_;
    *batch = MixedBatch(made_++);
    return {};
  }

 private:
  const int batches_;
  const arrow::Status last_;
  int made_ = 0;
};

std::string Written(int batches) {
  auto sink = *arrow::io::BufferOutputStream::Create();
  Feed feed(batches);
  EXPECT_TRUE(WriteIpc(feed, *sink).ok());
  return (*sink->Finish())->ToString();
}

std::shared_ptr<arrow::io::InputStream> Bytes(std::string_view bytes) {
  return std::make_shared<arrow::io::BufferReader>(
      arrow::Buffer::FromString(std::string(bytes)));
}

// Reads to the end, and gives how many batches came before the status.
std::pair<int, arrow::Status> Drain(arrow::RecordBatchReader& reader) {
  for (int i = 0;; ++i) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const arrow::Status status = reader.ReadNext(&batch);
    if (!status.ok() || batch == nullptr) return {i, status};
    EXPECT_TRUE(batch->Equals(*MixedBatch(i))) << i;
  }
}

std::pair<int, arrow::Status> ReadAll(std::string_view bytes) {
  auto reader = ReadIpc(Bytes(bytes));
  if (!reader.ok()) return {0, reader.status()};
  return Drain(**reader);
}

TEST(ArrowIpcTest, ComesBackOverPipesAndSockets) {
  for (const bool socket : {false, true}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(
        socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) : pipe(ends.data()), 0);
    std::FILE* from = fdopen(ends[0], "r");
    std::FILE* to = fdopen(ends[1], "w");
    std::setvbuf(from, nullptr, _IONBF, 0);  // so that nothing is read ahead
    std::thread writer([&] {
      Feed feed(4);
      alloy::arrow::FileOutput output(to);
      EXPECT_TRUE(WriteIpc(feed, output).ok());
      EXPECT_GE(std::fputs("rest", to), 0);
      EXPECT_EQ(std::fclose(to), 0);
    });
    auto reader = ReadIpc(std::make_shared<alloy::arrow::FileInput>(from));
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_TRUE((*reader)->schema()->Equals(*MixedSchema()));
    for (int again = 0; again < 2; ++again) {
      const auto [batches, status] = Drain(**reader);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(batches, again == 0 ? 4 : 0);
    }
    std::array<char, 8> rest{};
    EXPECT_EQ(std::fread(rest.data(), 1, 8, from), 4) << "what follows the marker stays";
    writer.join();
    std::fclose(from);
  }
}

TEST(ArrowIpcTest, AStreamThatIsCutOffAnywhereSaysWhere) {
  const std::string whole = Written(3);
  const auto [batches, good] = ReadAll(whole);
  EXPECT_TRUE(good.ok()) << good;
  EXPECT_EQ(batches, 3);
  int last = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto [before, status] = ReadAll(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(status.ok()) << length << " of " << whole.size() << " bytes";
    EXPECT_NE(status.message().find("begins at byte "), std::string::npos) << status;
    EXPECT_GE(before, last);
    last = before;
  }
  EXPECT_EQ(last, 3);
}

TEST(ArrowIpcTest, AFailureRepeats) {
  const std::string whole = Written(3);
  auto reader = ReadIpc(Bytes(std::string_view(whole).substr(0, whole.size() - 8)));
  ASSERT_TRUE(reader.ok());
  const auto [batches, status] = Drain(**reader);
  EXPECT_EQ(batches, 3);
  EXPECT_TRUE(status.IsIOError()) << status;
  EXPECT_NE(status.message().find("batch 3"), std::string::npos) << status;
  EXPECT_NE(status.message().find("without its end marker"), std::string::npos);
  EXPECT_TRUE(Drain(**reader).second.Equals(status));
}

// How many of the copies with one changed byte are noticed; each is read to its end.
template <typename Open>
int ChangesNoticed(const std::string& whole, const Open& open) {
  int noticed = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(~changed[at]);
    auto reader = open(changed);
    arrow::Status status = reader.status();
    while (status.ok()) {
      std::shared_ptr<arrow::RecordBatch> batch;
      status = (*reader)->ReadNext(&batch);
      if (batch == nullptr) break;
    }
    noticed += status.ok() ? 0 : 1;
  }
  return noticed;
}

TEST(ArrowIpcTest, BytesThatWereChangedCrashNothing) {
  EXPECT_GT(
      ChangesNoticed(Written(2),
                     [](const std::string& bytes) { return ReadIpc(Bytes(bytes)); }),
      0);
}

std::string WrittenFile(int batches, const arrow::ipc::IpcWriteOptions& options =
                                         arrow::ipc::IpcWriteOptions::Defaults()) {
  auto sink = *arrow::io::BufferOutputStream::Create();
  auto writer = *arrow::ipc::MakeFileWriter(sink, MixedSchema(), options);
  for (int i = 0; i < batches; ++i) {
    EXPECT_TRUE(writer->WriteRecordBatch(*MixedBatch(i)).ok());
  }
  EXPECT_TRUE(writer->Close().ok());
  return (*sink->Finish())->ToString();
}

std::shared_ptr<arrow::io::RandomAccessFile> File(std::string_view bytes) {
  return std::make_shared<arrow::io::BufferReader>(
      arrow::Buffer::FromString(std::string(bytes)));
}

std::pair<int, arrow::Status> ReadAllOfFile(std::string_view bytes) {
  auto reader = ReadIpcFile(File(bytes));
  if (!reader.ok()) return {0, reader.status()};
  return Drain(**reader);
}

TEST(ArrowIpcTest, AFileComesBackWithTheRowsOfAllBatches) {
  for (const auto codec : {arrow::Compression::UNCOMPRESSED, arrow::Compression::ZSTD}) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    if (codec != arrow::Compression::UNCOMPRESSED) {
      options.codec = *arrow::util::Codec::Create(codec);
    }
    const std::string whole = WrittenFile(4, options);
    auto reader = ReadIpcFile(File(whole));
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ((*reader)->total_rows(), 20);
    const auto [batches, status] = Drain(**reader);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(batches, 4);
  }
}

TEST(ArrowIpcTest, OnlySelectedFieldsOfAFileAreRead) {
  auto reader = ReadIpcFile(File(WrittenFile(1)));
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.included_fields = {1};
  ASSERT_TRUE((*reader)->Select(options).ok());
  const auto batch = (*reader)->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ((*batch)->schema()->field_names(), std::vector<std::string>{"text"});
}

TEST(ArrowIpcTest, AFileThatIsCutOffAnywhereIsAnError) {
  const std::string whole = WrittenFile(3);
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto [before, status] =
        ReadAllOfFile(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(status.ok()) << length << " of " << whole.size() << " bytes";
    EXPECT_NE(status.message().find("Arrow IPC file: "), std::string::npos) << status;
  }
}

TEST(ArrowIpcTest, BytesOfAFileThatWereChangedCrashNothing) {
  EXPECT_GT(
      ChangesNoticed(WrittenFile(2),
                     [](const std::string& bytes) { return ReadIpcFile(File(bytes)); }),
      0);
}

// A batch of a column of long numbers, a column of words, and one of words by dictionary.
std::shared_ptr<arrow::RecordBatch> CompressibleBatch() {
  arrow::Int64Builder numbers;
  arrow::StringBuilder words;
  arrow::StringDictionary32Builder dictionary;
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(numbers.Append(7).ok() && words.Append("seven").ok());
    EXPECT_TRUE(dictionary.Append("word " + std::to_string(i % 900)).ok());
  }
  const arrow::ArrayVector columns = {*numbers.Finish(), *words.Finish(),
                                      *dictionary.Finish()};
  arrow::FieldVector fields;
  for (const auto& column : columns) fields.push_back(arrow::field("c", column->type()));
  return arrow::RecordBatch::Make(arrow::schema(fields), 5000, columns);
}

std::string Compressed(arrow::Compression::type codec, bool file) {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = *arrow::util::Codec::Create(codec);
  const auto batch = CompressibleBatch();
  auto sink = *arrow::io::BufferOutputStream::Create();
  auto writer = file ? *arrow::ipc::MakeFileWriter(sink, batch->schema(), options)
                     : *arrow::ipc::MakeStreamWriter(sink, batch->schema(), options);
  EXPECT_TRUE(writer->WriteRecordBatch(*batch).ok() && writer->Close().ok());
  return (*sink->Finish())->ToString();
}

// Each place where a compressed buffer begins: the size that it claims, and then the magic
// number of its codec.
std::vector<size_t> ClaimsIn(const std::string& bytes, arrow::Compression::type codec) {
  const std::string magic =
      codec == arrow::Compression::ZSTD ? "\x28\xb5\x2f\xfd" : "\x04\x22\x4d\x18";
  std::vector<size_t> places;
  for (size_t at = bytes.find(magic); at != std::string::npos;
       at = bytes.find(magic, at + 1)) {
    places.push_back(at - 8);
  }
  return places;
}

TEST(ArrowIpcTest, AnImpossibleSizeIsRefusedBeforeItIsAllocated) {
  for (const auto codec : {arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    for (const bool file : {false, true}) {
      const std::string whole = Compressed(codec, file);
      const auto claims = ClaimsIn(whole, codec);
      // The dictionary has two, and the batch four.
      ASSERT_GE(claims.size(), 5) << whole.size();
      for (const size_t at : claims) {
        for (const int64_t claim :
             {int64_t{1} << 32, int64_t{1} << 40, INT64_MAX, int64_t{-2}, INT64_MIN}) {
          std::string changed = whole;
          std::memcpy(changed.data() + at, &claim, sizeof claim);
          arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
          auto options = arrow::ipc::IpcReadOptions::Defaults();
          options.memory_pool = &pool;
          arrow::Status status;
          if (file) {
            auto reader = ReadIpcFile(File(changed), options);
            status = reader.ok() ? (*reader)->Next().status() : reader.status();
          } else {
            auto reader = ReadIpc(Bytes(changed), options);
            status = reader.ok() ? (*reader)->Next().status() : reader.status();
          }
          EXPECT_TRUE(status.IsInvalid()) << status;
          EXPECT_NE(status.message().find("claims "), std::string::npos) << status;
          EXPECT_LT(pool.max_memory(), int64_t{16} << 20);
        }
      }
    }
  }
}

// Every length in the metadata is tried, that of a body among them.
TEST(ArrowIpcTest, ABodyIsAllocatedOnlyAsFarAsItsBytesCome) {
  const std::string whole = Written(2);
  int bodies = 0;
  for (size_t at = 0; at + 8 <= whole.size(); at += 4) {
    int64_t length = 0;
    std::memcpy(&length, whole.data() + at, sizeof length);
    if (length < 64 || length % 8 != 0 || length > 1024) continue;
    std::string changed = whole;
    length = int64_t{1} << 40;
    std::memcpy(changed.data() + at, &length, sizeof length);
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    std::FILE* from = fdopen(ends[0], "r");
    ASSERT_EQ(write(ends[1], changed.data(), changed.size()), std::ssize(changed));
    close(ends[1]);
    arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = &pool;
    auto reader = ReadIpc(std::make_shared<alloy::arrow::FileInput>(from), options);
    arrow::Status status = reader.status();
    for (int i = 0; i < 2 && status.ok(); ++i) status = (*reader)->Next().status();
    bodies += status.message().find("message body") != std::string::npos ? 1 : 0;
    EXPECT_LT(pool.max_memory(), int64_t{80} << 20);
    std::fclose(from);
  }
  EXPECT_GE(bodies, 2);
}

TEST(ArrowIpcTest, AnErrorOfTheSourceLeavesNoEndMarker) {
  for (const int before : {0, 2}) {
    auto sink = *arrow::io::BufferOutputStream::Create();
    const auto own = arrow::Status::ExecutionError("the backend gave up");
    Feed feed(before, own);
    EXPECT_TRUE(WriteIpc(feed, *sink).Equals(own));
    const auto [batches, status] = ReadAll((*sink->Finish())->ToString());
    EXPECT_EQ(batches, before);
    EXPECT_FALSE(status.ok());
  }
}

TEST(ArrowIpcTest, WhatCannotBeWrittenIsAnErrorWithItsBatch) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  close(ends[0]);
  std::FILE* to = fdopen(ends[1], "w");
  alloy::arrow::FileOutput output(to);
  Feed feed(3);
  const arrow::Status status = WriteIpc(feed, output);
  EXPECT_TRUE(status.IsIOError()) << status;
  EXPECT_NE(status.message().find("batch 0 of"), std::string::npos) << status;
  std::fclose(to);
}

// examples/cpp/arrow.cpp, as a program.
TEST(ArrowIpcTest, TheExampleScoresAStreamOfPoints) {
  arrow::DoubleBuilder x;
  arrow::Int64Builder y;
  ASSERT_TRUE(x.AppendValues({1.5, 2}).ok() && y.AppendValues({10, 20}).ok());
  const auto points =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::float64()),
                                              arrow::field("y", arrow::int64())}),
                               2, {*x.Finish(), *y.Finish()});
  const std::string path = testing::TempDir() + "arrow_example_points";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  alloy::arrow::FileOutput output(file);
  EXPECT_TRUE(WriteIpc(**arrow::RecordBatchReader::Make({points}), output).ok());
  std::fclose(file);

  const support::SignedCopy library(support::BackendPath("score_cpp"), "acme.score",
                                    "0.1.0");
  std::string command = ALLOY_TEST_BUILD "/bin/arrow_cpp ";
  command.append(library.path()).append(" ").append(library.certificate());
  std::FILE* pipe = popen(command.append(" < ").append(path).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  const auto scores = ReadIpc(std::make_shared<alloy::arrow::FileInput>(pipe));
  ASSERT_TRUE(scores.ok()) << scores.status();
  const auto batch = (*scores)->Next();
  ASSERT_TRUE(batch.ok() && *batch != nullptr) << batch.status();
  EXPECT_EQ((*batch)->column(0)->ToString(), "[\n  15,\n  40\n]");
  // Up to the end, or the program may find its pipe closed.
  const auto end = (*scores)->Next();
  EXPECT_TRUE(end.ok() && *end == nullptr) << end.status();
  EXPECT_EQ(pclose(pipe), 0);
}

}  // namespace
