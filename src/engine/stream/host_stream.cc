// SPDX-License-Identifier: MIT
#include "engine/stream/host_stream.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "arrow/fault.h"
#include "arrow/same_schema.h"
#include "base/guard.h"

namespace alloy::core {
namespace {

Status StreamShapeFault(int32_t reason, const char* callback) {
  std::string text(ReasonText(reason));
  if (callback != nullptr) text += std::string(": ") + callback;
  return Fail(ALLOY_BAD_DATA, reason, std::move(text));
}

}  // namespace

Status CheckCallable(const ArrowArrayStream& stream) {
  if (stream.release == nullptr) {
    return StreamShapeFault(ALLOY_REASON_STREAM_RELEASED, nullptr);
  }
  if (stream.get_next == nullptr) {
    return StreamShapeFault(ALLOY_REASON_STREAM_CALLBACK, "get_next");
  }
  return Status();
}

std::string LastErrorOf(ArrowArrayStream* stream) {
  std::string text, thrown;
  if (stream->get_last_error == nullptr) return text;
  EnterForeign(&thrown, [&] {
    const char* last = stream->get_last_error(stream);
    if (last != nullptr) text = last;
  });
  return text;
}

std::string ErrnoText(int number) {
  return "errno " + std::to_string(number) + " (" +
         std::generic_category().message(number) + ")";
}

Status HostStream::Check(const ArrowSchema& bound) {
  const auto at = [this](const Status& status) {
    return status.WithInput(input_).WithSide(ALLOY_SIDE_CALLER);
  };
  Status status = CheckCallable(*stream_);
  if (status.ok() && stream_->get_schema == nullptr) {
    status = StreamShapeFault(ALLOY_REASON_STREAM_CALLBACK, "get_schema");
  }
  if (!status.ok()) return at(status);
  ArrowSchema schema{};
  int number = 0;
  std::string thrown;
  if (!EnterForeign(&thrown,
                    [&] { number = stream_->get_schema(stream_.get(), &schema); })) {
    number = EIO;
  }
  // A failed call may leave anything in the struct, and nobody owns it.
  if (number != 0) return Failure(number, std::move(thrown)).status;
  const OwnedSchema found(&schema);
  return at(CheckSameSchema(bound, *found));
}

StreamFault HostStream::Pull(ArrowArray* out) {
  *out = ArrowArray{};
  int number = 0;
  std::string thrown;
  if (!EnterForeign(&thrown, [&] { number = stream_->get_next(stream_.get(), out); })) {
    number = EIO;
  }
  if (number == 0) [[likely]]
    return {};
  *out = ArrowArray{};
  return Failure(number, std::move(thrown));
}

StreamFault HostStream::Failure(int number, std::string thrown) {
  // A stream of this engine has the whole fault, not only an errno and a text.
  const StreamFault* whole = FaultOf(*stream_);
  if (whole != nullptr && !whole->ok()) {
    return {number, whole->status.WithInput(input_).WithSide(ALLOY_SIDE_CALLER)};
  }
  std::string text = thrown.empty() ? LastErrorOf(stream_.get()) : std::move(thrown);
  if (text.empty()) text = "the stream failed without a text: " + ErrnoText(number);
  return {number, Status(Fault{.code = ALLOY_FAILED,
                               .reason = ALLOY_REASON_INPUT_FAILED,
                               .input = input_,
                               .side = ALLOY_SIDE_CALLER,
                               .text = std::move(text)})};
}

std::string HostStream::Release() { return ReleaseForeign(&stream_); }

}  // namespace alloy::core
