// SPDX-License-Identifier: MIT
//
// Bound calls that a bridge keeps for the next call with the same function, options and
// schemas.
#ifndef ALLOY_DETAIL_CALL_POOL_HPP_
#define ALLOY_DETAIL_CALL_POOL_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alloy/arrow_abi.h"
#include "alloy/call.hpp"
#include "alloy/detail/schema_node.hpp"

namespace alloy::detail {

// Bound calls that are not in use, by function, options and schemas.
//
// Nobody waits for the pool: a thread that finds it in use binds a new call, which is
// cheap. So a child of fork does not wait for a thread that only its parent has.
class CallPool {
 public:
  CallPool() = default;
  // What a thread that only the parent has was writing to is not destroyed.
  ~CallPool() {
    if (!in_use_.load(std::memory_order_acquire)) return;
    [[maybe_unused]] const auto* left_alone = idle_.release();
  }
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  // A number that changes when the backend does.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::unique_ptr<BoundCall> Take(const std::string& key) {
    const Entry entry(*this);
    if (!entry) return nullptr;
    const auto found = idle_->find(key);
    if (found == idle_->end() || found->second.empty()) return nullptr;
    auto call = std::move(found->second.back());
    found->second.pop_back();
    return call;
  }

  // A call that is not kept is freed after the pool is left, because freeing it runs
  // foreign code.
  void Give(const std::string& key, uint64_t generation,
            std::unique_ptr<BoundCall> call) {
    constexpr size_t kKeys = 256;
    constexpr size_t kIdle = 16;
    Calls outdated;
    const Entry entry(*this);
    if (!entry || generation != generation_of_idle_) return;
    if (idle_->size() >= kKeys) outdated.swap(*idle_);
    Idle& idle = (*idle_)[key];
    if (idle.size() < kIdle) idle.push_back(std::move(call));
  }

  // Drop the calls of the previous backend: now, or when the pool is next entered.
  void Clear() {
    generation_.fetch_add(1, std::memory_order_acq_rel);
    const Entry entry(*this);
  }

 private:
  using Idle = std::vector<std::unique_ptr<BoundCall>>;
  using Calls = std::unordered_map<std::string, Idle>;

  // The turn of one thread. It is false if another thread keeps the pool for longer than
  // its work takes.
  class Entry {
   public:
    explicit Entry(CallPool& pool) : pool_(pool) {
      constexpr int kTries = 1000;
      for (int i = 0; i < kTries && !entered_; ++i) {
        entered_ = !pool_.in_use_.exchange(true, std::memory_order_acquire);
      }
      if (!entered_) return;
      const uint64_t generation = pool_.generation();
      if (pool_.generation_of_idle_ == generation) return;
      outdated_.swap(*pool_.idle_);
      pool_.generation_of_idle_ = generation;
    }
    ~Entry() {
      if (entered_) pool_.in_use_.store(false, std::memory_order_release);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    explicit operator bool() const { return entered_; }

   private:
    CallPool& pool_;
    bool entered_ = false;
    Calls outdated_;  // ends after the turn
  };

  std::atomic<uint64_t> generation_{0};
  std::atomic<bool> in_use_{false};
  // The next two belong to the thread that has its turn.
  uint64_t generation_of_idle_ = 0;
  std::unique_ptr<Calls> idle_ = std::make_unique<Calls>();
};

inline void AppendKey(std::string* key, std::string_view part) {
  const uint64_t size = part.size();
  key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(part);
}

// Append everything of a schema that a function can see.
inline void AppendKey(std::string* key, const ArrowSchema& schema) {
  AppendKey(key, schema.format);
  AppendKey(key, schema.name == nullptr ? "" : schema.name);
  AppendKey(
      key, schema.metadata == nullptr ? std::string_view() : MetadataOf(schema.metadata));
  const int64_t rest[] = {schema.flags, schema.n_children, schema.dictionary != nullptr};
  key->append(reinterpret_cast<const char*>(rest), sizeof(rest));
  for (int64_t i = 0; i < schema.n_children; ++i) AppendKey(key, *schema.children[i]);
  if (schema.dictionary != nullptr) AppendKey(key, *schema.dictionary);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_CALL_POOL_HPP_
