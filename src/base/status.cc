// SPDX-License-Identifier: MIT
#include "base/status.h"

#include "base/text.h"
#include "base/utf8.h"

namespace alloy::core {

// Every text of a fault passes here, whoever wrote it.
Status::Status(Fault fault) {
  fault.text = HarmlessLines(fault.text);
  fault_ = std::make_shared<const Fault>(std::move(fault));
}

Status Status::WithInput(int32_t input) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.input = input;
  return Status(std::move(fault));
}

Status Status::WithSide(uint16_t side) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.side = side;
  return Status(std::move(fault));
}

Status Status::WithPrefix(std::string_view prefix) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.text.insert(0, Harmless(prefix));
  return Status(std::move(fault));
}

Status Status::WithSuffix(std::string_view suffix) const {
  if (ok()) return *this;
  Fault fault = *fault_;
  fault.text.append(Harmless(suffix));
  return Status(std::move(fault));
}

alloy_code Status::CopyTo(alloy_error* err) const {
  if (ok()) return ALLOY_OK;
  if (err != nullptr) {
    err->code = fault_->code;
    err->reason = fault_->reason;
    err->input = fault_->input;
    err->column = fault_->column;
    err->side = fault_->side;
    err->length =
        static_cast<uint16_t>(CopyText(fault_->text, err->text, sizeof(err->text)));
  }
  return fault_->code;
}

Status Fail(alloy_code code, int32_t reason, std::string text) {
  text = Harmless(text);
  const bool callers =
      code == ALLOY_INVALID || code == ALLOY_NOT_FOUND || code == ALLOY_NO_MATCH;
  return Status(
      Fault{.code = code,
            .reason = reason,
            .side = callers ? uint16_t{ALLOY_SIDE_CALLER} : uint16_t{ALLOY_SIDE_ENGINE},
            .text = std::move(text)});
}

Status Fail(alloy_code code, std::string text) {
  return Fail(code, ALLOY_REASON_NONE, std::move(text));
}

}  // namespace alloy::core
