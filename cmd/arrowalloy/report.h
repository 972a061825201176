// SPDX-License-Identifier: MIT
//
// What a command answers, once for people and for programs: named fields in order. As
// text it is one aligned line a field, as JSON one object.
#ifndef ARROWALLOY_REPORT_H_
#define ARROWALLOY_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace arrowalloy {

// The text without what would steer a terminal: names come from whoever wrote a library.
std::string Harmless(std::string_view text);

class Report;

// A list in text is one value a line.
using Value = std::variant<bool, int64_t, std::string, std::vector<std::string>, Report,
                           std::vector<Report>>;

class Report {
 public:
  Report() = default;

  // `label` is what people read; empty: for programs only.
  Report& Add(std::string key, std::string label, Value value);

  // Fields that people need not read.
  Report& Add(std::string key, Value value);

  struct Field;
  const std::vector<Field>& fields() const { return fields_; }

  // One line for each field with a label; nested reports are indented.
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

#endif  // ARROWALLOY_REPORT_H_
