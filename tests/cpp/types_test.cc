// SPDX-License-Identifier: MIT
//
// Every type that backend.hpp reads and makes: build/backends/tests/types.so.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/alloy.hpp"
#include "alloy/backend.hpp"
#include "tests/support/decimals.h"
#include "tests/support/support.h"

namespace {

using alloy::Array;
using alloy::Batch;
using alloy::Date32;
using alloy::Date64;
using alloy::Decimal128;
using alloy::FixedBytes;
using alloy::MakeArray;
using alloy::MakeBatch;
using alloy::Schema;
using alloy::Time;
using alloy::Unit;
using support::Slice;

// An array of values in memory, as `schema` names them.
template <typename T>
Array Make(Schema schema, const std::vector<std::optional<T>>& values) {
  alloy::Output<T> column(&alloy::detail::AlignedResize);
  for (const auto& value : values) column.Append(value);
  auto held = std::make_shared<alloy::detail::Imported>();
  held->own_schema = std::move(schema);
  alloy::GiveBatch(held->array.get(), std::move(column));
  const auto* raw = held.get();
  return {raw->own_schema.get(), raw->array->children[0], std::move(held)};
}
template <typename T>
Array Make(const char* format, const std::vector<std::optional<T>>& values) {
  return Make<T>(Schema::Of({.name = "", .format = format}), values);
}

// A list array over `items`, from its buffers.
struct HandMade {
  std::vector<char> validity, first, second;
  const void* buffers[3] = {};
  ArrowArray array{};
  ArrowArray item{};
  ArrowArray* child = &item;
  Schema schema;
  std::optional<Array> items;
};

template <typename T>
std::vector<char> Bytes(const std::vector<int64_t>& numbers) {
  std::vector<char> bytes;
  for (const int64_t number : numbers) {
    const T value = static_cast<T>(number);
    const auto* begin = reinterpret_cast<const char*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof(T));
  }
  return bytes;
}

Array MakeLists(const char* format, const std::vector<bool>& valid,
                const std::vector<int64_t>& first, const std::vector<int64_t>& second,
                const Array& items, int shift = 0) {
  auto made = std::make_shared<HandMade>();
  const bool large = std::string_view(format).ends_with('L');
  made->first = large ? Bytes<int64_t>(first) : Bytes<int32_t>(first);
  made->second = large ? Bytes<int64_t>(second) : Bytes<int32_t>(second);
  made->first.insert(made->first.begin(), static_cast<size_t>(shift), '\0');
  made->validity.assign(valid.size() / 8 + 1, '\0');
  int64_t nulls = 0;
  for (size_t i = 0; i < valid.size(); ++i) {
    if (valid[i]) {
      made->validity[i / 8] = static_cast<char>(made->validity[i / 8] | 1 << (i % 8));
    } else {
      ++nulls;
    }
  }
  made->buffers[0] = nulls > 0 ? made->validity.data() : nullptr;
  made->buffers[1] = made->first.data() + shift;
  made->buffers[2] = made->second.data();
  made->items = items.Share();
  made->item = items.array();
  std::vector<Schema> columns;
  columns.push_back(Schema::List("", Schema::Copy(items.schema(), "item", true)));
  made->schema = Schema::Batch(std::move(columns));
  made->schema.SetFormat(0, format);
  const std::string_view text = format;
  made->array = {.length = static_cast<int64_t>(valid.size()),
                 .null_count = nulls,
                 .offset = 0,
                 .n_buffers = text.starts_with("+v")   ? 3
                              : text.starts_with("+w") ? 1
                                                       : 2,
                 .n_children = 1,
                 .buffers = made->buffers,
                 .children = &made->child,
                 .dictionary = nullptr,
                 .release = nullptr,
                 .private_data = nullptr};
  const auto* raw = made.get();
  return {raw->schema->children[0], &raw->array, std::move(made)};
}

// `+l(item g)`.
std::string TypeOf(const ArrowSchema& schema) {
  std::string text = schema.format;
  if (schema.dictionary != nullptr) text += "<" + TypeOf(*schema.dictionary) + ">";
  for (int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    text += (i == 0 ? "(" : ", ") + std::string(child.name) + " " + TypeOf(child);
  }
  return schema.n_children > 0 ? text + ")" : text;
}

template <typename T>
T At(const ArrowArray& array, int64_t row) {
  T value;
  std::memcpy(&value,
              static_cast<const char*>(array.buffers[1]) + row * int64_t{sizeof(T)},
              sizeof(T));
  return value;
}

std::string TextOf(Decimal128 value) {
  return std::to_string(static_cast<int64_t>(value));
}

std::string ValueOf(const ArrowSchema& schema, const ArrowArray& array, int64_t row) {
  const int64_t at = row + array.offset;
  const void* validity = array.buffers[0];
  if (validity != nullptr && !alloy::detail::BitAt(validity, at)) return "null";
  const std::string_view format = schema.format;
  if (schema.dictionary != nullptr) {
    const int64_t index = format == "c" || format == "C"   ? At<uint8_t>(array, at)
                          : format == "s" || format == "S" ? At<uint16_t>(array, at)
                                                           : At<int32_t>(array, at);
    return ValueOf(*schema.dictionary, *array.dictionary, index);
  }
  std::string text;
  if (format == "+l") {
    for (int64_t i = At<int32_t>(array, at); i < At<int32_t>(array, at + 1); ++i) {
      text +=
          (text.empty() ? "" : " ") + ValueOf(*schema.children[0], *array.children[0], i);
    }
    return "[" + text + "]";
  }
  if (format == "+s") {
    for (int64_t i = 0; i < schema.n_children; ++i) {
      text += (text.empty() ? "" : " ") +
              ValueOf(*schema.children[i], *array.children[i], at);
    }
    return "{" + text + "}";
  }
  if (format == "u") {
    const auto begin = At<int32_t>(array, at);
    return {static_cast<const char*>(array.buffers[2]) + begin,
            static_cast<size_t>(At<int32_t>(array, at + 1) - begin)};
  }
  if (format == "b") return alloy::detail::BitAt(array.buffers[1], at) ? "true" : "false";
  if (format == "g") return std::to_string(At<double>(array, at));
  if (format.starts_with("d:")) return TextOf(At<Decimal128>(array, at));
  if (format.starts_with("w:")) {
    const int64_t width = std::stoll(std::string(format.substr(2)));
    for (int64_t i = 0; i < width; ++i) {
      const auto* bytes = static_cast<const uint8_t*>(array.buffers[1]);
      text += std::to_string(bytes[at * width + i]) + ".";
    }
    return text;
  }
  if (format == "i" || format == "tdD" || format == "tts" || format == "ttm") {
    return std::to_string(At<int32_t>(array, at));
  }
  return std::to_string(At<int64_t>(array, at));
}

class TypesTest : public testing::Test {
 protected:
  // `name type: value value`, for each column, or the error.
  std::string Call(const char* function, const alloy::Result<Batch>& batch,
                   const alloy::OptionMap& options = {}) {
    if (!batch.ok()) return batch.status().ToString();
    const auto result = bridge_.Call(function, *batch, options);
    return result.ok() ? Text(*result) : result.status().ToString();
  }
  static std::string Text(const Batch& batch) {
    std::string text;
    for (int64_t i = 0; i < batch.columns(); ++i) {
      const Array column = batch.column(i);
      text += (i == 0 ? "" : "; ") + std::string(column.schema().name) + " " +
              TypeOf(column.schema()) + ":";
      for (int64_t row = 0; row < column.size(); ++row) {
        text += " " + ValueOf(column.schema(), column.array(), row);
      }
    }
    return text;
  }
  std::string Of(const char* function, const Array& x) {
    return Call(function, MakeBatch({{"x", x.Share()}}));
  }

  // Values and nulls, slices, and empty columns.
  template <typename T>
  void ComesBack(const char* function, const char* format, T one, T two,
                 const std::string& texts_one, const std::string& text_two) {
    const Array x = Make<T>(format, {one, std::nullopt, two});
    const std::string name = std::string(function) + " " + format + ":";
    EXPECT_EQ(Of(function, x), name + " " + texts_one + " null " + text_two);
    EXPECT_EQ(Of(function, Slice(x, 1, 2)), name + " null " + text_two);
    EXPECT_EQ(Of(function, Slice(x, 3, 0)), name);
    EXPECT_EQ(Of(function, Make<T>(format, {})), name);
  }

  alloy::Bridge bridge_ = support::Load("tests/types");
};

TEST_F(TypesTest, MomentsOfEveryUnitKeepTheirZone) {
  for (const std::string zone : {"", "UTC", "Europe/Stockholm", "+01:00"}) {
    for (const std::string unit : {"tss:", "tsm:", "tsu:", "tsn:"}) {
      ComesBack<int64_t>("same", (unit + zone).c_str(), -1,
                         std::numeric_limits<int64_t>::max(), "-1",
                         "9223372036854775807");
    }
  }
  ComesBack<int64_t>("utc", "tsu:UTC", 0, 5, "0", "5");
  ComesBack<int64_t>("naive", "tsu:", 0, 5, "0", "5");
  EXPECT_EQ(Of("zone", Make<int64_t>("tsu:Asia/Tokyo", {3'000'000, std::nullopt})),
            "zone u: Asia/Tokyo Asia/Tokyo; at tss:UTC: 3 null");
  EXPECT_EQ(Of("zone", Make<int64_t>("tsu:", {3'000'000})), "zone u: ; at tss:UTC: 3");
  for (const char* other : {"tsu:", "tsm:UTC", "l"}) {
    EXPECT_NE(Of("utc", Make<int64_t>(other, {1})).find("NO_MATCH"), std::string::npos);
  }
}

TEST_F(TypesTest, DaysTimesAndDurationsComeBack) {
  ComesBack<Date32>("same", "tdD", {-1}, {20'000}, "-1", "20000");
  ComesBack<Date64>("same", "tdm", {-1}, {86'400'000}, "-1", "86400000");
  ComesBack<Time<Unit::kSecond>>("same", "tts", {0}, {86'399}, "0", "86399");
  ComesBack<Time<Unit::kMillisecond>>("same", "ttm", {0}, {7}, "0", "7");
  ComesBack<Time<Unit::kMicrosecond>>("same", "ttu", {0}, {7}, "0", "7");
  ComesBack<Time<Unit::kNanosecond>>("same", "ttn", {0}, {7}, "0", "7");
  for (const char* format : {"tDs", "tDm", "tDu", "tDn"}) {
    ComesBack<int64_t>("same", format, -5, 7, "-5", "7");
  }
}

TEST_F(TypesTest, DecimalsAndFixedBytesComeBack) {
  for (const char* format : {"d:38,2", "d:9,-3", "d:5,0,128"}) {
    ComesBack<Decimal128>("same", format, -5, 7, "-5", "7");
  }
  ComesBack<Decimal128>("money", "d:15,2", -5, 7, "-5", "7");
  ComesBack<Decimal128>("thousands", "d:5,-3", -5, 7, "-5", "7");
  EXPECT_EQ(Of("money", Make<Decimal128>("d:15,2,128", {7})), "money d:15,2: 7");
  EXPECT_NE(Of("money", Make<Decimal128>("d:15,3", {7})).find("NO_MATCH"),
            std::string::npos);
  EXPECT_EQ(Of("up_to", Make<Decimal128>("d:7,3", {7, std::nullopt})),
            "up_to +l(item d:7,3): [6 null 7] null");
  EXPECT_NE(Of("no_input", MakeArray<int64_t>({1})).find("declare Decimal<15, 2>"),
            std::string::npos);
  ComesBack<FixedBytes<1>>("same", "w:1", {1}, {255}, "1.", "255.");
  const Array wide = Make<FixedBytes<16>>("w:16", {FixedBytes<16>{1, 2}, std::nullopt});
  EXPECT_EQ(Of("same", wide), "same w:16: 1.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0. null");
  EXPECT_NE(
      Of("same", Make<FixedBytes<2>>("w:2", {FixedBytes<2>{1, 2}})).find("NO_MATCH"),
      std::string::npos);
}

TEST_F(TypesTest, TextsAreResultsInEveryForm) {
  const Array texts =
      MakeArray<std::string>({"ab", std::nullopt, "", "longer than twelve"});
  EXPECT_EQ(Of("view", texts), "view u: ab null  longer than twelve");
  EXPECT_EQ(Of("optional_view", texts), "optional_view u: ab null  longer than twelve");
  EXPECT_EQ(Of("tail", MakeArray<std::string>({"ab", std::nullopt})), "tail u: b null");
  EXPECT_EQ(Of("literal", MakeArray<int64_t>({1, std::nullopt})), "literal u: text null");
}

class ListsTest : public TypesTest {
 protected:
  static Array Numbers() {
    return MakeArray<int64_t>({1, std::nullopt, 3, 4, 5, 6, 7, 8});
  }
  // Four rows over eight items: two, a null that has two, none, and four.
  static Array Four(const std::string& format, const Array& items, int shift = 0) {
    const std::vector<bool> valid = {true, false, true, true};
    if (format.starts_with("+v")) {
      return MakeLists(format.c_str(), valid, {0, 2, 8, 4}, {2, 2, 0, 4}, items, shift);
    }
    return MakeLists(format.c_str(), valid, {0, 2, 4, 4, 8}, {}, items, shift);
  }
};

TEST_F(ListsTest, ListsOfEveryLayoutAreRead) {
  for (const std::string format : {"+l", "+L", "+vl", "+vL"}) {
    for (const int shift : {0, 1}) {
      const Array x = Four(format, Numbers(), shift);
      EXPECT_EQ(Of("read", x),
                "sizes l: 2 null 0 4; same +l(item l): [1 null] null [] [5 6 7 8]")
          << format;
      EXPECT_EQ(Of("read", Slice(x, 1, 2)), "sizes l: null 0; same +l(item l): null []");
      EXPECT_EQ(Of("read", Slice(x, 4, 0)), "sizes l:; same +l(item l):");
    }
    // Items that are a slice.
    const Array x =
        Four(format, Slice(MakeArray<int64_t>(std::vector<int64_t>(11)), 3, 8));
    EXPECT_EQ(Of("read", x),
              "sizes l: 2 null 0 4; same +l(item l): [0 0] null [] [0 0 0 0]");
  }
  const Array x = MakeLists("+w:2", {true, false, true, true}, {}, {}, Numbers());
  EXPECT_EQ(Of("read", x),
            "sizes l: 2 null 2 2; same +l(item l): [1 null] null [5 6] [7 8]");
  EXPECT_EQ(Of("read", Slice(x, 2, 2)), "sizes l: 2 2; same +l(item l): [5 6] [7 8]");
  EXPECT_EQ(Of("read", MakeLists("+w:0", {true, false}, {}, {}, Numbers())),
            "sizes l: 0 null; same +l(item l): [] null");
}

TEST_F(ListsTest, EmptyColumnsNeedNoBuffers) {
  for (const char* format : {"+l", "+L", "+vl", "+vL", "+w:3"}) {
    const Array x = MakeLists(format, {}, {0}, {}, MakeArray<int64_t>({}));
    EXPECT_EQ(Of("read", x), "sizes l:; same +l(item l):") << format;
  }
}

TEST_F(ListsTest, ListsThatLeaveTheirItemsNameTheRow) {
  struct Fault {
    const char* format;
    std::vector<int64_t> first, second;
    int row;
  };
  const std::vector<bool> valid(3, true);
  for (const Fault& fault : std::vector<Fault>{
           {"+l", {0, 3, 1, 3}, {}, 1},
           {"+l", {0, 9, 3, 3}, {}, 0},
           {"+l", {0, -1, 3, 3}, {}, 0},
           {"+L", {0, 1, INT64_MIN, 3}, {}, 1},
           {"+vl", {0, 1, 9}, {1, 1, 1}, 2},
           {"+vl", {0, 8, 1}, {1, 1, 1}, 1},
           {"+vl", {-1, 1, 1}, {1, 1, 1}, 0},
           {"+vl", {0, 1, 1}, {1, -1, 1}, 1},
           {"+vL", {0, 1, INT64_MAX}, {1, 1, INT64_MAX}, 2},
       }) {
    const Array x = MakeLists(fault.format, valid, fault.first, fault.second, Numbers());
    const auto status = bridge_.Call("read", *MakeBatch({{"x", x.Share()}})).status();
    EXPECT_EQ(status.code(), ALLOY_BAD_DATA) << status;
    EXPECT_EQ(status.text(), "column 'x', row " + std::to_string(fault.row) +
                                 ": the list is outside its items")
        << fault.format;
  }
  // Of a null, nothing is followed.
  EXPECT_EQ(Of("read", MakeLists("+vl", {true, false}, {0, 99}, {1, 99}, Numbers())),
            "sizes l: 1 null; same +l(item l): [1] null");
}

TEST_F(ListsTest, ListsOfTextsAndListsOfListsAreRead) {
  const Array texts = MakeArray<std::string>(
      {"a", std::nullopt, "", "d", "longer than twelve", "f", "g", "h"});
  for (const std::string format : {"+l", "+L", "+vl", "+vL"}) {
    EXPECT_EQ(Of("join", Four(format, texts)),
              "join u: a+- null  longer than twelve+f+g+h");
  }
  const Array inner = MakeLists("+l", {true, true, false, true}, {0, 1, 2, 2, 4}, {},
                                MakeArray<int64_t>({1, 2, std::nullopt, 4}));
  const Array outer = MakeLists("+L", {true, false, true}, {0, 2, 2, 4}, {}, inner);
  const Array decimals = MakeLists("+l", {true, false, true}, {0, 1, 1, 2}, {},
                                   Make<Decimal128>("d:9,2", {5, {}}));
  const Array flags = MakeLists("+w:1", {true, true, true}, {}, {},
                                MakeArray<bool>({false, true, std::nullopt}));
  EXPECT_EQ(Call("deep", MakeBatch({{"x", outer.Share()},
                                    {"d", decimals.Share()},
                                    {"b", flags.Share()}})),
            "deep l: 8 null 1104");
}

TEST_F(ListsTest, ListsOfOtherItemsAreDeclined) {
  const auto text =
      Of("read",
         Four("+l", MakeArray<std::string>({"a", "b", "c", "d", "e", "f", "g", "h"})));
  EXPECT_NE(text.find("column 'x' has the format '+l' of 'u', and the function reads "
                      "lists of l"),
            std::string::npos)
      << text;
}

TEST_F(TypesTest, StructsListsOfThemAndDictionariesAreBuilt) {
  const auto names = MakeArray<std::string>({"Oslo", std::nullopt, "X", "Oslo"});
  const std::string place = "+s(name u, at w:2)";
  EXPECT_EQ(Call("build", MakeBatch({{"name", names.Share()}})),
            "place " + place +
                ": {Oslo null} null {X null} {Oslo null}; places +l(item " + place +
                "): [{p 1.2.} {p 1.2.} {p 1.2.} {p 1.2.}] null [{p 1.2.}] [{p 1.2.} {p "
                "1.2.} {p 1.2.} {p 1.2.}]; "
                "city i<u>: Oslo null X Oslo; day c<tdD>: 4 null 1 4; "
                "seen +s(seen +l(item tss:UTC), n i): {[4 null] 4} null {[1 null] 1} {[4 "
                "null] 4}");
  EXPECT_EQ(Call("build", MakeBatch({{"name", MakeArray<std::string>({})}})),
            "place " + place + ":; places +l(item " + place +
                "):; city i<u>:; day c<tdD>:; seen +s(seen +l(item tss:UTC), n i):");
  EXPECT_EQ(Of("split", MakeArray<std::string>({"ab", std::nullopt, "c"})),
            "split +l(item u): [a b] null [c ]");
  EXPECT_EQ(
      Call("point", MakeBatch({{"x", MakeArray<double>({1, {}})},
                               {"y", MakeArray<double>({std::optional<double>(), 2})}})),
      "point +s(x g, y g): {1.000000 null} null");
  EXPECT_EQ(Of("row", MakeArray<int64_t>({1, std::nullopt})),
            "row +s(list +l(item l), texts +l(item u), city c<u>, inner +s(flag b)): "
            "{[1 null] [a b] c {true}} null");
  EXPECT_EQ(Of("maybe_list", MakeArray<int64_t>({1, 0})),
            "maybe_list +l(item b): [true false] null");
  EXPECT_EQ(Of("city", MakeArray<std::string>({"a", "b", std::nullopt, "a"})),
            "city S<u>: a b null a");
}

TEST_F(TypesTest, ADictionaryStoresEachValueOnceUpToTheRangeOfItsIndex) {
  std::vector<int64_t> numbers;
  numbers.reserve(300);
  for (int64_t i = 0; i < 300; ++i) numbers.push_back(i % 128);
  const auto result = bridge_.Call("too_many", *MakeBatch({{"x", MakeArray(numbers)}}));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->array().children[0]->dictionary->length, 128);
  for (int64_t i = 0; i < 129; ++i) numbers[static_cast<size_t>(i)] = i;
  const auto status =
      bridge_.Call("too_many", *MakeBatch({{"x", MakeArray(numbers)}})).status();
  EXPECT_EQ(status.code(), ALLOY_FAILED);
  EXPECT_NE(status.text().find("more values than its index"), std::string_view::npos);
}

TEST_F(TypesTest, AStreamDeclaresItsColumnsWithTheirTypes) {
  auto batch = MakeBatch({{"at", Make<int64_t>("tsm:+01:00", {1, std::nullopt})}});
  std::vector<Batch> batches;
  batches.push_back(batch->Share());
  batches.push_back(std::move(*batch));
  auto stream = bridge_.Stream("moments", alloy::Stream::Of(std::move(batches)));
  ASSERT_TRUE(stream.ok()) << stream.status();
  for (int i = 0; i < 2; ++i) {
    const auto next = stream->Next();
    ASSERT_TRUE(next.ok()) << next.status();
    ASSERT_TRUE(next->has_value());
    EXPECT_EQ(Text(**next),
              "at tsm:+01:00: 1 null; all +l(item tsm:+01:00): [1 null] [1 null]");
  }
}

TEST_F(TypesTest, ColumnsOfDifferentLengthsAreTheBackendsFault) {
  std::vector<Batch> batches;
  batches.push_back(support::SmallBatch());
  auto stream = bridge_.Stream("uneven", alloy::Stream::Of(std::move(batches)));
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto next = stream->Next();
  EXPECT_EQ(next.status().code(), ALLOY_INTERNAL);
  EXPECT_NE(next.status().text().find("different lengths"), std::string_view::npos);
}

// `declared` is the schema's, `made` the column's.
TEST_F(TypesTest, AResultOfAnotherTypeThanDeclaredIsAnError) {
  const auto batch = support::SmallBatch();
  const auto call = [&](const char* declared, const std::string& made) {
    const auto result =
        bridge_.Call("disagree", batch, {{"declared", declared}, {"made", made}});
    return result.ok() ? "OK" : std::string(result.status().text());
  };
  for (const auto& [declared, made] : std::vector<std::pair<const char*, const char*>>{
           {"l", "g"},          {"g", "l"},          {"l", "L"},
           {"i", "l"},          {"l", "i"},          {"u", "l"},
           {"l", "u"},          {"U", "u"},          {"d:38,2,256", "d"},
           {"tdD", "l"},        {"tdm", "i"},        {"tsm:", "tss"},
           {"l", "tss"},        {"+l", "list"},      {"+l", "l"},
           {"l", "right list"}, {"dictionary", "i"}, {"i", "dictionary"},
           {"u", "dictionary"}, {"b", "i"}}) {
    for (const char* any : {"", " any"}) {
      const std::string text = call(declared, std::string(made) + any);
      const std::string format = declared == std::string("dictionary") ? "i" : declared;
      EXPECT_EQ(
          text.find("column 'y' of the result is declared as '" + format + "', and"), 0U)
          << declared << " " << made << ": " << text;
    }
  }
  EXPECT_EQ(call("l", "fewer"),
            "the function declares 2 columns of results, and makes 1");
  for (const auto& [declared, made] :
       std::vector<std::pair<const char*, const char*>>{{"l", "l"},
                                                        {"tsu:UTC", "l"},
                                                        {"tdm", "l"},
                                                        {"tDn", "l"},
                                                        {"ttn", "l"},
                                                        {"tdD", "i"},
                                                        {"tts", "i"},
                                                        {"tiM", "i"},
                                                        {"d:9,2", "d"},
                                                        {"z", "u"},
                                                        {"u", "u"},
                                                        {"tss:UTC", "tss"},
                                                        {"+l", "right list"},
                                                        {"dictionary", "dictionary"}}) {
    for (const char* any : {"", " any"}) {
      EXPECT_EQ(call(declared, std::string(made) + any), "OK") << declared << " " << made;
    }
  }
}

TEST_F(TypesTest, AStreamOfAnotherTypeThanDeclaredIsAnError) {
  std::vector<Batch> batches;
  batches.push_back(support::SmallBatch());
  auto stream = bridge_.Stream("disagree_stream", alloy::Stream::Of(std::move(batches)),
                               {{"declared", "l"}, {"made", "g"}});
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto next = stream->Next();
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.status().code(), ALLOY_INTERNAL);
  EXPECT_EQ(next.status().text(),
            "column 'y' of the result is declared as 'l', and the function makes 'g'");
}

}  // namespace
