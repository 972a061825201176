// SPDX-License-Identifier: MIT
//
// A backend calls these functions through C, from any thread and often from inside its
// own error handling. So none of them throws, and a lack of memory loses a text or a log
// line but never the call.
#include "engine/channel/services.h"

#include <string>
#include <string_view>

#include "alloy/detail/resize.hpp"
#include "base/utf8.h"
#include "engine/channel/scope.h"
#include "gate/describe.h"

namespace alloy::core {
namespace {

Scope& ScopeOf(alloy_scope* scope) { return *static_cast<Scope*>(scope); }

// length -1: the text ends with a NUL.
std::string_view ViewOf(const char* text, int64_t length) {
  if (text == nullptr) return {};
  return length < 0 ? std::string_view(text)
                    : std::string_view(text, static_cast<size_t>(length));
}

alloy_code ServiceFail(alloy_scope* scope, alloy_code code, const char* text,
                       int64_t length) {
  // A failure with the code OK would pass for a result that was never made.
  if (code <= ALLOY_OK || code > ALLOY_INTERNAL) code = ALLOY_INTERNAL;
  try {
    ScopeOf(scope).SetError(code, AsUtf8(ViewOf(text, length)));
  } catch (...) {
    // Without memory for the text, the caller gets only the code.
  }
  return code;
}

int32_t ServiceCancelled(alloy_scope* scope) { return ScopeOf(scope).stopped() ? 1 : 0; }

void ServiceProgress(alloy_scope* scope, int64_t done, int64_t total) {
  if (RunControl* control = ScopeOf(scope).control(); control != nullptr) {
    control->done.store(done, std::memory_order_relaxed);
    control->total.store(total, std::memory_order_relaxed);
  }
}

void ServiceLog(alloy_scope* scope, int32_t level, const char* text, int64_t length) {
  try {
    ScopeOf(scope).WriteLog(level, ViewOf(text, length));
  } catch (...) {
    // Without memory the line is lost, and the call goes on.
  }
}

int32_t ServiceLogging(alloy_scope* scope, int32_t level) {
  return ScopeOf(scope).Logs(level) ? 1 : 0;
}

int64_t ServiceDescribe(const ArrowSchema* schema, const ArrowArray* array, char* text,
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

constexpr alloy_services kServices = {.struct_size = sizeof(alloy_services),
                                      .abi = ALLOY_ABI,
                                      .fail = ServiceFail,
                                      .cancelled = ServiceCancelled,
                                      .progress = ServiceProgress,
                                      .resize = alloy::detail::AlignedResize,
                                      .log = ServiceLog,
                                      .logging = ServiceLogging,
                                      .describe = ServiceDescribe};

}  // namespace

const alloy_services& Services() { return kServices; }

}  // namespace alloy::core
