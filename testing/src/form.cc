// SPDX-License-Identifier: MIT
#include "form.h"

#include <charconv>
#include <optional>
#include <utility>

namespace alloy::testing {
namespace {

int64_t NumberIn(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Form Fixed(int64_t width) {
  return {.kind = Kind::kFixed, .width = width, .type_ids = {}};
}

// d:precision,scale[,bits]
int64_t DecimalWidth(std::string_view parameters) {
  const size_t scale = parameters.find(',');
  const size_t bits = parameters.find(',', scale + 1);
  return bits == std::string_view::npos ? 16 : NumberIn(parameters.substr(bits + 1)) / 8;
}

Form Union(Kind kind, std::string_view ids) {
  Form form{.kind = kind, .type_ids = {}};
  while (!ids.empty()) {
    form.type_ids.push_back(static_cast<int8_t>(NumberIn(ids)));
    const size_t comma = ids.find(',');
    ids = comma == std::string_view::npos ? std::string_view() : ids.substr(comma + 1);
  }
  return form;
}

Form TemporalForm(std::string_view format) {
  switch (format[1]) {
    case 'd':
      return Fixed(format == "tdD" ? 4 : 8);
    case 't':
      return Fixed(format == "tts" || format == "ttm" ? 4 : 8);
    case 'i':
      return Fixed(format == "tiM" ? 4 : format == "tiD" ? 8 : 16);
    default:  // timestamps and durations
      return Fixed(8);
  }
}

Form NestedForm(std::string_view format) {
  const std::string_view rest = format.substr(1);
  if (rest == "l" || rest == "m")
    return {.kind = Kind::kList, .width = 4, .type_ids = {}};
  if (rest == "L") return {.kind = Kind::kList, .width = 8, .type_ids = {}};
  if (rest == "vl") return {.kind = Kind::kListView, .width = 4, .type_ids = {}};
  if (rest == "vL") return {.kind = Kind::kListView, .width = 8, .type_ids = {}};
  if (rest == "r") return {.kind = Kind::kRunEnd, .type_ids = {}};
  if (rest.starts_with("w:")) {
    return {.kind = Kind::kFixedList, .width = NumberIn(rest.substr(2)), .type_ids = {}};
  }
  if (rest.starts_with("ud:")) return Union(Kind::kDenseUnion, rest.substr(3));
  if (rest.starts_with("us:")) return Union(Kind::kSparseUnion, rest.substr(3));
  return {.kind = Kind::kStruct, .type_ids = {}};
}

std::optional<Form> BytesForm(std::string_view format) {
  constexpr std::pair<std::string_view, Form (*)()> kForms[] = {
      {"u", [] { return Form{Kind::kBytes, 4, true, {}}; }},
      {"U", [] { return Form{Kind::kBytes, 8, true, {}}; }},
      {"z", [] { return Form{Kind::kBytes, 4, false, {}}; }},
      {"Z", [] { return Form{Kind::kBytes, 8, false, {}}; }},
      {"vu", [] { return Form{Kind::kView, 16, true, {}}; }},
      {"vz", [] { return Form{Kind::kView, 16, false, {}}; }},
  };
  for (const auto& [name, form] : kForms) {
    if (name == format) return form();
  }
  return std::nullopt;
}

}  // namespace

Form FormOf(std::string_view format) {
  if (const auto bytes = BytesForm(format)) return *bytes;
  switch (format[0]) {
    case 'n':
      return {.kind = Kind::kNull, .type_ids = {}};
    case 'b':
      return {.kind = Kind::kBool, .type_ids = {}};
    case 'c':
    case 'C':
      return Fixed(1);
    case 's':
    case 'S':
    case 'e':
      return Fixed(2);
    case 'i':
    case 'I':
    case 'f':
      return Fixed(4);
    case 'l':
    case 'L':
    case 'g':
      return Fixed(8);
    case 'w':
      return Fixed(NumberIn(format.substr(2)));
    case 'd':
      return Fixed(DecimalWidth(format.substr(2)));
    case 't':
      return TemporalForm(format);
    default:
      return NestedForm(format);
  }
}

}  // namespace alloy::testing
