// SPDX-License-Identifier: MIT
#include "aggregates.h"

#include "names.h"

namespace aggregate {
namespace {

constexpr std::string_view kOption = "aggregates";
constexpr What kAll[] = {What::kCount, What::kSum, What::kMin, What::kMax, What::kMean};

std::optional<What> WhatOf(std::string_view name) {
  for (const What what : kAll) {
    if (NameOf(what) == name) return what;
  }
  return std::nullopt;
}

std::string Refusal(What what, const Type& of) {
  std::string_view kinds = "numbers and decimal128 have one";
  if (what == What::kCount) kinds = "all but unions and run-end arrays have one";
  if (what == What::kMin || what == What::kMax) {
    kinds = "numbers, decimal128, dates, times and strings have one";
  }
  return of.name + " has no " + std::string(NameOf(what)) + "; " + std::string(kinds);
}

// Whether it is told which of the values are null.
bool SaysNulls(const ArrowSchema& column) {
  const std::string_view format =
      column.dictionary != nullptr ? column.dictionary->format : column.format;
  return !format.starts_with("+u") && format != "+r";
}

}  // namespace

Aggregate::Aggregate(std::string_view text, const ArrowSchema& batch) : name_(text) {
  std::string_view call = text;
  if (const size_t as = text.rfind(" as "); as != text.npos) {
    call = Trimmed(text.substr(0, as));
    name_ = Unquoted(text.substr(as + 4));
  }
  ReadCall(text, call, batch);
}

void Aggregate::ReadCall(std::string_view text, std::string_view call,
                         const ArrowSchema& batch) {
  std::string_view name = call;
  std::optional<std::string_view> column;
  if (const size_t open = call.find('('); open != call.npos && call.ends_with(')')) {
    name = Trimmed(call.substr(0, open));
    column = Trimmed(call.substr(open + 1, call.size() - open - 2));
  }
  const auto what = WhatOf(name);
  if (!what) {
    throw Invalid("option aggregates: " + Quoted(text) +
                  " is none; there are count, count(x), sum(x), min(x), max(x), mean(x), "
                  "each with or without: as name");
  }
  what_ = *what;
  output_ = *OutputOf(What::kCount, of_);
  if (what_ == What::kCount && (!column || *column == "*")) return;
  if (!column) {
    const std::string asked(name);
    throw Invalid("option aggregates: " + asked + " of which column? " + asked + "(x)");
  }
  index_ = IndexOf(kOption, batch, *column);
  of_ = ValueTypeOf(*batch.children[index_]);
  const auto output = OutputOf(what_, of_);
  if (!output || !SaysNulls(*batch.children[index_])) {
    throw Invalid("option aggregates: " + std::string(text) + ": " + Refusal(what_, of_));
  }
  output_ = *output;
}

alloy::Field Aggregate::Field() const {
  return {.name = name_, .format = output_.format, .nullable = what_ != What::kCount};
}

std::unique_ptr<State> Aggregate::MakeState() const {
  return aggregate::MakeState(what_, of_);
}

void Aggregate::Add(State* state, const ArrowSchema& schema, const ArrowArray& batch,
                    std::span<const uint32_t> numbers) const {
  if (index_ < 0) return static_cast<Counts*>(state)->AddRows(numbers);
  const Cells cells({*schema.children[index_], *batch.children[index_]});
  try {
    state->Add(cells, numbers);
  } catch (const alloy::Failure& failure) {
    throw Named(failure);
  }
}

alloy::AnyOutput Aggregate::Finish(State* state, alloy::detail::Resize resize) const {
  try {
    return state->Finish(resize);
  } catch (const alloy::Failure& failure) {
    throw Named(failure);
  }
}

alloy::Failure Aggregate::Named(const alloy::Failure& failure) const {
  return {failure.code(), name_ + ": " + failure.text()};
}

}  // namespace aggregate
