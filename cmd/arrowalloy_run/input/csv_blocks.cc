// SPDX-License-Identifier: MIT
#include "csv_blocks.h"

#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "memory.h"

namespace arrowalloy::run {
namespace {

constexpr int64_t kMostRecord = int64_t{256} << 20;

std::string_view TextOf(const arrow::Buffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(bytes.size())};
}

}  // namespace

arrow::Result<CsvBlocks::Block> CsvBlocks::First(int64_t size) { return Next(size); }

// The next whole records, of about `size` bytes; no bytes at the end.
arrow::Result<CsvBlocks::Block> CsvBlocks::Next(int64_t size) {
  int64_t have = rest_ == nullptr ? 0 : rest_->size();
  ARROW_ASSIGN_OR_RAISE(auto buffer,
                        arrow::AllocateResizableBuffer(have + size, InputPool()));
  if (have > 0)
    std::memcpy(buffer->mutable_data(), rest_->data(), static_cast<size_t>(have));
  // The scanner has seen the rest, but for a carriage return at its end.
  int64_t scanned = have - (scanner_.waits_for_line_feed() ? 1 : 0);
  rest_ = nullptr;
  int64_t end = 0;
  while (end == 0 && !ended_) {
    if (buffer->size() < have + size) {
      ARROW_RETURN_NOT_OK(buffer->Resize(have + std::max(size, have)));
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t n, stream_->Read(buffer->size() - have,
                                                         buffer->mutable_data() + have));
    have += n;
    ended_ = n == 0;
    const std::string_view text(reinterpret_cast<const char*>(buffer->data()),
                                static_cast<size_t>(have));
    const auto last = scanner_.LastEnd(text, static_cast<size_t>(scanned));
    if (last) end = static_cast<int64_t>(*last);
    scanned = have - (scanner_.waits_for_line_feed() ? 1 : 0);
    if (end == 0 && have > kMostRecord) {
      return arrow::Status::Invalid("line ", line_, ": the record is longer than ",
                                    kMostRecord >> 20,
                                    " MiB; perhaps a quote is not closed");
    }
  }
  if (ended_) {
    if (scanner_.in_quotes()) {
      return arrow::Status::Invalid(
          "line ", line_ + std::count(buffer->data(), buffer->data() + end, '\n'),
          ": the file ends in a record whose quote is not closed");
    }
    end = have;
  }
  Block block{.bytes = arrow::SliceBuffer(std::move(buffer), 0, have), .line = line_};
  if (end < have) rest_ = arrow::SliceBuffer(block.bytes, end, have - end);
  block.bytes = arrow::SliceBuffer(block.bytes, 0, end);
  line_ += std::count(block.bytes->data(), block.bytes->data() + end, '\n');
  return block;
}

arrow::Result<bool> CsvBlocks::HasRecords() {
  ARROW_ASSIGN_OR_RAISE(const auto bytes, Read(int64_t{1} << 20));
  if (bytes->size() == 0) return false;
  const std::lock_guard lock(mutex_);
  waiting_ = kept_.back();
  kept_.pop_back();
  return true;
}

std::deque<CsvBlocks::Block> CsvBlocks::Kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

void CsvBlocks::ForgetOldest() {
  const std::lock_guard lock(mutex_);
  if (!kept_.empty()) kept_.pop_front();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CsvBlocks::Read(int64_t nbytes) {
  while (true) {
    Block block = std::exchange(waiting_, {});
    if (block.bytes == nullptr) {
      ARROW_ASSIGN_OR_RAISE(block, Next(nbytes));
    }
    if (block.bytes->size() == 0) {
      if (ended_ && rest_ == nullptr) return block.bytes;
      continue;
    }
    // Arrow makes no batch of a block without a record.
    if (!keep_empty_lines_ && IsEmptyLine(TextOf(*block.bytes))) continue;
    told_ += block.bytes->size();
    const std::lock_guard lock(mutex_);
    kept_.push_back(block);
    return block.bytes;
  }
}

arrow::Result<int64_t> CsvBlocks::Read(int64_t, void*) {
  return arrow::Status::NotImplemented("a block of records has a buffer of its own");
}

arrow::Status CsvBlocks::Close() {
  closed_ = true;
  return {};
}

}  // namespace arrowalloy::run
