// SPDX-License-Identifier: MIT
#include "shared_calls.h"

#include <algorithm>
#include <cstring>

#include "errors.h"
#include "foreign_schema.h"
#include "threads.h"

namespace alloy::python {
namespace {

// More than the threads of most engines; the rest is bound again.
constexpr size_t kIdle = 64;

}  // namespace

SharedCalls::SharedCalls(std::shared_ptr<BridgeHandle> bridge, std::string name,
                         std::vector<std::string> options, int64_t timeout_ns)
    : bridge_(std::move(bridge)),
      name_(std::move(name)),
      options_(std::move(options)),
      timeout_ns_(timeout_ns),
      process_(ForkGeneration()) {}

std::unique_ptr<BoundCall> SharedCalls::TakeIdle(const std::string& key,
                                                 uint64_t generation) {
  const std::lock_guard lock(mutex_);
  std::erase_if(idle_, [&](const auto& one) { return one->generation != generation; });
  const auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const auto& one) { return one->key == key; });
  if (found == idle_.end()) return nullptr;
  auto bound = std::move(*found);
  idle_.erase(found);
  return bound;
}

alloy_code SharedCalls::Bind(const ArrowSchema& schema, std::unique_ptr<BoundCall>* bound,
                             alloy_error* error) {
  if (process_ != ForkGeneration()) {
    return FillError(
        error, ALLOY_CLOSED,
        "the function was taken before a fork; open it again in this process");
  }
  const uint64_t generation = bridge_->generation.load(std::memory_order_acquire);
  std::string key;
  if (!AppendKey(&key, schema)) key.clear();  // malformed: the engine says how
  if (!key.empty()) *bound = TakeIdle(key, generation);
  if (*bound != nullptr) return ALLOY_OK;
  std::vector<const char*> options;
  options.reserve(options_.size() + 1);
  for (const std::string& text : options_) options.push_back(text.c_str());
  options.push_back(nullptr);
  alloy_call* call = nullptr;
  const alloy_code code = alloy_call_bind(bridge_->bridge.get(), name_.c_str(), &schema,
                                          1, options.data(), &call, error);
  if (code != ALLOY_OK) return code;
  auto made = std::make_unique<BoundCall>();
  made->bridge = bridge_;
  made->call.reset(call);
  made->output = std::make_shared<const Schema>(Schema::Copy(*alloy_call_schema(call)));
  made->key = std::move(key);
  made->generation = generation;
  *bound = std::move(made);
  return ALLOY_OK;
}

alloy_code SharedCalls::Run(BoundCall& bound, OwnedArray batch, OwnedArray* output,
                            alloy_error* error) {
  uint64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++bound.ticket;
    running_.push_back(&bound);
  }
  ArrowArray input = batch.Detach();
  const alloy_code code =
      alloy_call_run(bound.call.get(), &input, output->get(), timeout_ns_, ticket, error);
  const std::lock_guard lock(mutex_);
  std::erase(running_, &bound);
  return code;
}

void SharedCalls::GiveBack(std::unique_ptr<BoundCall> bound) {
  const std::lock_guard lock(mutex_);
  if (!bound->key.empty() && idle_.size() < kIdle) idle_.push_back(std::move(bound));
}

void SharedCalls::Cancel() {
  if (process_ != ForkGeneration()) return;  // nothing runs in this process
  const std::lock_guard lock(mutex_);
  for (BoundCall* bound : running_) alloy_call_cancel(bound->call.get(), bound->ticket);
}

}  // namespace alloy::python
