// SPDX-License-Identifier: MIT
//
// What all bridges of one host share: its policy, its log, its deadlines, its libraries.
#ifndef ALLOY_SRC_ENGINE_OPEN_HOST_H_
#define ALLOY_SRC_ENGINE_OPEN_HOST_H_

#include <memory>
#include <string>
#include <string_view>

#include "alloy/alloy.h"
#include "base/result.h"
#include "engine/channel/deadlines.h"
#include "engine/channel/log.h"
#include "engine/open/libraries.h"
#include "load/load.h"
#include "port/process_mark.h"

namespace alloy::core {

// Threads  shared. Fixed in place, since bridges and calls share it.
class Host {
 public:
  //   Fails  INVALID, UNSUPPORTED.
  static Result<std::shared_ptr<Host>> Make(const alloy_host_options& options);

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  bool allows_unsigned() const { return allows_unsigned_; }
  bool loads_plainly() const { return load_from_ == LoadFrom::kPath; }
  // Write a warning to the host's log, unless the host asked for no log.
  void Warn(const std::string& text);
  bool warns() const;
  const std::string& language() const { return language_; }
  Log& log() { return log_; }
  // Tells this process from children of fork; see process_mark.h.
  ProcessMark& mark() { return mark_; }
  Deadlines& deadlines() { return deadlines_; }
  // Those that are loaded into this process.
  Libraries& libraries() { return libraries_; }
  const MayNeed& may_need() const { return may_need_; }
  // The path of the worker program; empty: find it.
  const std::string& worker() const { return worker_; }

  // Whether calls to this backend are logged.
  bool LogsCallsTo(std::string_view backend_name) const;

 private:
  Host(const alloy_host_options& options, MayNeed may_need);

  ProcessMark mark_;  // what follows borrows it
  const bool allows_unsigned_;
  const LoadFrom load_from_;
  const int32_t log_mode_;
  const std::string language_;
  Log log_;
  Deadlines deadlines_{mark_};
  const std::string worker_;
  const MayNeed may_need_;
  Libraries libraries_;
};

}  // namespace alloy::core

#endif  // ALLOY_SRC_ENGINE_OPEN_HOST_H_
