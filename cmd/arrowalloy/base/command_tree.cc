// SPDX-License-Identifier: MIT
#include "command_tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <string>
#include <vector>

namespace arrowalloy {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; start <= text.size(); start += words.back().size() + 1) {
    words.push_back(text.substr(start, text.find(',', start) - start));
  }
  return words;
}

std::string Placeholder(const ValueSpec& spec) {
  if (!spec.placeholder.empty()) return spec.placeholder;
  if (!spec.choices.empty()) return fmt::format("{}", fmt::join(spec.choices, "|"));
  switch (spec.kind) {
    case Kind::kFile:
      return "FILE";
    case Kind::kFolder:
      return "FOLDER";
    case Kind::kText:
      break;
  }
  return "TEXT";
}

}  // namespace

OptionTree DescribeValue(const std::string& names, const std::string& summary,
                         const ValueSpec& spec) {
  OptionTree tree = DescribeFlag(names, summary);
  tree.placeholder = tree.names.empty() ? names : Placeholder(spec);
  tree.required = spec.required;
  tree.kind = spec.kind;
  tree.choices = spec.choices;
  return tree;
}

OptionTree DescribeFlag(const std::string& names, const std::string& summary) {
  OptionTree tree;
  tree.summary = summary;
  if (names.starts_with('-')) tree.names = SplitAtCommas(names);
  return tree;
}

}  // namespace arrowalloy
