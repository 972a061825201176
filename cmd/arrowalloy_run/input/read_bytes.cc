// SPDX-License-Identifier: MIT
#include "read_bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "../arrow_error.h"
#include "input.h"
#include "read_options.h"

namespace arrowalloy::run {
namespace {

constexpr int kMostBatches = 64;

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

// A file in memory whose position is `at`.
int MakeFile(std::string_view bytes, int64_t at) {
  const int fd = ::memfd_create("input", MFD_CLOEXEC);
  Require(fd >= 0 && ::lseek(fd, at, SEEK_SET) == at &&
              ::write(fd, bytes.data(), bytes.size()) == std::ssize(bytes) &&
              ::lseek(fd, at, SEEK_SET) == at,
          "cannot make a file in memory");
  return fd;
}

std::string Checked(const Failure& failure) {
  Require(!failure.text.empty() && !failure.at.empty() && !failure.help.empty(),
          "an error without its text, place or next step: " + failure.text);
  return failure.text;
}

}  // namespace

ReadOutcome ReadBytes(std::string_view bytes, bool as_pipe) {
  TakeExtensionsAsStorage();
  // A file of which the first byte was read already is read on as a stream.
  const int fd = MakeFile(bytes, as_pipe ? 1 : 0);
  ReadOutcome outcome;
  try {
    InputOptions options;
    options.paths = {"/proc/self/fd/" + std::to_string(fd)};
    options.batch_rows = 1000;
    const Input input = OpenInput(options);
    for (int i = 0; i < kMostBatches; ++i) {
      std::shared_ptr<arrow::RecordBatch> batch;
      const auto status = input.reader->ReadNext(&batch);
      if (!status.ok()) {
        outcome.error = Checked(BrokenFile(status, options.paths[0]));
        break;
      }
      if (batch == nullptr) break;
      const auto valid = batch->ValidateFull();
      Require(valid.ok(), "a batch that is not valid: " + valid.ToString());
      outcome.rows += batch->num_rows();
      outcome.batches.push_back(std::move(batch));
    }
  } catch (const Failure& failure) {
    outcome.error = Checked(failure);
  }
  ::close(fd);
  return outcome;
}

}  // namespace arrowalloy::run
