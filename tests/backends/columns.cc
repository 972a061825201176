// SPDX-License-Identifier: MIT
//
// Dates and decimals in every place of backend.hpp, and stream functions that declare
// what they read and choose at bind what they make.
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloy/backend.hpp"

namespace {

using alloy::AnyColumn;
using alloy::Column;
using alloy::Date32;
using alloy::Decimal128;
using alloy::Input;
using alloy::InputBatch;
using alloy::Options;
using alloy::Output;
using alloy::Scope;
using alloy::Strings;
using Schemas = std::span<const ArrowSchema>;

std::string TextOf(Decimal128 value) {
  std::string digits;
  const bool negative = value < 0;
  do {
    const auto digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  return (negative ? "-" : "") + digits;
}

// `38,2: 123 null`.
void Tell(const Column<Decimal128>& x, Output<std::string>& text) {
  std::string line = std::to_string(x.precision()) + "," + std::to_string(x.scale()) +
                     ", " + std::to_string(x.CountNulls()) + " nulls:";
  for (const auto value : x) line += " " + (value ? TextOf(*value) : "null");
  text.Append(line);
}

Date32 NextDay(Date32 day) { return {day.days + 1}; }

std::optional<int64_t> Sign(Decimal128 x, std::optional<Date32> day) {
  return day ? std::optional<int64_t>(x < 0 ? -1 : 1) : std::nullopt;
}

// The same strings in the two wider layouts.
void Respell(const Strings& text, Output<alloy::LargeText>& large,
             Output<alloy::TextView>& views) {
  large.Reserve(text.size());
  views.Reserve(text.size());
  for (const auto one : text) {
    large.Append(one);
    views.Append(one);
  }
}

// Any column as what the option names.
void LookAt(AnyColumn x, const Options& options, Output<int64_t>& rows) {
  const std::string& as = options["as"];
  if (as == "decimal") rows.Append(x.As<Column<Decimal128>>().size());
  if (as == "date") rows.Append(x.As<Column<Date32>>().size());
  if (as == "strings") rows.Append(x.As<Strings>().size());
  if (as == "any") rows.Append(x.As<AnyColumn>().size());
  // What lies in memory, whatever it means.
  if (as == "first") rows.Append(Column<int32_t>(x.array)[0]);
}

// A column that the result may have.
class Chosen {
 public:
  virtual ~Chosen() = default;
  virtual void Read(const InputBatch& batch) = 0;
  virtual alloy::AnyOutput Take() = 0;
};

template <typename View, typename T>
class ChosenOf final : public Chosen {
 public:
  ChosenOf(std::string name, alloy::Resize resize)
      : name_(std::move(name)), output_(resize) {}
  void Read(const InputBatch& batch) override {
    for (const auto value : batch.Get<View>(name_)) output_.Append(value);
  }
  alloy::AnyOutput Take() override { return std::move(output_); }

 private:
  std::string name_;
  Output<T> output_;
};

std::unique_ptr<Chosen> Choose(const std::string& name, alloy::Resize resize) {
  if (name == "price") {
    return std::make_unique<ChosenOf<Column<Decimal128>, Decimal128>>(name, resize);
  }
  if (name == "day") {
    return std::make_unique<ChosenOf<Column<Date32>, Date32>>(name, resize);
  }
  return std::make_unique<ChosenOf<Strings, std::string>>(name, resize);
}

// The columns that the option names, of the first input and then of the second.
class Choice {
 public:
  Choice(Scope&, const Options& options, Schemas schemas) {
    std::istringstream names(options["columns"]);
    for (std::string name; std::getline(names, name, ',');) names_.push_back(name);
    for (const ArrowSchema& schema : schemas)
      schemas_.push_back(alloy::Schema::Copy(schema));
  }
  alloy::Schema OutputSchema() const {
    std::vector<alloy::Field> fields;
    for (const std::string& name : names_) {
      for (const auto& schema : schemas_) {
        for (int64_t i = 0; i < schema->n_children; ++i) {
          const ArrowSchema& column = *schema->children[i];
          if (name != column.name) continue;
          fields.push_back(
              {.name = name, .format = Strings::Accepts(column) ? "u" : column.format});
        }
      }
    }
    return alloy::Schema::Batch(fields);
  }
  bool Next(Scope& scope, std::span<Input> inputs, ArrowArray* output) const {
    std::vector<alloy::AnyOutput> columns;
    size_t ended = 0;
    for (Input& input : inputs) {
      const auto batch = input.Next();
      if (!batch) {
        ++ended;
        continue;
      }
      for (int64_t i = 0; i < batch->schema().n_children; ++i) {
        seen_ += std::string(batch->schema().children[i]->name) + " ";
      }
      for (const std::string& name : names_) {
        if (!Has(*batch, name)) continue;
        auto column = Choose(name, scope.services().resize);
        column->Read(*batch);
        columns.push_back(column->Take());
      }
    }
    if (ended > 0) return false;
    scope.Info(std::exchange(seen_, ""));
    alloy::GiveBatch(output, std::move(columns));
    return true;
  }

 private:
  static bool Has(const InputBatch& batch, std::string_view name) {
    for (int64_t i = 0; i < batch.schema().n_children; ++i) {
      if (name == batch.schema().children[i]->name) return true;
    }
    return false;
  }

  std::vector<std::string> names_;
  std::vector<alloy::Schema> schemas_;
  mutable std::string seen_;
};

}  // namespace

ALLOY_BACKEND("test.columns", "1.0.0", alloy::Function("tell", {"x"}, {"text"}, &Tell),
              alloy::Rows("next_day", {"day"}, &NextDay),
              alloy::Rows("sign", {"x", "day"}, &Sign),
              alloy::Function("respell", {"text"}, {"large", "views"}, &Respell),
              alloy::Function("look_at", {"x"}, {"rows"}, &LookAt).RequiredOption("as"),
              alloy::Streams<Choice>("choose", 2, 2)
                  .RequiredOption("columns")
                  .Reads({{"price", "d:*"},
                          {"name", alloy::Strings::kAccepts, "of whatever layout"}})
                  .Reads({{"day", "tdD"}, {"other"}}))
