// SPDX-License-Identifier: MIT
//
// A host, and a function bound to schemas and options, for C++.
#ifndef ALLOY_DETAIL_CALL_HPP_
#define ALLOY_DETAIL_CALL_HPP_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/alloy.h"
#include "alloy/detail/array.hpp"
#include "alloy/detail/owned.hpp"
#include "alloy/detail/status.hpp"

namespace alloy {

enum class LogMode : int32_t { kEchoes = 0, kAlways = 1, kNever = 2 };

struct HostOptions {
  bool allow_unsigned = false;  // libraries without a certificate may be loaded
  bool load_plainly = false;    // for debuggers alone: see ALLOY_LOAD_PLAINLY
  // What libraries may need beside the runtimes: see alloy_host_options.
  std::vector<std::string> may_need = {};
  std::string language = "C++";  // label of the host's lines
  LogMode log_mode = LogMode::kEchoes;
  int log_fd = 2;  // where lines go, one write each
  // Instead of log_fd: any thread, never two at once.
  std::function<void(int32_t level, std::string_view language, std::string_view text)>
      log = nullptr;
};

// The policy under which bridges are made. Cheap to copy: copies are the same host.
//
// Threads  shared.
class Host {
 public:
  explicit Host(HostOptions options = {}) : state_(std::make_shared<State>()) {
    state_->options = std::move(options);
    const HostOptions& mine = state_->options;
    alloy_host_options raw{};
    raw.struct_size = sizeof(raw);
    raw.flags = (mine.allow_unsigned ? ALLOY_ALLOW_UNSIGNED : 0) |
                (mine.load_plainly ? ALLOY_LOAD_PLAINLY : 0);
    std::vector<const char*> may_need;
    may_need.reserve(mine.may_need.size() + 1);
    for (const std::string& entry : mine.may_need) may_need.push_back(entry.c_str());
    may_need.push_back(nullptr);
    raw.may_need = may_need.data();
    raw.language = mine.language.c_str();
    raw.log_mode = static_cast<int32_t>(mine.log_mode);
    raw.log_fd = mine.log_fd == 2 ? 0 : mine.log_fd;
    if (mine.log) {
      raw.log = &Log;
      raw.log_context = state_.get();
    }
    alloy_error error;
    alloy_host* host = nullptr;
    if (alloy_host_new(&raw, &host, &error) != ALLOY_OK) state_->status = Status(error);
    state_->host.reset(host);
  }

  // Why there is no host; every bridge of it answers the same.
  Status status() const { return state_->status; }

  // A line of the host's own, labelled and dated like the others.
  void Info(std::string_view text) const {
    if (state_->host == nullptr) return;
    alloy_host_log(state_->host.get(), ALLOY_LOG_INFO, text.data(),
                   static_cast<int64_t>(text.size()));
  }

  alloy_host* get() const { return state_->host.get(); }

 private:
  struct Free {
    void operator()(alloy_host* host) const { alloy_host_free(host); }
  };
  struct State {
    HostOptions options;
    Status status;
    std::unique_ptr<alloy_host, Free> host;
  };

  static void Log(void* context, int32_t level, const char* language, const char* text,
                  int64_t length) noexcept {
    try {
      static_cast<State*>(context)->options.log(
          level, language, std::string_view(text, static_cast<size_t>(length)));
    } catch (...) {  // nobody is there to tell: the line is lost, the call goes on
    }
  }

  std::shared_ptr<State> state_;
};

// The values of a function's options, by name.
using OptionMap = std::map<std::string, std::string>;

// How long one call may take, and how it is stopped.
struct CallLimits {
  std::chrono::nanoseconds timeout{0};  // 0: none
  std::stop_token stop = {};
};

namespace detail {

// Whether arrays of one schema can pass as arrays of the other.
inline bool SameType(const ArrowSchema& a, const ArrowSchema& b) {
  if (&a == &b) return true;
  if (std::string_view(a.format) != b.format || a.n_children != b.n_children ||
      (a.dictionary == nullptr) != (b.dictionary == nullptr)) {
    return false;
  }
  for (int64_t i = 0; i < a.n_children; ++i) {
    if (!SameType(*a.children[i], *b.children[i])) return false;
  }
  return a.dictionary == nullptr || SameType(*a.dictionary, *b.dictionary);
}

// Option values as alloy_call_bind takes them: key, value, ..., NULL.
inline std::vector<const char*> FlattenOptions(const OptionMap& options) {
  std::vector<const char*> flat;
  flat.reserve(2 * options.size() + 1);
  for (const auto& [key, value] : options) {
    flat.push_back(key.c_str());
    flat.push_back(value.c_str());
  }
  flat.push_back(nullptr);
  return flat;
}

struct FreeCall {
  void operator()(alloy_call* call) const { alloy_call_free(call); }
};

}  // namespace detail

// A function bound to the schemas of its inputs and to options: made once, run often.
//
// Threads  serial: a second user at the same time gets ALLOY_BUSY. Bind one for each
//          thread.
class BoundCall {
 public:
  // `host` is kept alive with the call. `schemas` lie in a row, as the C ABI wants them.
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

  // Run on a batch for each schema it was bound to.
  Result<Batch> Run(std::span<const Batch> inputs, const CallLimits& limits = {}) {
    if (inputs.size() != inputs_.size()) {
      return Status::Invalid("bound to " + std::to_string(inputs_.size()) +
                             " inputs, called with " + std::to_string(inputs.size()));
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

  // The same on Arrow structs of the bound schemas: `inputs` are taken, but for
  // ALLOY_BUSY, and `output` is released before.
  Status RunRaw(std::span<OwnedArray> inputs, ArrowArray* output,
                const CallLimits& limits) {
    // An owner is its Arrow struct and nothing else, so the structs lie in a row.
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

  // What the backend last said of its progress; total 0: unknown. Any thread.
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

#endif  // ALLOY_DETAIL_CALL_HPP_
