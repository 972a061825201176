// SPDX-License-Identifier: MIT
//
// A stream of batches that the host passes in, as the engine reads it.
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

// Why it cannot be pulled from: it is released, or a callback is missing.
Status CheckCallable(const ArrowArrayStream& stream);

// What get_last_error says of a failure, if anything. Whatever is thrown says nothing.
std::string LastErrorOf(ArrowArrayStream* stream);

// `errno 5 (Input/output error)`
std::string ErrnoText(int number);

class HostStream {
 public:
  //   Takes  stream.
  HostStream(ArrowArrayStream* stream, int32_t input) : stream_(stream), input_(input) {}
  HostStream(HostStream&&) = default;
  ~HostStream() { Release(); }

  // Check that it is a stream, and one of the batches that were bound.
  Status Check(const ArrowSchema& bound);

  // The next batch, unchecked, into *out; released at the end. A failure is the host's
  // own, as it was.
  StreamFault Pull(ArrowArray* out);

  void Release();

 private:
  // Of a call that answered `number`, or threw `thrown`.
  StreamFault Failure(int number, std::string thrown);

  OwnedArrayStream stream_;
  const int32_t input_;
};

// Release a stream of foreign code, which may throw.
void ReleaseForeign(OwnedArrayStream* stream);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_HOST_STREAM_H_
