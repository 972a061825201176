// SPDX-License-Identifier: MIT
#include "state.h"

#include <algorithm>

namespace aggregate {
namespace {

constexpr std::string_view kInt64 = "l";
constexpr std::string_view kUInt64 = "L";
constexpr std::string_view kFloat64 = "g";

std::optional<Type> SumOf(const Type& of) {
  switch (of.meaning) {
    case Meaning::kInteger: {
      const bool is_signed =
          of.format == "c" || of.format == "s" || of.format == "i" || of.format == "l";
      return TypeOf(is_signed ? kInt64 : kUInt64);
    }
    case Meaning::kFloat:
      return TypeOf(kFloat64);
    case Meaning::kDecimal:
      return DecimalOf({.precision = 38, .scale = of.decimal.scale});
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view NameOf(What what) {
  switch (what) {
    case What::kCount:
      return "count";
    case What::kSum:
      return "sum";
    case What::kMin:
      return "min";
    case What::kMax:
      return "max";
    case What::kMean:
      return "mean";
  }
  return "";
}

void Counts::Add(const Cells& cells, std::span<const uint32_t> numbers) {
  ForEachRow(cells, [&](int64_t row) { ++counts_[numbers[static_cast<size_t>(row)]]; });
}

void Counts::AddRows(std::span<const uint32_t> numbers) {
  for (const uint32_t number : numbers) ++counts_[number];
}

alloy::AnyOutput Counts::Finish(alloy::detail::Resize resize) {
  alloy::Output<int64_t> column(resize);
  std::ranges::copy(counts_, column.Extend(static_cast<int64_t>(counts_.size())).begin());
  return column;
}

std::optional<Type> OutputOf(What what, const Type& of) {
  switch (what) {
    case What::kCount:
      return TypeOf(kInt64);
    case What::kSum:
      return SumOf(of);
    case What::kMean:
      return SumOf(of) ? std::optional(TypeOf(kFloat64)) : std::nullopt;
    case What::kMin:
    case What::kMax:
      if (of.meaning == Meaning::kBoolean || of.meaning == Meaning::kOther) break;
      return of;
  }
  return std::nullopt;
}

std::unique_ptr<State> MakeState(What what, const Type& of) {
  switch (what) {
    case What::kCount:
      return std::make_unique<Counts>();
    case What::kSum:
    case What::kMean:
      return MakeSum(of, what == What::kMean);
    case What::kMin:
    case What::kMax:
      return MakeBound(of, what == What::kMax);
  }
  throw alloy::Failure(ALLOY_INTERNAL, "an aggregate of no kind");
}

}  // namespace aggregate
