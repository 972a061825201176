// SPDX-License-Identifier: MIT
#include <utility>

#include "alloy/testing/spec.hpp"

namespace alloy::testing {
namespace {

// Source: "The Arrow C data interface", "Data type description -- format strings".
constexpr std::pair<const char*, const char*> kFlat[] = {
    {"null", "n"},
    {"bool", "b"},
    {"int8", "c"},
    {"uint8", "C"},
    {"int16", "s"},
    {"uint16", "S"},
    {"int32", "i"},
    {"uint32", "I"},
    {"int64", "l"},
    {"uint64", "L"},
    {"float16", "e"},
    {"float32", "f"},
    {"float64", "g"},
    {"binary", "z"},
    {"large_binary", "Z"},
    {"binary_view", "vz"},
    {"utf8", "u"},
    {"large_utf8", "U"},
    {"utf8_view", "vu"},
    {"fixed_size_binary", "w:3"},
    {"decimal32", "d:7,2,32"},
    {"decimal64", "d:15,3,64"},
    {"decimal128", "d:19,4"},
    {"decimal256", "d:60,10,256"},
    {"date32", "tdD"},
    {"date64", "tdm"},
    {"time32_s", "tts"},
    {"time32_ms", "ttm"},
    {"time64_us", "ttu"},
    {"time64_ns", "ttn"},
    {"timestamp_s", "tss:"},
    {"timestamp_ms", "tsm:UTC"},
    {"timestamp_us", "tsu:+01:00"},
    {"timestamp_ns", "tsn:Europe/Stockholm"},
    {"duration_s", "tDs"},
    {"duration_ms", "tDm"},
    {"duration_us", "tDu"},
    {"duration_ns", "tDn"},
    {"interval_months", "tiM"},
    {"interval_day_time", "tiD"},
    {"interval_month_day_nano", "tin"},
};

Spec Item(const char* format) { return {.format = format, .name = "item"}; }

Spec Map(const char* name, Spec value) {
  value.name = "value";
  Spec key{.format = "u", .name = "key", .flags = 0};
  Spec entries{.format = "+s",
               .name = "entries",
               .children = {std::move(key), std::move(value)},
               .flags = 0};
  return {.format = "+m", .name = name, .children = {std::move(entries)}};
}

Spec RunEnd(const char* name, const char* ends, Spec values) {
  values.name = "values";
  return {
      .format = "+r",
      .name = name,
      .children = {{.format = ends, .name = "run_ends", .flags = 0}, std::move(values)}};
}

Spec Dictionary(const char* name, const char* index, Spec values) {
  return {.format = index, .name = name, .dictionary = {std::move(values)}};
}

std::vector<Spec> Nested() {
  const Spec pair{
      .format = "+s",
      .name = "struct",
      .children = {{.format = "i", .name = "a"}, {.format = "u", .name = "b"}}};
  Spec list{.format = "+l", .name = "list", .children = {Item("i")}};
  Spec list_of_pairs = pair;
  list_of_pairs.name = "item";
  return {
      list,
      {.format = "+L", .name = "large_list", .children = {Item("u")}},
      {.format = "+vl", .name = "list_view", .children = {Item("l")}},
      {.format = "+vL", .name = "large_list_view", .children = {Item("vu")}},
      {.format = "+w:2", .name = "fixed_size_list", .children = {Item("g")}},
      pair,
      Map("map", {.format = "i"}),
      {.format = "+us:3,5",
       .name = "sparse_union",
       .children = {{.format = "i", .name = "i"}, {.format = "u", .name = "u"}}},
      {.format = "+ud:7,0",
       .name = "dense_union",
       .children = {{.format = "g", .name = "g"}, {.format = "b", .name = "b"}}},
      RunEnd("run_end_16", "s", {.format = "u"}),
      RunEnd("run_end_32", "i", {.format = "l"}),
      RunEnd("run_end_64", "l", {.format = "b"}),
      Dictionary("dictionary_8", "c", {.format = "u"}),
      Dictionary("dictionary_u16", "S", {.format = "l"}),
      Dictionary("dictionary_32", "i", {.format = "vu"}),
      Dictionary("dictionary_64", "l", pair),
      {.format = "+s", .name = "empty_struct"},
      {.format = "+l", .name = "list_of_structs", .children = {list_of_pairs}},
      Map("map_of_lists",
          {.format = "+l", .children = {{.format = "tsu:UTC", .name = "item"}}}),
  };
}

}  // namespace

std::vector<Spec> EveryType() {
  std::vector<Spec> types;
  for (const auto& [name, format] : kFlat)
    types.push_back({.format = format, .name = name});
  for (Spec& nested : Nested()) types.push_back(std::move(nested));
  return types;
}

}  // namespace alloy::testing
