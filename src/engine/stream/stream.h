// SPDX-License-Identifier: MIT
//
// The C struct of every stream that Alloy gives, and what is behind it.
//
// Threads  serial: a second user at the same time is answered EBUSY.
#ifndef ALLOY_SRC_ENGINE_STREAM_STREAM_H_
#define ALLOY_SRC_ENGINE_STREAM_STREAM_H_

#include <memory>

#include "alloy/arrow_abi.h"
#include "arrow/owned.h"
#include "base/result.h"

namespace alloy::core {

// A failure as the C stream interface tells it, and the whole of it.
struct StreamFault {
  int number = 0;  // an errno; 0: no failure
  Status status;

  StreamFault() = default;
  StreamFault(int errno_number, Status whole)
      : number(errno_number), status(std::move(whole)) {}
  // With the errno that goes with the code.
  explicit StreamFault(Status whole);

  bool ok() const { return number == 0; }
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Result<OwnedSchema> Schema() = 0;
  // The next batch into *out, which arrives released, and stays so at the end. Not called
  // again after a failure or the end.
  virtual StreamFault Next(ArrowArray* out) = 0;
  // Next has failed, by its answer or by an exception.
  virtual void Failed(const StreamFault&) noexcept {}
};

// Make a C stream of it: failures and the end repeat, exceptions are failures, get_schema
// answers any number of times.
void GiveStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out);

// How the stream has failed, if it is one of this engine's; NULL for any other.
const StreamFault* FaultOf(const ArrowArrayStream& stream);

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_STREAM_STREAM_H_
