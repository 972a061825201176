// SPDX-License-Identifier: MIT
//
// The result of a command: named fields in order. As text, one aligned line per field; as
// JSON, one object.
#ifndef ARROWALLOY_BASE_REPORT_H_
#define ARROWALLOY_BASE_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace arrowalloy {

// The text without control characters. Names come from the author of a library, and must
// not control the terminal.
std::string Harmless(std::string_view text);

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
