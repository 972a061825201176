// SPDX-License-Identifier: MIT
//
// A stream of batches that the host passes in. Its callbacks are foreign code: here is
// where they are called, and where exceptions and malformed structs end.
//
// Threads  serial.
#ifndef ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_

#include <cstdint>
#include <string>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "engine/stream/stream.h"

namespace alloy::core {

// Whether it can be pulled from.
//   Fails  BAD_DATA: it is released, or a callback is missing.
Status CheckCallable(const ArrowArrayStream& stream);

// The text of get_last_error; empty when there is none, or when the callback throws.
std::string LastErrorOf(ArrowArrayStream* stream);

// `errno 5 (Input/output error)`
std::string ErrnoText(int number);

class HostStream {
 public:
  //   Takes  stream.
  HostStream(ArrowArrayStream* stream, int32_t input) : stream_(stream), input_(input) {}
  HostStream(HostStream&&) = default;
  ~HostStream() { Release(); }

  // Check that it is a stream, and that its schema is the bound one.
  Status Check(const ArrowSchema& bound);

  // Move the next batch, unchecked, into *out, which is released at the end of the stream.
  // The host's own failure is returned unchanged.
  StreamFault Pull(ArrowArray* out);

  // Returns what its callback threw, for people; empty: nothing.
  std::string Release();

 private:
  // The failure of a callback that returned `number`, or threw `thrown`.
  StreamFault Failure(int number, std::string thrown);

  OwnedArrayStream stream_;
  const int32_t input_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_
