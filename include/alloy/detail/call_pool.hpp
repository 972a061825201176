// SPDX-License-Identifier: MIT
//
// Bound calls that a bridge keeps for the next call with the same function, options and
// schemas.
#ifndef ALLOY_DETAIL_CALL_POOL_HPP_
#define ALLOY_DETAIL_CALL_POOL_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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
class CallPool {
 public:
  // A number that changes when the backend does.
  uint64_t generation() const {
    const std::lock_guard lock(mutex_);
    return generation_;
  }

  std::unique_ptr<BoundCall> Take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = idle_.find(key);
    if (found == idle_.end() || found->second.empty()) return nullptr;
    auto call = std::move(found->second.back());
    found->second.pop_back();
    return call;
  }

  // A call that is not kept is freed after the lock is released, because freeing it runs
  // foreign code.
  void Give(const std::string& key, uint64_t generation,
            std::unique_ptr<BoundCall> call) {
    constexpr size_t kKeys = 256;
    constexpr size_t kIdle = 16;
    std::unordered_map<std::string, Idle> outdated;
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    if (idle_.size() >= kKeys) outdated.swap(idle_);
    Idle& idle = idle_[key];
    if (idle.size() < kIdle) idle.push_back(std::move(call));
  }

  // Drop the calls of the previous backend.
  void Clear() {
    std::unordered_map<std::string, Idle> outdated;
    const std::lock_guard lock(mutex_);
    ++generation_;
    outdated.swap(idle_);
  }

 private:
  using Idle = std::vector<std::unique_ptr<BoundCall>>;
  mutable std::mutex mutex_;
  uint64_t generation_ = 0;
  std::unordered_map<std::string, Idle> idle_;
};

inline void AppendKey(std::string* key, std::string_view part) {
  const uint64_t size = part.size();
  key->append(reinterpret_cast<const char*>(&size), sizeof(size)).append(part);
}

// Append everything of a schema that a function can see.
inline void AppendKey(std::string* key, const ArrowSchema& schema) {
  AppendKey(key, schema.format);
  AppendKey(key, schema.name == nullptr ? "" : schema.name);
  AppendKey(key, schema.metadata == nullptr
                     ? std::string_view()
                     : std::string_view(schema.metadata, MetadataBytes(schema.metadata)));
  const int64_t rest[] = {schema.flags, schema.n_children, schema.dictionary != nullptr};
  key->append(reinterpret_cast<const char*>(rest), sizeof(rest));
  for (int64_t i = 0; i < schema.n_children; ++i) AppendKey(key, *schema.children[i]);
  if (schema.dictionary != nullptr) AppendKey(key, *schema.dictionary);
}

}  // namespace alloy::detail

#endif  // ALLOY_DETAIL_CALL_POOL_HPP_
