// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "trust/sidecar.h"
#include "trust/time_text.h"

namespace alloy::core {
namespace {

constexpr size_t kMaxNeeded = 64, kMaxWord = 128, kMaxFileName = 255;

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord && text.find(' ') == text.npos;
}

bool IsFileName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxFileName && text.find('/') == text.npos &&
         text != "." && text != "..";
}

bool IsDigest(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A number in decimal digits, without sign or leading zero.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  if (text.empty() || text[0] == '-' || (text[0] == '0' && text.size() > 1)) {
    return std::nullopt;
  }
  T number = 0;
  const char* const begin = text.data();
  const auto [stop, error] = std::from_chars(begin, begin + text.size(), number);
  if (error != std::errc() || stop != begin + text.size()) return std::nullopt;
  return number;
}

// Reads the lines of a statement; an error names the line.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  Result<std::string_view> Take(std::string_view expected) {
    ++number_;
    const size_t end = rest_.find('\n');
    if (end == rest_.npos) {
      return Bad("the statement ends without a line feed, or before " +
                 std::string(expected));
    }
    const std::string_view line = rest_.substr(0, end);
    if (!IsPrintable(line)) {
      return Bad("a byte is not printable ASCII: " + Quoted(line));
    }
    rest_.remove_prefix(end + 1);
    return line;
  }

  // The value of the line `key: value`.
  Result<std::string_view> Value(std::string_view key) {
    const std::string prefix = std::string(key) + ": ";
    ALLOY_ASSIGN_OR_RETURN(const std::string_view line, Take("`" + prefix + "…`"));
    if (!line.starts_with(prefix)) {
      return Bad("expected `" + prefix + "…` instead of " + Quoted(line));
    }
    return line.substr(prefix.size());
  }

  bool NextStartsWith(std::string_view prefix) const { return rest_.starts_with(prefix); }
  bool AtEnd() const { return rest_.empty(); }

  Status Bad(std::string_view what) const {
    return Fail(ALLOY_REFUSED, ALLOY_REASON_SIDECAR_MALFORMED,
                "line " + std::to_string(number_) + ": " + std::string(what));
  }
  Status BadValue(std::string_view key, std::string_view value,
                  std::string_view expected) const {
    return Bad(std::string(key) + " is " + Quoted(value) + "; expected " +
               std::string(expected));
  }

 private:
  std::string_view rest_;
  int number_ = 0;
};

Status TakeWord(Lines& lines, const char* key, std::string* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  if (!IsWord(value)) {
    return lines.BadValue(key, value, "a word of 1 to 128 characters without blanks");
  }
  *out = value;
  return Status();
}

template <typename T>
Status TakeNumber(Lines& lines, const char* key, T* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  const auto number = ParseNumber<T>(value);
  if (!number) return lines.BadValue(key, value, "a number in decimal digits");
  *out = *number;
  return Status();
}

Status TakeTime(Lines& lines, const char* key, int64_t* out) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value(key));
  const auto time = ParseTime(value);
  if (!time) return lines.BadValue(key, value, "a time such as 2026-09-01T00:00:00Z");
  *out = *time;
  return Status();
}

// `<digest>  <file>`, as sha256sum writes it.
Status TakeDigest(Lines& lines, Statement* statement) {
  ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value("sha256"));
  const std::string_view digest = value.substr(0, 64);
  const std::string_view rest = value.substr(digest.size());
  if (!IsDigest(digest) || !rest.starts_with("  ") || !IsFileName(rest.substr(2))) {
    return lines.BadValue("sha256", value,
                          "64 hexadecimal digits in lower case, two blanks, a file name");
  }
  statement->sha256 = digest;
  statement->file = rest.substr(2);
  return Status();
}

Status TakeNeeded(Lines& lines, std::vector<std::string>* needed) {
  while (lines.NextStartsWith("needed: ")) {
    ALLOY_ASSIGN_OR_RETURN(const std::string_view value, lines.Value("needed"));
    if (!IsFileName(value) || !IsWord(value)) {
      return lines.BadValue("needed", value, "the SONAME of a library");
    }
    if (!needed->empty() && value <= needed->back()) {
      return lines.Bad("needed " + Quoted(value) + " comes after " +
                       Quoted(needed->back()) + "; list them sorted, each once");
    }
    needed->emplace_back(value);
    if (needed->size() > kMaxNeeded) {
      return lines.Bad("more than 64 needed libraries");
    }
  }
  return Status();
}

}  // namespace

Result<Statement> ParseStatement(std::string_view message) {
  Lines lines(message);
  Statement statement;
  constexpr std::string_view kFirst = "alloy-statement-v1", kLast = "end";
  ALLOY_ASSIGN_OR_RETURN(const std::string_view first, lines.Take("a statement"));
  if (first != kFirst) {
    return lines.Bad("expected `alloy-statement-v1` instead of " + Quoted(first));
  }
  ALLOY_TRY(TakeWord(lines, "kind", &statement.kind));
  ALLOY_TRY(TakeWord(lines, "name", &statement.name));
  ALLOY_TRY(TakeWord(lines, "version", &statement.version));
  ALLOY_TRY(TakeNumber(lines, "sequence", &statement.sequence));
  ALLOY_TRY(TakeNumber(lines, "abi", &statement.abi));
  ALLOY_TRY(TakeWord(lines, "platform", &statement.platform));
  ALLOY_TRY(TakeTime(lines, "not-before", &statement.not_before));
  ALLOY_TRY(TakeTime(lines, "not-after", &statement.not_after));
  ALLOY_TRY(TakeNumber(lines, "size", &statement.size));
  ALLOY_TRY(TakeDigest(lines, &statement));
  ALLOY_TRY(TakeNeeded(lines, &statement.needed));
  ALLOY_ASSIGN_OR_RETURN(const std::string_view last, lines.Take("`end`"));
  if (last != kLast) {
    return lines.Bad("expected `needed: …` or `end` instead of " + Quoted(last));
  }
  if (!lines.AtEnd()) return lines.Bad("more text after `end`");
  return statement;
}

}  // namespace alloy::core
