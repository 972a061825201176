// SPDX-License-Identifier: MIT
//
// A C++ source of batches behind the C struct of a stream.
#ifndef ALLOY_DETAIL_SOURCE_HPP_
#define ALLOY_DETAIL_SOURCE_HPP_

#include <cerrno>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "alloy/arrow_abi.h"
#include "alloy/batch.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy::detail {

// A C++ source behind the C struct. `told` is shared with the stream that reads it, so
// that its error comes back unchanged.
struct Source {
  Schema schema;
  std::function<Result<std::optional<Batch>>()> next;
  std::shared_ptr<Status> told = std::make_shared<Status>();
  std::string text;

  int GetNext(ArrowArray* out) {
    if (!told->ok()) return EIO;
    try {
      auto batch = next();
      *told = batch.status();
      if (told->ok() && batch->has_value()) {
        ShareArray((**batch).array(), (**batch).keeper(), /*as_batch=*/false).MoveTo(out);
      }
    } catch (const std::exception& error) {
      *told = Status::Of(ALLOY_FAILED, error.what(), ALLOY_SIDE_CALLER);
    } catch (...) {
      *told = Status::Of(ALLOY_FAILED, "an exception that is no std::exception",
                         ALLOY_SIDE_CALLER);
    }
    if (told->ok()) return 0;
    text = told->text();
    return EIO;
  }
};

inline Source& SourceOf(ArrowArrayStream* stream) {
  return *static_cast<Source*>(stream->private_data);
}

inline OwnedArrayStream ExportSource(std::unique_ptr<Source> source) {
  OwnedArrayStream stream;
  *stream = {.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) noexcept -> int {
               try {
                 Schema::Copy(*SourceOf(self).schema).MoveTo(out);
                 return 0;
               } catch (...) {
                 return ENOMEM;
               }
             },
             .get_next = [](ArrowArrayStream* self, ArrowArray* out) noexcept -> int {
               *out = ArrowArray{};
               try {
                 return SourceOf(self).GetNext(out);
               } catch (...) {
                 return ENOMEM;
               }
             },
             .get_last_error = [](ArrowArrayStream* self) noexcept -> const char* {
               return SourceOf(self).text.c_str();
             },
             .release =
                 [](ArrowArrayStream* self) noexcept {
                   const std::unique_ptr<Source> owner(&SourceOf(self));
                   self->release = nullptr;
                 },
             .private_data = source.release()};
  return stream;
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_SOURCE_HPP_
