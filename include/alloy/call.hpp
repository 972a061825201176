// SPDX-License-Identifier: MIT
//
// A function that is bound to schemas and options, for C++ hosts. Bridge::Call is
// simpler; bind a call yourself to run one function many times.
//
// Threads  serial: a second user at the same time gets ALLOY_BUSY. Bind one for each
//          thread.
#ifndef ALLOY_CALL_HPP_
#define ALLOY_CALL_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/batch.hpp"
#include "alloy/call_options.hpp"
#include "alloy/detail/bind.hpp"
#include "alloy/detail/share.hpp"
#include "alloy/host.hpp"
#include "alloy/owned.hpp"
#include "alloy/schema.hpp"
#include "alloy/status.hpp"

namespace alloy {

// A function bound to the schemas of its inputs and to options.
class BoundCall {
 public:
  // Bridge::Bind is simpler. The call keeps `host` alive.
  static Result<BoundCall> Bind(const Host& host, alloy_bridge* bridge,
                                const std::string& function,
                                std::span<const ArrowSchema> schemas,
                                const OptionMap& options) {
    alloy_error error;
    alloy_call* call = nullptr;
    if (alloy_call_bind(bridge, function.c_str(), schemas.data(),
                        static_cast<int32_t>(schemas.size()),
                        detail::FlattenOptions(options).data(), &call,
                        &error) != ALLOY_OK) {
      return Status(error);
    }
    BoundCall bound(host, call);
    for (const ArrowSchema& schema : schemas) {
      bound.inputs_.push_back(Schema::Copy(schema));
    }
    bound.output_ =
        std::make_shared<const Schema>(Schema::Copy(*alloy_call_schema(call)));
    return bound;
  }

  // Run on one batch for each bound schema.
  Result<Batch> Run(std::span<const Batch> inputs, const CallLimits& limits = {}) {
    if (inputs.size() != inputs_.size()) {
      return Status::Invalid("the function is bound to " +
                             std::to_string(inputs_.size()) +
                             " inputs, but this run passes " +
                             std::to_string(inputs.size()) + "; pass one for each");
    }
    std::vector<OwnedArray> arrays;
    arrays.reserve(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!detail::SameType(inputs[i].schema(), *inputs_[i])) {
        return Status::Invalid("input " + std::to_string(i) +
                               " is not of the type that was bound");
      }
      arrays.push_back(
          detail::ShareArray(inputs[i].array(), inputs[i].keeper(), /*as_batch=*/false));
    }
    auto held = std::make_shared<detail::Imported>();
    held->shared_schema = output_;
    Status status = RunRaw(arrays, held->array.get(), limits);
    if (!status.ok()) return status;
    const auto* raw = held.get();
    return Batch(Array(raw->shared_schema->get(), raw->array.get(), std::move(held)));
  }
  Result<Batch> Run(const Batch& input, const CallLimits& limits = {}) {
    return Run(std::span(&input, 1), limits);
  }

  // The same on Arrow structs of the bound schemas.
  //
  //   Takes  inputs. Only ALLOY_BUSY takes nothing, because the call did not happen.
  //   Gives  output, released unless the status is ok.
  Status RunRaw(std::span<OwnedArray> inputs, ArrowArray* output,
                const CallLimits& limits) {
    // An owner is exactly its Arrow struct, so a span of owners is an array of structs.
    static_assert(sizeof(OwnedArray) == sizeof(ArrowArray));
    ArrowArray* arrays = inputs.empty() ? nullptr : inputs[0].get();
    const uint64_t ticket = limits.stop.stop_possible() ? ++*last_ticket_ : 0;
    alloy_call* call = call_.get();
    const std::stop_callback cancel(limits.stop,
                                    [call, ticket] { alloy_call_cancel(call, ticket); });
    alloy_error error;
    if (alloy_call_run(call, arrays, output, limits.timeout.count(), ticket, &error) !=
        ALLOY_OK) {
      return Status(error);
    }
    return {};
  }

  // The schema of the results.
  const ArrowSchema& output_schema() const { return **output_; }

  // The last progress that the backend reported: done and total, 0 if unknown. Any thread
  // may ask.
  std::pair<int64_t, int64_t> Progress() const {
    std::pair<int64_t, int64_t> progress;
    alloy_call_progress(call_.get(), &progress.first, &progress.second);
    return progress;
  }

 private:
  BoundCall(const Host& host, alloy_call* call)
      : host_(host),
        call_(call),
        last_ticket_(std::make_unique<std::atomic<uint64_t>>(0)) {}

  Host host_;  // the log's context lives as long as the call
  std::unique_ptr<alloy_call, detail::FreeCall> call_;
  std::unique_ptr<std::atomic<uint64_t>> last_ticket_;
  std::vector<Schema> inputs_;
  std::shared_ptr<const Schema> output_;
};

}  // namespace alloy

#endif  // ALLOY_CALL_HPP_
