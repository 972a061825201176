// SPDX-License-Identifier: MIT
#include "candidates.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace alloy::testing {
namespace {

std::vector<Spec> AnyBatch() {
  std::vector<Spec> batches;
  for (Spec& type : EveryType()) batches.push_back(BatchOf({std::move(type)}));
  batches.push_back(BatchOf({{.format = "l", .name = "x"},
                             {.format = "g", .name = "y"},
                             {.format = "u", .name = "text"},
                             {.format = "b", .name = "flag"},
                             {.format = "tdD", .name = "day"}}));
  batches.push_back(BatchOf({}));
  return batches;
}

// The types that one word of `accepts` stands for: a format, `ts*`, or `?:u`.
std::vector<Spec> TypesOf(std::string_view word) {
  if (word.starts_with("?:")) {
    std::vector<Spec> types;
    for (Spec& values : TypesOf(word.substr(2))) {
      types.push_back({.format = "i", .dictionary = {std::move(values)}});
    }
    return types;
  }
  std::vector<Spec> types;
  for (Spec& type : EveryType()) {
    if (!type.dictionary.empty()) continue;
    const bool fits = word.ends_with('*')
                          ? type.format.starts_with(word.substr(0, word.size() - 1))
                          : type.format == word;
    if (fits) types.push_back(std::move(type));
  }
  // A flat format with parameters that no sample has.
  if (types.empty() && !word.ends_with('*') && !word.starts_with('+')) {
    types.push_back({.format = std::string(word)});
  }
  return types;
}

std::vector<Spec> AcceptedBy(const alloy_column& column) {
  std::string_view words = column.accepts == nullptr ? "l g u" : column.accepts;
  std::vector<Spec> types;
  while (!words.empty()) {
    const size_t blank = words.find(' ');
    const std::string_view word = words.substr(0, blank);
    words =
        blank == std::string_view::npos ? std::string_view() : words.substr(blank + 1);
    if (word.empty()) continue;
    for (Spec& type : TypesOf(word)) types.push_back(std::move(type));
  }
  for (Spec& type : types) type.name = column.name;
  return types;
}

// Batches of the declared columns, until each was of every type that it accepts; the last
// is in another order and company.
std::vector<Spec> DeclaredBatches(const alloy_column* columns) {
  std::vector<std::vector<Spec>> accepted;
  size_t most = 0;
  for (; columns->name != nullptr; ++columns) {
    accepted.push_back(AcceptedBy(*columns));
    if (accepted.back().empty()) return {};
    most = std::max(most, accepted.back().size());
  }
  std::vector<Spec> batches;
  for (size_t k = 0; k < std::max<size_t>(most, 1); ++k) {
    std::vector<Spec> batch;
    for (const auto& types : accepted) batch.push_back(types[k % types.size()]);
    batches.push_back(BatchOf(std::move(batch)));
  }
  std::vector<Spec> turned = batches[0].children;
  turned.push_back({.format = "u", .name = "company of the declared columns"});
  std::ranges::reverse(turned);
  batches.push_back(BatchOf(std::move(turned)));
  return batches;
}

}  // namespace

std::vector<Inputs> CandidatesFor(const alloy_function& function,
                                  const std::vector<Spec>& own) {
  std::vector<int32_t> counts = {function.min_inputs};
  if (function.max_inputs < 0) counts.push_back(function.min_inputs + 2);
  std::vector<Inputs> candidates;
  for (const int32_t n : counts) {
    std::vector<std::vector<Spec>> choices;
    size_t most = n == 0 ? 1 : 0;
    bool declared = function.columns != nullptr;
    for (int32_t i = 0; i < n; ++i) {
      declared = declared && function.columns[i] != nullptr;
      choices.push_back(declared       ? DeclaredBatches(function.columns[i])
                        : !own.empty() ? own
                                       : AnyBatch());
      if (choices.back().empty()) return {};
      most = std::max(most, choices.back().size());
    }
    for (size_t k = 0; k < most; ++k) {
      Inputs inputs;
      for (const auto& of_one : choices) inputs.push_back(of_one[k % of_one.size()]);
      candidates.push_back(std::move(inputs));
    }
  }
  return candidates;
}

}  // namespace alloy::testing
