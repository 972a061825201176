// SPDX-License-Identifier: MIT
#include "arrow/fake_arrow.h"

namespace alloy::core::fake {
namespace {

constexpr int64_t kRows = 4;

Array Strings(int64_t length) {
  return {.length = length, .buffers = {nullptr, Zeros(), Zeros()}};
}

Array Lists(Array child) {
  return {.length = kRows, .buffers = {nullptr, Zeros()}, .children = {std::move(child)}};
}

Array ListViews(Array child) {
  return {.length = kRows,
          .buffers = {nullptr, Zeros(), Zeros()},
          .children = {std::move(child)}};
}

template <typename T>
Array RunEnds() {
  static const T ends[] = {1, kRows};
  return {.length = kRows,
          .children = {{.length = 2, .buffers = {nullptr, ends}}, Fixed(2)}};
}

void AddFlat(std::vector<Kind>* kinds) {
  for (const char* format : {"b",          "c",
                             "C",          "s",
                             "S",          "i",
                             "I",          "l",
                             "L",          "e",
                             "f",          "g",
                             "w:0",        "w:1",
                             "w:16",       "d:9,2,32",
                             "d:18,2,64",  "d:38,10",
                             "d:38,0,128", "d:5,-2",
                             "d:76,5,256", "tdD",
                             "tdm",        "tts",
                             "ttm",        "ttu",
                             "ttn",        "tss:",
                             "tsm:",       "tsu:",
                             "tsn:",       "tss:UTC",
                             "tsu:+01:00", "tsn:Europe/Stockholm",
                             "tsm:å:b:",   "tDs",
                             "tDm",        "tDu",
                             "tDn",        "tiM",
                             "tiD",        "tin"}) {
    kinds->push_back({format, {.format = format}, Fixed(kRows)});
  }
  for (const char* format : {"z", "Z", "u", "U", "vz", "vu"}) {
    kinds->push_back({format, {.format = format}, Strings(kRows)});
  }
  kinds->push_back({"n", {.format = "n"}, {.length = kRows, .null_count = kRows}});
}

void AddNested(std::vector<Kind>* kinds) {
  const Schema item{.format = "i", .name = "item"};
  const Schema text{.format = "u", .name = "text"};
  for (const char* format : {"+l", "+L"}) {
    kinds->push_back({format, {.format = format, .children = {item}}, Lists(Fixed(0))});
  }
  for (const char* format : {"+vl", "+vL"}) {
    kinds->push_back(
        {format, {.format = format, .children = {item}}, ListViews(Fixed(0))});
  }
  kinds->push_back({"+w:3",
                    {.format = "+w:3", .children = {item}},
                    {.length = kRows, .buffers = {nullptr}, .children = {Fixed(12)}}});
  kinds->push_back({"+w:0",
                    {.format = "+w:0", .children = {item}},
                    {.length = kRows, .buffers = {nullptr}, .children = {Fixed(0)}}});
  kinds->push_back({"+s",
                    {.format = "+s", .children = {item, text}},
                    Rows(kRows, {Fixed(kRows), Strings(kRows)})});
  kinds->push_back({"+s without fields", {.format = "+s"}, Rows(kRows, {})});
  const Schema entries{.format = "+s", .name = "entries", .children = {text, item}};
  kinds->push_back({"+m",
                    {.format = "+m", .children = {entries}, .flags = 6},
                    Lists(Rows(0, {Strings(0), Fixed(0)}))});
  kinds->push_back({"+us",
                    {.format = "+us:0,5", .children = {item, text}},
                    {.length = kRows,
                     .buffers = {Zeros()},
                     .children = {Fixed(kRows), Strings(kRows)}}});
  kinds->push_back({"+ud",
                    {.format = "+ud:0,127", .children = {item, text}},
                    {.length = kRows,
                     .buffers = {Zeros(), Zeros()},
                     .children = {Fixed(1), Strings(1)}}});
  kinds->push_back(
      {"+us without types", {.format = "+us:"}, {.length = 0, .buffers = {Zeros()}}});
}

void AddEncoded(std::vector<Kind>* kinds) {
  const Schema values{.format = "l", .name = "values"};
  const auto run_ends = [&](const char* format) {
    return Schema{.format = "+r",
                  .children = {{.format = format, .name = "run_ends"}, values}};
  };
  kinds->push_back({"+r of int16", run_ends("s"), RunEnds<int16_t>()});
  kinds->push_back({"+r of int32", run_ends("i"), RunEnds<int32_t>()});
  kinds->push_back({"+r of int64", run_ends("l"), RunEnds<int64_t>()});
  for (const char* index : {"c", "C", "s", "S", "i", "I", "l", "L"}) {
    Array sample = Fixed(kRows);
    sample.dictionary = {Strings(1)};
    kinds->push_back(
        {"a dictionary", {.format = index, .dictionary = {{.format = "u"}}}, sample});
  }
}

}  // namespace

std::vector<Kind> AllKinds() {
  std::vector<Kind> kinds;
  AddFlat(&kinds);
  AddNested(&kinds);
  AddEncoded(&kinds);
  return kinds;
}

}  // namespace alloy::core::fake
