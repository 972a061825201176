// SPDX-License-Identifier: MIT
#include "arrow/match_columns.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "arrow/fault.h"
#include "arrow/layout.h"
#include "arrow/type_name.h"
#include "base/text.h"
#include "base/utf8.h"

namespace alloy::core {
namespace {

// A column that the function declares, and what the batch has of that name.
struct Search {
  const alloy_column* wanted = nullptr;
  int32_t found = -1;  // the first child of this name; -1: there is none
  int32_t times = 0;
  bool accepted = false;

  bool ok() const { return times == 1 && accepted; }
};

std::string_view NameOf(const ArrowSchema& schema) {
  return schema.name == nullptr ? std::string_view() : std::string_view(schema.name);
}

// Calls each(pattern) for the formats of the list until one call returns true.
template <typename Each>
bool AnyPattern(std::string_view accepts, Each&& each) {
  while (true) {
    accepts.remove_prefix(std::min(accepts.find_first_not_of(' '), accepts.size()));
    if (accepts.empty()) return false;
    const std::string_view pattern = accepts.substr(0, accepts.find(' '));
    accepts.remove_prefix(pattern.size());
    if (each(pattern)) return true;
  }
}

// One format of `accepts`: `u`, `tsu:*` for every format that begins so, or `?:u` for a
// dictionary of `u`.
bool Accepts(std::string_view pattern, const ArrowSchema& schema) {
  const ArrowSchema* type = &schema;
  if (pattern.starts_with("?:")) {
    pattern.remove_prefix(2);
    type = schema.dictionary;
  }
  if (type == nullptr || type->dictionary != nullptr) return false;
  const std::string_view format = type->format;
  if (pattern.ends_with('*')) {
    return format.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  return format == pattern;
}

bool AcceptsAny(const char* accepts, const ArrowSchema& schema) {
  return accepts == nullptr || AnyPattern(accepts, [&](std::string_view pattern) {
           return Accepts(pattern, schema);
         });
}

constexpr size_t kWidestCell = 72;
constexpr size_t kMostRows = 12;  // more would not fit into the text of an error

std::string Cell(std::string_view text) {
  std::string cell(CutText(text, kWidestCell));
  if (cell.size() < text.size()) cell += "…";
  return cell;
}

std::string WantedCell(const char* accepts) {
  if (accepts == nullptr) return "any type";
  std::string text;
  AnyPattern(accepts, [&text](std::string_view pattern) {
    if (!text.empty()) text += " | ";
    text += AcceptedName(pattern);
    return false;
  });
  return Cell(text);
}

std::string_view Mark(const Search& search) {
  if (search.times == 0) return "<- missing";
  if (search.times > 1) return "<- more than once";
  return search.accepted ? "" : "<- wrong type";
}

struct Row {
  std::string name, wanted, got;
  std::string_view mark;
};

// In characters, not bytes: names need not be ASCII.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return !IsContinuation(byte); }));
}

void AppendPadded(std::string_view text, size_t width, std::string* out) {
  *out += text;
  out->append(width - Width(text), ' ');
}

std::string Table(const std::vector<Row>& rows) {
  size_t name = 0, wanted = 0, got = 0;
  for (const Row& row : rows) {
    name = std::max(name, Width(row.name));
    wanted = std::max(wanted, Width(row.wanted));
    got = std::max(got, Width(row.got));
  }
  std::string text;
  for (const Row& row : rows) {
    text += "\n  ";
    AppendPadded(row.name, name + 2, &text);
    AppendPadded(row.wanted, wanted + 2, &text);
    AppendPadded(row.got, got + 2, &text);
    text += row.mark;
    text.erase(text.find_last_not_of(' ') + 1);
  }
  return text;
}

// A row for each column that the function declares. If there are too many, the faulty
// ones come first.
Status NoMatch(std::vector<Search> searches, const ArrowSchema& schema, int32_t column) {
  const size_t all = searches.size();
  if (all > kMostRows) {
    std::stable_partition(searches.begin(), searches.end(),
                          [](const Search& search) { return !search.ok(); });
    searches.resize(kMostRows);
  }
  std::vector<Row> rows = {{"column", "wanted", "got", ""}};
  for (const Search& search : searches) {
    Row row{
        .name = {},
        .wanted = WantedCell(search.wanted->accepts),
        .got = search.times == 0 ? "-" : Cell(TypeName(*schema.children[search.found])),
        .mark = Mark(search)};
    std::string name;
    AppendEscaped(search.wanted->name, '\0', &name);
    row.name = Cell(name);
    rows.push_back(std::move(row));
  }
  std::string text = "the batch does not have the columns that the function reads:";
  text += Table(rows);
  if (all > kMostRows) text += "\n  … " + std::to_string(all - kMostRows) + " more";
  return Status(Fault{.code = ALLOY_NO_MATCH, .column = column, .text = std::move(text)});
}

// The preorder number of a child of the batch.
int32_t ColumnOf(const Layout& layout, int32_t child) {
  size_t node = 1;
  for (int32_t i = 0; i < child; ++i) {
    node += static_cast<size_t>(layout.nodes()[node].subtree);
  }
  return static_cast<int32_t>(node) - 1;
}

}  // namespace

Result<Projection> MatchColumns(const alloy_column* wanted,
                                const ArrowSchema& batch_schema) {
  ALLOY_ASSIGN_OR_RETURN(const Layout layout, Layout::OfBatch(batch_schema));
  if (wanted == nullptr) return Projection();
  std::vector<Search> searches;
  std::unordered_map<std::string_view, size_t> by_name;
  for (; wanted->name != nullptr; ++wanted) {
    if (!by_name.emplace(wanted->name, searches.size()).second) {
      return Fail(ALLOY_INVALID,
                  "the function declares the column " + Quoted(wanted->name) + " twice");
    }
    searches.push_back({.wanted = wanted});
  }
  // One pass over the batch. A second column of the same name only raises `times`.
  for (int32_t i = 0; i < layout.n_columns(); ++i) {
    const ArrowSchema& child = *batch_schema.children[i];
    const auto entry = by_name.find(NameOf(child));
    if (entry == by_name.end()) continue;
    Search& search = searches[entry->second];
    if (search.times++ > 0) continue;
    search.found = i;
    search.accepted = AcceptsAny(search.wanted->accepts, child);
  }
  // An identity passes batches on unchanged: all columns are read, in the batch's order.
  Projection projection;
  projection.identity = static_cast<int64_t>(searches.size()) == layout.n_columns();
  for (const Search& search : searches) {
    if (!search.ok()) {
      const int32_t column = search.times > 0 ? ColumnOf(layout, search.found) : -1;
      return NoMatch(searches, batch_schema, column);
    }
    projection.identity &=
        search.found == static_cast<int32_t>(projection.columns.size());
    projection.columns.push_back(search.found);
  }
  return projection;
}

}  // namespace alloy::core
