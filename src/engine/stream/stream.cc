// SPDX-License-Identifier: MIT
#include "engine/stream/stream.h"

#include <cxxabi.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

#include "base/turn.h"

namespace alloy::core {

int ErrnoOf(alloy_code code) {
  switch (code) {
    case ALLOY_OK:
      return 0;
    case ALLOY_INVALID:
    case ALLOY_BAD_DATA:
    case ALLOY_NO_MATCH:
    case ALLOY_NOT_FOUND:
      return EINVAL;
    case ALLOY_RETRY:
      return EAGAIN;
    case ALLOY_CANCELLED:
      return ECANCELED;
    case ALLOY_TIMEOUT:
      return ETIMEDOUT;
    case ALLOY_EXHAUSTED:
      return ENOMEM;
    case ALLOY_BUSY:
      return EBUSY;
    case ALLOY_UNSUPPORTED:
      return ENOSYS;
    default:
      return EIO;
  }
}

namespace {

// What private_data points to.
class Exported {
 public:
  explicit Exported(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  int GetSchema(ArrowSchema* out) {
    const Turn turn(&busy_);
    if (!turn) return EBUSY;
    const Status status = Try([&]() -> Status {
      ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, stream_->Schema());
      schema.MoveTo(out);
      return Status();
    });
    if (!status.ok()) last_error_ = status;
    return ErrnoOf(status.code());
  }

  int GetNext(ArrowArray* out) {
    const Turn turn(&busy_);
    if (!turn) return EBUSY;
    if (!fault_.ok() || ended_) return fault_.number;
    StreamFault fault;
    const Status thrown = Try([&] {
      fault = stream_->Next(out);
      return Status();
    });
    if (!thrown.ok()) fault = StreamFault(thrown);
    if (fault.ok()) [[likely]] {
      ended_ = out->release == nullptr;
      return 0;
    }
    fault_ = std::move(fault);
    last_error_ = fault_.status;
    stream_->Failed(fault_);
    return fault_.number;
  }

  const char* LastError() const {
    return last_error_.ok() ? nullptr : last_error_.fault().text.c_str();
  }

  const StreamFault& fault() const { return fault_; }
  bool is_busy() const { return busy_.load(std::memory_order_acquire); }

 private:
  // Foreign code calls this through C, so no exception may leave it. A forced unwind must:
  // see guard.h.
  template <typename Body>
  Status Try(Body&& body) {
    try {
      return body();
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (const std::bad_alloc&) {
      return exhausted_;
    } catch (...) {
      return broken_;
    }
  }

  const std::unique_ptr<Stream> stream_;
  // Made in advance, since out of memory no text can be made.
  const Status exhausted_ = Fail(ALLOY_EXHAUSTED, "out of memory");
  const Status broken_ =
      Fail(ALLOY_INTERNAL, "an exception inside the engine; please report it");
  std::atomic<bool> busy_{false};
  bool ended_ = false;
  StreamFault fault_;
  Status last_error_;  // for get_last_error: of get_next or of get_schema
};

Exported& ExportedOf(const ArrowArrayStream* stream) {
  return *static_cast<Exported*>(stream->private_data);
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  if (stream == nullptr || out == nullptr) return EINVAL;
  *out = ArrowSchema{};
  return ExportedOf(stream).GetSchema(out);
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  if (stream == nullptr || out == nullptr) return EINVAL;
  *out = ArrowArray{};
  return ExportedOf(stream).GetNext(out);
}

const char* GetLastError(ArrowArrayStream* stream) {
  return stream == nullptr ? nullptr : ExportedOf(stream).LastError();
}

void ReleaseStream(ArrowArrayStream* stream) {
  stream->release = nullptr;
  std::unique_ptr<Exported> owner(&ExportedOf(stream));
  // A stream that is still in use belongs to a thread that does not exist here: it was
  // inside when this process was forked. What it left cannot be released.
  if (!owner->is_busy()) return;
  [[maybe_unused]] const auto* left_alone = owner.release();
}

}  // namespace

StreamFault::StreamFault(Status whole)
    : number(ErrnoOf(whole.code())), status(std::move(whole)) {}

void ExportStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out) {
  auto exported = std::make_unique<Exported>(std::move(stream));
  *out = {.get_schema = GetSchema,
          .get_next = GetNext,
          .get_last_error = GetLastError,
          .release = ReleaseStream,
          .private_data = exported.release()};
}

const StreamFault* FaultOf(const ArrowArrayStream& stream) {
  return stream.release == ReleaseStream ? &ExportedOf(&stream).fault() : nullptr;
}

}  // namespace alloy::core
