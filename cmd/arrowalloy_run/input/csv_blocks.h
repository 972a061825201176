// SPDX-License-Identifier: MIT
//
// A CSV text in blocks of whole records. Arrow C++ cuts blocks at any line break, also at
// one between quotes, or between the two bytes of a Windows line break.
//
// Threads  one thread reads; another may ask where a block begins.
#ifndef ARROWALLOY_RUN_INPUT_CSV_BLOCKS_H_
#define ARROWALLOY_RUN_INPUT_CSV_BLOCKS_H_

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "csv_records.h"

namespace arrowalloy::run {

class CsvBlocks final : public arrow::io::InputStream {
 public:
  struct Block {
    std::shared_ptr<arrow::Buffer> bytes;
    int64_t line = 1;  // the number of its first line in the file
  };

  CsvBlocks(std::shared_ptr<arrow::io::InputStream> stream, const CsvDialect& dialect,
            bool keep_empty_lines)
      : stream_(std::move(stream)),
        dialect_(dialect),
        scanner_(dialect),
        keep_empty_lines_(keep_empty_lines) {}

  // The first records, in at least `size` bytes if there are so many. Next returns the rest.
  //   Fails  if the text ends between quotes, or a record is too long.
  arrow::Result<Block> First(int64_t size);
  // Return these bytes before the rest.
  void PutBack(Block block) { waiting_ = std::move(block); }
  // Whether a block follows.
  arrow::Result<bool> HasRecords();
  void KeepEmptyLines(bool keep) { keep_empty_lines_ = keep; }

  // The blocks that were read last and are not forgotten, the oldest first.
  std::deque<Block> Kept() const;
  void ForgetOldest();

  // For Arrow: each Read returns one block, whatever size is asked for.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override;
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override;
  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return told_; }

 private:
  arrow::Result<Block> Next(int64_t size);

  const std::shared_ptr<arrow::io::InputStream> stream_;
  const CsvDialect dialect_;
  CsvScanner scanner_;
  bool keep_empty_lines_;
  std::shared_ptr<arrow::Buffer> rest_;  // of a record that goes on in the next block
  Block waiting_;
  int64_t line_ = 1;
  int64_t told_ = 0;
  bool ended_ = false;
  bool closed_ = false;
  mutable std::mutex mutex_;
  std::deque<Block> kept_;  // guarded by mutex_
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_CSV_BLOCKS_H_
