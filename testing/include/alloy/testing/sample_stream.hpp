// SPDX-License-Identifier: MIT
//
// Streams for tests: batches of Sample, made on demand, and an error at the end if you
// want one. The stream and its batches are watched.
//
// Threads  serial. Releases of batches: any thread.
#ifndef ALLOY_TESTING_SAMPLE_STREAM_HPP_
#define ALLOY_TESTING_SAMPLE_STREAM_HPP_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/status.hpp"
#include "alloy/testing/sample.hpp"
#include "alloy/testing/spec.hpp"

namespace alloy::testing {

struct SampleStreamOptions {
  std::vector<SampleOptions> batches;
  bool fails = false;  // after the batches, instead of an end
  int error_code = 5;  // EIO
  std::string error_text = "the input of the test failed on purpose";
};

class SampleStream {
 public:
  SampleStream(const Spec& batch, SampleStreamOptions options);
  SampleStream(SampleStream&&) noexcept;
  SampleStream& operator=(SampleStream&&) noexcept;
  ~SampleStream();

  // Give the stream away, once. This must live until the stream is released.
  void MoveStream(ArrowArrayStream* out) const;

  // How many batches were read.
  int64_t pulled() const;

  // Whether an address is in the memory of a released batch.
  bool IsGone(const void* address) const;

  // Whether it was asked for the batch that it fails with.
  bool failed() const;

  // Ok if the stream and all its batches were released once and none was written to.
  Status verdict() const;

 private:
  struct State;
  struct Callbacks;
  std::unique_ptr<State> state_;
};

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SAMPLE_STREAM_HPP_
