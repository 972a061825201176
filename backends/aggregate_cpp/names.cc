// SPDX-License-Identifier: MIT
#include "names.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace aggregate {
namespace {

std::string_view NameOf(const ArrowSchema& column) {
  return column.name == nullptr ? std::string_view() : column.name;
}

std::string ThereAre(const ArrowSchema& batch) {
  if (batch.n_children == 0) return "is none at all";
  std::string text = batch.n_children == 1 ? "is " : "are ";
  for (int64_t i = 0; i < batch.n_children; ++i) {
    if (i > 0) text += ", ";
    text += NameOf(*batch.children[i]);
  }
  return text;
}

// Where the items end: after each comma that separates, and the end of the list.
std::vector<size_t> EndsOf(std::string_view option, std::string_view list) {
  const auto wrong = [&](std::string_view what) {
    return Invalid("option " + std::string(option) + ": " + std::string(what) + " in " +
                   Quoted(list));
  };
  std::vector<size_t> ends;
  int64_t depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < list.size(); ++at) {
    const char c = list[at];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '(') ++depth;
    if (c == ')' && depth-- == 0) throw wrong("a ) without its (");
    if (c == ',' && depth == 0) ends.push_back(at);
  }
  if (quoted) throw wrong("a \" without its second");
  if (depth > 0) throw wrong("a ( without its )");
  ends.push_back(list.size());
  return ends;
}

}  // namespace

alloy::Failure Invalid(std::string text) { return {ALLOY_INVALID, std::move(text)}; }

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::vector<std::string_view> Items(std::string_view option, std::string_view list) {
  std::vector<std::string_view> items;
  size_t first = 0;
  for (const size_t end : EndsOf(option, list)) {
    items.push_back(Trimmed(list.substr(first, end - first)));
    first = end + 1;
  }
  if (items.size() == 1 && items[0].empty()) return {};
  if (std::ranges::count(items, std::string_view()) > 0) {
    throw Invalid("option " + std::string(option) + ": nothing between two commas in " +
                  Quoted(list));
  }
  return items;
}

std::string_view Unquoted(std::string_view name) {
  name = Trimmed(name);
  const bool quoted = name.size() >= 2 && name.front() == '"' && name.back() == '"';
  return quoted ? name.substr(1, name.size() - 2) : name;
}

int64_t IndexOf(std::string_view option, const ArrowSchema& batch,
                std::string_view name) {
  name = Unquoted(name);
  int64_t found = -1;
  for (int64_t i = 0; i < batch.n_children; ++i) {
    if (NameOf(*batch.children[i]) != name) continue;
    if (found >= 0) {
      throw Invalid("option " + std::string(option) + ": there are several columns " +
                    Quoted(name) + "; name them apart");
    }
    found = i;
  }
  if (found < 0) {
    throw Invalid("option " + std::string(option) + ": no column " + Quoted(name) +
                  "; there " + ThereAre(batch));
  }
  return found;
}

void CheckApart(std::string_view option, const std::vector<alloy::Field>& fields) {
  for (auto field = fields.begin(); field != fields.end(); ++field) {
    const auto same = [&](const alloy::Field& other) {
      return other.name == field->name;
    };
    if (std::find_if(fields.begin(), field, same) == field) continue;
    throw Invalid("option " + std::string(option) +
                  ": two columns of the result are called " + Quoted(field->name) +
                  "; call one another way");
  }
}

}  // namespace aggregate
