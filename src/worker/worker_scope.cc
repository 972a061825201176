// SPDX-License-Identifier: MIT
//
// A backend calls these functions through C, from any thread and often from inside its
// own error handling. So none of them throws, and a lack of memory loses a text or a log
// line but never the call.
#include "worker/worker_scope.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "base/utf8.h"
#include "gate/describe.h"
#include "worker/result_memory.h"

namespace alloy::core {
namespace {

WorkerScope& WorkerScopeOf(alloy_scope* scope) {
  return *static_cast<WorkerScope*>(scope);
}

// length -1: the text ends with a NUL.
std::string_view TextOf(const char* text, int64_t length) {
  if (text == nullptr) return {};
  return length < 0 ? std::string_view(text)
                    : std::string_view(text, static_cast<size_t>(length));
}

alloy_code WorkerFail(alloy_scope* scope, alloy_code code, const char* text,
                      int64_t length) {
  // A failure with the code OK would pass for a result that was never made.
  if (code <= ALLOY_OK || code > ALLOY_INTERNAL) code = ALLOY_INTERNAL;
  try {
    WorkerScopeOf(scope).SetError(code, AsUtf8(TextOf(text, length)));
  } catch (...) {
    // Without memory for the text, the caller gets only the code.
  }
  return code;
}

int32_t WorkerCancelled(alloy_scope* scope) {
  return WorkerScopeOf(scope).stopped() ? 1 : 0;
}

void WorkerProgress(alloy_scope* scope, int64_t done, int64_t total) {
  WorkerScopeOf(scope).SetProgress(done, total);
}

void WorkerLog(alloy_scope* scope, int32_t level, const char* text, int64_t length) {
  try {
    if (WorkerScopeOf(scope).Logs(level)) {
      WorkerScopeOf(scope).WriteLog(level, TextOf(text, length));
    }
  } catch (...) {
    // Without memory the line is lost, and the call goes on.
  }
}

int32_t WorkerLogging(alloy_scope* scope, int32_t level) {
  return WorkerScopeOf(scope).Logs(level) ? 1 : 0;
}

int64_t WorkerDescribe(const ArrowSchema* schema, const ArrowArray* array, char* text,
                       int64_t capacity) {
  if (schema == nullptr || array == nullptr || (text == nullptr && capacity > 0)) {
    return -1;
  }
  try {
    const Result<int64_t> length = DescribeInto(*schema, *array, text, capacity);
    return length.ok() ? *length : -1;
  } catch (...) {
    return -1;
  }
}

void* WorkerResize(void* memory, int64_t old_size, int64_t new_size) {
  return ResultMemory().Resize(memory, old_size, new_size);
}

constexpr alloy_services kWorkerServices = {.struct_size = sizeof(alloy_services),
                                            .abi = ALLOY_ABI,
                                            .fail = WorkerFail,
                                            .cancelled = WorkerCancelled,
                                            .progress = WorkerProgress,
                                            .resize = WorkerResize,
                                            .log = WorkerLog,
                                            .logging = WorkerLogging,
                                            .describe = WorkerDescribe};

}  // namespace

const alloy_services& WorkerServices() { return kWorkerServices; }

void WorkerScope::SetError(alloy_code code, std::string text) {
  const std::scoped_lock lock(mutex_);
  error_ = {code, std::move(text)};
}

WorkerScope::Error WorkerScope::TakeError() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(error_, Error());
}

// The host takes the lines while it waits, and holds the turn only for a copy. A line that
// does not fit is counted.
void WorkerScope::WriteLog(int32_t level, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  while (control_.log_turn.exchange(1, std::memory_order_acquire) != 0) {
    std::this_thread::yield();
  }
  const size_t used = std::min<size_t>(control_.log_used.load(std::memory_order_relaxed),
                                       control_.log.size());
  const auto length = static_cast<uint32_t>(std::min<size_t>(text.size(), kLogBytes / 2));
  constexpr size_t kHead = 1 + sizeof(length);
  if (kHead + length > control_.log.size() - used) {
    control_.log_lost.fetch_add(1, std::memory_order_relaxed);
  } else {
    std::byte* const line = control_.log.data() + used;
    line[0] = static_cast<std::byte>(level);
    std::memcpy(line + 1, &length, sizeof(length));
    std::memcpy(line + kHead, text.data(), length);
    control_.log_used.store(static_cast<uint32_t>(used + kHead + length),
                            std::memory_order_relaxed);
  }
  control_.log_turn.store(0, std::memory_order_release);
}

}  // namespace alloy::core
