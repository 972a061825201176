// SPDX-License-Identifier: MIT
//
// The result of a command: named fields in order. As text, one aligned line per field or
// item of a list; as JSON, one object. Both are harmless to print.
#ifndef ARROWALLOY_BASE_REPORT_H_
#define ARROWALLOY_BASE_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "alloy/detail/harmless.hpp"

namespace arrowalloy {

// Names come from the author of a library, and must neither control the terminal nor look
// like a line of the report.
using alloy::detail::Harmless;
using alloy::detail::HarmlessLines;

// A JSON text with an escape in place of each character that a terminal obeys. Its value
// is the same.
std::string HarmlessJson(std::string_view json);

class Report;

// As text, a list has one value per line.
using Value = std::variant<bool, int64_t, std::string, std::vector<std::string>, Report,
                           std::vector<Report>>;

class Report {
 public:
  Report() = default;

  // `label` is the name in text; empty: the field appears only in JSON.
  Report& Add(std::string key, std::string label, Value value);

  // A field that appears only in JSON.
  Report& Add(std::string key, Value value);

  struct Field;
  const std::vector<Field>& fields() const { return fields_; }

  // One line per field that has a label; nested reports are indented.
  std::string ToText() const;

  // One line.
  std::string ToJson() const;

 private:
  std::vector<Field> fields_;
};

struct Report::Field {
  std::string key;
  std::string label;
  Value value;
};

}  // namespace arrowalloy

#endif  // ARROWALLOY_BASE_REPORT_H_
