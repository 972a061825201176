// SPDX-License-Identifier: MIT
//
// The outcome of an operation: ok, or a fault whose code tells the caller what to do next.
//
// Copies share one fault, so the sticky error of a bridge reaches every call unchanged.
// Use Result<T> where there is a value as well.
//
// Threads  values: one thread each; copies may go to others.
#ifndef ALLOY_SRC_BASE_STATUS_H_
#define ALLOY_SRC_BASE_STATUS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "alloy/alloy.h"

namespace alloy::core {

struct Fault {
  alloy_code code = ALLOY_INTERNAL;
  int32_t reason = ALLOY_REASON_NONE;
  int32_t input = -1;
  int32_t column = -1;
  uint16_t side = ALLOY_SIDE_ENGINE;
  std::string text;
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // ok
  // The text becomes harmless (base/text.h): UTF-8 that controls no terminal, in which
  // each line after the first begins with two blanks.
  explicit Status(Fault fault);

  bool ok() const { return fault_ == nullptr; }
  alloy_code code() const { return ok() ? ALLOY_OK : fault_->code; }
  int32_t reason() const { return ok() ? ALLOY_REASON_NONE : fault_->reason; }
  const Fault& fault() const { return *fault_; }  // only when not ok()

  // The same fault with more context: what only a caller further out knows.
  Status WithInput(int32_t input) const;
  Status WithSide(uint16_t side) const;
  // What is added becomes one harmless line.
  Status WithPrefix(std::string_view prefix) const;
  Status WithSuffix(std::string_view suffix) const;

  // Fill the caller's error and return the code. err may be NULL, and stays unchanged
  // when this is ok.
  alloy_code CopyTo(alloy_error* err) const;

 private:
  std::shared_ptr<const Fault> fault_;  // NULL: ok
};

// A fault of no particular input or column. Its side follows from the code: the caller for
// INVALID, NOT_FOUND and NO_MATCH, which only the caller can correct; else the engine.
// The text becomes one line, whatever names it quotes.
Status Fail(alloy_code code, int32_t reason, std::string text);
Status Fail(alloy_code code, std::string text);

}  // namespace alloy::core

// Return early with the status when it is not ok.
#define ALLOY_TRY(expression)                           \
  do {                                                  \
    ::alloy::core::Status alloy_status_ = (expression); \
    if (!alloy_status_.ok()) [[unlikely]]               \
      return alloy_status_;                             \
  } while (false)

#endif  // ALLOY_SRC_BASE_STATUS_H_
