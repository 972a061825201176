// SPDX-License-Identifier: MIT
#include "engine/stream/stream.h"

#include <atomic>
#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "base/guard.h"

namespace alloy::core {
namespace {

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

class Exported {
 public:
  explicit Exported(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  int GetSchema(ArrowSchema* out) {
    const Turn turn(*this);
    if (!turn) return EBUSY;
    const Status status = Try([&]() -> Status {
      ALLOY_ASSIGN_OR_RETURN(OwnedSchema schema, stream_->Schema());
      schema.MoveTo(out);
      return Status();
    });
    if (!status.ok()) said_ = status;
    return ErrnoOf(status.code());
  }

  int GetNext(ArrowArray* out) {
    const Turn turn(*this);
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
    said_ = fault_.status;
    stream_->Failed(fault_);
    return fault_.number;
  }

  const char* LastError() const {
    return said_.ok() ? nullptr : said_.fault().text.c_str();
  }

  const StreamFault& fault() const { return fault_; }

 private:
  class Turn {
   public:
    explicit Turn(Exported& self)
        : busy_(self.busy_), mine_(!busy_.exchange(true, std::memory_order_acquire)) {}
    ~Turn() {
      if (mine_) busy_.store(false, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return mine_; }

   private:
    std::atomic<bool>& busy_;
    const bool mine_;
  };

  template <typename Body>
  Status Try(Body&& body) noexcept {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      return exhausted_;
    } catch (...) {
      return broken_;
    }
  }

  const std::unique_ptr<Stream> stream_;
  // Made beforehand: where memory has run out, no text can be made.
  const Status exhausted_ = Fail(ALLOY_EXHAUSTED, "out of memory");
  const Status broken_ =
      Fail(ALLOY_INTERNAL, "an exception inside the engine; please report it");
  std::atomic<bool> busy_{false};
  bool ended_ = false;
  StreamFault fault_;
  Status said_;  // what get_last_error tells: of get_next or of get_schema
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
  const std::unique_ptr<Exported> owner(&ExportedOf(stream));
}

}  // namespace

StreamFault::StreamFault(Status whole)
    : number(ErrnoOf(whole.code())), status(std::move(whole)) {}

void GiveStream(std::unique_ptr<Stream> stream, ArrowArrayStream* out) {
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
