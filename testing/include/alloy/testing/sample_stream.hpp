// SPDX-License-Identifier: MIT
//
// Streams for tests: batches of Sample, made when they are asked for, with an error where
// one is wanted; everything that is given away is watched.
//
// Threads  serial, as a stream is. Releases of batches: any thread.
#ifndef ALLOY_TESTING_SAMPLE_STREAM_HPP_
#define ALLOY_TESTING_SAMPLE_STREAM_HPP_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/detail/status.hpp"
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

  // Give the stream away, once; this must live until it is released.
  void MoveStream(ArrowArrayStream* out) const;

  // How many batches were taken from it.
  int64_t pulled() const;

  // The stream and all its batches were released, once, and nothing was written to.
  Status verdict() const;

 private:
  struct State;
  struct Callbacks;
  std::unique_ptr<State> state_;
};

}  // namespace alloy::testing

#endif  // ALLOY_TESTING_SAMPLE_STREAM_HPP_
