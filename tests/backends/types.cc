// SPDX-License-Identifier: MIT
//
// Every type that backend.hpp reads and makes, and results whose declared type is another
// one than that of the columns.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::Column;
using alloy::Date32;
using alloy::Date64;
using alloy::Decimal;
using alloy::Decimal128;
using alloy::Dictionary;
using alloy::Duration;
using alloy::FixedBytes;
using alloy::Input;
using alloy::List;
using alloy::Member;
using alloy::Options;
using alloy::Output;
using alloy::Scope;
using alloy::Struct;
using alloy::Time;
using alloy::Timestamp;
using alloy::Unit;
using Schemas = std::span<const ArrowSchema>;

// Of one type: the column again.
template <typename T>
alloy::Function Same(const char* name = "same") {
  return alloy::Rows(name, {"x"}, [](T x) { return x; });
}

void Zone(const Column<Timestamp<Unit::kMicrosecond>>& x, Output<std::string>& zone,
          Output<Timestamp<Unit::kSecond, "UTC">>& at) {
  for (const auto moment : x) {
    zone.Append(x.time_zone());
    if (moment) {
      at.Append(Timestamp<Unit::kSecond, "UTC">{moment->count / 1'000'000});
    } else {
      at.AppendNull();
    }
  }
}

// The lists and their items, through every way to read them.
void Read(const Column<List<int64_t>>& x, Output<int64_t>& sizes,
          Output<List<int64_t>>& same) {
  for (int64_t row = 0; row < x.size(); ++row) {
    const auto list = x[row];
    if (!list) {
      sizes.AppendNull();
      same.AppendNull();
      continue;
    }
    sizes.Append(list->size());
    for (int64_t i = 0; i < list->size(); ++i) same.items().Append(list->Get(i));
    same.Close();
  }
}

std::string Join(List<std::string_view> list) {
  std::string text;
  for (const auto item : list) {
    text += (text.empty() ? "" : "+") + std::string(item.value_or("-"));
  }
  return text;
}

int64_t Deep(List<List<int64_t>> lists, std::optional<List<Decimal128>> decimals,
             List<bool> flags) {
  int64_t sum = 0;
  for (const auto list : lists) {
    if (!list) continue;
    for (const auto item : *list) sum += item.value_or(100);
  }
  if (decimals) {
    for (const auto item : *decimals) sum += static_cast<int64_t>(item.value_or(1000));
  }
  for (const auto flag : flags) sum += flag.value_or(false) ? 10'000 : 0;
  return sum;
}

using Seen = List<Timestamp<Unit::kSecond, "UTC">>;
using Place = Struct<Member<"name", std::string>, Member<"at", FixedBytes<2>>>;

void Build(const alloy::Strings& name, Output<Place>& place, Output<List<Place>>& places,
           Output<Dictionary<std::string>>& city, Output<Dictionary<Date32, int8_t>>& day,
           Output<Struct<Member<"seen", Seen>, Member<"n", int32_t>>>& seen) {
  for (const auto one : name) {
    city.Append(one);
    if (!one) {
      place.AppendNull();
      places.AppendNull();
      day.AppendNull();
      seen.AppendNull();
      continue;
    }
    const auto size = static_cast<int32_t>(one->size());
    place.Append(Place(std::string(*one), std::nullopt));
    places.Append(std::vector<Place>(one->size(), Place("p", FixedBytes<2>{1, 2})));
    day.Append(Date32{size});
    seen.field<"seen">().Append(
        std::vector<std::optional<Timestamp<Unit::kSecond, "UTC">>>{
            Timestamp<Unit::kSecond, "UTC">{size}, std::nullopt});
    seen.field<"n">().Append(size);
    seen.Close();
  }
}

// A row of a struct with every kind of field.
using Row = Struct<Member<"list", std::vector<std::optional<int64_t>>>,
                   Member<"texts", std::vector<std::string>>,
                   Member<"city", Dictionary<std::string, int8_t>>,
                   Member<"inner", Struct<Member<"flag", bool>>>>;

Row RowOf(int64_t x) {
  return {std::vector<std::optional<int64_t>>{x, std::nullopt},
          std::vector<std::string>{"a", "b"}, Dictionary<std::string, int8_t>{"c"},
          Struct<Member<"flag", bool>>(true)};
}

std::vector<std::optional<Decimal128>> UpTo(Decimal128 x) {
  return {x - 1, std::nullopt, x};
}

// A stream whose columns are declared with their types, and the zone of its input.
struct Moments {
  using Outputs = alloy::Outputs<Member<"at", Timestamp<Unit::kMillisecond>>,
                                 Member<"all", List<Timestamp<Unit::kMillisecond>>>>;
  Moments(Scope&, const Options&, Schemas) {}
  bool Next(Scope&, std::span<Input> inputs, Outputs& outputs) const {
    const auto batch = inputs[0].Next();
    if (!batch) return false;
    const auto at = batch->Get<Column<Timestamp<Unit::kMillisecond>>>("at");
    for (const auto moment : at) {
      outputs.get<"at">().Append(moment);
      outputs.get<"all">().Append(at);
    }
    return true;
  }
};

struct Uneven {
  using Outputs = alloy::Outputs<Member<"a", int64_t>, Member<"b", int64_t>>;
  Uneven(Scope&, const Options&, Schemas) {}
  static bool Next(Scope&, std::span<Input>, Outputs& outputs) {
    outputs.get<"a">().Append(1);
    return true;
  }
};

// Makes `declared`, which an option names, of columns of another type.
template <typename T>
void GiveOne(Scope& scope, ArrowArray* output, bool any) {
  Output<T> column(scope.services().resize);
  column.AppendNull();
  if (any) {
    std::vector<alloy::AnyOutput> columns;
    columns.push_back(std::move(column));
    alloy::GiveBatch(output, std::move(columns));
  } else {
    alloy::GiveBatch(output, std::move(column));
  }
}

class Disagree {
 public:
  Disagree(Scope&, const Options& options, Schemas)
      : declared_(options["declared"]), made_(options["made"]) {}
  alloy::Schema OutputSchema() const {
    std::vector<alloy::Schema> columns;
    if (declared_ == "+l") {
      columns.push_back(
          alloy::Schema::List("y", alloy::Schema::Of({.name = "item", .format = "g"})));
    } else if (declared_ == "dictionary") {
      columns.push_back(alloy::Schema::Dictionary(
          "y", "i", alloy::Schema::Of({.name = "", .format = "u"})));
    } else {
      columns.push_back(alloy::Schema::Of({.name = "y", .format = declared_}));
    }
    if (made_ == "fewer") columns.push_back(alloy::Schema::Copy(*columns[0]));
    return alloy::Schema::Batch(std::move(columns));
  }
  void Run(Scope& scope, std::span<ArrowArray>, ArrowArray* output) const {
    Make(scope, output);
  }
  bool Next(Scope& scope, std::span<Input> inputs, ArrowArray* output) const {
    if (!inputs[0].Next()) return false;
    Make(scope, output);
    return true;
  }

 private:
  void Make(Scope& scope, ArrowArray* output) const {
    const bool any = made_.ends_with(" any");
    const std::string made = any ? made_.substr(0, made_.size() - 4) : made_;
    if (made == "g") return GiveOne<double>(scope, output, any);
    if (made == "l" || made == "fewer") return GiveOne<int64_t>(scope, output, any);
    if (made == "i") return GiveOne<int32_t>(scope, output, any);
    if (made == "L") return GiveOne<uint64_t>(scope, output, any);
    if (made == "u") return GiveOne<std::string>(scope, output, any);
    if (made == "d") return GiveOne<Decimal128>(scope, output, any);
    if (made == "tss") return GiveOne<Timestamp<Unit::kSecond>>(scope, output, any);
    if (made == "list") return GiveOne<List<int64_t>>(scope, output, any);
    if (made == "right list") return GiveOne<List<double>>(scope, output, any);
    GiveOne<Dictionary<std::string>>(scope, output, any);
  }

  std::string declared_;
  std::string made_;
};

}  // namespace

ALLOY_BACKEND(
    "test.types", "1.0.0", Same<Timestamp<Unit::kSecond>>(),
    Same<Timestamp<Unit::kMillisecond>>(), Same<Timestamp<Unit::kMicrosecond>>(),
    Same<Timestamp<Unit::kNanosecond>>(), Same<Date32>(), Same<Date64>(),
    Same<Time<Unit::kSecond>>(), Same<Time<Unit::kMillisecond>>(),
    Same<Time<Unit::kMicrosecond>>(), Same<Time<Unit::kNanosecond>>(),
    Same<Duration<Unit::kSecond>>(), Same<Duration<Unit::kMillisecond>>(),
    Same<Duration<Unit::kMicrosecond>>(), Same<Duration<Unit::kNanosecond>>(),
    Same<Decimal128>(), Same<FixedBytes<1>>(), Same<FixedBytes<16>>(), Same<bool>(),
    Same<Timestamp<Unit::kMicrosecond, "UTC">>("utc"),
    Same<Timestamp<Unit::kMicrosecond, "">>("naive"), Same<Decimal<15, 2>>("money"),
    Same<Decimal<5, -3>>("thousands"), Same<std::string_view>("view"),
    Same<std::optional<std::string_view>>("optional_view"),
    alloy::Rows("literal", {"x"}, [](int64_t) { return "text"; }),
    alloy::Rows("tail", {"x"}, [](std::string_view x) { return x.substr(1); }),
    alloy::Function("zone", {"x"}, {"zone", "at"}, &Zone),
    alloy::Function("read", {"x"}, {"sizes", "same"}, &Read),
    alloy::Rows("join", {"x"}, &Join), alloy::Rows("deep", {"x", "d", "b"}, &Deep),
    alloy::Function("build", {"name"}, {"place", "places", "city", "day", "seen"},
                    &Build),
    alloy::Rows("up_to", {"x"}, &UpTo), alloy::Rows("row", {"x"}, &RowOf),
    alloy::Rows("maybe_list", {"x"},
                [](int64_t x) -> std::optional<std::vector<bool>> {
                  if (x == 0) return std::nullopt;
                  return std::vector<bool>{true, false};
                }),
    alloy::Rows("split", {"x"},
                [](std::string_view x) {
                  return std::vector<std::string>{
                      std::string(x.substr(0, 1)),
                      std::string(x.substr(x.empty() ? 0 : 1))};
                }),
    alloy::Rows("point", {"x", "y"},
                [](double x, std::optional<double> y) {
                  return Struct<Member<"x", double>, Member<"y", double>>(x, y);
                }),
    alloy::Rows("city", {"x"},
                [](std::string_view x) {
                  return Dictionary<std::string, uint16_t>{std::string(x)};
                }),
    alloy::Rows("too_many", {"x"},
                [](int64_t x) { return Dictionary<int64_t, int8_t>{x}; }),
    alloy::Rows("no_input", {"x"}, [](int64_t x) { return Decimal128{x}; }),
    alloy::Streams<Moments>("moments"), alloy::Streams<Uneven>("uneven"),
    alloy::Raw<Disagree>("disagree").RequiredOption("declared").RequiredOption("made"),
    alloy::Streams<Disagree>("disagree_stream")
        .RequiredOption("declared")
        .RequiredOption("made"))
