// SPDX-License-Identifier: MIT
//
// The bytes of an input: a file, a pipe, standard input, or what a compressed file holds.
// It is opened once. Its first bytes can be looked at before a reader takes it.
//
// Threads  serial; what ToFile returns is shared.
#ifndef ARROWALLOY_RUN_INPUT_SOURCE_H_
#define ARROWALLOY_RUN_INPUT_SOURCE_H_

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>
#include <string_view>

namespace arrowalloy::run {

class Source {
 public:
  // Open a path; `-`, /dev/stdin and /dev/fd/N are open already.
  //   Throws  E0101, with the reason of the operating system.
  static Source Open(const std::string& path);

  // The bytes of a stream. `path` is for errors.
  Source(std::string path, std::shared_ptr<arrow::io::InputStream> stream);

  const std::string& path() const { return path_; }

  // The first bytes, at least 16 unless there are fewer. They stay in the source.
  std::string_view first() const { return first_; }

  // Whether ToFile costs nothing.
  bool can_seek() const { return file_ != nullptr; }

  // All bytes from the first on. Call one of the two, once.
  std::shared_ptr<arrow::io::InputStream> ToStream();
  // A pipe is copied into a temporary file that has no name.
  //   Throws  E0101.
  std::shared_ptr<arrow::io::RandomAccessFile> ToFile();

 private:
  explicit Source(std::string path) : path_(std::move(path)) {}
  void Look();

  std::string path_;
  std::shared_ptr<arrow::io::RandomAccessFile> file_;  // NULL if it cannot seek
  std::shared_ptr<arrow::io::InputStream> stream_;     // NULL if it can
  std::string first_;
};

}  // namespace arrowalloy::run

#endif  // ARROWALLOY_RUN_INPUT_SOURCE_H_
