// SPDX-License-Identifier: MIT
//
// Every stream that Alloy gives to a host or a backend: the C struct, and the interface
// that is behind it.
//
// Threads  serial: a second user at the same time gets EBUSY.
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_H_

#include <memory>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "base/result.h"

namespace alloy::core {

// The errno that the C stream interface returns for a code.
int ErrnoOf(alloy_code code);

// A failure of a stream: the errno that the C stream interface returns, and the whole
// Status.
struct StreamFault {
  int number = 0;  // an errno; 0: no failure
  Status status;

  StreamFault() = default;
  StreamFault(int errno_number, Status whole)
      : number(errno_number), status(std::move(whole)) {}
  // With the errno for the code.
  explicit StreamFault(Status whole);

  bool ok() const { return number == 0; }
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<OwnedSchema> Schema() = 0;
  // Move the next batch into *out, which is released before and stays so at the end. Not
  // called again after a failure or the end.
  virtual StreamFault Next(ArrowArray* out) = 0;
  // Next has failed: it returned a fault or threw.
  virtual void Failed(const StreamFault&) noexcept {}
};

// Make a C stream of it. Exceptions become failures. Failures and the end repeat, and
// get_schema works any number of times.
void ExportStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out);

// The failure of a stream that this engine made; ok if it has not failed. NULL for every
// other stream.
const StreamFault* FaultOf(const ArrowArrayStream& stream);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_H_
