// SPDX-License-Identifier: MIT
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace arrowalloy {
namespace {

using Json = nlohmann::ordered_json;

Json ToTree(const Report& report);

struct AsJson {
  Json operator()(const Report& report) const { return ToTree(report); }
  Json operator()(const std::vector<Report>& reports) const {
    Json list = Json::array();
    for (const Report& report : reports) list.push_back(ToTree(report));
    return list;
  }
  template <typename T>
  Json operator()(const T& value) const {
    return value;
  }
};

Json ToTree(const Report& report) {
  Json object = Json::object();
  for (const Report::Field& field : report.fields()) {
    object[field.key] = std::visit(AsJson(), field.value);
  }
  return object;
}

struct AsLines {
  std::vector<std::string> operator()(bool value) const { return {value ? "yes" : "no"}; }
  std::vector<std::string> operator()(int64_t value) const {
    return {std::to_string(value)};
  }
  std::vector<std::string> operator()(const std::string& value) const {
    return {Harmless(value)};
  }
  std::vector<std::string> operator()(const std::vector<std::string>& value) const {
    std::vector<std::string> lines;
    lines.reserve(value.size());
    for (const std::string& line : value) lines.push_back(Harmless(line));
    if (lines.empty()) lines.emplace_back("none");
    return lines;
  }
  std::vector<std::string> operator()(const Report& report) const {
    return Split(report.ToText());
  }
  std::vector<std::string> operator()(const std::vector<Report>& reports) const {
    std::vector<std::string> lines;
    for (const Report& report : reports) {
      for (std::string& line : Split(report.ToText())) lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  static std::vector<std::string> Split(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      lines.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
  }
};

}  // namespace

std::string HarmlessJson(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  while (!json.empty()) {
    const std::string_view character =
        json.substr(0, std::max<size_t>(1, alloy::detail::Utf8Length(json)));
    json.remove_prefix(character.size());
    // Outside of strings there is only ASCII.
    const char32_t number = alloy::detail::Utf8Character(character);
    if (number < 0x7f || !alloy::detail::IsHarmful(number)) {
      safe += character;
    } else if (number < 0x10000) {
      safe += fmt::format("\\u{:04x}", static_cast<uint32_t>(number));
    } else {
      const uint32_t rest = number - 0x10000;
      safe += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10U),
                          0xdc00 + (rest & 0x3ffU));
    }
  }
  return safe;
}

Report& Report::Add(std::string key, std::string label, Value value) {
  fields_.push_back({std::move(key), std::move(label), std::move(value)});
  return *this;
}

Report& Report::Add(std::string key, Value value) {
  return Add(std::move(key), "", std::move(value));
}

std::string Report::ToText() const {
  size_t width = 0;
  for (const Field& field : fields_) width = std::max(width, field.label.size());
  std::string text;
  for (const Field& field : fields_) {
    if (field.label.empty()) continue;
    std::string label = field.label;
    for (const std::string& line : std::visit(AsLines(), field.value)) {
      label.resize(width, ' ');
      text.append(label).append("  ").append(line).append("\n");
      label.clear();
    }
  }
  return text;
}

std::string Report::ToJson() const {
  return HarmlessJson(ToTree(*this).dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace arrowalloy
