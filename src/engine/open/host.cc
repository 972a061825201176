// SPDX-License-Identifier: MIT
#include "engine/open/host.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "engine/channel/local_channel.h"
#include "engine/open/echo.h"
#include "engine/open/options.h"

namespace alloy::core {
namespace {

// The values of alloy_host_options.log_mode.
// The size of the struct before it had log_line.
constexpr size_t kFirstSize = offsetof(alloy_host_options, log_line);

enum LogMode : int32_t { kWhileEcho = 0, kAlways = 1, kNever = 2 };

Status CheckHostOptions(const alloy_host_options& options) {
  if (!IsPlausibleSize(options, kFirstSize)) {
    return Fail(ALLOY_INVALID, "alloy_host_options.struct_size is " +
                                   std::to_string(options.struct_size) +
                                   "; set it to sizeof(alloy_host_options)");
  }
  if (!TailIsZero(options)) {
    return Fail(
        ALLOY_UNSUPPORTED,
        "alloy_host_options has a field that this engine does not know: the program is "
        "newer than the engine; use a newer engine");
  }
  if ((options.flags & ~(ALLOY_ALLOW_UNSIGNED | ALLOY_LOAD_PLAINLY)) != 0) {
    return Fail(ALLOY_INVALID, "alloy_host_options.flags has an unknown bit");
  }
  if (options.log_mode < kWhileEcho || options.log_mode > kNever) {
    return Fail(ALLOY_INVALID, "alloy_host_options.log_mode is " +
                                   std::to_string(options.log_mode) +
                                   "; set it to 0, 1 or 2");
  }
  if (options.log_fd < 0) {
    return Fail(ALLOY_INVALID, "alloy_host_options.log_fd is negative");
  }
  if (options.worker != nullptr && *options.worker != '/') {
    return Fail(ALLOY_INVALID, "alloy_host_options.worker is " + Quoted(options.worker) +
                                   ", which is not an absolute path");
  }
  return Status();
}

}  // namespace

Result<std::shared_ptr<Host>> Host::Make(const alloy_host_options& options) {
  ALLOY_TRY(CheckHostOptions(options));
  ALLOY_ASSIGN_OR_RETURN(MayNeed may_need, MayNeed::Make(options.may_need));
  return std::shared_ptr<Host>(new Host(Completed(options), std::move(may_need)));
}

Host::Host(const alloy_host_options& options, MayNeed may_need)
    : allows_unsigned_((options.flags & (ALLOY_ALLOW_UNSIGNED | ALLOY_LOAD_PLAINLY)) !=
                       0),
      load_from_((options.flags & ALLOY_LOAD_PLAINLY) != 0 ? LoadFrom::kPath
                                                           : LoadFrom::kSealedCopy),
      log_mode_(options.log_mode),
      language_(options.language != nullptr ? options.language : "C"),
      log_(options.log_fd == 0 ? 2 : options.log_fd, options.log, options.log_context,
           mark_, options.log_line),
      worker_(options.worker != nullptr ? options.worker : ""),
      may_need_(std::move(may_need)),
      libraries_(MakeLocalOpener(load_from_), may_need_, mark_) {}

void Host::Warn(const std::string& text) {
  if (warns()) log_.Write(ALLOY_LOG_WARN, language_, text);
}

bool Host::warns() const { return log_mode_ != kNever; }

bool Host::LogsCallsTo(std::string_view backend_name) const {
  return log_mode_ == kAlways || (log_mode_ == kWhileEcho && backend_name == kEchoName);
}

}  // namespace alloy::core
